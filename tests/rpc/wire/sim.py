"""A simulated world for the protocol: virtual time, rough links, and what must hold afterwards.

Hosts here behave as real ones must: they tick only at `next_timer()`, pull only what the path can
take, and learn that a connection died late, or never.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from amctl.rpc.wire import (
    Backpressure,
    Call,
    ClientCore,
    Closed,
    Conn,
    Delivered,
    Event,
    Failed,
    Hub,
    Limits,
    Lost,
    Op,
    Opened,
    Paid,
    Replied,
    Session,
    Sync,
)
from amctl.rpc.wire.messages import EVERYTHING
from tests.rpc.wire.pairs import ID, TOKEN, answer
from tests.rpc.wire.toy import Toy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SMALL = replace(
    Limits(),
    chunk=64,
    message=1 << 15,
    window_bytes=400,
    window_frames=24,
    queue_bytes=1 << 16,
    queue_items=200,
    steps=6,
    ack_frames=4,
    ping=2.0,
    pong=1.0,
    hello_timeout=1.0,
    resume=30.0,
)
"""Small enough that a short run meets every bound."""


class CheckedClient(ClientCore):
    """Notes how far the mirror was when each reply was handed over."""

    replied_at: dict[int, tuple[int, int]]
    published: Callable[[int, Sequence[int]], None] | None = None

    def receive_data(self, data: bytes, now: float) -> list[Event]:
        events = super().receive_data(data, now)
        for event in events:
            if isinstance(event, Replied):
                self.replied_at[event.cid] = (self.q, self.m)
        return events

    def _apply(self, one: bytes, body: list[int], start: int) -> bool:
        good = super()._apply(one, body, start)
        if good and self.published is not None:
            self.published(self.q, self.view.tolist())
        return good


class Wire:
    """One connection. Bytes travel with a delay, in random pieces, in order; it can die at a byte
    offset of either direction, or when told, and each end notices that late or never."""

    def __init__(
        self,
        sim: Sim,
        cuts: tuple[int | None, int | None] = (None, None),
        silent: tuple[bool, bool] = (False, False),
    ) -> None:
        self.sim, self.cuts, self.silent = sim, cuts, silent
        self.dead = False
        stalled = sim.rough and sim.now < 15 and sim.rng.random() < 0.15
        self.lag = 3.0 * sim.rng.random() if stalled else 0.0
        self.ends = [True, True]
        """Client's end and server's end still believe in it."""
        self.flight, self.total, self.last = [0, 0], [0, 0], [0.0, 0.0]
        self.timers: list[float | None] = [None, None]
        self.conn: Conn | None = None
        sim.client.connection_made(sim.now)
        self.pump()

    def pump(self) -> None:
        """Move what can be moved, and set the timers that the ends ask for."""
        sim = self.sim
        if self.ends[0] and sim.wire in (self, None):
            self._move(0, sim.client)
        if self.ends[1] and self.conn:
            self._move(1, self.conn)
        sim.note_memory()
        for end in (0, 1):
            self._set_timer(end)

    def _end(self, end: int) -> ClientCore | Conn | None:
        if not self.ends[end]:
            return None
        return self.conn if end else (self.sim.client if self.sim.wire is self else None)

    def _set_timer(self, end: int) -> None:
        it = self._end(end)
        asked = it.next_timer() if it is not None else None
        due = self.sim.fires_at(end, asked) if asked is not None else None
        waiting = self.timers[end]
        if due is not None and (waiting is None or due < waiting):
            self.timers[end] = due
            self.sim.at(due, lambda: self._timer(end, due))

    def _timer(self, end: int, due: float) -> None:
        if self.timers[end] != due:
            return
        self.timers[end] = None
        it, sim = self._end(end), self.sim
        asked = it.next_timer() if it is not None else None
        if it is not None and asked is not None and asked <= sim.now:
            if isinstance(it, Conn):
                sim.server_events(it.tick(sim.now))
            else:
                sim.client_events(it.tick(sim.now))
            again = it.next_timer()
            assert again is None or again > sim.now, "a tick that does not move its timer"
        self.settle()
        self.pump()

    def _move(self, end: int, it: ClientCore | Conn) -> None:
        sim = self.sim
        while self.flight[end] < sim.cap:
            limit = sim.rng.choice((1, 50, 500, 65536)) if sim.rough else 65536
            data = it.data_to_send(limit)
            if not data:
                return
            if self.dead:
                self.flight[end] += len(data)  # swallowed by a dead socket's buffer
                continue
            cut = self.cuts[end]
            dies = cut is not None and self.total[end] + len(data) >= cut
            if cut is not None and dies:
                data = data[: cut - self.total[end]]
            self.total[end] += len(data)
            self._send(end, data)
            if dies:
                self.kill()
                return

    def _send(self, end: int, data: bytes) -> None:
        sim, pos = self.sim, 0
        while pos < len(data):
            whole = not sim.rough or sim.rng.random() < 0.6
            piece = data[pos : pos + (len(data) if whole else sim.rng.randint(1, 40))]
            pos += len(piece)
            self.flight[end] += len(piece)
            delay = self.lag + sim.rng.random() * sim.latency if sim.rough else 0.001
            self.last[end] = max(self.last[end], sim.now + delay)
            sim.at(self.last[end], lambda piece=piece: self._arrive(end, piece))

    def _arrive(self, end: int, data: bytes) -> None:
        sim = self.sim
        self.flight[end] -= len(data)
        if end == 0 and self.ends[1]:
            if self.conn is None:
                self.conn = Conn(sim.hub, sim.now, wake=lambda: sim.at(sim.now, self._woken))
            sim.server_events(self.conn.receive_data(data, sim.now))
        elif end == 1 and self.ends[0] and sim.wire is self:
            sim.client_events(sim.client.receive_data(data, sim.now))
        self.settle()
        self.pump()

    def _woken(self) -> None:
        self.settle()
        self.pump()

    def kill(self) -> None:
        """The path dies; what is in flight still arrives, nothing else does."""
        if self.dead:
            return
        self.dead = True
        for end in (0, 1):
            if not self.silent[end]:
                when = max(self.last) + self.sim.rng.random() * 0.2
                self.sim.at(when, lambda end=end: self.lost(end))

    def lost(self, end: int) -> None:
        """One end is told that the connection is gone."""
        if not self.ends[end]:
            return
        self.ends[end] = False
        sim = self.sim
        if end == 0:
            sim.client_events(sim.client.connection_lost(sim.now))
            sim.client_down(self)
        elif self.conn:
            sim.server_events(self.conn.connection_lost(sim.now))
            sim.watch_hub()

    def settle(self) -> None:
        """An end that finished on its own flushes its BYE and closes."""
        sim = self.sim
        if self.ends[0] and sim.wire is self and not sim.client.attached:
            self._move(0, sim.client)
            self.lost(0)
            if not self.dead:
                sim.at(max(self.last[0], sim.now), lambda: self.lost(1))
        if self.ends[1] and self.conn and self.conn.closed:
            self._move(1, self.conn)
            self.ends[1] = False
            sim.watch_hub()
            if not self.dead:
                sim.at(max(self.last[1], sim.now), lambda: self.lost(0))


class Sim:
    """One client, one server, a chain of connections, and a record of all that happened."""

    def __init__(
        self,
        seed: int,
        *,
        limits: Limits = SMALL,
        rough: bool = True,
        sync: Sync = EVERYTHING,
        push: float | None = 0.05,
        deferred: bool | None = None,
        cap: int | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self.rng = rng = random.Random(seed)
        self.rough, self.latency = rough, rng.choice((0.001, 0.02, 0.3))
        self.cap = cap or rng.choice((100, 2000, 1 << 20))
        self.now, self.n = 0.0, 0
        self.heap: list[tuple[float, int, Callable[[], object]]] = []
        self.log: list[tuple[int, int, int]] = []
        many = rng.choice((1, 3, 8, 40))
        self.toy = Toy(names or [f"s{i}" for i in range(many)], log=self.log)
        self.push, self.lim, self.sync = push, limits, sync
        self.hub = self.new_hub()
        self.client = CheckedClient(ID, TOKEN, self.sync, limits=limits)
        self.client.replied_at = {}
        self.deferred = rng.random() < 0.3 if deferred is None else deferred
        self.hostq: dict[Session, list[Call]] = {}
        self.replies: dict[int, Any] = {}
        self.failed: dict[int, int] = {}
        self.paid: list[tuple[str, bytes]] = []
        self.sent_paid: list[tuple[Session, int, str, bytes]] = []
        self.delivered: set[tuple[Session, int]] = set()
        self.lost_pids: set[tuple[Session, int]] = set()
        self.uids: dict[int, int] = {}
        self.notes: dict[int, int] = {}
        self.cancelled: set[int] = set()
        self.wire: Wire | None = None
        self.wires: list[Wire] = []
        self.maxmem = self.reconnects = self.opened = self.resumed = self.restarts = 0
        self.wire_kind = Wire
        self.next_wire: Callable[[], Wire] = lambda: self.wire_kind(self)
        self.gap = 0.0
        """Seconds that it may take longer to come to rest."""
        self.hub_timer: float | None = None
        self.frames_dropped = False
        """A broken path swallowed whole frames: a reply may come without its diff."""

    def new_hub(self) -> Hub:
        return Hub(self.toy, TOKEN, self.lim, self.push)

    # ---- time

    def at(self, when: float, what: Callable[[], object]) -> None:
        self.n += 1
        heapq.heappush(self.heap, (when, self.n, what))

    def run(self, until: float) -> None:
        while self.heap and self.heap[0][0] <= until:
            when, _, what = heapq.heappop(self.heap)
            self.now = max(self.now, when)
            what()
        self.now = until

    def fires_at(self, end: int, due: float) -> float:
        """When a timer of the client (0) or the server (1) really goes off."""
        return max(due, self.now)

    def watch_hub(self) -> None:
        """Tick the hub when it asks for it."""
        due = self.hub.next_timer()
        if due is not None and (self.hub_timer is None or due < self.hub_timer):
            self.hub_timer = due
            self.at(due, self._hub_due)

    def _hub_due(self) -> None:
        self.hub_timer = None
        self.server_events(self.hub.tick(self.now))
        self.watch_hub()

    def pump(self) -> None:
        if self.wire:
            self.wire.pump()

    def note_memory(self) -> None:
        held = [session.memory() for session in self.hub.sessions.values()]
        self.maxmem = max(self.maxmem, self.client.memory(), *held)

    def connect(self) -> None:
        if self.wire is None and not self.client.terminal:
            self.wire = self.next_wire()
            self.wires.append(self.wire)
            self.wire.pump()

    def client_down(self, wire: Wire) -> None:
        if self.wire is wire:
            self.wire = None
            self.reconnects += 1
            self.at(self.now + 0.1 + self.rng.random() * 0.5, self.connect)

    # ---- hosts

    def client_events(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Replied):
                assert event.cid not in self.replies, "answered twice"
                self.replies[event.cid] = event.result
            elif isinstance(event, Failed):
                assert event.cid not in self.failed, "failed twice"
                self.failed[event.cid] = event.code
            elif isinstance(event, Paid):
                self.paid.append((event.name, event.data))
            elif isinstance(event, Opened):
                self.opened += 1
                self.resumed += event.resumed

    def server_events(self, events: Sequence[tuple[Session | None, Event]]) -> None:
        for session, event in events:
            if session is None:
                continue
            if isinstance(event, Call):
                self._call(session, event)
            elif isinstance(event, Delivered):
                self.delivered.add((session, event.pid))
            elif isinstance(event, Lost):
                self.lost_pids.add((session, event.pid))
            elif isinstance(event, Closed):
                self.watch_hub()

    def _call(self, session: Session, call: Call) -> None:
        queue = self.hostq.setdefault(session, [])
        queue.append(call)
        if not self.deferred:
            self._run_host(session, one=False)
        elif len(queue) == 1:
            later = self.now + self.rng.random() * 0.3
            self.at(later, lambda: self._run_host(session, one=True))

    def _run_host(self, session: Session, *, one: bool) -> None:
        queue = self.hostq.get(session)
        while queue:
            call = queue.pop(0)
            if session.ended:
                continue
            answer(self.toy, session, call)
            if one:
                break
        if queue and one:
            later = self.now + self.rng.random() * 0.1
            self.at(later, lambda: self._run_host(session, one=True))
        self.pump()

    # ---- actions

    def call(
        self, op: int, states: Sequence[int], args: dict[str, Any], wants: bool = True
    ) -> None:
        uid = len(self.uids)
        try:
            cid = self.client.call(op, states, {"u": uid, **args}, wants=wants)
        except Backpressure:
            return
        self.uids[uid] = cid
        if not wants:
            self.notes[cid] = uid
        if self.rough and self.rng.random() < 0.03 and self.client.cancel(cid):
            self.cancelled.add(cid)
        self.pump()

    def random_call(self, *, wants: bool = True, big: bool = False) -> None:
        rng, names = self.rng, self.client.names
        states = [rng.randrange(len(names)) for _ in range(rng.randint(1, 3))] if names else []
        args: dict[str, Any] = {"n": [names[i] for i in states]}
        if rng.random() < 0.1:
            args["veto"] = 1
        if big:
            args["x"] = b"z" * rng.randint(50, 1500)
        ops = (Op.ADD, Op.ADD, Op.REMOVE, Op.SET, Op.TOGGLE)
        self.call(rng.choice(ops), states, args, wants)

    def pay(self, data: bytes) -> None:
        session = self.hub.sessions.get(ID)
        if session is None or not session.usable:
            return
        name = f"p{len(self.sent_paid)}"
        try:
            pid = session.send_payload(name, data)
        except Backpressure:
            return
        self.sent_paid.append((session, pid, name, data))
        self.pump()

    def local(self, op: int, states: Sequence[int]) -> None:
        self.toy.run(op, states)
        self.pump()

    def random_local(self) -> None:
        op = self.rng.choice((Op.ADD, Op.REMOVE, Op.TOGGLE))
        self.local(op, [self.rng.randrange(len(self.toy.names))])

    def new_schema(self) -> None:
        self.toy.new_schema(self.rng)
        self.pump()

    def cut(self) -> None:
        if self.wire and not self.wire.dead:
            self.wire.silent = (self.rng.random() < 0.25, self.rng.random() < 0.25)
            self.wire.kill()

    def restart(self) -> None:
        """The server process dies: sessions are gone, the machine starts anew."""
        if self.wire:
            self.wire.kill()
            self.wire.lost(1)
            self.wire.lost(0)
        for wire in self.wires:
            wire.ends[1] = False
        self.restarts += 1
        for session in self.hub.sessions.values():
            self.server_events([(session, event) for event in session.end()])
        self.hostq.clear()
        self.hub_timer = None
        self.toy = Toy(self.toy.names, self.toy.m + 1, self.log)
        self.hub = self.new_hub()
