"""The record of a machine's pipes; written only by the code that binds a delivering pipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["PipeRecord", "PipeRegistry"]


@dataclass(frozen=True, slots=True)
class PipeRecord:
    """One pipe: when `source_state` moves, `target_state` is added or removed."""

    op: Literal["add", "remove"]
    source_id: str
    source_state: str
    target_id: str
    target_state: str


class PipeRegistry:
    """Pipes that leave a machine (`out`) and that end in it (`into`), in the order of binding."""

    __slots__ = ("_into", "_out")

    def __init__(self) -> None:
        self._out: dict[PipeRecord, None] = {}
        self._into: dict[PipeRecord, None] = {}

    @property
    def out(self) -> tuple[PipeRecord, ...]:
        """Pipes of which this machine is the source."""
        return tuple(self._out)

    @property
    def into(self) -> tuple[PipeRecord, ...]:
        """Pipes of which this machine is the target."""
        return tuple(self._into)

    def record_out(self, record: PipeRecord) -> None:
        """Note a pipe of the source."""
        self._out[record] = None

    def record_in(self, record: PipeRecord) -> None:
        """Note a pipe of the target."""
        self._into[record] = None

    def discard(self, record: PipeRecord) -> None:
        """Forget one pipe on this end."""
        self._out.pop(record, None)
        self._into.pop(record, None)

    def drop(self, machine_id: str) -> None:
        """Forget all pipes from and to another machine (DSP-7)."""
        self._out = {r: None for r in self._out if r.target_id != machine_id}
        self._into = {r: None for r in self._into if r.source_id != machine_id}
