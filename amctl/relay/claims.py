"""Who holds which machine id: one browser tab at a time, and it keeps its ids over a reload.

A table without sockets. Native peers (tests, other programs) have the empty tab id; each of their
ids stands alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.relay.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Claim", "Claims"]


@dataclass(eq=False, slots=True)
class Claim:
    """One connection's hold on one id."""

    id: str
    tab: str
    evict: Callable[[str], None]
    """Closes the holder's connection with code 4409 and this reason; must not call back at once."""
    heard: Callable[[], float]
    """When the holder last gave a sign of life, in the table's clock."""


class Claims:
    """The ids that are held.

    All methods are plain calls, so nothing can come between look and grab.
    """

    def __init__(self, *, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Make an empty table.

        Args:
            patience: Seconds a holder may be silent before it is dead: a ping's interval and the
                time for its answer.
            clock: Seconds, growing; tests bring their own.
        """
        self._held: dict[str, Claim] = {}
        self._patience = patience
        self._clock = clock

    def __len__(self) -> int:
        return len(self._held)

    def holder(self, machine_id: str) -> Claim | None:
        """Return who holds an id now."""
        return self._held.get(machine_id)

    def is_alive(self, claim: Claim) -> bool:
        """Whether the holder answered its last ping in time."""
        return self._clock() - claim.heard() <= self._patience

    def refusal(self, tab: str) -> RefusedError | None:
        """Tell a tab whether another living tab runs the threads; None means that it may go on."""
        if not tab:
            return None
        for claim in self._held.values():
            if claim.tab not in ("", tab) and self.is_alive(claim):
                return RefusedError(
                    409,
                    "another tab is running this workflow",
                    hint="use that tab, or close it and reload this one",
                )
        return None

    def take(self, claim: Claim) -> Claim | None:
        """Give an id to a connection and return the one that held it, already told to go.

        Raises:
            RefusedError: 409, if another living tab holds any id, or anybody else this one.
        """
        if refused := self.refusal(claim.tab):
            raise refused
        old = self._held.get(claim.id)
        if old is not None and old.tab != claim.tab and self.is_alive(old):
            raise RefusedError(409, f"id {claim.id!r} is held by another peer")
        self._held[claim.id] = claim
        if old is not None:
            same = old.tab == claim.tab
            old.evict("replaced by a newer connection" if same else "no sign of life, replaced")
        return old

    def release(self, claim: Claim) -> None:
        """Give an id back; does nothing if somebody newer holds it."""
        if self._held.get(claim.id) is claim:
            del self._held[claim.id]
