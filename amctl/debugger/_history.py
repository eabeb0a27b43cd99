"""Where one has been, as a browser knows it: back, forward, and a new way cuts the old one."""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["History"]

_MOST = 100

T = TypeVar("T")


class History(Generic[T]):
    """At most 100 places, the newest kept (the original drops exactly those)."""

    def __init__(self) -> None:
        self._held: list[T] = []
        self._at = -1
        self._carried = False

    def add(self, spot: T) -> None:
        """One stands elsewhere."""
        self._carried = False
        if self._held and self._held[self._at] == spot:
            return
        self._held = [*self._held[: self._at + 1], spot][-_MOST:]
        self._at = len(self._held) - 1

    def replace(self, spot: T) -> None:
        """One was carried on: that makes one new place, however far it goes."""
        if self._held and self._at == len(self._held) - 1 and self._carried:
            self._held[self._at] = spot
        else:
            self.add(spot)
        self._carried = True

    def back(self) -> T | None:
        """The place before; None if there is none."""
        if self._at <= 0:
            return None
        self._at, self._carried = self._at - 1, False
        return self._held[self._at]

    def forward(self) -> T | None:
        """The place behind."""
        if self._at + 1 >= len(self._held):
            return None
        self._at += 1
        return self._held[self._at]

    @property
    def has_back(self) -> bool:
        """Whether there is a place before."""
        return self._at > 0

    @property
    def has_forward(self) -> bool:
        """Whether there is a place behind."""
        return self._at + 1 < len(self._held)

    def clear(self) -> None:
        """Forget them all."""
        self._held, self._at = [], -1

    @property
    def spots(self) -> tuple[T, ...]:
        """The newest first."""
        return tuple(reversed(self._held))
