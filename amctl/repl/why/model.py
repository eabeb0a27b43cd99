"""What is found out on the way from a state to whom is to blame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.machine.explanation import Explanation
    from amctl.rpc.answers import WhyFeed, WhyLink

__all__ = ["Far", "Look", "Node", "OutOfReachError", "Spot", "Via", "World"]


class Far(StrEnum):
    """Kinds of nodes that no engine knows, besides `amctl.machine.explanation.Kind`."""

    DEAD_PEER = "dead peer"
    """The connection to the machine that it depends on is cut."""
    HELD_UP = "held up"
    """The machine is connected, but does not answer."""
    MIRROR = "mirror"
    """It shows another machine, which is the next to ask."""
    PIPE = "pipe"
    """A pipe's source is active, and its target isn't."""
    OUT_OF_REACH = "out of reach"
    """Nobody here can be asked about it."""
    CAUSE = "cause"
    """Of a recording: the transition from which a mutation came."""


class Via(StrEnum):
    """How one came to a node from the one above."""

    ASKED = ""
    REQUIRES = "requires"
    REMOVED_BY = "is removed by"
    ENDED_BY = "was ended by"
    PIPED_FROM = "is piped from"
    SHOWS = "shows"
    IMPLIED_BY = "is implied by"
    FED_BY = "is fed by"
    """By a pipe that only another process knows of."""
    SOURCE = "came from"


class Spot(NamedTuple):
    """Where a machine can be asked about."""

    machine: str
    """Its id."""
    home: str = ""
    """Key of the peer in whose process it lives; of recordings empty."""


class OutOfReachError(Exception):
    """A machine can't be asked. Its text says why, for people."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one state of one machine."""

    explanation: Explanation
    feeds: tuple[WhyFeed, ...] = ()
    is_local: bool = True
    """False for the mirror of another machine."""
    remote_id: str = ""
    """Of a mirror or its client: the machine it shows."""
    link: WhyLink | None = None
    trouble: str = ""
    """Why the machine itself could not be asked, so that only relations count here."""
    held_up: bool = False
    """It is connected, but does not answer."""
    details: tuple[str, ...] = ()
    """More to know, one line each."""
    cause: tuple[Spot, str] | None = None
    """Of a recording: machine and state whose transition ended (or made) the state."""


@dataclass(frozen=True, slots=True)
class Node:
    """One link of the chain; a tree, since there may be several."""

    machine: str
    state: str
    via: Via
    kind: str
    """A `Kind` or a `Far`."""
    sentence: str
    remedy: str = ""
    active: bool | None = None
    """Whether the state is active, as far as that is known."""
    details: tuple[str, ...] = ()
    because: tuple[Node, ...] = ()
    end: str = ""
    """Why it isn't followed further, if it could be."""
    explanation: Explanation | None = None
    link: WhyLink | None = None
    reachable: bool = False
    """Whether commands can name its machine."""

    def walk(self) -> Iterator[tuple[Node | None, Node]]:
        """Every node with the one above it, this one first."""
        todo: list[tuple[Node | None, Node]] = [(None, self)]
        while todo:
            above, node = todo.pop()
            yield above, node
            todo += [(node, below) for below in reversed(node.because)]


class World(Protocol):
    """Where one looks: at what runs, or into a recording."""

    @property
    def is_live(self) -> bool:
        """Whether machines run, and commands can name them."""

    async def look(self, spot: Spot, state: str, op: str) -> Look:
        """Look at a state.

        Raises:
            OutOfReachError: It can't be asked about.
            NoSuchStateError: The machine has no such state.
        """

    def beside(self, spot: Spot, machine: str) -> Spot:
        """A machine of the same process."""

    def home(self, machine: str) -> Spot | None:
        """Where a machine itself can be asked; None if nowhere."""

    def absence(self, machine: str) -> str:
        """Why there is no home, for people."""

    async def mirrors(self, machine: str) -> Sequence[Spot]:
        """Mirrors of a machine in other processes, which may have pipes into it."""
