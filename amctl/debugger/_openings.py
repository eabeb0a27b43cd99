"""What a machine's log opened and has not closed yet: waits, contexts, pipes (debugger_ui.md 4).

Lines are kept once for each different text, events as two numbers each. What is open at a cursor is
told by the events since the checkpoint before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from amctl.debugger._columns import Numbers

if TYPE_CHECKING:
    from amctl.telemetry.messages import TxMsg

__all__ = ["Opening", "Openings"]

_HEADS: Final = ("[when", "[ctx:", "[pipe")
_LINE: Final = re.compile(
    r"\[(?P<kind>when|whenNot|whenTime|whenArgs|whenQueue|whenQuery|ctx):(?P<what>new|match)\]"
    r" ?(?P<key>.*)",
    re.DOTALL,
)
_PIPE: Final = re.compile(
    r"\[pipe-(?P<side>in|out):(?P<op>\w+)\] (?P<state>.+?) (?:from|to) (?P<other>.+)"
)
_GONE: Final = re.compile(r"\[pipe:gc\] (?P<other>.+)")
_EVERY: Final = 512
"""Events between checkpoints."""
_TEXTS: Final = 100_000
"""Different lines of one machine that are kept."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Something that is open."""

    kind: str
    """`when`, `whenNot`, `whenTime`, `whenArgs`, `whenQueue`, `whenQuery`, `ctx`, `pipe-in`,
    `pipe-out`."""
    text: str
    """Its states and values, as the log tells them; of pipes the state."""
    cursor: int
    """The transition whose lines opened it."""
    op: str = ""
    """Of a pipe: add or remove."""
    other: str = ""
    """Of a pipe: the other machine."""

    @property
    def states(self) -> tuple[str, ...]:
        """The states that it names."""
        return tuple(re.split(r"[ ,]+", re.split(r" ?[\[(]", self.text, maxsplit=1)[0].strip()))


class Openings:
    """Events of one machine."""

    __slots__ = ("_at", "_chars", "_checkpoints", "_numbers", "_texts", "_what", "lost")

    def __init__(self) -> None:
        self._at, self._what = Numbers(), Numbers()
        self._texts: list[str] = []
        self._numbers: dict[str, int] = {}
        self._chars = 0
        self._checkpoints: list[tuple[Opening, ...]] = [()]
        self.lost = 0
        """Lines that were too many to keep."""

    def take(self, tx: TxMsg, cursor: int) -> None:
        """The lines of one transition."""
        for lines in (tx.pre_logs, tx.logs):
            for line in lines:
                if line.text.startswith(_HEADS):
                    self._event(line.text.rstrip(), cursor)

    def _event(self, text: str, cursor: int) -> None:
        number = self._numbers.get(text)
        if number is None:
            if len(self._texts) >= _TEXTS:
                self.lost += 1
                return
            number = self._numbers[text] = len(self._texts)
            self._texts.append(text)
            self._chars += len(text)
        self._at.append(cursor)
        self._what.append(number)

    def open_at(self, cursor: int) -> tuple[Opening, ...]:
        """What is open behind a transition, the oldest first."""
        end = self._at.first_at_least(cursor + 1)
        while len(self._checkpoints) <= end // _EVERY:
            start = (len(self._checkpoints) - 1) * _EVERY
            made = self._fold(self._checkpoints[-1], start, start + _EVERY)
            self._checkpoints.append(made)
        start = end // _EVERY * _EVERY
        return self._fold(self._checkpoints[end // _EVERY], start, end)

    def _fold(self, held: tuple[Opening, ...], start: int, end: int) -> tuple[Opening, ...]:
        left = list(held)
        for at in range(start, end):
            _apply(left, self._texts[self._what[at]], self._at[at])
        return tuple(left)

    @property
    def nbytes(self) -> int:
        """What it takes in memory, about."""
        return self._at.nbytes + self._what.nbytes + self._chars + len(self._texts) * 150


def _apply(left: list[Opening], text: str, cursor: int) -> None:
    if match := _LINE.fullmatch(text):
        kind, key = match["kind"], match["key"]
        if match["what"] == "new":
            left.append(Opening(kind, key, cursor))
        else:
            _close(left, kind, key)
    elif match := _PIPE.fullmatch(text):
        kind = f"pipe-{match['side']}"
        made = Opening(kind, match["state"], cursor, match["op"], match["other"])
        if not any(_key(one) == _key(made) and one.other == made.other for one in left):
            left.append(made)
    elif match := _GONE.fullmatch(text):
        left[:] = [one for one in left if one.other != match["other"]]


def _close(left: list[Opening], kind: str, key: str) -> None:
    wanted = _words(key)
    for at, one in enumerate(left):
        if one.kind == kind and _words(one.text) == wanted:
            del left[at]
            return


def _key(one: Opening) -> tuple[str, ...]:
    return one.kind, one.op, one.text


def _words(text: str) -> tuple[str, ...]:
    """The parts of a line, whatever parts them: writers differ between new and match."""
    return tuple(word for word in re.split(r"[\s,\[\]()]+", text) if word)
