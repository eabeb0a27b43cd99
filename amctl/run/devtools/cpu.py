"""Chromium's own CPU profile of one of its threads."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from amctl.run.devtools.protocol import DevTools, open_devtools
from amctl.run.errors import DevToolsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["CpuProfile", "cpu_profile"]

_HOLDS_OTHERS = {"page", "iframe", "worker", "shared_worker"}
_INTERVAL = 1000
"""Microseconds between V8's samples."""
_FLATTEN = {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": True}
_LONG = 60.0
"""Seconds to hand over a profile."""


class CpuProfile:
    """A profile that is being taken."""

    def __init__(self, tools: DevTools, session: str) -> None:
        self._tools, self._session = tools, session

    async def stop(self) -> dict[str, Any]:
        """End it; what `.cpuprofile` files hold. Raises DevToolsError."""
        told = await self._tools.call("Profiler.stop", session=self._session, patience=_LONG)
        found: dict[str, Any] = told["profile"]
        return found


class _Threads:
    """The browser's pages and workers, by their sessions."""

    def __init__(self) -> None:
        self.children: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        """Session -> sessions within, each with what its target is."""

    def on_event(self, method: str, params: dict[str, Any], session: str) -> None:
        """Keep what was attached."""
        if method == "Target.attachedToTarget":
            found = params["sessionId"], params["targetInfo"]
            self.children.setdefault(session, []).append(found)

    async def find(self, tools: DevTools, name: str, session: str = "") -> str | None:
        """The session of a page's own thread, or of the worker that has a name.

        Workers are looked for in pages and in other workers.
        """
        await tools.call("Target.setAutoAttach", _FLATTEN, session=session)
        for inner, target in self.children.get(session, ()):
            if _is(target, name):
                return inner
            if target["type"] in _HOLDS_OTHERS:
                found = await self.find(tools, name, inner)
                if found is not None:
                    return found
        return None


def _is(target: dict[str, Any], name: str) -> bool:
    if name:
        return bool(target["type"] == "worker" and target["title"] == name)
    # browsers have pages of their own
    return target["type"] == "page" and str(target["url"]).startswith(("http:", "https:"))


@contextlib.asynccontextmanager
async def cpu_profile(address: str, thread: str) -> AsyncIterator[CpuProfile]:
    """Have a thread profiled while the context lasts; leaving it early drops the profile.

    Args:
        address: Of the browser's debugging door.
        thread: The worker's name; empty is the page itself.

    Raises:
        DevToolsError: The browser can't be asked, or has no such thread.
    """
    threads = _Threads()
    async with open_devtools(address, threads.on_event) as tools:
        session = await threads.find(tools, thread)
        if session is None:
            what = f"worker {thread!r}" if thread else "page of this run"
            raise DevToolsError("the browser", f"it has no {what}")
        await tools.call("Profiler.enable", session=session)
        await tools.call("Profiler.setSamplingInterval", {"interval": _INTERVAL}, session=session)
        await tools.call("Profiler.start", session=session)
        yield CpuProfile(tools, session)
