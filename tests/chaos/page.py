"""The nodes in a real Chromium, below a relay and an orchestrator of this process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from amctl.bundle import build, page_manifest
from amctl.run.boot import boot_routes
from amctl.run.browser import launch
from amctl.run.events import events_routes
from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.routing import Route

    from nodes.run import Workflow

__all__ = ["WEB", "build_page", "opened", "page_routes"]

WEB = ROOT / "web"


def build_page() -> None:
    """Build the page's files if they are stale. Blocks for so long that sessions may end."""
    build(ROOT)


def page_routes(workflow: Workflow) -> list[Route]:
    """What the page asks the relay for, beside its files. Those must have been built."""
    return [
        *events_routes(workflow.recorder),
        *boot_routes(workflow.boot_plan, lambda: page_manifest(ROOT), workflow.node_ids),
    ]


@contextlib.asynccontextmanager
async def opened(url: str, log: Path) -> AsyncIterator[None]:
    """A headless browser of its own on the page."""
    browser = await launch(url, headless=True, log_file=log)
    try:
        yield
    finally:
        await browser.close()
