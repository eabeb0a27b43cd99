"""The workflow: nodes that hash what they are given, and the orchestrator that checks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nodes.plan import WorkflowSettings
    from nodes.run import Workflow

__all__ = ["workflow"]


def workflow(
    settings: Mapping[str, str] | WorkflowSettings, *, home: Path | None = None, token: str = ""
) -> Workflow:
    """A run of the DAG that the settings name. Call it in a running loop.

    Args:
        settings: A project's settings; missing ones have their defaults.
        home: Where relative paths start; None is the current folder.
        token: The run's secret.

    Raises:
        SettingError: A value can't be read.
        DagError: There is no such DAG, or it can't be run.
    """
    # Not above: this package is imported in browsers too, which have no relay.
    from nodes.run import make_workflow

    return make_workflow(settings, home=home, token=token)
