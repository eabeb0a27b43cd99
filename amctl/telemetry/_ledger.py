"""What a recorder keeps, how it is changed, and how it becomes a snapshot.

A change costs a few small objects; tuples are made when somebody asks for a snapshot, and only for
the lists that changed since the last one.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from amctl.telemetry.errors import UnknownNodeError
from amctl.telemetry.snapshot import (
    KEEP_EVENTS,
    Attempt,
    AttemptOutcome,
    Check,
    Edge,
    Happening,
    HappeningKind,
    Light,
    LightState,
    Link,
    Node,
    NodeState,
    Phase,
    Round,
    RoundOutcome,
    Run,
    Snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["AT_WORK", "AWAY", "Ledger", "standard_lights"]

_log = logging.getLogger("amctl.telemetry.recorder")

AWAY: Final[frozenset[NodeState]] = frozenset({"offline", "loading", "joining", "lost"})
"""The states of a node that can not be given work."""
AT_WORK: Final[frozenset[NodeState]] = frozenset({"working", "retrying"})


class _HasId(Protocol):
    @property
    def id(self) -> Any: ...


T = TypeVar("T", bound=_HasId)


class _Shelf(Generic[T]):
    """Items by id, and their tuple, which is made anew only after a change."""

    def __init__(self, items: Iterable[T] = ()) -> None:
        self.items: dict[Any, T] = {item.id: item for item in items}
        self._frozen: tuple[T, ...] | None = None

    def put(self, item: T) -> None:
        self.items[item.id] = item
        self._frozen = None

    def put_all(self, items: Iterable[T]) -> None:
        for item in items:
            self.put(item)

    def keep(self, wanted: Callable[[T], bool]) -> None:
        self.items = {id: item for id, item in self.items.items() if wanted(item)}
        self._frozen = None

    def frozen(self) -> tuple[T, ...]:
        if self._frozen is None:
            self._frozen = tuple(self.items.values())
        return self._frozen


def standard_lights(nodes: Iterable[str]) -> list[Light]:
    """A dark lamp for the orchestrator, the relay, each node, the debugger and the traces."""
    ids = ["orchestrator", "relay", *nodes, "debugger", "traces"]
    return [Light(id, id) for id in ids]


class Ledger:
    """The state behind `Recorder`, whose methods decide what a moment changes."""

    def __init__(
        self,
        run: Run,
        clock: Callable[[], int],
        nodes: Iterable[Node],
        checks: Iterable[Check] = (),
        lights: Iterable[Light] | None = None,
        links: Iterable[Link] = (),
    ) -> None:
        self.run = run
        self._clock = clock
        self._nodes: _Shelf[Node] = _Shelf(nodes)
        all_edges = ((dep, n.id) for n in self._nodes.frozen() for dep in n.deps)
        self._edges: _Shelf[Edge] = _Shelf(Edge(f"{a}>{b}", a, b) for a, b in all_edges)
        self._checks: _Shelf[Check] = _Shelf(checks)
        self._lights: _Shelf[Light] = _Shelf(
            standard_lights(self._nodes.items) if lights is None else lights
        )
        self._links: _Shelf[Link] = _Shelf(links)
        self._rounds: _Shelf[Round] = _Shelf()
        self._attempts: _Shelf[Attempt] = _Shelf()
        self._events: _Shelf[Happening] = _Shelf()
        self._last_event = 0
        self._seq = 0
        self._made: Snapshot | None = None
        self._subscribers: list[Callable[[], None]] = []
        self._closed = False

    # --- reading

    def snapshot(self) -> Snapshot:
        """The run as it is now. Without a change since the last one, only `run.now_ms` is new."""
        if self._made is None or self._made.seq != self._seq:
            self._made = Snapshot(
                seq=self._seq,
                run=self.run,
                nodes=self._nodes.frozen(),
                edges=self._edges.frozen(),
                rounds=self._rounds.frozen(),
                attempts=self._attempts.frozen(),
                lights=self._lights.frozen(),
                events=self._events.frozen(),
                checks=self._checks.frozen(),
                links=self._links.frozen(),
            )
        return replace(self._made, run=replace(self.run, now_ms=self._clock()))

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` once after every moment, and after `close`, until told to stop.

        It says only that a snapshot would differ: a reader takes one when it is ready for it, so
        that a slow reader skips moments and never makes a queue. What it raises is logged.

        Returns:
            A function that ends the subscription; calling it again does nothing.
        """
        self._subscribers.append(changed)

        def unsubscribe() -> None:
            if changed in self._subscribers:
                self._subscribers.remove(changed)

        return unsubscribe

    @property
    def seq(self) -> int:
        """Grows with every change."""
        return self._seq

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will be told, because the process goes."""
        return self._closed

    def _changed(self) -> bool:
        self._seq += 1
        for subscriber in tuple(self._subscribers):
            try:
                subscriber()
            except Exception:
                _log.exception("a subscriber of run %s failed", self.run.id)
        return True

    def _known(self, id: str) -> Node:
        node = self._nodes.items.get(id)
        if node is None:
            raise UnknownNodeError(id, self._nodes.items)
        return node

    def _node(self, id: str, **changes: Any) -> None:
        self._nodes.put(replace(self._nodes.items[id], **changes))

    def _light(self, id: str, state: LightState, detail: str = "", label: str = "") -> None:
        old = self._lights.items.get(id) or Light(id, id)
        self._lights.put(replace(old, state=state, detail=detail, label=label or old.label))

    def _say(self, kind: HappeningKind, text: str, node: str | None = None) -> None:
        self._last_event += 1
        self._events.put(Happening(self._last_event, self._clock(), kind, node, text))
        self._events.items.pop(self._last_event - KEEP_EVENTS, None)

    def _phase(self, phase: Phase, message: str) -> None:
        since = self.run.phase_since_ms if phase == self.run.phase else self._clock()
        self.run = replace(self.run, phase=phase, message=message, phase_since_ms=since)

    def _reset(self, state: NodeState, number: int) -> None:
        for node in self._nodes.frozen():
            self._node(
                node.id,
                state=node.state if node.state in AWAY else state,
                round=number,
                attempt=0,
                progress=None,
                started_ms=None,
                ended_ms=None,
                digest=None,
            )
        self._edges.put_all([replace(e, state="idle") for e in self._edges.frozen()])
        self._checks.put_all(
            [replace(c, actual=None, verdict="waiting") for c in self._checks.frozen()]
        )

    def _open_round(self) -> Round | None:
        past = self._rounds.items.get(self.run.round)
        return past if past is not None and past.ended_ms is None else None

    def _interrupt(self) -> None:
        past = self._open_round()
        if past is not None:
            self._close_round(past, "interrupted")
            self._reset("ready", past.id)

    def _close_round(self, past: Round, how: RoundOutcome, wrong: tuple[str, ...] = ()) -> None:
        for node in self._nodes.frozen():
            if node.state in AT_WORK:
                self._cancel_attempt(node)
                self._node(node.id, state="waiting", progress=None, started_ms=None)
        self._rounds.put(replace(past, ended_ms=self._clock(), outcome=how, wrong=wrong))

    def _end_attempt(self, node: Node, outcome: AttemptOutcome) -> None:
        attempt = self._attempts.items.get(f"{self.run.round}/{node.id}/{node.attempt}")
        if attempt is not None and attempt.ended_ms is None:
            self._attempts.put(replace(attempt, ended_ms=self._clock(), outcome=outcome))

    def _cancel_attempt(self, node: Node) -> None:
        self._end_attempt(node, "canceled")

    def _judge(
        self, id: str, number: int, state: NodeState, outcome: AttemptOutcome, lies: int
    ) -> None:
        node = self._nodes.items[id]
        self._node(id, state=state, lies=lies)
        attempt = self._attempts.items.get(f"{number}/{id}/{node.attempt}")
        if attempt is not None:
            self._attempts.put(replace(attempt, outcome=outcome))
