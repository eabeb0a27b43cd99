"""Stacks and how long they were seen, small enough to travel.

A stack is named from the outside in. Where a handler begins, a frame of its own says which one of
which machine: `browser1 WorkingState`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from amctl.machine.event import Event
from amctl.machine.transition import Transition

if TYPE_CHECKING:
    import asyncio
    from types import CodeType, FrameType

__all__ = ["HANDLER", "Stacks", "walk"]

HANDLER = "(handler)"
"""File of a frame that names a handler."""
_DEEPEST = 200
_CALL, _FINAL = Transition._call.__code__, Transition._final.__code__
_OWN = __name__.rpartition(".")[0]
_MARKS = ("/site-packages/", "/lib/python3", "/python314.zip/", "/app.zip/")

Key = tuple[str, str, int]


class Stacks:
    """What was seen, and for how long.

    Args:
        limit: Different stacks that are kept; further ones count as `(others)`.
    """

    def __init__(self, limit: int = 5_000) -> None:
        self._limit = limit
        self._frames: dict[Key, int] = {}
        self._weights: Counter[tuple[int, ...]] = Counter()
        self._counts: Counter[tuple[int, ...]] = Counter()
        self.idle = 0.0
        """Seconds in which nothing ran."""
        self.samples = 0

    def add(self, stack: list[Key], seconds: float) -> None:
        """Note a stack, outermost frame first."""
        self.samples += 1
        key = tuple(self._index(frame) for frame in stack)
        if key not in self._weights and len(self._weights) >= self._limit:
            key = (self._index(("(others)", "", 0)),)
        self._weights[key] += round(seconds * 1e6)
        self._counts[key] += 1

    def _index(self, frame: Key) -> int:
        return self._frames.setdefault(frame, len(self._frames))

    def to_data(self, most: int = 1_500) -> dict[str, Any]:
        """Plain data: `frames` [[name, file, line]], `stacks` [[[frame...], microseconds, count]].

        Args:
            most: Stacks to tell, the heaviest ones; what the others weigh is told as `left_out`.
        """
        heavy = self._weights.most_common(most)
        left = sum(self._weights.values()) - sum(weight for _, weight in heavy)
        used = sorted({index for stack, _ in heavy for index in stack})
        renumbered = {old: new for new, old in enumerate(used)}
        frames = list(self._frames)
        return {
            "frames": [list(frames[index]) for index in used],
            "stacks": [
                [[renumbered[index] for index in stack], weight, self._counts[stack]]
                for stack, weight in heavy
            ],
            "left_out": left,
            "idle": round(self.idle, 6),
            "samples": self.samples,
        }


def walk(frame: FrameType | None, task: asyncio.Task[Any] | None = None) -> list[Key]:
    """The stack that ends in a frame, outermost first.

    Args:
        frame: The innermost one.
        task: What the loop runs, if that is known: it may be a coroutine handler.
    """
    found: list[Key] = []
    inner: CodeType | None = None
    frame = _without_us(frame)
    while frame is not None and len(found) < _DEEPEST:
        code = frame.f_code
        found.append(_key(code))
        # a final calls its handler itself while nobody listens
        if code is _CALL or (code is _FINAL and inner is not _CALL):
            label = _plain_handler(frame)
            if label and inner is not None:
                found.insert(len(found) - 1, label)
        inner, frame = code, frame.f_back
    found.reverse()
    if task is not None and (label := _coroutine_handler(task)):
        at = _start_of(found, task)
        if at is not None:
            found.insert(at, label)
    return found


def _without_us(frame: FrameType | None) -> FrameType | None:
    """The frame that was interrupted to take the profile: what that costs isn't the program's."""
    outer, look = frame, 6
    while outer is not None and look:
        if outer.f_globals.get("__name__", "").startswith(_OWN):
            frame, look = outer.f_back, look + 1
        outer, look = outer.f_back, look - 1
    return frame


def _key(code: CodeType) -> Key:
    return getattr(code, "co_qualname", code.co_name), _short(code.co_filename), code.co_firstlineno


def _short(path: str) -> str:
    """A file as people know it: below its project, its package or Python's library."""
    for mark in _MARKS:
        if mark in path:
            rest = path.rpartition(mark)[2]
            return rest.partition("/")[2] if mark == "/lib/python3" else rest
    parts = path.replace("\\", "/").split("/")
    for top in ("amctl", "nodes"):
        if top in parts[:-1]:
            return "/".join(parts[len(parts) - 1 - parts[::-1].index(top) :])
    return "/".join(parts[-2:])


def _plain_handler(frame: FrameType) -> Key | None:
    """The handler that a transition calls."""
    held = frame.f_locals
    tx, handler = held.get("self"), held.get("handler")
    if tx is None or handler is None:
        return None
    return f"{tx.machine.id} {handler.name}", HANDLER, 0


def _coroutine_handler(task: asyncio.Task[Any]) -> Key | None:
    """The handler that a task is; its coroutine holds the event."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    if frame is None:
        return None
    event = next((v for v in frame.f_locals.values() if isinstance(v, Event)), None)
    return None if event is None else (f"{event.machine.id} {task.get_name()}", HANDLER, 0)


def _start_of(stack: list[Key], task: asyncio.Task[Any]) -> int | None:
    """Where the task's own frames begin in a stack; None while something else runs."""
    code = getattr(task.get_coro(), "cr_code", None)
    key = None if code is None else _key(code)
    return stack.index(key) if key in stack else None
