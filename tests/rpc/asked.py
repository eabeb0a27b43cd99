"""A source that does something of everything, and ways to ask it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Args
from amctl.rpc import asking
from amctl.rpc.errors import CallRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.machine import Event
    from amctl.rpc.network_machine import NetworkMachine

__all__ = ["AJob", "Busy", "answering", "permitted", "refusal"]


@dataclass(frozen=True)
class AJob(Args):
    """Comes with B."""

    payload: bytes = b""
    round: int = 0


class Busy:
    """Handlers of Rel that do something of everything."""

    def __init__(self) -> None:
        self.jobs: list[AJob] = []
        self.raws: list[dict[str, Any]] = []
        self.sources: list[str] = []

    def AEnter(self, e: Event) -> bool:
        return False

    def BState(self, e: Event) -> None:
        self.jobs.append(e.args(AJob))
        self.raws.append(dict(e.raw))
        self.sources.append(e.source.machine_id if e.source is not None else "")

    def DEnter(self, e: Event) -> bool:
        return "no" not in e.raw

    def DState(self, e: Event) -> None:
        e.machine.add("B")
        e.machine.add("A", {"why": "refused, but not what was asked for"})


@contextlib.contextmanager
def answering(name: str, fn: asking.Ask, **options: Any) -> Iterator[None]:
    """Register a question for a while."""
    asking.register(name, fn, **options)
    try:
        yield
    finally:
        del asking._questions[name]


async def refusal(net: NetworkMachine, question: str, **params: Any) -> tuple[int, str]:
    """How a question is refused: code and text."""
    with pytest.raises(CallRefusedError) as caught:
        await net.ask(question, **params)
    return caught.value.code, caught.value.text


def permitted(op: int, states: Sequence[str]) -> None:
    """Allows everything."""
