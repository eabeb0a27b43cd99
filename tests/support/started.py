"""`amctl start` as a person starts it: a process of its own, on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

__all__ = ["Started", "finish", "started"]

SECONDS = 100
"""More than any run takes on a busy machine."""


class Started:
    """A run that goes on until it is ended."""

    def __init__(self, process: asyncio.subprocess.Process, repl_dir: Path) -> None:
        self.process = process
        self.repl_dir = repl_dir

    async def line(self, part: str) -> str:
        """The next line on stderr with `part` in it."""
        assert self.process.stderr is not None
        async with asyncio.timeout(SECONDS):
            while line := await self.process.stderr.readline():
                if part in line.decode():
                    return line.decode().strip()
        raise AssertionError(f"it never said {part!r}")

    async def end(self) -> dict[str, Any]:
        """Wait for the end; the document of --json, with the exit code as `exit`."""
        async with asyncio.timeout(SECONDS):
            out, err = await self.process.communicate()
        if not out:
            raise AssertionError(err.decode())
        return {**json.loads(out), "exit": self.process.returncode}

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def log(self) -> str:
        """The run's log."""
        return (self.repl_dir / "amctl.log").read_text(encoding="utf-8", errors="replace")


@contextlib.asynccontextmanager
async def started(repl_dir: Path, *words: str) -> AsyncIterator[Started]:
    """Run `amctl start --json WORDS`; killed at the end if it still runs."""
    own = ["--set", "RELAY_ADDR=127.0.0.1:0", "--set", f"REPL_DIR={repl_dir}", "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "amctl.cli.main",
        "start",
        *own,
        *words,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Started(process, repl_dir)
    finally:
        if process.returncode is None:
            # Twice, so that a browser of its own goes too.
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await process.wait()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def finish(repl_dir: Path, *words: str) -> dict[str, Any]:
    """Run it to its end."""
    async with started(repl_dir, *words) as run:
        return await run.end()
