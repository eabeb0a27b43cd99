"""The programs of a project, by the names that the command line knows them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.bundle.sources import locate
from amctl.insight.deps import read_deps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from amctl.insight.deps import Deps

__all__ = ["TARGETS", "read_target", "roots_of"]

TARGETS = ("browser", "orchestrator", "amctl")


def roots_of(target: str, root: Path, nodes: str, commands: Sequence[str]) -> tuple[str, ...]:
    """The modules that a program begins with.

    Args:
        target: One of `TARGETS`: what each browser thread imports; what runs the orchestrator;
            the command line with all its commands. That one knows no nodes: it loads them by the
            name in the settings.
        root: The project.
        nodes: Name of its nodes package.
        commands: Modules of the command line, the main one first.
    """
    if target == "browser":
        return (f"{nodes}.browser",)
    if target == "orchestrator":
        run = f"{nodes}.run"
        # A package of somebody else's may have all in one place.
        return (run if locate(root, f"{run.replace('.', '/')}.py") else nodes,)
    return tuple(dict.fromkeys(commands))


def read_target(root: Path, target: str, nodes: str, commands: Sequence[str]) -> Deps:
    """What one of `TARGETS` imports; the arguments are those of `roots_of`.

    Raises:
        NoEntryError: It isn't there.
    """
    roots = roots_of(target, root, nodes, commands)
    return read_deps(root, target, roots, browser=target == "browser")
