"""What a message between two browser threads takes from Python to Python and back, beside the same
from JavaScript to JavaScript.

Both are measured in the same two threads of one page, in turns: a worker, and a worker below it, as
a dispatcher and its leaf are.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.bench._port_thread import CHANNEL
from amctl.bench.errors import BenchError
from amctl.bench.start_browser import visit
from amctl.bench.start_home import lay_stock, stock_page
from amctl.bundle.errors import RuntimeMissingError
from amctl.relay import Relay
from amctl.run.boot import boot_routes
from amctl.run.browser import find_browser
from amctl.run.errors import NoBrowserError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PortFigures", "bench_port", "try_port"]

SMALL = 64
"""Bytes of a message as calls make them; the goal is of these."""
_SIZES = {SMALL: 400, 65536: 100}
"""Bytes of a message -> trips of a turn."""
_ENTRY = "amctl.bench._port_thread"
_SCRIPTS = ("loader.js", "worker.js", "runtime.js", "snapshot.js")
_PAGE = f"""<!doctype html><meta charset="utf-8"><script type="module">
new BroadcastChannel("{CHANNEL}").onmessage = ({{ data }}) => globalThis.benchPort = data;
await import("./loader.js");
</script>
"""
_ASK = "globalThis.benchPort ?? null"


@dataclass(frozen=True, slots=True)
class PortFigures:
    """What was measured."""

    turns: dict[int, list[tuple[float, float]]]
    """By the bytes of a message: microseconds of a round trip, JavaScript's and Python's."""

    def ratio(self, size: int = SMALL) -> float:
        """Python's by JavaScript's, the median of the turns."""
        return statistics.median(python / own for own, python in self.turns[size])

    def to_json(self) -> dict[str, Any]:
        """By the bytes of a message."""
        return {
            str(size): {
                "ratio": round(self.ratio(size), 2),
                "us_js": round(statistics.median(own for own, _ in turns), 1),
                "us_python": round(statistics.median(python for _, python in turns), 1),
                "turns": len(turns),
            }
            for size, turns in self.turns.items()
        }


def bench_port(project: Path, *, turns: int = 15) -> PortFigures:
    """Send messages back and forth in a headless Chromium; takes some ten seconds.

    Args:
        project: Where Pyodide's package is installed; nothing has to be built.
        turns: Of each kind.

    Raises:
        BenchError: The page doesn't do as it is told.
        NoBrowserError: There is no browser.
        RuntimeMissingError: Pyodide's package isn't installed.
    """
    # resolved, for a temporary folder may be a link
    with tempfile.TemporaryDirectory(prefix="amctl-bench-") as temporary:
        folder = Path(temporary).resolve()
        home = folder / "home"
        _lay(project, home)
        return asyncio.run(_run(home, folder, turns))


def try_port(project: Path, say: Callable[[str], None]) -> PortFigures | None:
    """Do it if it can be done here; else say why not, and give None. Raises BenchError."""
    try:
        browser = find_browser()
        if browser is not None and browser.family == "chromium":
            return bench_port(project)
        why = "there is no Chromium; amctl setup installs it"
    except (NoBrowserError, RuntimeMissingError) as error:
        why = f"{error}; {error.hint}"
    say(f"port_ratio_js is not measured: {why}")
    return None


def _lay(project: Path, home: Path) -> None:
    web = home / "web"
    web.mkdir(parents=True)
    for name in _SCRIPTS:
        shutil.copyfile(project / "web" / name, web / name)
    (web / "index.html").write_text(_PAGE, encoding="utf-8")
    lay_stock(project, home, _ENTRY)


def _plan(turns: int) -> dict[str, Any]:
    leaf = {"id": "answers", "plan": {}, "workers": []}
    plan = {"leaf": leaf["id"], "turns": turns, "trips": _SIZES}
    asks = {"id": "asks", "plan": plan, "workers": [leaf]}
    return {"entry": _ENTRY, "workflow": "bench", "ui": None, "workers": [asks]}


async def _run(home: Path, folder: Path, turns: int) -> PortFigures:
    said: list[str] = []
    routes = boot_routes(
        lambda: _plan(turns),
        lambda: stock_page(home),
        ("asks", "answers"),
        lambda node, gist: said.append(f"{node}: {gist}"),
    )
    token = secrets.token_urlsafe(16)
    relay = Relay("bench", token=token, static=[home / "web"], routes=routes)
    await relay.start()
    try:
        async with visit(folder) as visitor:
            await visitor.open(relay.page_url)
            try:
                told = json.loads(await visitor.wait_for(_ASK, "its figures"))
            except BenchError as error:
                # what a thread said is the better reason
                raise BenchError(error.what, (said or [error.problem])[0]) from error
    finally:
        await relay.stop()
    if "error" in told:
        raise BenchError("the page's threads", told["error"])
    return PortFigures({int(size): [(a, b) for a, b in each] for size, each in told.items()})
