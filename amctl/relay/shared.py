"""Listen tunnels with channels (`arpc-tunnel.1`): one port, many TCP peers at once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from amctl.relay.addrfile import AddressFile
from amctl.relay.bridge import Ending
from amctl.relay.peers import PeerListener
from amctl.relay.ports import Ports
from amctl.rpc.transports.tunnel import Tunnel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from amctl.relay.connection import WebSocketConnection
    from amctl.relay.ledger import TunnelRecord
    from amctl.relay.limits import Limits
    from amctl.relay.security import Target

__all__ = ["REPL", "SharedTunnels"]

REPL = "repl-"
"""What ids begin with that get an address file."""

_log = logging.getLogger("amctl.relay")


class SharedTunnels:
    """The tunnels with channels of one relay.

    Port and address file of a tunnel live as long as it does, and `limits.comeback` seconds longer:
    a thread that comes back in that time has the same port again, so that REPLs find it where it
    was.

    Args:
        limits: Caps and times.
        repl_dir: Where address files go; None writes none.
        on_failed: Told of an address file that can't be written; the port works without.
    """

    def __init__(
        self, limits: Limits, repl_dir: Path | None, on_failed: Callable[[Exception], None]
    ) -> None:
        self._limits, self._repl_dir, self._on_failed = limits, repl_dir, on_failed
        self._ports = Ports(limits.comeback, limits.tunnels)
        self._closing = False

    async def carry(
        self,
        machine_id: str,
        target: Target,
        connection: WebSocketConnection,
        record: TunnelRecord,
    ) -> None:
        """Serve TCP peers until the WebSocket is over.

        Args:
            machine_id: Who is behind the WebSocket.
            target: Where to listen.
            connection: The WebSocket; its `run` is awaited elsewhere.
            record: The tunnel's machine.

        Raises:
            OSError: If the address can't be listened on.
        """
        tunnel = Tunnel(connection, even=True)

        def on_peers(count: int, newest: str) -> None:
            if newest:
                record.accepted(newest)
            elif not count:
                record.left()

        listener = PeerListener(tunnel, self._limits.flush_timeout, on_peers)
        over = asyncio.Event()
        tunnel.on_closed = over.set
        address = await listener.bind(target, self._ports.take(machine_id, target))
        forget: Callable[[], None] = _nothing
        try:
            forget = self._write(machine_id, address)
            record.listening(address)
            tunnel.start()
            await over.wait()
            error = tunnel.error if isinstance(tunnel.error, OSError) else None
            record.ended(Ending("ab", "a", error))
        finally:
            listener.close()
            if self._closing:
                forget()
            else:
                self._ports.keep(machine_id, address, forget)

    def _write(self, machine_id: str, address: Target) -> Callable[[], None]:
        """Write the address file of a REPL; returns what removes it."""
        if self._repl_dir is None or not machine_id.startswith(REPL):
            return _nothing
        file = AddressFile(self._repl_dir, machine_id)
        try:
            file.write(address)
        except OSError as error:
            _log.warning("address file of %s: %s", machine_id, error)
            self._on_failed(error)
        return file.remove

    def make_way(self, machine_id: str, target: Target) -> None:
        """Keep no port that another kind of tunnel is about to listen on."""
        self._ports.free(machine_id, target.port)

    def close(self) -> None:
        """Keep no port and no file any more."""
        self._closing = True
        self._ports.close()


def _nothing() -> None:
    pass
