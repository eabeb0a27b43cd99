"""The run whose start `amctl bench start` measures: a process of its own.

    python -m amctl.bench._start_run MODE HOME REPL_DIR

Prints a JSON object a line: {"url": the page}, {"began": Unix time when all nodes were ready},
{"round_ms": how long the first round took}. Goes on until SIGINT.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.bench.start_home import manifest_for
from amctl.run.report import StartOptions
from amctl.run.settings import load_settings
from amctl.run.supervisor import supervise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.run.report import Progress
    from amctl.telemetry.recorder import Recorder

_WITHOUT_FAULTS = ("SUCCESS_RATE=1000000", "EXIT_ON_COMPLETED=0", "RELAY_ADDR=127.0.0.1:0")


def _write(**told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


class _Teller:
    """An observer that prints."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def say(self, text: str, *, level: int = 0) -> None:
        """Nobody reads them but for the page's address."""
        if "http" in text:
            self._once("url", text.rsplit(" ", 1)[1])

    @contextlib.contextmanager
    def building(self) -> Iterator[Progress]:
        """Nothing is built here."""
        yield lambda step, done, total: None

    async def watch(self, recorder: Recorder) -> None:
        """Tell when the first round begins, and how long it took."""

        def look() -> None:
            first = next(iter(recorder.snapshot().rounds), None)
            if first is None:
                return
            self._once("began", time.time())
            if first.ended_ms is not None:
                self._once("round_ms", first.ended_ms - first.started_ms)

        recorder.subscribe(look)
        await asyncio.Event().wait()

    def let_go(self) -> None:
        """There is no terminal."""

    def _once(self, name: str, value: Any) -> None:
        if name not in self._told:
            self._told.add(name)
            _write(**{name: value})


def _main(mode: str, home: Path, repl_dir: str) -> None:
    settings = load_settings(sets=(*_WITHOUT_FAULTS, f"REPL_DIR={repl_dir}"), home=home)
    options = StartOptions(browser="none", began=time.monotonic())
    asyncio.run(supervise(settings, options, _Teller(), partial(manifest_for, home, mode)))


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
