"""Machines that a shell sees come and go, without a network: mirrors are local machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amctl.machine import Machine, State, States
from amctl.rpc.answers import About

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ShellFleet", "ShellPeer"]


class ReplStates(States):
    """As many of the REPL machine's states as a shell looks at."""

    Start = State()
    ReplMode = State()
    RpcConn = State(multi=True)
    RpcDisconn = State(multi=True)


@dataclass
class Counts:
    """How many connections there are."""

    connected: int = 0
    connecting: int = 0
    disconnected: int = 0
    total: int = 0


@dataclass
class ShellPeer:
    """A machine behind an address; `net` is the machine itself."""

    net: Any
    index: int = 0
    key: str = ""
    addr: str = "127.0.0.1:1"
    parent_id: str = ""
    tags: Sequence[str] = ()
    is_ready: bool = True
    was_ready: bool = True
    problem: str = ""
    told: About | None = None
    asked: int = 0

    @property
    def id(self) -> str:
        return str(self.net.id) if self.was_ready else ""

    async def about(self, *, fresh: bool = False) -> About:
        self.asked += 1
        return self.told or About(self.id)

    async def ask(self, question: str, **params: Any) -> Any:
        raise NotImplementedError(question)


@dataclass
class ShellFleet:
    """Peers, and the REPL's own machine, which ticks when one comes or goes."""

    peers: list[ShellPeer] = field(default_factory=list)
    machine: Machine = field(default_factory=lambda: Machine("repl-test", ReplStates))
    redialed: int = 0

    def __post_init__(self) -> None:
        for index, peer in enumerate(self.peers):
            peer.index = index
            peer.key = peer.key or f"{peer.net.id}-repl.addr"

    @property
    def counts(self) -> Counts:
        ready = sum(1 for peer in self.peers if peer.is_ready)
        total = len(self.peers)
        return Counts(ready, 0, total - ready, total)

    def reconnect(self) -> None:
        self.redialed += 1

    def lose(self, peer: ShellPeer, problem: str) -> None:
        """Its connection ends."""
        peer.is_ready, peer.problem = False, problem
        self.machine.add("RpcDisconn")

    def regain(self, peer: ShellPeer) -> None:
        """Its connection stands, for the first time or again."""
        peer.is_ready, peer.was_ready, peer.problem = True, True, ""
        self.machine.add("RpcConn")

    def add(self, peer: ShellPeer) -> None:
        """An address appears."""
        peer.index, peer.key = len(self.peers), peer.key or f"{peer.net.id}-repl.addr"
        self.peers.append(peer)
        self.machine.add("RpcConn")

    def remove(self, peer: ShellPeer) -> None:
        """An address goes."""
        self.peers.remove(peer)
        self.machine.add("RpcDisconn")
