"""Hands everything on to other collectors, as well as it goes."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from amctl.rpc.transports.tcp import dial_tcp
from amctl.telemetry.dbglink import DebugLink
from amctl.telemetry.messages import GoneMsg, SchemaMsg
from amctl.telemetry.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.rpc.transports.base import Connection
    from amctl.telemetry.dbgstream import Carrier
    from amctl.telemetry.messages import Message

__all__ = ["Forwards"]

_WAITING = 20_000
"""Messages that wait for a target; what doesn't fit is lost to it, and told there as a gap."""


class Forwards:
    """A sender of its own to each address. Nobody waits for them.

    Args:
        addresses: Host and port of each target.
        token: What they want to hear.
        name: Ours, for people.
        now_ns: Unix time.
        gob: Addresses of debuggers of the original.
    """

    def __init__(
        self,
        addresses: Sequence[tuple[str, int]],
        token: str,
        name: str,
        *,
        now_ns: Callable[[], int],
        gob: Sequence[tuple[str, int]] = (),
    ) -> None:
        self._targets = [_Target(f"{host}:{port}", now_ns) for host, port in addresses]
        for target, (host, port) in zip(self._targets, addresses, strict=True):
            target.link = _ours(target, host, port, token, name, now_ns)
        if gob:
            from amctl.dump.rpclink import RpcLink  # brings all of the gob room along

            for host, port in gob:
                target = _Target(f"gob://{host}:{port}", now_ns)
                target.link = RpcLink(f"{name}, to {target.name}", target.outbox, host, port)
                self._targets.append(target)

    def start(self) -> None:
        """Begin to connect."""
        for target in self._targets:
            target.link.start()

    def put(self, message: Message) -> None:
        """One message for all of them."""
        for target in self._targets:
            target.put(message)

    @property
    def dropped(self) -> dict[str, int]:
        """Messages that were lost, by address."""
        return {t.name: t.outbox.dropped for t in self._targets if t.outbox.dropped}

    async def close(self, grace: float) -> dict[str, int]:
        """Send what is left; returns what could not be, by address."""
        left = {t.name: await t.link.close(grace) for t in self._targets}
        return {name: count for name, count in left.items() if count}


def _ours(
    target: _Target, host: str, port: int, token: str, name: str, now_ns: Callable[[], int]
) -> DebugLink:
    async def dial() -> Connection:
        return await dial_tcp(host, port)

    text, stream = f"{name}, to {target.name}", secrets.token_hex(8)
    return DebugLink(text, stream, target.outbox, dial, token, now_ns=now_ns)


class _Target:
    link: Carrier

    def __init__(self, name: str, now_ns: Callable[[], int]) -> None:
        self.name = name
        self.outbox = Outbox(_WAITING, now_ns, lambda _: None)
        self._offered: dict[str, SchemaMsg] = {}

    def put(self, message: Message) -> None:
        """Keep a message; a schema that found no room is offered again before it is needed."""
        if isinstance(message, SchemaMsg):
            if not self.outbox.put(message):
                self._offered[message.machine_id] = message
            else:
                self._offered.pop(message.machine_id, None)
        else:
            machine_id = getattr(message, "machine_id", "")
            schema = self._offered.get(machine_id)
            if schema is not None:
                if not self.outbox.put(schema):
                    self.outbox.put(message)  # lost, and counted
                    return
                del self._offered[machine_id]
            self.outbox.put(message, must=isinstance(message, GoneMsg))
        self.link.wake()
