"""Machines in reach without a network: each peer's mirror is the machine itself.

Questions are answered as a server answers them (`amctl.rpc.asking`): all is real but the wire.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from amctl.machine import Args, Machine, State
from amctl.repl.command import Context
from amctl.rpc.answers import About, ArgField, ArgType
from amctl.rpc.asking import answer
from amctl.rpc.errors import CallRefusedError, NotConnectedError
from amctl.states.basic import BasicStates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.machine import Event

__all__ = ["AWorking", "FakeCounts", "FakeFleet", "FakePeer", "Worker", "context", "fleet_of"]


class Worker(BasicStates):
    """What the machines of tests are like: three that exclude each other, and some more."""

    Foo = State(remove=["Bar", "Baz"])
    Bar = State(remove=["Foo", "Baz"])
    Baz = State(remove=["Foo", "Bar"])
    Needy = State(require=["Start"])
    Event = State(multi=True)
    Vetoed = State()
    Slow = State()


@dataclass(frozen=True)
class AWorking(Args):
    """Typed arguments of tests."""

    prefix: ClassVar[str] = "test"

    name: str = ""
    count: int = 0
    share: float = 0.5
    fast: bool = False
    raw: bytes = b""
    words: tuple[str, ...] = ()


class Handlers:
    """Notes what it gets; refuses Vetoed."""

    def __init__(self) -> None:
        self.got: list[tuple[AWorking, dict[str, Any]]] = []

    def EventState(self, e: Event) -> None:
        """Note the arguments."""
        plain = {name: value for name, value in e.mutation.args.items() if "__" not in name}
        self.got.append((e.args(AWorking), plain))

    def VetoedEnter(self, e: Event) -> bool:
        """Never."""
        return False


@dataclass
class FakePeer:
    """A machine in reach."""

    net: Any
    """The machine itself."""
    index: int = 0
    is_ready: bool = True
    was_ready: bool = True
    problem: str = ""
    handlers: Handlers = field(default_factory=Handlers)
    asked: list[str] = field(default_factory=list)
    """Questions, as they came."""
    stalls: bool = False
    """Whether questions are never answered."""
    canned: dict[str, Any] = field(default_factory=dict)
    """Question -> what is answered in place of the machine, or raised."""

    @property
    def key(self) -> str:
        """As of an address file."""
        return f"{self.net.id}-repl.addr"

    @property
    def addr(self) -> str:
        """Made up."""
        return f"127.0.0.1:{7000 + self.index}"

    @property
    def id(self) -> str:
        """Empty before the first handshake."""
        return self.net.id if self.was_ready else ""

    @property
    def parent_id(self) -> str:
        """The machine's."""
        return str(self.net.parent_id)

    @property
    def tags(self) -> Sequence[str]:
        """The machine's."""
        return tuple(self.net.tags)

    async def about(self, *, fresh: bool = False) -> About:
        """As it tells it."""
        data = await self.ask("about")
        return About(
            id=data["id"],
            args=tuple(
                ArgType(one["name"], one["key"], tuple(ArgField(**f) for f in one["fields"]))
                for one in data["args"]
            ),
        )

    async def ask(self, question: str, **params: Any) -> Any:
        """As over the network: never at once, and by JSON."""
        self.asked.append(question)
        await asyncio.sleep(0)
        if self.stalls:
            await asyncio.Event().wait()
        if question in self.canned:
            if isinstance(self.canned[question], Exception):
                raise self.canned[question]
            return self.canned[question]
        if not self.is_ready:
            raise NotConnectedError(f"rc-{self.index}", question)
        code, text = answer(self.net, {"q": question, **params}, lambda op, states: None)
        if code:
            raise CallRefusedError(f"rc-{self.index}", question, code, text)
        return json.loads(text)


@dataclass
class FakeCounts:
    """How many there are."""

    connected: int
    connecting: int
    disconnected: int
    total: int


class FakeFleet:
    """Some of them."""

    def __init__(self, peers: Sequence[FakePeer]) -> None:
        self.peers = list(peers)
        self.machine = Machine("repl-test", BasicStates)
        self.reconnects = 0

    @property
    def counts(self) -> FakeCounts:
        """Nobody is on the way."""
        ready = sum(peer.is_ready for peer in self.peers)
        return FakeCounts(ready, 0, len(self.peers) - ready, len(self.peers))

    def reconnect(self) -> None:
        """Counted."""
        self.reconnects += 1


def fleet_of(*ids: str, states: Any = Worker) -> FakeFleet:
    """A fleet of machines with these ids, in their order; `worker0` to `worker2` by default."""
    peers = []
    for index, id in enumerate(ids or ("worker0", "worker1", "worker2")):
        machine = Machine(id, states, tags=("test",))
        peer = FakePeer(machine, index)
        if states is Worker:
            machine.accept_args(AWorking)
            machine.bind(peer.handlers, id="test")
        peers.append(peer)
    return FakeFleet(peers)


def context(fleet: FakeFleet, **rest: Any) -> Context:
    """Where commands run."""
    return Context(fleet, **rest)
