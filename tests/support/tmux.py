"""A program at a real terminal: tmux runs it, types for a test, and tells what is on the screen.

Each terminal has a server of its own, which ends with it. Nothing here counts on time: whoever
types waits for what comes of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["TMUX", "Terminal", "at_terminal", "needs_tmux"]

TMUX = shutil.which("tmux")
needs_tmux = pytest.mark.skipif(TMUX is None, reason="needs tmux: apt-get install tmux")
DEADLINE = 60
"""Seconds; more than any answer takes on a busy machine."""
_LOOK = 0.05
_numbers = itertools.count()


class Terminal:
    """One program's screen.

    Args:
        socket: Name of its tmux server.
        keep: A folder where each screen that was asked for is kept, in order.
    """

    def __init__(self, socket: str, keep: Path) -> None:
        self._socket, self._keep = socket, keep
        self._kept = itertools.count(1)

    async def tmux(self, *words: str) -> str:
        """Run a command of tmux; what it says. Raises AssertionError if it fails."""
        assert TMUX is not None
        process = await asyncio.create_subprocess_exec(
            *(TMUX, "-u", "-L", self._socket, "-f", os.devnull, *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, f"tmux {words[0]}: {err.decode()}"
        return out.decode()

    async def type(self, *parts: str) -> None:
        """Type texts and keys; a key is in angle brackets: `<Tab>`, `<C-d>`."""
        for part in parts:
            key = re.fullmatch(r"<([\w-]+)>", part)
            words = [key[1]] if key else ["-l", "--", part]
            await self.tmux("send-keys", *words)

    async def screen(self, *, colours: bool = False, scrolled: bool = False) -> str:
        """What is on the screen.

        Args:
            colours: With the codes of colours.
            scrolled: With what has left the screen at its top.
        """
        words = ["-e"] * colours + ["-S", "-"] * scrolled
        return await self.tmux("capture-pane", "-p", *words)

    async def keep(self, name: str) -> str:
        """Keep the screen as a file, plain and with its colours; the plain one."""
        number = next(self._kept)
        plain = await self.screen()
        (self._keep / f"{number:02}-{name}.txt").write_text(plain)
        (self._keep / f"{number:02}-{name}.ansi").write_text(await self.screen(colours=True))
        return plain

    async def until(self, pattern: str, *, scrolled: bool = False) -> re.Match[str]:
        """Wait until the screen shows what fits a regular expression (`^` is a row's beginning)."""
        screen = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE):
                while True:
                    screen = await self.screen(scrolled=scrolled)
                    if found := re.search(pattern, screen, re.M):
                        return found
                    await asyncio.sleep(_LOOK)
        raise AssertionError(f"never seen: {pattern}\non the screen:\n{screen}")

    async def resize(self, columns: int, rows: int) -> None:
        """Make the window another size."""
        await self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    async def ended(self) -> int:
        """Wait until the program has ended; its exit code, as a shell tells it."""
        # tmux would tell it too, but now and then it takes no notice of a child's end.
        return await self._number("exit")

    async def pid(self) -> int:
        """The program's process."""
        return await self._number("pid")

    async def _number(self, name: str) -> int:
        """What the shell around the program has written."""
        path = self._keep / f"{self._socket}.{name}"
        async with asyncio.timeout(DEADLINE):
            while True:
                text = path.read_text() if path.exists() else ""
                if text.endswith("\n"):
                    return int(text)
                await asyncio.sleep(_LOOK)


@contextlib.asynccontextmanager
async def at_terminal(
    command: Sequence[str],
    *,
    keep: Path,
    cwd: Path,
    columns: int = 80,
    rows: int = 24,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Terminal]:
    """Run a program at a terminal of its own; killed at the end if it still runs."""
    socket = f"amctl-test-{os.getpid()}-{next(_numbers)}"
    terminal = Terminal(socket, keep)
    keep.mkdir(parents=True, exist_ok=True)
    settings = [f"{name}={value}" for name, value in (environ or {}).items()]
    program = shlex.join(["env", *settings, *command])
    files = shlex.quote(str(keep / socket))
    inner = shlex.quote(f"echo $$ >{files}.pid; exec {program}")
    line = f"sh -c {inner}; echo $? >{files}.exit"
    await terminal.tmux(
        *("new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(cwd), line, ";"),
        *("set-option", "-g", "remain-on-exit", "on"),
    )
    try:
        yield terminal
    finally:
        with contextlib.suppress(AssertionError):
            await terminal.tmux("kill-server")
