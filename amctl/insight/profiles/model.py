"""A profile: stacks, and how long each was seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from amctl.insight.errors import BadProfileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["HANDLER", "Frame", "Profile", "Span", "Stack", "Weight", "collect", "from_answer"]

HANDLER = "(handler)"
"""File of a frame that only names a handler."""


class Frame(NamedTuple):
    """A function."""

    name: str
    file: str = ""
    line: int = 0

    @property
    def is_handler(self) -> bool:
        """Whether it is no function, but says which handler begins here."""
        return self.file == HANDLER


class Stack(NamedTuple):
    """Functions from the outside in, by their place in `Profile.frames`."""

    frames: tuple[int, ...]
    microseconds: int
    seen: int
    """In how many samples."""


class Span(NamedTuple):
    """One call of a handler."""

    name: str
    begin: int
    """Microseconds since the profile began."""
    microseconds: int
    waits: bool = False
    """Whether it is a coroutine: others may run between its begin and its end."""


class Weight(NamedTuple):
    """How long a function was seen."""

    frame: Frame
    own: int
    """Microseconds in which it was the innermost one."""
    total: int
    """Microseconds in which it was anywhere in the stack."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What was seen of one thread or process."""

    target: str
    how: str
    """`py-spy`, `signal`, `thread` or `calls`."""
    seconds: float
    frames: tuple[Frame, ...]
    stacks: tuple[Stack, ...]
    idle: float = 0.0
    """Seconds in which nothing ran."""
    about: str = ""
    """Python and platform."""
    left_out: int = 0
    """Microseconds of stacks that are not told."""
    spans: tuple[Span, ...] = ()
    """Calls of handlers by their begin, if whoever looked could see them."""
    spans_left_out: int = 0
    """Shorter ones that are not told."""

    @property
    def busy(self) -> float:
        """Seconds in which something ran."""
        return (sum(stack.microseconds for stack in self.stacks) + self.left_out) / 1e6

    @property
    def samples(self) -> int:
        """Of the told stacks."""
        return sum(stack.seen for stack in self.stacks)

    def weights(self) -> list[Weight]:
        """Every function, the one with the most time of its own first."""
        own: Counter[int] = Counter()
        total: Counter[int] = Counter()
        for stack in self.stacks:
            if stack.frames:
                own[stack.frames[-1]] += stack.microseconds
            for index in set(stack.frames):
                total[index] += stack.microseconds
        found = [Weight(self.frames[i], own[i], total[i]) for i in total]
        return sorted(found, key=lambda w: (-w.own, -w.total, w.frame))

    def handlers(self) -> list[Weight]:
        """Handlers by the time in them, the longest first."""
        found = [weight for weight in self.weights() if weight.frame.is_handler]
        return sorted(found, key=lambda w: (-w.total, w.frame))


def from_answer(target: str, answer: Mapping[str, Any]) -> Profile:
    """What a thread told of itself (see `amctl.telemetry.profiling`).

    Raises:
        BadProfileError: It doesn't hold together.
    """
    try:
        frames = tuple(Frame(str(n), str(f), int(line)) for n, f, line in answer["frames"])
        stacks = tuple(
            Stack(tuple(map(int, indexes)), int(weight), int(count))
            for indexes, weight, count in answer["stacks"]
        )
        spans, spans_left_out = _spans_of(answer.get("spans") or {})
        for stack in stacks:
            if any(not 0 <= index < len(frames) for index in stack.frames):
                raise ValueError("a frame that isn't there")
        return Profile(
            target,
            str(answer["taken"]),
            float(answer["seconds"]),
            frames,
            stacks,
            float(answer.get("idle", 0.0)),
            f"Python {answer.get('python', '?')}, {answer.get('platform', '?')}",
            int(answer.get("left_out", 0)),
            spans,
            spans_left_out,
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise BadProfileError(target, f"{type(error).__name__}: {error}") from error


def _spans_of(told: Mapping[str, Any]) -> tuple[tuple[Span, ...], int]:
    names = [str(name) for name in told.get("names", ())]
    spans = []
    for index, begin, microseconds, waits in told.get("rows", ()):
        if index < 0 or microseconds < 0:
            raise ValueError("a span that can't be")
        spans.append(Span(names[index], int(begin), int(microseconds), bool(waits)))
    return tuple(sorted(spans, key=lambda s: (s.begin, -s.microseconds))), int(
        told.get("left_out", 0)
    )


def collect(
    stacks: Iterable[tuple[tuple[Frame, ...], int, int]],
) -> tuple[tuple[Frame, ...], tuple[Stack, ...]]:
    """Number the frames of stacks given in full, equal stacks added up."""
    index: dict[Frame, int] = {}
    weights: Counter[tuple[int, ...]] = Counter()
    counts: Counter[tuple[int, ...]] = Counter()
    for frames, microseconds, count in stacks:
        key = tuple(index.setdefault(frame, len(index)) for frame in frames)
        weights[key] += microseconds
        counts[key] += count
    found = tuple(Stack(key, weight, counts[key]) for key, weight in weights.most_common())
    return tuple(index), found
