"""Check mode: tasks on copies of machines, with the same schema and clocks; nothing is sent.

A copy is a machine of the engine itself, so relations, auto states and clocks are exact. The real
machine's handlers are not here, but their names are: the copy has an empty one for each, and the
engine tells which of them it would have called. If there was any, nobody knows what the real one
does: it may refuse, or cause more, on its own machine and on every other. From then on everything
is unknown, and only what relations alone would make of it is told beside.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from amctl.machine import Machine, Schema
from amctl.machine.handlers import END, STATE, roles
from amctl.repl._predicting import predict
from amctl.repl.arguments import check_args
from amctl.repl.parsing import split
from amctl.repl.playbook.results import Did, Status
from amctl.repl.playbook.templates import UNKNOWN
from amctl.repl.registry import registry
from amctl.repl.selecting import find, select
from amctl.rpc.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amctl.machine.errors import SchemaError
    from amctl.machine.view import MachineView
    from amctl.repl.peer import Counts, Fleet, Peer

__all__ = ["Copy", "Facts", "SimHost", "SimWorld", "facts_of", "simulated"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a copy is made of."""

    id: str
    names: Sequence[str]
    ticks: Sequence[int]
    active: Sequence[str]
    """In the machine's own order, on which some relations depend."""
    schema: Mapping[str, Any]
    handlers: Sequence[str] | None = ()
    """Names of what is bound, as they are called; None if the machine didn't tell."""

    @classmethod
    def of(cls, machine: MachineView, handlers: Sequence[str] | None = ()) -> Facts:
        """Those of a machine that can be read here."""
        return cls(
            machine.id,
            machine.names,
            machine.time(),
            machine.active,
            machine.schema.to_dict(),
            handlers,
        )


async def facts_of(peer: Peer) -> Facts:
    """Ask a machine; one that doesn't answer is taken as its mirror shows it."""
    try:
        about = await peer.about()
        handlers = [name for bound in about.bindings for name in bound.handlers]
    except RpcError:
        handlers = None
    try:
        told = await peer.ask("inspect")
    except RpcError:
        return Facts.of(peer.net, handlers)
    return Facts(peer.id, told["names"], told["ticks"], told["active"], told["schema"], handlers)


class Copy(Machine):
    """A machine that stands where another one stands, and notes which handlers it would call."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts.id, Schema.from_dict(facts.schema, facts.names))
        ticks = dict(zip(facts.names, facts.ticks, strict=False))
        self._clock[:] = [int(ticks.get(name, 0)) for name in self.names]
        index = {name: i for i, name in enumerate(self.names)}
        self._config = self._planner.config(tuple(index[name] for name in facts.active))
        self._time = None
        self.heard: list[str] = []
        """Handlers that were called since somebody looked."""
        known = [name for name in facts.handlers or () if any(roles(name, index))]
        if known:
            self.bind({name: partial(self._hear, name) for name in known}, id="watched")

    def _begin(self, parent: MachineView | None, errors: list[SchemaError]) -> None:
        """A schema that contradicts itself was told of where the machine is."""
        super()._begin(parent, [])

    def _hear(self, name: str, _: object) -> None:
        self.heard.append(name)


class SimHost:
    """See `amctl.repl.playbook.hosts.Host`."""

    def __init__(self, world: SimWorld, facts: Facts, peer: Peer | None = None) -> None:
        self._world, self.peer = world, peer
        self.copy = Copy(facts)
        self._is_open = facts.handlers is not None

    @property
    def id(self) -> str:
        """The machine's id."""
        return self.copy.id

    @property
    def names(self) -> Sequence[str]:
        """Its states."""
        return self.copy.names

    async def refresh(self) -> None:
        """Nobody moves it but the tasks."""

    async def check_args(self, args: Mapping[str, Any]) -> None:
        """Look at what it told of itself."""
        if self.peer is not None:
            await check_args([self.peer], args)

    def clock(self) -> Mapping[str, int]:
        """Its ticks, as far as relations tell."""
        return self.copy.clock()

    def active(self, state: str) -> Any:
        """Whether a state is active, if that can be known."""
        return UNKNOWN if self._world.doubts else self.copy.is_(state)

    def tick(self, state: str) -> Any:
        """A state's tick, if that can be known."""
        return UNKNOWN if self._world.doubts else self.copy.tick(state)

    async def mutate(
        self, op: str, states: Sequence[str], args: Mapping[str, Any], limit: float | None
    ) -> Did:
        """Mutate the copy."""
        copy, before = self.copy, dict(self.clock())
        what = ("remove" if copy.is_(states) else "add") if op == "toggle" else op
        reason = predict(copy, what, states).reason
        copy.heard.clear()
        result = {"add": copy.add, "remove": copy.remove, "set": copy.set}[what](states)
        after = dict(self.clock())
        if result.canceled:
            did = Did(Status.CANCELED, str(result), reason, before, after)
        else:
            status = Status.CHANGED if before != after else Status.OK
            did = Did(status, str(result), "", before, after)
        return self._judged(did, f"{op} {' '.join(states)} on {self.id}")

    def _judged(self, did: Did, title: str) -> Did:
        """What can be told of it, and what can't any more."""
        heard = list(dict.fromkeys(self.copy.heard))
        expected = f"by relations alone: {did.status.value}"
        if did.reason:
            expected += f", {did.reason}"
        if self._world.doubts:
            why = self._world.doubts
        elif not self._is_open:
            why = "it doesn't tell its handlers"
        elif heard:
            why = self._told(heard)
        else:
            return did
        self._world.doubt(f"{title} may have caused more")
        return Did(Status.UNKNOWN, "", f"{why}; {expected}", did.before, did.after)

    def _told(self, heard: list[str]) -> str:
        index = {name: i for i, name in enumerate(self.names)}
        final = {STATE, END, "AnyState"}
        asked = [n for n in heard if {phase for phase, _, _ in roles(n, index)} - final]
        if asked:
            return f"{_listed(asked)} may refuse it"
        return f"{_listed(heard)} may cause more"

    async def wait(self, states: Sequence[str], active: bool, limit: float | None) -> Did:
        """Look whether it is over at once."""
        is_over = self.copy.is_(states) if active else self.copy.not_(states)
        return self._waited(is_over, f"{' '.join(states)} on {self.id}")

    async def wait_time(self, ticks: Mapping[str, int], limit: float | None) -> Did:
        """Look whether it is over at once."""
        return self._waited(self.copy.was_clock(ticks), f"{' '.join(ticks)} on {self.id}")

    def _waited(self, is_over: bool, title: str) -> Did:
        clock = dict(self.clock())
        if self._world.doubts:
            return Did(Status.UNKNOWN, "", self._world.doubts, clock, clock)
        if is_over:
            return Did(Status.OK, "executed", "", clock, clock)
        self._world.doubt(f"others may have done more during the wait for {title}")
        return Did(Status.UNKNOWN, "", "it waits for what only others can do", clock, clock)

    async def command(self, line: str, limit: float | None) -> Did:
        """Commands are not run; those that only look leave no doubt."""
        clock = dict(self.clock())
        words = split(line)
        if not words or registry.find(words[0]).group != "checking":
            self._world.doubt(f"`{line}` may have caused more")
        return Did(Status.UNKNOWN, "", "commands are not run in check mode", clock, clock)


