"""How long a client waits before it dials again."""

from __future__ import annotations

from typing import Protocol

from .codes import Code, is_terminal

__all__ = ["Backoff", "RandomSource"]


class RandomSource(Protocol):
    """What is needed of `random.Random`."""

    def random(self) -> float:
        """A number from 0 up to but not including 1."""


class Backoff:
    """0.1 s, doubling to 10 s, each shortened at random by up to half.

    Call `reset()` on every Opened event.
    """

    def __init__(self, rng: RandomSource, first: float = 0.1, most: float = 10.0) -> None:
        self._rng, self._first, self._most = rng, first, most
        self._next = first

    def reset(self) -> None:
        """The peer answered: start from the shortest wait again."""
        self._next = self._first

    def delay(self, code: int = Code.INTERNAL, after: float = 0.0) -> float | None:
        """Seconds until the next dial, or None if there must not be one.

        Args:
            code: Why the last connection ended, from its Closed event; leave out if it was lost.
            after: Seconds that the peer asked for; never shortened.
        """
        if is_terminal(code):
            return None
        base, self._next = self._next, min(self._next * 2, self._most)
        return max(after, base * (1 - self._rng.random() / 2))
