"""The seam between a playbook's run and machines: live ones, or copies that only pretend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amctl.repl.playbook.results import Did

__all__ = ["Host", "World"]


class Host(Protocol):
    """A machine as tasks see it. Cancelling any of its coroutines is safe."""

    @property
    def id(self) -> str: ...

    @property
    def names(self) -> Sequence[str]:
        """Its states, in index order."""

    async def refresh(self) -> None:
        """Make sure that what is read next is not older than this call.

        Raises:
            ReplError: It can't be reached.
        """

    async def check_args(self, args: Mapping[str, Any]) -> None:
        """See that it takes arguments, as far as its word tells. Raises UsageError."""

    def clock(self) -> Mapping[str, int]:
        """All ticks now."""

    def active(self, state: str) -> Any:
        """Whether a known state is active; may be UNKNOWN in check mode."""

    def tick(self, state: str) -> Any:
        """A known state's tick; may be UNKNOWN in check mode."""

    async def mutate(
        self, op: str, states: Sequence[str], args: Mapping[str, Any], limit: float | None
    ) -> Did:
        """Add, remove, set or toggle states, and tell what came of it.

        Args:
            op: One of MUTATIONS.
            states: Known states.
            args: `Type.field` or plain name -> value.
            limit: Seconds.
        """

    async def wait(self, states: Sequence[str], active: bool, limit: float | None) -> Did:
        """Wait until all states are active at once, or inactive."""

    async def wait_time(self, ticks: Mapping[str, int], limit: float | None) -> Did:
        """Wait until each state has reached its tick."""

    async def command(self, line: str, limit: float | None) -> Did:
        """Run a command line of the REPL, which may be about other machines."""


class World(Protocol):
    """All machines in reach."""

    is_check: bool
    """Whether it only pretends."""
    limit: str
    """A pattern to which everything is limited; empty: nothing is."""

    def select(self, pattern: str) -> Sequence[Host]:
        """The machines that a pattern means, in the order of their addresses.

        Maybe none, but only if there are some which the run is not limited to.

        Raises:
            ReplError: There are none, or one that is named can't be reached.
        """

    def doubt(self, why: str) -> None:
        """In check mode: from here on nobody knows what machines do."""

    async def pause(self, seconds: float) -> None:
        """Let time pass; in check mode none does."""
