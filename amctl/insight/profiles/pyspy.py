"""Samples another process with py-spy, which needs nothing of it but the leave to look."""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.insight.errors import NotPermittedError
from amctl.insight.profiles.model import HANDLER, Frame, Profile, collect

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["parse", "record"]

_LINE = re.compile(r"(?P<stack>.*) (?P<count>\d+)")
_FRAME = re.compile(r"(?P<name>.*) \((?P<file>[^()]*?)(?::(?P<line>\d+))?\)")
_HANDLER = re.compile(r"[A-Z]\w*(?:State|End|Enter|Exit)|Any(?:Enter|State)")
_ENGINE = "amctl/machine/"
_MARGIN = 20.0
"""Seconds beyond the profile's own that py-spy may take."""


async def record(program: str, pid: int, target: str, *, seconds: float, hz: int) -> Profile:
    """Look at a process for a while. Cancelling it ends py-spy.

    Args:
        program: py-spy.
        pid: Whom.
        target: What people call it.
        seconds: How long; py-spy takes whole seconds, at least one.
        hz: Looks a second.

    Raises:
        NotPermittedError: This user may not look into that process, or py-spy can't.
    """
    whole = max(1, round(seconds))
    with tempfile.TemporaryDirectory(prefix="amctl-profile-") as folder:
        raw = Path(folder) / "raw.txt"
        command = [program, "record", "--pid", str(pid), "--format", "raw", "--output", str(raw)]
        command += ["--duration", str(whole), "--rate", str(hz), "--nonblocking", "--function"]
        code, said = await _run(command, whole + _MARGIN, target)
        if code or not raw.is_file():
            lines = said.strip().splitlines()
            raise NotPermittedError(target, lines[-1] if lines else "py-spy said nothing")
        return parse(raw.read_text(encoding="utf-8", errors="replace"), target, whole, hz)


async def _run(command: list[str], patience: float, target: str) -> tuple[int, str]:
    """Exit code, and what it said."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # a Ctrl-C is ours to deal with
            start_new_session=True,
        )
    except OSError as error:
        raise NotPermittedError(target, f"{command[0]} can't be started, {error}") from error
    try:
        async with asyncio.timeout(patience):
            said, _ = await process.communicate()
    except TimeoutError:
        problem = f"py-spy didn't end within {patience:g} s"
        raise NotPermittedError(target, problem) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode or 0, said.decode(errors="replace")


def parse(text: str, target: str, seconds: float, hz: int) -> Profile:
    """py-spy's raw format: a stack a line, frames joined by `;`, and how often it was seen."""
    each = round(1e6 / hz)
    found, seen = [], 0
    for stack, count in _lines(text):
        if stack and _waits(stack[-1]):
            continue
        seen += count
        found.append((tuple(_labelled(stack)), count * each, count))
    frames, stacks = collect(found)
    idle = max(0.0, seconds - seen / hz)
    return Profile(target, "py-spy", seconds, frames, stacks, idle, about="py-spy")


def _waits(frame: Frame) -> bool:
    """Whether a loop has nothing to do."""
    return frame.name.endswith("select") and frame.file.endswith("selectors.py")


def _lines(text: str) -> Iterator[tuple[list[Frame], int]]:
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is not None:
            yield [_frame(part) for part in match["stack"].split(";")], int(match["count"])


def _frame(text: str) -> Frame:
    match = _FRAME.fullmatch(text)
    if match is None:
        return Frame(text)
    file = match["file"]
    for top in ("amctl/", "nodes/"):
        at = file.rfind(f"/{top}")
        file = file[at + 1 :] if at >= 0 else file
    return Frame(match["name"], file, int(match["line"] or 0))


def _labelled(stack: list[Frame]) -> Iterator[Frame]:
    """The stack, with a frame where a handler begins. Of which machine, py-spy can't see."""
    before = ""
    for frame in stack:
        name = frame.name.rpartition(".")[2]
        outside = _ENGINE not in frame.file
        if outside and _HANDLER.fullmatch(name) and not _HANDLER.fullmatch(before):
            yield Frame(name, HANDLER)
        yield frame
        before = name
