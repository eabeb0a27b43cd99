"""The record of a machine's pipes; written only by the code that binds a delivering pipe."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PipeRecord", "PipeRegistry"]

_log = logging.getLogger("amctl.machine")


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

    __slots__ = ("_into", "_out", "_watchers")

    def __init__(self) -> None:
        self._out: dict[PipeRecord, None] = {}
        self._into: dict[PipeRecord, None] = {}
        self._watchers: tuple[_Watcher, ...] = ()

    def watch(self, fn: Callable[[PipeRecord, bool], object]) -> Callable[[], None]:
        """Call `fn(record, gone)` whenever a pipe is recorded on this end, or forgotten (`gone`).

        It isn't told of those that are here already. What it raises is logged.

        Returns:
            Ends the watch.
        """
        watcher = _Watcher(fn)
        self._watchers = (*self._watchers, watcher)

        def unwatch() -> None:
            self._watchers = tuple(w for w in self._watchers if w is not watcher)

        return unwatch

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
        self._note(self._out, record)

    def record_in(self, record: PipeRecord) -> None:
        """Note a pipe of the target."""
        self._note(self._into, record)

    def discard(self, record: PipeRecord) -> None:
        """Forget one pipe on this end."""
        self._forget([record] if record in self._out or record in self._into else ())

    def drop(self, machine_id: str) -> None:
        """Forget all pipes from and to another machine (DSP-7)."""
        gone = [r for r in self._out if r.target_id == machine_id]
        self._forget(gone + [r for r in self._into if r.source_id == machine_id])

    def _note(self, end: dict[PipeRecord, None], record: PipeRecord) -> None:
        is_new = record not in end
        end[record] = None
        if self._watchers and is_new:
            self._tell((record,), gone=False)

    def _forget(self, records: Iterable[PipeRecord]) -> None:
        for record in records:
            self._out.pop(record, None)
            self._into.pop(record, None)
        if self._watchers:
            self._tell(records, gone=True)

    def _tell(self, records: Iterable[PipeRecord], *, gone: bool) -> None:
        for record in dict.fromkeys(records):
            for watcher in self._watchers:
                watcher.tell(record, gone)


class _Watcher:
    """One watch; the same function may watch twice."""

    __slots__ = ("_fn",)

    def __init__(self, fn: Callable[[PipeRecord, bool], object]) -> None:
        self._fn = fn

    def tell(self, record: PipeRecord, gone: bool) -> None:
        try:
            self._fn(record, gone)
        except Exception:
            _log.exception("a watcher of pipes failed on %s", record)
