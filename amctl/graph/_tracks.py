"""What is kept of one machine while its transitions pass by: only the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.graph._clients import HANDSHAKE, is_server
from amctl.graph.inherited import inherited
from amctl.graph.model import GraphMachine, GraphState
from amctl.machine import StateDef
from amctl.machine.steps import ACTIVATE, DEACTIVATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amctl.graph.moments import Moment
    from amctl.telemetry.messages import SchemaMsg, TxMsg

__all__ = ["Track", "graph_states"]


class Track:
    """Follows one machine up to a moment.

    Args:
        id: The machine's.
        schemas: Each with the first position that it holds for.
        moment: The end; None is the recording's.
    """

    __slots__ = (
        "_last",
        "_last_names",
        "_moment",
        "_next",
        "_schema",
        "_schemas",
        "_taken",
        "clocks",
        "handshake",
        "id",
        "is_closed",
        "is_ours",
        "seen",
    )

    def __init__(
        self, id: str, schemas: Sequence[tuple[int, SchemaMsg]], moment: Moment | None
    ) -> None:
        self.id = id
        self.is_ours = any(schema.time_ns for _, schema in schemas)
        """Made by our own stream, which tells pipes as records; the original stamps no schema."""
        self.seen = 0
        """Position of the next transition."""
        self.is_closed = False
        """Nothing counts any more."""
        self.clocks: tuple[int, ...] = ()
        self.handshake = -1
        """Index of HandshakeDone, if it serves RPC clients."""
        self._schemas, self._schema = schemas, -1
        self._taken = 0
        self._moment = moment
        self._last: TxMsg | None = None
        self._last_names: tuple[str, ...] = ()
        self._next: TxMsg | None = None
        self._advance()

    def counts(self, tx: TxMsg) -> bool:
        """Pass on to the next transition; tell whether it lies before the moment's end."""
        position = self.seen
        self.seen += 1
        moment = self._moment
        if moment is None:
            self._advance()
            return True
        if moment.machine == self.id:
            counts = position <= moment.position and not self.is_closed
            if position == moment.position + 1:
                self._next = tx
        elif moment.time_ns:
            counts = (tx.time_ns or tx.received_ns) <= moment.time_ns
        else:
            counts = not self.is_closed
        if counts:
            self._advance()
        return counts

    def take(self, tx: TxMsg) -> None:
        """Remember a transition that counts, in place of the one before."""
        self._last = tx
        self._taken = self.seen
        self.clocks = tx.clocks
        self._last_names = self._schemas[self._schema][1].names

    def is_at(self, moment: Moment) -> bool:
        """Whether the transition just passed is the last one that counts."""
        return moment.machine == self.id and moment.position == self.seen - 1

    def skip_to(self, position: int) -> None:
        """The next transition will be this one."""
        self.seen = max(position, 0)

    def _advance(self) -> None:
        """Switch to the schema that holds for the transition just passed."""
        position = max(self.seen - 1, 0)
        schemas, index = self._schemas, max(self._schema, 0)
        while index + 1 < len(schemas) and schemas[index + 1][0] <= position:
            index += 1
        if index != self._schema:
            self._schema = index
            schema = schemas[index][1]
            self.handshake = schema.names.index(HANDSHAKE) if is_server(schema) else -1

    # -- what has come of it

    @property
    def is_there(self) -> bool:
        """Whether the machine exists at the moment."""
        moment, born = self._moment, self._schemas[0][1].time_ns
        if moment is None or self._last is not None:
            return True
        return not moment.time_ns or born <= moment.time_ns or moment.machine == self.id

    def machine(self) -> GraphMachine:
        """The machine at the moment."""
        schema = self._newest()
        last = self._last
        return GraphMachine(
            self.id,
            graph_states(schema.names, schema.states, self._ticks(schema)),
            schema.parent,
            tuple(schema.tags),
            time_ns=0 if last is None else last.time_ns or last.received_ns,
        )

    def _newest(self) -> SchemaMsg:
        if self._moment is None:
            return self._schemas[-1][1]
        schema = self._schemas[self._schema][1]
        for first, later in self._schemas[self._schema + 1 :]:
            if first <= self._taken and 0 < later.time_ns <= self._moment.time_ns:
                schema = later
        return schema

    def _ticks(self, schema: SchemaMsg) -> dict[str, int]:
        names = self._last_names or schema.names
        ticks = dict(zip(names, self.clocks, strict=False))
        step = self._moment.step if self._moment else 0
        if step and self._next is not None and self._next.accepted and not self._next.is_queued:
            for one in self._next.steps[:step]:
                name = names[one.target] if 0 <= one.target < len(names) else ""
                tick = ticks.get(name, 0)
                if one.type == ACTIVATE:
                    ticks[name] = tick + 2 - (tick + 1) % 2
                elif one.type == DEACTIVATE:
                    ticks[name] = tick + tick % 2
        return ticks


def graph_states(
    names: Iterable[str], states: Mapping[str, StateDef], ticks: Mapping[str, int]
) -> tuple[GraphState, ...]:
    """The states of a machine in index order."""
    order = tuple(names)
    ours = inherited(order)
    return tuple(_state(name, states.get(name), ticks.get(name, 0), name in ours) for name in order)


def _state(name: str, known: StateDef | None, tick: int, is_inherited: bool) -> GraphState:
    state = known or StateDef()
    return GraphState(
        name,
        tick,
        state.auto,
        state.multi,
        tuple(state.require),
        tuple(state.add),
        tuple(state.remove),
        tuple(state.after),
        is_inherited,
    )
