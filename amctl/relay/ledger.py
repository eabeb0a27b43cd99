"""What the relay's state machines are told.

Correctness never depends on them: they are for eyes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amctl.relay.bridge import Ending
    from amctl.relay.security import Target

__all__ = ["Ledger", "TunnelRecord"]


class TunnelRecord:
    def listening(self, address: Target) -> None: ...
    def accepted(self, peer: str) -> None: ...
    def failed(self, error: Exception) -> None: ...
    def ended(self, ending: Ending) -> None: ...
    async def dispose(self) -> None: ...


class Ledger:
    def opened(self, kind: str, machine_id: str, target: Target) -> None: ...
    def closed(self, kind: str, machine_id: str, target: Target) -> None: ...
    def failed(self, error: Exception) -> None: ...
    def tunnel(self) -> TunnelRecord:
        return TunnelRecord()
