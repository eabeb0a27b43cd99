"""One address and its client: dialled, watched, moved, asked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from amctl.machine import Signal
from amctl.repl._dialling import ONLY_HERE, why
from amctl.repl.addresses import parse_address
from amctl.repl.finding import name_of
from amctl.repl.states import AClient, ReplStates
from amctl.rpc.answers import About
from amctl.rpc.client import Client
from amctl.rpc.errors import CallTimeoutError, NotConnectedError, RpcError
from amctl.rpc.states import ClientStates
from amctl.rpc.wire.errors import WireError
from amctl.states.pipes import bind_err

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from amctl.machine import Event, Machine
    from amctl.repl.addresses import Address
    from amctl.repl.finding import Found
    from amctl.rpc.client import ClientTimes
    from amctl.rpc.network_machine import NetworkMachine
    from amctl.rpc.transports.base import Connection

__all__ = ["Home", "LivePeer"]

_log = logging.getLogger("amctl.repl")


class Home(Protocol):
    """What a peer needs of its fleet."""

    machine: Machine
    allow_remote: bool
    times: ClientTimes

    def token_files(self, found: Found) -> list[Path] | None:
        """Where to look for a token; None: it was given."""

    def token(self, found: Found) -> str: ...

    async def dial(self, address: Address, token: str) -> Connection: ...


class LivePeer:
    """See `amctl.repl.peer.Peer`.

    Args:
        home: Its fleet.
        found: The address.
        index: Its place in their order.
        name: Of the client; no other client of any REPL may have it.
    """

    def __init__(self, home: Home, found: Found, index: int, name: str) -> None:
        self._home, self._found, self.index = home, found, index
        self._address: Address | None = None
        self._problem = ""
        self._about: About | None = None
        self._told: About | None = None
        self._handshakes = 0
        self._again = False
        """Somebody new may be there, but the goodbye of the old one wasn't heard yet."""
        self.settled = Signal(what=f"first answer from {found.key}")
        """Closed once it answered and told of itself, or failed for the first time."""
        self.client = Client(
            name, None, token="", dial=self._dial, parent=home.machine, times=home.times
        )
        self.client.machine.on_error = self._failed
        self.client.machine.bind(_Events(self, home.machine), id="repl-peer")
        bind_err(self.client.machine, home.machine, ReplStates.ErrNetwork)
        self._judge()

    # -- what it is

    @property
    def key(self) -> str:
        """The address file's path below the folder, or the address."""
        return self._found.key

    @property
    def addr(self) -> str:
        """Where it is dialled."""
        return self._found.addr

    @property
    def id(self) -> str:
        """The remote machine's id, empty before the first handshake."""
        return self.net.remote_id

    @property
    def name(self) -> str:
        """What to show: its id, or what its address file is called."""
        return self.id or name_of(self.key)

    @property
    def parent_id(self) -> str:
        """The remote machine's parent."""
        return self._told.parent_id if self._told else ""

    @property
    def tags(self) -> Sequence[str]:
        """The remote machine's tags."""
        return self._told.tags if self._told else ()

    @property
    def net(self) -> NetworkMachine:
        """Its mirror."""
        return self.client.net

    @property
    def is_ready(self) -> bool:
        """Whether its mirror is live."""
        return self.client.machine.is_(ClientStates.Ready)

    @property
    def was_ready(self) -> bool:
        """Whether there ever was a handshake."""
        return self.client.machine.tick(ClientStates.Ready) > 0

    @property
    def is_dialling(self) -> bool:
        """Whether a connection is being made."""
        machine = self.client.machine
        return machine.any_(ClientStates.Connecting, ClientStates.Connected) and not self.is_ready

    @property
    def is_usable(self) -> bool:
        """Whether its address can be dialled at all."""
        return self._address is not None

    @property
    def problem(self) -> str:
        """Why it is not connected; empty if it is, or nothing was tried yet."""
        return "" if self.is_ready else self._problem

    # -- questions

    async def about(self, *, fresh: bool = False) -> About:
        """See `Peer.about`."""
        if self._about is not None and not fresh:
            return self._about
        handshakes = self._handshakes
        about = msgspec.convert(await self.ask("about"), About)
        if handshakes == self._handshakes:
            self._about = about
        self._told = about
        return about

    async def ask(self, question: str, **params: Any) -> Any:
        """See `Peer.ask`."""
        return await self.net.ask(question, **params)

    # -- what the fleet tells it

    def connect(self) -> None:
        """Dial at once, unless it is connected or being dialled. Afterwards it dials by itself."""
        if self.is_usable and not self.is_ready and not self.is_dialling:
            self.client.start()

    def refresh(self, found: Found, index: int, touched: bool) -> None:
        """Its address was read again.

        Args:
            found: What it is now. If its file can't be used at the moment, the old one stays.
            index: Its place now.
            touched: Somebody wrote the file, so that there may be somebody new, even if the
                address is the old one.
        """
        self.index = index
        if found.problem and self.is_usable:
            _log.warning("%s; the old address stays", found.problem)
            return
        moved = found.addr != self._found.addr
        self._found = found
        if moved:
            self.client.machine.remove(ClientStates.Start)  # closes, in good order
            self._judge()
        if moved or touched:
            self._again = self.is_ready or self.is_dialling
            self.connect()

    async def stop(self) -> None:
        """Say goodbye; its machine and its mirror are disposed of."""
        await self.client.stop()
        self.settled.close()

    # -- dialling

    def _judge(self) -> None:
        """Whether the address can be dialled at all."""
        self._address, self._problem = None, self._found.problem
        if not self._problem:
            address = parse_address(self._found.addr)
            if address.is_local or self._home.allow_remote:
                self._address = address
            else:
                self._problem = f"{address.host} is not this machine; {ONLY_HERE}"
        if self._address is None:
            self.settled.close()

    async def _dial(self) -> Connection:
        address = self._address
        if address is None:
            raise ConnectionError(self._problem)
        self.client.token = token = self._home.token(self._found)
        return await self._home.dial(address, token)

    # -- what its client tells

    def _failed(self, _: Machine, error: BaseException) -> None:
        if self.is_ready or isinstance(error, (NotConnectedError, CallTimeoutError)):
            return  # a call failed, or a handler: that is no matter of the connection
        self._problem = why(error, self.addr, self._home.token_files(self._found))

    def opened(self) -> None:
        """The mirror is live."""
        self._problem, self._about = "", None
        self._handshakes += 1
        self.client.machine.spawn(self._introduce(), name=f"{self.key} about")

    def lost(self) -> None:
        """The mirror is live no more."""
        self._problem = "the connection was lost"

    def failed_once(self) -> None:
        """Dialling went wrong, and will be tried again or not."""
        self._problem = self._problem or f"{self.addr} closed the connection"
        self.settled.close()

    def failed_for_good(self) -> None:
        """It won't be dialled again by itself."""
        self.failed_once()
        if self._again:
            self._again = False
            self.client.start()

    async def _introduce(self) -> None:
        try:
            await self.about()
        except (RpcError, WireError, msgspec.ValidationError) as error:
            # it can be steered all the same; whoever needs it asks again
            _log.info("%s: %s", self.key, error)
        finally:
            self.settled.close()


class _Events:
    """Handlers at a client's machine, which tell its peer and the REPL's machine."""

    def __init__(self, peer: LivePeer, machine: Machine) -> None:
        self._peer, self._machine = peer, machine

    def _args(self, e: Event) -> AClient:
        return AClient(e.machine.id, self._peer.id)

    def ReadyState(self, e: Event) -> None:
        """Piped to RpcConn."""
        self._peer.opened()
        self._machine.add(ReplStates.RpcConn, self._args(e), source=e)

    def ReadyEnd(self, e: Event) -> None:
        """Piped to RpcDisconn."""
        self._peer.lost()
        self._machine.add(ReplStates.RpcDisconn, self._args(e), source=e)

    def ConnectingEnd(self, e: Event) -> None:
        """The REPL's Connecting ends when the last client's does."""
        self._machine.remove(ReplStates.Connecting, source=e)

    def ConnectedEnd(self, e: Event) -> None:
        """The same, if it was refused in the handshake."""
        self._machine.remove(ReplStates.Connecting, source=e)

    def RetryingConnState(self, e: Event) -> None:
        """It failed once."""
        self._peer.failed_once()

    def ConnRetryFailedState(self, e: Event) -> None:
        """It failed for good."""
        self._peer.failed_for_good()
