"""Reads listings back that am-vis or we have written, with and without the lines of time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, cast

from amctl.graph.assemble import as_graph
from amctl.graph.errors import ListingError
from amctl.graph.inherited import inherited
from amctl.graph.listing import TITLE
from amctl.graph.model import Graph, GraphMachine, GraphState, Pipe

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["parse_markdown"]

_PIPE = re.compile(r"- \[(add|remove)\] (.*?) -> ?(.*)")


def parse_markdown(text: str) -> Graph:
    """The graph of a listing: names, parents, RPC edges and pipes; ticks and tags aren't in it.

    Raises:
        ListingError: It is no such listing; the line is told.
    """
    reader = _Reader()
    lines = text.splitlines()
    if not lines or lines[0].strip() != TITLE:
        raise ListingError(1, f"it doesn't begin with {TITLE!r}", lines[0] if lines else "")
    for number, line in enumerate(lines[1:], start=2):
        reader.line(number, line)
    return reader.graph()


class _Reader:
    def __init__(self) -> None:
        self._states: dict[str, list[str]] = {}
        self._parents: dict[str, str] = {}
        self._rpc: list[tuple[str, str]] = []
        self._pipes: list[Pipe] = []
        self._machine = ""
        self._target = ""
        self._item: Callable[[str], bool] = self._nowhere

    def graph(self) -> Graph:
        machines = []
        for id, names in self._states.items():
            ours = inherited(names)
            states = tuple(GraphState(name, inherited=name in ours) for name in names)
            machines.append(GraphMachine(id, states, self._parents.get(id, "")))
        return as_graph(machines, self._pipes, self._rpc)

    def line(self, number: int, line: str) -> None:
        sections = {
            "### States": self._a_state,
            "### RPC": self._a_server,
            "### Pipes": self._a_pipe,
        }
        if line.startswith("## "):
            self._machine, self._item = line[3:], self._nowhere
            self._states[self._machine] = []
        elif line in sections and self._machine:
            self._item = sections[line]
        elif line.startswith("#### ") and self._item == self._a_pipe:
            self._target = line[5:]
        elif line.startswith("Parent: ") and self._machine:
            self._parents[self._machine] = line[8:]
        elif not (self._is_empty(line) or self._item(line)):
            raise ListingError(number, "it doesn't belong here", line)

    def _is_empty(self, line: str) -> bool:
        return not line.strip() or line == "-----" or line.startswith("Time: t")

    def _nowhere(self, line: str) -> bool:
        return False

    def _a_state(self, line: str) -> bool:
        self._states[self._machine].append(line[2:])
        return line.startswith("- ")

    def _a_server(self, line: str) -> bool:
        self._rpc.append((self._machine, line[2:]))
        return line.startswith("- ")

    def _a_pipe(self, line: str) -> bool:
        match = _PIPE.fullmatch(line)
        if match is None or not self._target:
            return False
        kind = cast("Literal['add', 'remove']", match[1])
        self._pipes.append(Pipe(self._machine, kind, match[2], self._target, match[3]))
        return True
