"""One machine in reach: its address, its mirror, and what it was asked once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.machine import Machine
    from amctl.rpc.answers import About
    from amctl.rpc.network_machine import NetworkMachine

__all__ = ["Counts", "Fleet", "Peer"]


class Peer(Protocol):
    """A machine behind an address. It may come and go; the object stays while the address does."""

    @property
    def key(self) -> str:
        """Tells it from others: the address file's name, or the address."""

    @property
    def addr(self) -> str: ...

    @property
    def index(self) -> int:
        """Place in the order of addresses, from 0."""

    @property
    def id(self) -> str:
        """The remote machine's id, empty before the first handshake."""

    @property
    def name(self) -> str:
        """What to show: its id, or before the first handshake what its address file is called."""

    @property
    def parent_id(self) -> str:
        """The remote machine's parent, empty before the first handshake or if it has none."""

    @property
    def tags(self) -> Sequence[str]: ...

    @property
    def is_ready(self) -> bool:
        """Whether its mirror is live."""

    @property
    def was_ready(self) -> bool:
        """Whether there ever was a handshake, so that there is a mirror to show."""

    @property
    def problem(self) -> str:
        """Why it is not connected, for people; empty if it is, or nothing was tried yet."""

    @property
    def net(self) -> NetworkMachine:
        """Its mirror."""

    async def about(self, *, fresh: bool = False) -> About:
        """What the machine told of itself; asked again after a reconnect, or if `fresh`.

        Raises:
            RpcError: It can't be asked now.
        """

    async def ask(self, question: str, **params: Any) -> Any:
        """Ask what no mirror holds, see `amctl.rpc.asking`. Raises RpcError."""


class Counts(Protocol):
    """How many connections there are."""

    @property
    def connected(self) -> int: ...
    @property
    def connecting(self) -> int:
        """A connection is being made right now; not those that wait to be dialled again."""

    @property
    def disconnected(self) -> int:
        """All others, those included whose address can't be dialled at all."""

    @property
    def total(self) -> int: ...


class Fleet(Protocol):
    """All machines in reach."""

    @property
    def machine(self) -> Machine:
        """The REPL's own machine."""

    @property
    def peers(self) -> Sequence[Peer]:
        """By address, in their order; duplicates of an id are told by their index."""

    @property
    def counts(self) -> Counts: ...

    def reconnect(self) -> None:
        """Dial at once whatever is not connected."""