class _Subject:
    """A copy in the place of its peer, so that patterns see what tasks did."""

    def __init__(self, peer: Peer, host: SimHost | None) -> None:
        self.host = host
        self.key, self.addr, self.index = peer.key, peer.addr, peer.index
        self.id, self.parent_id, self.tags = peer.id, peer.parent_id, peer.tags
        self.is_ready, self.was_ready, self.problem = host is not None, peer.was_ready, peer.problem
        self.net: Any = host.copy if host is not None else peer.net
        self.about, self.ask = peer.about, peer.ask


@dataclass(slots=True)
class _Subjects:
    """The same for their fleet."""

    fleet: Fleet
    peers: Sequence[Any]

    @property
    def machine(self) -> Machine:
        return self.fleet.machine

    @property
    def counts(self) -> Counts:
        return self.fleet.counts

    def reconnect(self) -> None:
        """Nobody is dialled in check mode."""


@dataclass(slots=True)
class SimWorld:
    """See `amctl.repl.playbook.hosts.World`. Made by `simulated`.

    Attributes:
        limit: A pattern to which everything is limited; empty: nothing is.
        doubts: Why nobody knows what machines do any more; empty as long as that is known.
    """

    limit: str = ""
    doubts: str = ""
    is_check: bool = True
    subjects: _Subjects | None = field(default=None, repr=False)

    def select(self, pattern: str) -> list[SimHost]:
        """The copies that a pattern means, within the limit."""
        assert self.subjects is not None
        found: Sequence[Any] = select(self.subjects, pattern)
        if self.limit:
            found = find(found, self.limit)
        return [subject.host for subject in found]

    def doubt(self, why: str) -> None:
        """From here on nobody knows; the first reason stays."""
        self.doubts = self.doubts or why

    async def pause(self, seconds: float) -> None:
        """No time passes."""


async def simulated(fleet: Fleet, limit: str = "") -> SimWorld:
    """Copies of all machines that are connected, as they are now."""
    world = SimWorld(limit)
    ready = [peer for peer in fleet.peers if peer.is_ready]
    facts = dict(zip(map(id, ready), await asyncio.gather(*map(facts_of, ready)), strict=True))
    subjects = [_subject(world, peer, facts.get(id(peer))) for peer in fleet.peers]
    world.subjects = _Subjects(fleet, subjects)
    return world


def _subject(world: SimWorld, peer: Peer, facts: Facts | None) -> _Subject:
    return _Subject(peer, SimHost(world, facts, peer) if facts is not None else None)


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:3]) + (f" and {len(every) - 3} more" if len(every) > 3 else "")
