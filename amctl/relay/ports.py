"""Ports of tunnels whose thread went away: kept for a while, since a thread mostly comes back."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.relay.listener import addresses_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.relay.security import Target

__all__ = ["Ports"]

_log = logging.getLogger("amctl.relay")


@dataclass(slots=True)
class _Kept:
    """A port that is bound, so that nobody else gets it, and not listened on."""

    socket: socket.socket
    address: Target
    on_gone: Callable[[], None]
    timer: asyncio.TimerHandle


class Ports:
    """Who connects to a kept port is refused at once, and may try again.

    Args:
        patience: Seconds for which a port is kept.
        most: Ports at a time; the oldest makes room.
    """

    def __init__(self, patience: float, most: int = 128) -> None:
        self._patience, self._most = patience, most
        self._kept: dict[str, _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, machine_id: str, address: Target, on_gone: Callable[[], None]) -> None:
        """Keep a port that was just closed.

        Args:
            machine_id: Whose it was.
            address: Where it listened.
            on_gone: Called once when it is given up: at once if somebody else has it already.
        """
        self.give_up(machine_id)
        try:
            bound = _bind(address)
        except OSError as error:
            _log.info("port of %s can't be kept: %s", machine_id, error)
            on_gone()
            return
        while len(self._kept) >= self._most:
            self.give_up(next(iter(self._kept)))
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._patience, self.give_up, machine_id)
        self._kept[machine_id] = _Kept(bound, address, on_gone, timer)

    def take(self, machine_id: str, wanted: Target) -> socket.socket | None:
        """Return the port that an id had, bound and ready to listen; None if there is none.

        Other ids that have the very port that is wanted lose it.

        Args:
            machine_id: Who is back.
            wanted: What it asks for; port 0 means any.
        """
        found = self._kept.get(machine_id)
        for other, kept in list(self._kept.items()):
            if kept is not found and kept.address.port == wanted.port:
                self.give_up(other)
        if found is None:
            return None
        same_host = found.address.host == addresses_of(wanted.host)[0]
        if not same_host or wanted.port not in (0, found.address.port):
            self.give_up(machine_id)
            return None
        del self._kept[machine_id]
        found.timer.cancel()
        return found.socket

    def give_up(self, machine_id: str) -> None:
        """Let a port go; does nothing if it isn't kept."""
        kept = self._kept.pop(machine_id, None)
        if kept is not None:
            kept.timer.cancel()
            kept.socket.close()
            kept.on_gone()

    def free(self, machine_id: str, port: int) -> None:
        """Let the port of an id go, and whoever's this port is."""
        owners = [owner for owner, kept in self._kept.items() if kept.address.port == port]
        for owner in (machine_id, *owners):
            self.give_up(owner)

    def close(self) -> None:
        """Let all go."""
        for machine_id in list(self._kept):
            self.give_up(machine_id)


def _bind(address: Target) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        # its last peers may not have gone entirely
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address.host, address.port))
    except BaseException:
        found.close()
        raise
    return found
