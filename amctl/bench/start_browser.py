"""A Chromium to measure starts in: opens a page, waits for its threads, weighs its processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.bench.errors import BenchError
from amctl.run.browser import launch
from amctl.run.devtools.door import read_door
from amctl.run.devtools.protocol import open_devtools
from amctl.run.errors import DevToolsError, NoDoorError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from amctl.run.devtools.protocol import DevTools

__all__ = ["Threads", "Visitor", "renderers_pss_mb", "visit"]

_PATIENCE = 180.0
"""Seconds for all threads of a page: minutes, where a machine has much other work."""
_BEAT = 0.05
_OLD = "globalThis.benchOld = true"
_ASK = """
globalThis.benchOld || !globalThis.amctl ? null
  : (amctl.ready.then((threads) => globalThis.benchReady = threads),
     globalThis.benchReady ? JSON.stringify(globalThis.benchReady) : null)
"""


class Threads(dict[str, dict[str, Any]]):
    """What the page tells of its threads, by name."""

    @property
    def ready_ms(self) -> float:
        """From navigation until the last of them had imported the nodes' code."""
        return max(float(thread["ready"]) for thread in self.values())

    @property
    def woken(self) -> bool:
        """Whether all of them woke up from the memory image."""
        return all(thread["woken"] for thread in self.values())


class Visitor:
    """A page in the browser."""

    def __init__(self, tools: DevTools, session: str, group: int) -> None:
        self._tools, self._session, self._group = tools, session, group

    async def open(self, url: str) -> Threads:
        """Open a page, and wait for its threads.

        Raises:
            BenchError: They don't come.
        """
        await self._call("Page.navigate", {"url": url})
        return await self._threads()

    async def reload(self) -> Threads:
        """Do it again. Raises BenchError."""
        await self._call("Runtime.evaluate", {"expression": _OLD})
        await self._call("Page.reload")
        return await self._threads()

    def memory_mb(self) -> float:
        """Of all processes that show pages."""
        return renderers_pss_mb(self._group)

    async def wait_for(self, expression: str, what: str) -> str:
        """Wait until JavaScript in the page gives a text.

        Args:
            expression: Gives null until then.
            what: It is, for the error.

        Raises:
            BenchError: It doesn't come.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while True:
                    # between two pages there is none to ask
                    with contextlib.suppress(DevToolsError):
                        asked = await self._call("Runtime.evaluate", {"expression": expression})
                        if isinstance(found := asked["result"].get("value"), str):
                            return found
                    await asyncio.sleep(_BEAT)
        raise BenchError("the page", f"{what} did not come within {_PATIENCE:g} s")

    async def _threads(self) -> Threads:
        return Threads(json.loads(await self.wait_for(_ASK, "its threads")))

    async def _call(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return await self._tools.call(method, params, session=self._session)


@contextlib.asynccontextmanager
async def visit(folder: Path) -> AsyncIterator[Visitor]:
    """A new headless browser that knows no page yet; it ends with the context.

    Args:
        folder: For the address of its debugging door.

    Raises:
        NoBrowserError: There is none.
        BenchError: It doesn't do as it is told.
    """
    browser = await launch("about:blank", headless=True, door=folder)
    try:
        if browser.browser.family != "chromium":
            raise BenchError(str(browser.browser.program), "starts are measured in Chromium alone")
        address = await _door(folder)
        async with open_devtools(address, lambda method, params, session: None) as tools:
            made = await tools.call("Target.createTarget", {"url": "about:blank"})
            target = {"targetId": made["targetId"], "flatten": True}
            attached = await tools.call("Target.attachToTarget", target)
            yield Visitor(tools, attached["sessionId"], browser.process.pid)
    except DevToolsError as error:
        raise BenchError("the browser", str(error)) from error
    finally:
        await browser.close()


async def _door(folder: Path) -> str:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            while True:
                with contextlib.suppress(NoDoorError):
                    return read_door(folder)
                await asyncio.sleep(_BEAT)
    raise BenchError("the browser", "it opened no debugging door")


def renderers_pss_mb(group: int, proc: Path = Path("/proc")) -> float:
    """Memory of a process group's renderers, what they share counted once; 0 if nobody can tell.

    Args:
        group: The browser's process group.
        proc: Where processes tell of themselves.
    """
    total = 0
    for path in proc.glob("[0-9]*"):
        try:
            if b"--type=renderer" not in (path / "cmdline").read_bytes():
                continue
            if os.getpgid(int(path.name)) != group:
                continue
            lines = (path / "smaps_rollup").read_text(encoding="ascii").splitlines()
        except (OSError, ValueError):
            continue  # it has just gone, or belongs to somebody else
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6
