"""What a mutation answers, and its types."""

from __future__ import annotations

from enum import IntEnum
from typing import NoReturn

__all__ = ["CANCELED", "EXECUTED", "MutationType", "Result"]


class MutationType(IntEnum):
    """The four types of mutation; the numbers travel on the wire."""

    ADD = 0
    REMOVE = 1
    SET = 2
    EVAL = 3

    def __str__(self) -> str:
        return self.name.lower()


class Result(int):
    """The answer of a mutation: 0 executed, 1 canceled, more is the queue tick at which it runs.

    It refuses to be used as a truth value, since 0 means success.
    """

    __slots__ = ()

    @property
    def executed(self) -> bool:
        """Whether the mutation took effect."""
        return self == 0

    @property
    def canceled(self) -> bool:
        """Whether it was refused: by a relation, a handler, a full queue or disposal."""
        return self == 1

    @property
    def queued(self) -> bool:
        """Whether it waits in the queue; `when_queue(result)` tells when it was dealt with."""
        return self > 1

    def __bool__(self) -> NoReturn:
        raise TypeError("a Result is no truth value: ask .executed, .canceled or .queued")

    def __str__(self) -> str:
        return "executed" if self == 0 else "canceled" if self == 1 else "queued"

    def __repr__(self) -> str:
        return f"Result({int(self)})"


EXECUTED = Result(0)
CANCELED = Result(1)
