"""`start` from its first line to its last: the bundle if it is stale, then the run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from amctl.run.browser import pick_mode
from amctl.run.bundling import build_bundle, manifest_reader
from amctl.run.supervisor import supervise

if TYPE_CHECKING:
    from amctl.run.report import Observer, Report, StartOptions
    from amctl.run.settings import Settings

__all__ = ["start"]


def start(settings: Settings, options: StartOptions, observer: Observer) -> Report:
    """Run the workflow to its end.

    Building comes before the event loop, so that Ctrl-C ends it as it ends any program.

    Raises:
        RunError: If something that a person can mend is in the way.
        BundleError: If the bundle is stale and can't be built here.
        KeyboardInterrupt: On Ctrl-C before the run began.
    """
    if options.nodes == "browser":
        # Before the seconds that a build may take.
        pick_mode(options.browser)
        with observer.building() as progress:
            build_bundle(settings, progress)
    return asyncio.run(supervise(settings, options, observer, manifest_reader(settings)))
