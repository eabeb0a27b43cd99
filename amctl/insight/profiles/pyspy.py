"""Samples another process with py-spy, which needs nothing of it but the leave to look."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.insight.errors import NotPermittedError
from amctl.insight.profiles.model import HANDLER, Frame, Profile, collect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["parse", "record"]

_LINE = re.compile(r"(?P<stack>.*) (?P<count>\d+)")
_FRAME = re.compile(r"(?P<name>.*) \((?P<file>[^()]*?)(?::(?P<line>\d+))?\)")
_HANDLER = re.compile(r"[A-Z]\w*(?:State|End|Enter|Exit)|Any(?:Enter|State)")
_ENGINE = "amctl/machine/"
_MARGIN = 20.0
"""Seconds beyond the profile's own that py-spy may take."""


def record(
    program: str,
    pid: int,
    target: str,
    *,
    seconds: float,
    hz: int,
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run,
) -> Profile:
    """Look at a process for a while. Blocks.

    Args:
        program: py-spy.
        pid: Whom.
        target: What people call it.
        seconds: How long.
        hz: Looks a second.
        run: As subprocess.run.

    Raises:
        NotPermittedError: This user may not look into that process, or py-spy can't.
    """
    with tempfile.TemporaryDirectory(prefix="amctl-profile-") as folder:
        raw = Path(folder) / "raw.txt"
        command = [program, "record", "--pid", str(pid), "--format", "raw", "--output", str(raw)]
        command += ["--duration", str(max(1, round(seconds))), "--rate", str(hz), "--nonblocking"]
        try:
            done = run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=seconds + _MARGIN,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotPermittedError(target, str(error)) from error
        if done.returncode or not raw.is_file():
            said = (done.stderr or done.stdout).strip().splitlines()
            raise NotPermittedError(target, said[-1] if said else "py-spy said nothing")
        return parse(raw.read_text(encoding="utf-8", errors="replace"), target, seconds, hz)


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
    for before, frame in zip([Frame(""), *stack], stack, strict=False):
        outside = _ENGINE not in frame.file
        if outside and _HANDLER.fullmatch(frame.name) and not _HANDLER.fullmatch(before.name):
            yield Frame(frame.name, HANDLER)
        yield frame
