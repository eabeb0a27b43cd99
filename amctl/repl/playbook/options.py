"""How a playbook is run, and who is told."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from amctl.repl.playbook.plan import Tagged

if TYPE_CHECKING:
    from amctl.repl.playbook.results import TaskResult

__all__ = ["Observer", "Prompt", "RunOptions", "Silent", "Stepping"]

Stepping = Callable[[str], Awaitable[str]]
"""Asks whether to do a task: `y`, `n`, or `c` to go on without asking."""
Prompt = Callable[[str], Awaitable[bool]]
"""Asks a question of a `pause`; whether to go on."""


class Observer(Protocol):
    """Is told of a run while it goes on."""

    def play(self, title: str, machines: Sequence[str]) -> None:
        """A play begins, or its next machines do; none: nothing of it is within the limit."""

    def task(self, title: str, machines: Sequence[str]) -> None:
        """A task begins on these machines."""

    def result(self, result: TaskResult) -> None:
        """A task ended on one machine."""


class Silent:
    """An observer who doesn't look."""

    def play(self, title: str, machines: Sequence[str]) -> None:
        """Nothing."""

    def task(self, title: str, machines: Sequence[str]) -> None:
        """Nothing."""

    def result(self, result: TaskResult) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run it."""

    extra: Mapping[str, Any] = field(default_factory=dict)
    """Variables of the command line."""
    tagged: Tagged = field(default_factory=Tagged)
    step: Stepping | None = None
    prompt: Prompt | None = None
    """None: there is nobody to ask, so a `pause` with a prompt fails."""
    now: Callable[[], float] = time.monotonic
    """Seconds; how long tasks take is measured with it."""
