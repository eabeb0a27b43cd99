"""A small language over states: `Working & !Failed`, `Ready:>3`, `(A | B) & worker1.Ready`.

    EXPR   = AND { "|" AND }
    AND    = NOT { "&" NOT }
    NOT    = { "!" } ATOM
    ATOM   = "(" EXPR ")" | REF [ ":" [ ">" | ">=" | "<" | "<=" | "=" | "!=" ] NUMBER ]
    REF    = [ MACHINE "." ] STATE

A bare state is true while it is active; with a number its tick is compared. `&&`, `||` and `==` are
read too. A name with other characters than letters, digits, `_`, `-`, `/`, `+`, `@`, `#`, `%`, `*`
and dots stands in quotes: `'a machine'.Ready`. Nothing is ever run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from amctl.debugger._columns import below, edges, following, preceding
from amctl.debugger.errors import PredicateError, UnknownStateError
from amctl.debugger.index import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amctl.debugger.index import DumpIndex, MachineIndex

__all__ = [
    "And",
    "Node",
    "Not",
    "Or",
    "Ref",
    "find",
    "holds",
    "parse_predicate",
    "predicate_bits",
    "refs",
    "spans_machines",
]

MAX_LENGTH: Final = 4096
MAX_DEPTH: Final = 100
_NEAR: Final = 1 << 15
"""Transitions of a recording that a search over several machines looks at first."""
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<op>&&|\|\||[&|!()])|(?P<name>(?:[\w\-/+@#%*.]|'[^']*'|\"[^\"]*\")+)"
    r"|:\s*(?P<compare>>=|<=|==|!=|[<>=])?\s*(?P<number>[0-9]+)|(?P<bad>\S))"
)
_QUOTED: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_PLAIN: Final = re.compile(r"[\w\-/+@#%*]+")


@dataclass(frozen=True, slots=True)
class Ref:
    """A state, or a comparison of its tick."""

    state: str
    machine: str = ""
    """Empty: the machine that is looked at."""
    compare: str = ""
    """`>`, `>=`, `<`, `<=`, `=` or `!=`; empty asks whether it is active."""
    number: int = 0

    def __str__(self) -> str:
        name = _quote(self.state) if not self.machine else f"{_dotted(self)}.{_quote(self.state)}"
        return f"{name}:{self.compare}{self.number}" if self.compare else name


@dataclass(frozen=True, slots=True)
class Not:
    """True while its part is not."""

    part: Node

    def __str__(self) -> str:
        return f"!{_inner(self.part)}"


@dataclass(frozen=True, slots=True)
class And:
    """True while all parts are."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " & ".join(map(_inner, self.parts))


