"""Pipes from lines of logs, as the original's recordings tell them (vis.md 2.2).

Each end of a pipe logs only its own state, so the halves are joined by order: the n-th state that
the source named for one edge and kind belongs to the n-th that the target named. A state that an
end names again is a repetition, since what was piped before a debugger came is told twice.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal, cast

from amctl.graph.model import Pipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amctl.telemetry.messages import TxMsg

__all__ = ["PipeLines"]

Kind = Literal["add", "remove"]
Key = tuple[str, str, Kind]

_MARK = "[pipe"
_LINE = re.compile(
    r"\[pipe-(?:out:(?P<out>add|remove)\] (?P<from>.+?) to"
    r"|in:(?P<in>add|remove)\] (?P<to>.+?) from) (?P<other>.+)"
)
_GONE = re.compile(r"\[pipe:gc\] (.+)")


class PipeLines:
    """Collects halves from log lines.

    Args:
        whole: From an id that may have been cut to the whole one.
    """

    def __init__(self, whole: Callable[[str], str]) -> None:
        self._whole = whole
        self._ends: dict[Key, tuple[dict[str, None], dict[str, None]]] = {}

    def read(self, tx: TxMsg) -> None:
        """Take in the lines before and in a transition."""
        for lines in (tx.pre_logs, tx.logs):
            for line in lines:
                if line.text.startswith(_MARK):
                    self._line(tx.machine_id, line.text.rstrip())

    def _line(self, machine: str, text: str) -> None:
        if match := _LINE.fullmatch(text):
            other = self._whole(match["other"])
            if match["out"]:
                self._note((machine, other, cast("Kind", match["out"])), 0, match["from"])
            else:
                self._note((other, machine, cast("Kind", match["in"])), 1, match["to"])
        elif match := _GONE.fullmatch(text):
            # differs from Go, where the machine loses its states, parent and RPC edges too
            gone = self._whole(match[1])
            self._ends = {k: ends for k, ends in self._ends.items() if gone not in k[:2]}

    def _note(self, key: Key, side: int, state: str) -> None:
        self._ends.setdefault(key, ({}, {}))[side].setdefault(state)

    def pipes(self, known: set[tuple[str, str]]) -> Iterator[Pipe]:
        """What the lines say of edges (source, target) other than the `known` ones."""
        for (source, target, kind), (outs, ins) in self._ends.items():
            if (source, target) not in known:
                for one, two in zip_longest(outs, ins, fillvalue=""):
                    yield Pipe(source, kind, one, target, two)
