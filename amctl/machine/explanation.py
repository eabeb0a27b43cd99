"""What `Machine.explain` answers, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from amctl.machine.reasons import Reason  # noqa: TC001  # readers of answers need the types
from amctl.machine.refusals import Refusal  # noqa: TC001

__all__ = ["Blamed", "Explanation", "Kind", "Place"]


class Kind(StrEnum):
    """What it comes down to."""

    ACTIVE = "active"
    """The state is active; asked for its removal: nothing keeps it from going."""
    INACTIVE = "inactive"
    """Asked for its removal: it isn't active."""
    NEVER_ASKED = "never asked"
    """It never was active, nothing refuses it, and nothing tries."""
    ENDED = "ended"
    """It was active, was removed, and nothing has brought it back; nothing refuses it."""
    REQUIRE = "require"
    """It requires what isn't active."""
    REMOVE = "remove"
    """What is active keeps it out."""
    RELATIONS = "relations"
    """Relations refuse it, and no single one is to blame."""
    VETO = "veto"
    """A negotiation handler says no, or did when it was tried last."""
    ERROR = "error"
    """A handler failed on it, or an error ended it."""
    TIMEOUT = "timeout"
    """A handler took too long on it."""
    FULL = "full"
    """The queue was full when it was tried last."""
    QUEUED = "queued"
    """A mutation waits in the queue."""
    RUNNING = "running"
    """A mutation that calls it is being carried out."""
    AUTO = "auto"
    """The machine tries it by itself, but had no cause to, or has given up."""
    IMPLIED = "implied"
    """Asked for its removal: another state would bring it back with the next mutation."""
    BACKOFF = "backoff"
    """The machine takes no mutations for a while."""
    DISPOSED = "disposed"
    """The machine takes none any more."""


@dataclass(frozen=True, slots=True)
class Blamed:
    """A state that holds another one: the end of the chain within its machine."""

    state: str
    wanted: bool
    """Whether it would have to be active; False: inactive."""
    exists: bool = True
    """False for a required state that the schema lacks, so that nothing can help."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mutation waits, or what runs."""

    mutation: str
    """`[add] A B`."""
    number: int = 0
    """Its place in the queue, from 1; 0 is the one that runs."""
    ahead: tuple[str, ...] = ()
    """What runs before it, first one first."""
    running: str = ""
    """The mutation that runs now; empty if none does."""
    handler: str = ""
    """The handler that runs now, if it can be known."""
    binding: str = ""
    """Its binding."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a state of one machine is as it is."""

    machine: str
    state: str
    op: str
    """`add`: why isn't it active, or what made it so. `remove`: why does it stay."""
    kind: Kind
    sentence: str
    """All of it in one sentence, without the machine's id."""
    remedy: str = ""
    """What would let it through; empty if there is nothing to do."""
    tick: int = 0
    """Odd is active."""
    blame: tuple[Blamed, ...] = ()
    reason: Reason | None = None
    """What refuses it now or, if nothing does, what refused it last."""
    last: Refusal | None = None
    """Its last refusal, as far as that is remembered, while the state has not moved since."""
    place: Place | None = None
    """Of queued and running ones."""
    error: str = ""
    """The error that ended it, or that is behind an error state; type and text."""
    implied_by: tuple[str, ...] = ()
    """States whose Add brings it: if it is active those that are active, else those that would."""
    auto: bool = False
    """Whether the machine tries it by itself."""
    tasks: tuple[str, ...] = ()
    """Coroutine handlers under way in the machine, longest running first."""

    @property
    def is_active(self) -> bool:
        """Whether the state is active."""
        return self.tick & 1 == 1

    def __str__(self) -> str:
        return self.sentence
