"""What a run came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the work ended."""

    ok: bool
    """Whether the results are what they must be."""
    rounds: int
    """Rounds that ran to their end: those that were interrupted are not among them."""
    executions: int
    """Jobs that nodes began in these rounds."""
    results: Mapping[str, str]
    """Node id -> hex digest, of every node that has delivered in the last round."""
    ready_ms: int | None
    """From the orchestrator's start until all nodes were ready for the first time."""
    done_ms: int
    """From the orchestrator's start until the end of the work."""
    nodes: Mapping[str, Mapping[str, Any]]
    """What the recorder's last snapshot says of each node."""
    seed: int
    """What the faults followed from."""
    interrupted: int = 0
    """Rounds that were interrupted, because a node got lost or somebody asked for another one."""
    wrong: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Who lied, and who was tainted, in the last round."""
    message: str = ""
    """One sentence."""

    def as_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)