@dataclass(frozen=True, slots=True)
class Or:
    """True while one of its parts is."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " | ".join(map(_inner, self.parts))


Node = Ref | Not | And | Or


def _inner(node: Node) -> str:
    return f"({node})" if isinstance(node, And | Or) else str(node)


def _quote(name: str) -> str:
    if _PLAIN.fullmatch(name):
        return name
    return f'"{name}"' if "'" in name else f"'{name}'"


def _dotted(ref: Ref) -> str:
    return ".".join(_quote(part) for part in ref.machine.split("."))


# -- reading


def parse_predicate(text: str) -> Node:
    """Read an expression.

    Raises:
        PredicateError: It is none; it tells where.
    """
    if len(text) > MAX_LENGTH:
        raise PredicateError(text, MAX_LENGTH, f"it has more than {MAX_LENGTH} characters")
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [m for m in _TOKEN.finditer(text) if m.lastgroup]
        self._next = 0

    def whole(self) -> Node:
        node = self._or(0)
        if self._next < len(self._tokens):
            raise self._wrong("an operator (& |) is missing before it")
        return node

    def _wrong(self, problem: str) -> PredicateError:
        if self._next >= len(self._tokens):
            return PredicateError(self._text, len(self._text), f"it ends too early: {problem}")
        found = self._tokens[self._next]
        word = found[0].strip()
        return PredicateError(self._text, found.end() - len(word), f"{word!r}: {problem}")

    def _takes(self, *ops: str) -> bool:
        if self._next < len(self._tokens) and self._tokens[self._next]["op"] in ops:
            self._next += 1
            return True
        return False

    def _or(self, depth: int) -> Node:
        parts = [self._and(depth)]
        while self._takes("|", "||"):
            parts.append(self._and(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self, depth: int) -> Node:
        parts = [self._not(depth)]
        while self._takes("&", "&&"):
            parts.append(self._not(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._wrong(f"more than {MAX_DEPTH} levels")
        if self._takes("!"):
            return Not(self._not(depth + 1))
        if self._takes("("):
            node = self._or(depth + 1)
            if not self._takes(")"):
                raise self._wrong("a closing parenthesis is missing")
            return node
        return self._ref()

    def _ref(self) -> Ref:
        found = self._tokens[self._next] if self._next < len(self._tokens) else None
        if found is None or not found["name"]:
            raise self._wrong("a state is missing")
        machine, state = self._split(found["name"])
        self._next += 1
        after = self._tokens[self._next] if self._next < len(self._tokens) else None
        if after is None or not after["number"]:
            return Ref(state, machine)
        if len(after["number"]) > 20:
            raise self._wrong("the number is too large")
        self._next += 1
        return Ref(state, machine, (after["compare"] or "=")[-2:].replace("==", "="),
                   int(after["number"]))  # fmt: skip

    def _split(self, name: str) -> tuple[str, str]:
        """Machine and state: the last dot outside of quotes parts them."""
        spans = [m.span() for m in _QUOTED.finditer(name)]
        dots = [
            at
            for at, char in enumerate(name)
            if char == "." and not any(start <= at < end for start, end in spans)
        ]
        machine, state = (name[: dots[-1]], name[dots[-1] + 1 :]) if dots else ("", name)
        machine, state = (
            _QUOTED.sub(lambda m: m[1] or m[2] or "", one) for one in (machine, state)
        )
        if not state or (dots and not machine):
            raise self._wrong(f"a {'state' if not state else 'machine'} is missing")
        return machine, state


# -- asking


def refs(node: Node) -> Iterator[Ref]:
    """All states that an expression names, the leftmost first."""
    if isinstance(node, Ref):
        yield node
    elif isinstance(node, Not):
        yield from refs(node.part)
    else:
        for part in node.parts:
            yield from refs(part)


def holds(node: Node, tick: Callable[[Ref], int]) -> bool:
    """Whether it is true, by the ticks of the states it names."""
    if isinstance(node, Not):
        return not holds(node.part, tick)
    if isinstance(node, And):
        return all(holds(part, tick) for part in node.parts)
    if isinstance(node, Or):
        return any(holds(part, tick) for part in node.parts)
    found = tick(node)
    match node.compare:
        case "":
            return found & 1 == 1
        case ">":
            return found > node.number
        case ">=":
            return found >= node.number
        case "<":
            return found < node.number
        case "<=":
            return found <= node.number
        case "!=":
            return found != node.number
    return found == node.number


def _fold(node: Node, everything: int, bits_of: Callable[[Ref], int]) -> int:
    if isinstance(node, Ref):
        return bits_of(node)
    if isinstance(node, Not):
        return everything & ~_fold(node.part, everything, bits_of)
    first, *rest = (_fold(part, everything, bits_of) for part in node.parts)
    for one in rest:
        first = first & one if isinstance(node, And) else first | one
    return first


def _of_machine(machine: MachineIndex, ref: Ref) -> int:
    track, end = machine.tracks.get(ref.state), machine.end
    if track is None:
        known = list(machine.tracks)
        raise UnknownStateError("state", ref.state, f"machine {machine.id!r}", known)
    if not ref.compare:
        return track.active(end)
    more, least = track.at_least(ref.number + 1, end), track.at_least(ref.number, end)
    match ref.compare:
        case ">":
            return more
        case ">=":
            return least
        case "<":
            return below(end) & ~least
        case "<=":
            return below(end) & ~more
        case "!=":
            return below(end) & ~(least & ~more)
    return least & ~more


def predicate_bits(node: Node, machine: MachineIndex) -> int:
    """Cursors of one machine at which an expression is true; it may name no other machine.

    Raises:
        UnknownStateError: The machine never had such a state.
    """
    return _fold(node, below(machine.end), lambda ref: _of_machine(machine, ref))


def spans_machines(node: Node, machine: str) -> bool:
    """Whether an expression names other machines than one."""
    return any(ref.machine not in ("", machine) for ref in refs(node))


def find(
    index: DumpIndex,
    node: Node,
    start: Place,
    *,
    back: bool = False,
    end: bool = False,
    home: str = "",
) -> Place | None:
    """The next transition in which an expression became true.

    Where it names several machines, they are compared in the order of arrival, and the transition
    found is whichever of them made it true.

    Args:
        index: As far as it is built.
        node: The expression.
        start: Search from here, itself excluded.
        back: Towards the beginning.
        end: Search from behind everything instead, or with `back` unset from before everything.
        home: Whose states those without a machine are; default: `start`'s.

    Returns:
        The place; cursor 0 if it was true from the beginning. None if there is no more.

    Raises:
        UnknownStateError: There is no such machine, or it has no such state.
    """
    machine = index.machines.get(start.machine)
    if machine is None:
        raise UnknownStateError("machine", start.machine, "the recording", list(index.machines))
    home = home or start.machine
    if home == start.machine and not spans_machines(node, home):
        found = edges(predicate_bits(node, machine))
        at = _next(found, start.cursor, machine.end, back, end)
        return None if at < 0 else Place(start.machine, at)
    cursor = min(start.cursor, machine.size)
    here = machine.seqs[cursor - 1] + 1 if cursor else 0
    at = _search_all(index, node, home, (index.done + 1 if back else -1) if end else here, back)
    if at <= 0:
        return None if at < 0 else Place(home, 0)
    return index.at(at - 1)


def _search_all(index: DumpIndex, node: Node, home: str, here: int, back: bool) -> int:
    """The same over several machines, behind so many transitions of the recording; -1 if nowhere.

    Parts of the recording are looked at, the nearest first: mostly one is enough.
    """
    sets: dict[Ref, tuple[MachineIndex, int]] = {}
    for ref in refs(node):
        held = index.machines.get(ref.machine or home)
        if held is None:
            raise UnknownStateError("machine", ref.machine, "the recording", list(index.machines))
        sets[ref] = held, _of_machine(held, ref)
    total, width = index.done + 1, _NEAR
    start, stop = (max(here - width, 0), here) if back else (here + 1, here + 1 + width)
    while start < min(stop, total):
        stop = min(stop, total)
        left = max(start - 1, 0)  # whether it was true before

        def bits_of(ref: Ref, left: int = left, stop: int = stop) -> int:
            return index.spread(*sets[ref], left, stop)

        found = edges(_fold(node, below(stop - left), bits_of))
        found &= ~below(start - left)
        if found:
            return left + (preceding(found, stop - left) if back else following(found, -1))
        width *= 8
        start, stop = (max(start - width, 0), start) if back else (stop, stop + width)
    return -1


def _next(found: int, at: int, total: int, back: bool, end: bool) -> int:
    if back:
        return preceding(found, total if end else at)
    return following(found, -1 if end else at)
