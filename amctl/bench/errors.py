"""What goes wrong while measuring.

BenchError (RuntimeError)
"""

from __future__ import annotations

__all__ = ["BenchError"]


class BenchError(RuntimeError):
    """Something that is to be measured does not work at all."""

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(what, problem)
        self.what, self.problem = what, problem

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}"
