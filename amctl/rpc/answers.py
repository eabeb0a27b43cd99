"""What a served machine tells of itself when it is asked: plain data with names.

Questions travel as calls (`NetworkMachine.ask`), answers as JSON; these classes are both ends'
word for them. All of it is information about one moment.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from amctl.machine.explanation import Explanation  # noqa: TC001  # readers need the type

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "About",
    "ArgField",
    "ArgType",
    "Bound",
    "InnerMachine",
    "Mutated",
    "PipeEnd",
    "QueueItem",
    "QueueState",
    "Why",
    "WhyFeed",
    "WhyLink",
    "as_data",
]


@dataclass(frozen=True, slots=True)
class ArgField:
    """A field of typed arguments."""

    name: str
    type: str
    """As its annotation is written: `str`, `int`, `bytes`, `tuple[str, ...]`."""
    default: str
    """As Python would print it."""


@dataclass(frozen=True, slots=True)
class ArgType:
    """Typed arguments that a machine's handlers take."""

    name: str
    """What people write in front of the field: `Start` of `Start.trace_id`. It needn't be a state's
    name, but mostly is."""
    key: str
    """Where they stand in a mutation's map."""
    fields: tuple[ArgField, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """One binding of handlers."""

    id: str
    handlers: tuple[str, ...]
    """Names as they are called, prefix included."""


@dataclass(frozen=True, slots=True)
class PipeEnd:
    """A pipe from or to the machine."""

    op: str
    """`add` or `remove`: what it does at its target."""
    source_id: str
    source_state: str
    target_id: str
    target_state: str


@dataclass(frozen=True, slots=True)
class About:
    """What hardly ever changes of a machine, and no mirror holds."""

    id: str
    parent_id: str = ""
    tags: tuple[str, ...] = ()
    args: tuple[ArgType, ...] = ()
    bindings: tuple[Bound, ...] = ()
    children: tuple[str, ...] = ()
    into: tuple[PipeEnd, ...] = ()
    out: tuple[PipeEnd, ...] = ()
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    is_local: bool = True
    """False for the mirror of another process's machine."""
    remote_id: str = ""
    """Of a mirror: which machine it shows."""


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A mutation that waits, or runs."""

    type: str
    states: tuple[str, ...]
    tick: int = 0
    """The queue tick at which it will run; 0 if it was put in front."""
    source_id: str = ""
    """The machine that it came from, empty for a plain call."""
    source_tx: str = ""
    auto: bool = False
    check: bool = False


@dataclass(frozen=True, slots=True)
class QueueState:
    """A machine's queue."""

    tick: int
    waiting: tuple[QueueItem, ...] = ()
    running: QueueItem | None = None
    handler: str = ""
    """The handler that runs now, or empty."""
    tasks: tuple[str, ...] = ()
    """Coroutine handlers under way, by handler name, longest running first."""
    limit: int = 0


@dataclass(frozen=True, slots=True)
class InnerMachine:
    """One machine of the process that was asked."""

    id: str
    parent_id: str
    tags: tuple[str, ...]
    active: tuple[str, ...]
    time_sum: int
    is_local: bool = True
    remote_id: str = ""


@dataclass(frozen=True, slots=True)
class Mutated:
    """What came of a mutation that was asked for as a question: answer, reason, clocks, at once.

    Result and reason are of exactly this mutation. What it caused at once (auto states, mutations
    that handlers queued) has run by then, too, and shows in `after`.
    """

    result: str
    """`executed`, `queued` or `canceled`."""
    queue_tick: int = 0
    """Of a queued one: when it will run."""
    reason: Mapping[str, Any] | None = None
    """Of a canceled one: `amctl.machine.reasons.Reason` as a map, with `sentence`; long texts are
    cut, and of many states to blame the first are told."""
    before: tuple[int, ...] = ()
    """All ticks when the call began, in index order."""
    after: tuple[int, ...] = ()
    """All ticks when the call returned; of a queued one they are those before."""


@dataclass(frozen=True, slots=True)
class WhyFeed:
    """A pipe into the state that was asked about, as its source looks from here."""

    ops: tuple[str, ...]
    """`add`, `remove` or both."""
    source_id: str
    source_state: str
    active: bool | None = None
    """Whether the source state is active; None if its machine is in no reach of that process."""
    tick: int = 0
    remote_id: str = ""
    """Of a source that is a mirror: the machine it shows."""
    link: WhyLink | None = None
    """Of a source that is a mirror: its connection."""


@dataclass(frozen=True, slots=True)
class WhyLink:
    """The connection behind a mirror."""

    client_id: str
    """The machine of its client."""
    connected: bool
    """Whether the mirror is live."""
    states: tuple[str, ...] = ()
    """Active states of the client's machine."""
    lost_for: float | None = None
    """Seconds since the connection was lost; None if there is one, or never was."""
    ever: bool = False
    """Whether there ever was a handshake."""
    dials: bool = False
    """Whether the client dials; else it waits for the peer to."""
    error: str = ""
    """What went wrong last, empty while connected."""
    addr: str = ""
    """Where it dials, if it says so."""
    shown: tuple[str, ...] = ()
    """What the mirror shows as active; of a lost connection as it was last."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why a state is as it is, as far as one process knows."""

    explanation: Explanation
    """Of a mirror only what relations tell."""
    now: float = 0.0
    """The machine's stop-watch, by which the moment of its last refusal counts."""
    feeds: tuple[WhyFeed, ...] = ()
    is_local: bool = True
    """False for the mirror of another process's machine."""
    remote_id: str = ""
    """Of a mirror, and of its client's machine: which machine it shows."""
    link: WhyLink | None = None
    """Of a mirror, and of its client's machine: the connection."""


def as_data(answer: Any) -> Any:
    """An answer as plain JSON data."""
    return asdict(answer)
