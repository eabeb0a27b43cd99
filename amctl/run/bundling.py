"""The browser bundle, as `start` and `build` ask for it."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from amctl.bundle import (
    BuildFailedError,
    BuildReport,
    BundleError,
    build,
    check,
    clean,
    page_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amctl.run.report import Progress
    from amctl.run.settings import Settings

__all__ = ["build_bundle", "clean_bundle", "entry_of", "manifest_reader", "stale_reasons"]


def entry_of(settings: Settings) -> str:
    """The module that each browser thread imports."""
    return f"{settings['NODES_PACKAGE']}.browser"


def build_bundle(
    settings: Settings, progress: Progress, *, prod: bool | None = None
) -> BuildReport:
    """Build web/dist if it is stale; seconds then, milliseconds else.

    Args:
        settings: Whose nodes to bundle.
        progress: Told each step, how much of it is done, and its total.
        prod: True for the smallest, precompressed kind; None keeps the kind that is there.

    Raises:
        BundleError: If something that it takes is missing, compiling failed, or the result can't
            be written.
    """
    with _writing():
        return build(settings.home, prod=prod, entry=entry_of(settings), progress=progress)


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Tell a folder that can't be written, or a full disk, from a bug."""
    try:
        yield
    except BundleError:
        raise
    except OSError as err:
        problem = f"{err.strerror or err}{f': {err.filename}' if err.filename else ''}"
        raise BuildFailedError("web/dist can't be written", problem) from err


def stale_reasons(settings: Settings, *, prod: bool | None = None) -> list[str]:
    """Why the bundle is stale, a line each; empty if it is fresh. Changes nothing."""
    return check(settings.home, prod=prod, entry=entry_of(settings))


def clean_bundle(settings: Settings) -> bool:
    """Remove web/dist; whether there was one.

    Raises:
        BundleError: If it can't be removed.
    """
    with _writing():
        return clean(settings.home)


def manifest_reader(settings: Settings) -> Callable[[], dict[str, Any]]:
    """Reads what the page must fetch, anew at each call: a bundle may be rebuilt under a run."""
    return partial(page_manifest, settings.home)
