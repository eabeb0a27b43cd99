"""Files of command lines: `#` comments, quotes as in a shell, stop at the first error.

An error names file and line, and those of the scripts that it is nested in. Lines run one after
another; of standard input each one as soon as it has come.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.repl.errors import ScriptFileError, UsageError
from amctl.repl.outcome import Outcome, Verdict, worst

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from amctl.repl.command import Context
    from amctl.repl.registry import Registry

__all__ = ["MAX_BYTES", "MAX_DEPTH", "STDIN", "run_lines", "run_script"]

STDIN = "-"
"""The name that means standard input."""
MAX_DEPTH = 16
"""Scripts within scripts."""
MAX_BYTES = 4 << 20
"""Of a script's file."""
_LINE = 64 << 10
"""Of a line of standard input."""


async def run_script(
    context: Context, registry: Registry, name: str, *, keep_going: bool = False
) -> Outcome:
    """Run the lines of a file, or of standard input.

    Args:
        context: Where lines run; names of files start from its `cwd`.
        registry: The commands.
        name: Path of the file, or `-`.
        keep_going: Go on after a line that failed; the gravest verdict counts.

    Returns:
        All answers in one: lines and problems in order, data as a list with a row for each command.

    Raises:
        ScriptFileError: The file can't be read. Within a script it is that line's error.
        UsageError: It runs already, or is nested too deep.
    """
    if context.depth >= MAX_DEPTH:
        raise UsageError(f"script {name!r}: scripts are nested deeper than {MAX_DEPTH}")
    if name == STDIN:
        if "exit" in context.extra and context.depth == 0:
            raise UsageError("standard input is this terminal", "type the lines, or name a file")
        inner = replace(context, depth=context.depth + 1)
        return await run_lines(inner, registry, _stdin_lines(), "-", keep_going=keep_going)
    path = _found(context, name)
    lines, real = _read(path, name)
    if real in context.scripts:
        chain = " -> ".join(one.name for one in (*context.scripts, real))
        raise UsageError(f"script {name!r} would run itself: {chain}", "leave out one of them")
    inner = replace(
        context,
        cwd=path.parent,
        depth=context.depth + 1,
        scripts=(*context.scripts, real),
    )
    return await run_lines(inner, registry, _each(lines), name, keep_going=keep_going)


async def run_lines(
    context: Context,
    registry: Registry,
    lines: AsyncGenerator[str, None],
    name: str,
    *,
    keep_going: bool = False,
) -> Outcome:
    """Run lines as they come; `name` stands in front of their numbers. See `run_script`."""
    context, leaving = _leavable(context)
    done = _Sum(context)
    number = 0
    async with aclosing(lines):
        async for line in lines:
            number += 1
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            outcome = await registry.run_line(context, line)
            done.add(outcome, f"{name}:{number}", line.strip())
            if leaving.is_set() or not (outcome.ok or keep_going):
                break
    return done.outcome()


class _Sum:
    """Many answers in one."""

    def __init__(self, context: Context) -> None:
        self._show, self._nested = context.show, context.depth > 1
        self.verdicts: list[Verdict] = []
        self.lines: list[str] = []
        self.problems: list[str] = []
        self.rows: list[dict[str, Any]] = []
        self.hint = ""

    def add(self, outcome: Outcome, where: str, line: str) -> None:
        """One line's answer; shown at once if somebody looks."""
        problems = tuple(f"{where}: {problem}" for problem in outcome.problems)
        if not outcome.ok and not problems:
            problems = (f"{where}: {line}: {outcome.verdict}",)
        self.verdicts.append(outcome.verdict)
        self.rows.append(
            {
                "where": where,
                "line": line,
                "verdict": str(outcome.verdict),
                "data": outcome.data,
                "problems": list(problems),
            }
        )
        self.hint = outcome.hint or self.hint
        if self._show is not None:
            # what is nested has shown its lines; problems go up to the outermost, to be told once
            if self._nested:
                self._show(replace(outcome, problems=(), hint=""))
                self.problems += problems
            else:
                self._show(replace(outcome, problems=problems))
            return
        self.lines += outcome.lines
        self.problems += problems

    def outcome(self) -> Outcome:
        """The script's own answer."""
        hint = self.hint if self.problems else ""  # else it was shown already
        return Outcome(
            worst(*self.verdicts), tuple(self.lines), self.rows, tuple(self.problems), hint
        )


def _leavable(context: Context) -> tuple[Context, asyncio.Event]:
    """A context in which `exit` ends the script, and whatever it runs in."""
    leaving = asyncio.Event()
    outer = context.extra.get("exit")

    def leave() -> None:
        leaving.set()
        if outer is not None:
            outer()

    return replace(context, extra={**context.extra, "exit": leave}), leaving


def _found(context: Context, name: str) -> Path:
    return Path(context.cwd or Path(), Path(name).expanduser())


def _read(path: Path, name: str) -> tuple[list[str], Path]:
    """A file's lines, and its real path."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        raise ScriptFileError(f"script {name!r} can't be read: {problem}", "name a file") from None
    except UnicodeDecodeError as error:
        raise ScriptFileError(f"script {name!r} is no UTF-8 text: byte {error.start}") from None
    if len(data) > MAX_BYTES:
        raise ScriptFileError(f"script {name!r} is larger than {MAX_BYTES} bytes")
    return text.splitlines(), path.resolve()


async def _each(lines: list[str]) -> AsyncGenerator[str, None]:
    for line in lines:
        yield line


async def _stdin_lines() -> AsyncGenerator[str, None]:
    """Lines of standard input as they come.

    A thread reads, so that anything will do as an input: pipe, file, terminal; it reads the bare
    descriptor, since one that waits within `sys.stdin` would hold up the end of the process.
    """
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[bytes | None]()
    number = sys.stdin.fileno()

    def tell(data: bytes | None) -> bool:
        try:
            loop.call_soon_threadsafe(queue.put_nowait, data)
        except RuntimeError:  # the loop is closed: nobody listens
            return False
        return True

    def read() -> None:
        while True:
            try:
                data = os.read(number, 1 << 16)
            except OSError:
                data = b""
            if not tell(data or None) or not data:
                return

    threading.Thread(target=read, name="stdin", daemon=True).start()
    rest = b""
    while (data := await queue.get()) is not None:
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
        if len(rest) > _LINE:
            raise UsageError(f"a line of standard input is longer than {_LINE} bytes")
    if rest:
        yield rest.decode("utf-8", "replace")
