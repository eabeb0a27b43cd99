"""What a person asked of `start`, who is told on the way, and what it came to."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from amctl.run.recording import Recorded
    from amctl.run.spans.tracing import Traced
    from amctl.run.workflow import Outcome
    from amctl.telemetry.recorder import Recorder
    from amctl.telemetry.snapshot import Snapshot

__all__ = [
    "BrowserMode",
    "Ending",
    "NodesMode",
    "Observer",
    "Progress",
    "Report",
    "StartOptions",
]

Progress: TypeAlias = "Callable[[str, int, int], None]"
"""Told of a step, how much of it is done, and its total."""

BrowserMode = Literal["open", "headless", "none"]
NodesMode = Literal["browser", "local"]
Ending = Literal["verified", "gave_up", "timeout", "interrupted"]


@dataclass(frozen=True, slots=True)
class StartOptions:
    """How to run; what to run is in the settings."""

    nodes: NodesMode = "browser"
    browser: BrowserMode | None = None
    """None: open if there is a display and a browser, else headless."""
    timeout: float | None = None
    """Seconds from the beginning of the command; None waits for ever."""
    began: float = 0.0
    """When the command began, by `time.monotonic()`."""
    verbose: int = 0


class Observer(Protocol):
    """Whoever shows the run to a person."""

    def say(self, text: str, *, level: int = 0) -> None:
        """One line, shown if -v was given at least `level` times."""

    def building(self) -> AbstractContextManager[Progress]:
        """Entered around a build; shows its progress."""

    async def watch(self, recorder: Recorder) -> None:
        """Show the run until its recorder closes; cancelled if the run breaks off."""

    def let_go(self) -> None:
        """Leave the terminal usable, at once: the process ends right after."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to."""

    ending: Ending
    snapshot: Snapshot
    """The last moment before the shutdown."""
    ready_ms: int | None
    """From the command's beginning until all nodes were ready; None if they never were."""
    done_ms: int
    """From the command's beginning until the work ended."""
    outcome: Outcome | None = None
    """How the work ended the last time; None if it never did."""
    recorded: Recorded | None = None
    """What was recorded; None if nothing was."""
    traced: Traced | None = None
    """What was traced; None if nothing was."""

    @property
    def ok(self) -> bool:
        """Whether the last results were right; also of a run that stayed and was then ended."""
        return self.outcome is not None and self.outcome.ok

    def as_json(self) -> dict[str, Any]:
        """The document of `start --json`."""
        nodes = {node.id: dataclasses.asdict(node) for node in self.snapshot.nodes}
        return {
            "ok": self.ok,
            "ending": self.ending,
            **self._figures(),
            "ready_ms": self.ready_ms,
            "done_ms": self.done_ms,
            "seed": self.snapshot.run.seed,
            "nodes": nodes,
            "recorded": None if self.recorded is None else dataclasses.asdict(self.recorded),
            "traced": None if self.traced is None else dataclasses.asdict(self.traced),
        }

    def _figures(self) -> dict[str, Any]:
        """What the work came to.

        The outcome leaves interrupted rounds out, so that a seed alone decides its figures. Work
        that was cut short has none: then everything that the snapshot saw counts.
        """
        if (outcome := self.outcome) is not None:
            return {
                "rounds": outcome.rounds,
                "interrupted": outcome.interrupted,
                "executions": outcome.executions,
                "results": dict(outcome.results),
                "wrong": {key: list(ids) for key, ids in outcome.wrong.items()},
            }
        nodes, rounds = self.snapshot.nodes, self.snapshot.rounds
        return {
            "rounds": self.snapshot.run.round,
            "interrupted": sum(each.outcome == "interrupted" for each in rounds),
            "executions": self.snapshot.run.executions,
            "results": {node.id: node.digest for node in nodes if node.digest},
            "wrong": {},
        }
