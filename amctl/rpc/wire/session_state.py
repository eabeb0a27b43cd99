"""The server's account of what a client's mirror must be, and the frames that keep it so.

`view` is the mirror as the client must have it. It moves only in the step that writes the frame
which moves the mirror, so a diff can't be built against something that was never sent. Untracked
states are 0; shallow starts as parity and counts changes of parity. All modes end in `_emit`.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .clocks import digest, new_view
from .codec import encode, encode_ints
from .codes import Code, Kind
from .errors import ProtocolError
from .framer import BYTES, frame, varint
from .link import Link
from .messages import ClockBody

if TYPE_CHECKING:
    from .limits import Limits
    from .messages import Sync

__all__ = ["ClockLink", "Listener", "Source"]

_DIFF, _STEP, _CLOCK = int(Kind.DIFF), int(Kind.STEP), int(Kind.CLOCK)
_HEAD = struct.Struct("<BBI")
_STAMP = struct.Struct("<BI")

Listener = Callable[[int, Sequence[int], Sequence[tuple[int, int]]], None]
"""Called after each transition, accepted or not, with mutation type, called indexes, and (index,
increment) of every state whose tick changed."""


class Source(Protocol):
    """The machine that is served, as its host shows it."""

    listeners: list[Listener]

    @property
    def id(self) -> str: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def ticks(self) -> Sequence[int]:
        """Ticks in the order of `names`, as of now."""

    @property
    def q(self) -> int:
        """Queue tick."""

    @property
    def m(self) -> int:
        """Machine tick."""

    @property
    def schema(self) -> dict[str, Any] | None:
        """Plain data."""

    @property
    def hash(self) -> str:
        """Differs whenever names, their order or the schema differ."""

    @property
    def last_args(self) -> Mapping[str, Any] | None:
        """Arguments of the transition that listeners are being told of."""


class _Step(NamedTuple):
    q: int
    type: int
    called: Sequence[int]
    changed: Sequence[tuple[int, int]]


class ClockLink(Link):
    """A link that tells its peer the clock of a source."""

    def __init__(self, source: Source, sync: Sync, limits: Limits, push: float | None) -> None:
        super().__init__(limits)
        self.source, self.sync = source, sync
        self.push = push
        """Seconds between clocks that nobody asked for; None sends none."""
        self.shallow = sync.shallow and not sync.steps
        self.now = 0.0
        self.last_push = 0.0
        self.view, self.vq, self.vm = new_view(), 0, 0
        self.dseq = 0
        self.dirty = True
        self.touched: set[int] | None = None
        """Positions in `view` that may differ from the source; None: any may."""
        self.steps: deque[_Step] = deque()
        self.collapsed = False
        """Too many steps waited: a merged diff comes instead."""
        self.force_clock = False
        self._project()
        self.gen = self.marked = 1
        self.tables: dict[int, list[str]] = {1: self.names}
        """Names by generation, from the client's last mark to the present."""

    # ---- schema

    def _project(self) -> None:
        """Fix which source states the client sees, and where."""
        src, sync = self.source, self.sync
        wanted = set(src.names if sync.allowed is None else sync.allowed)
        wanted.difference_update(sync.skipped or ())
        tracked = [i for i, name in enumerate(src.names) if name in wanted]
        table = list(range(len(src.names))) if sync.schema else tracked
        self.names = [src.names[i] for i in table]
        keep = set(tracked)
        self.tracked = [(c, s) for c, s in enumerate(table) if s in keep]
        self.place = {s: c for c, s in self.tracked}
        self.table = table
        self.src_hash = src.hash
        self.hash = src.hash if sync.schema else src.hash + "-"

    @property
    def stranded(self) -> bool:
        """The schema changed once more than a client may leave unmarked: no resume."""
        return self.source.hash != self.src_hash and len(self.tables) >= self.lim.schemas

    def _new_schema(self) -> None:
        if self.stranded:
            raise ProtocolError(Code.OVERLOADED, "schema changes not marked")
        self._project()
        self.gen += 1
        self.tables[self.gen] = self.names

    def mark(self, gen: int) -> None:
        """The client's indexes are those of generation `gen` from here on."""
        if gen not in self.tables or gen < self.marked:
            raise ProtocolError(Code.PROTOCOL, "mark of an unknown schema")
        self.marked = gen
        self.tables = {g: names for g, names in self.tables.items() if g >= gen}

    def export(self) -> tuple[list[str], Any, list[str]]:
        """Names, schema and argument names, for WELCOME and CLOCK."""
        args: Sequence[str] = getattr(self.source, "args_names", ())
        return self.names, self.source.schema if self.sync.schema else None, list(args)

    # ---- the source moved

    def on_transition(
        self, type: int, called: Sequence[int], changed: Sequence[tuple[int, int]]
    ) -> None:
        """Remember what changed; nothing is built before the transport can take it."""
        self.dirty = True
        if not self.open:
            return
        if self.sync.steps and not self.collapsed:
            if len(self.steps) < self.lim.steps:
                self.steps.append(_Step(self.source.q, type, called, changed))
            else:
                self.steps.clear()
                self.collapsed, self.touched = True, None
        elif self.touched is not None:
            place = self.place
            for i, _ in changed:
                if i in place:
                    self.touched.add(place[i])

    def current(self) -> list[int]:
        """What a full clock says now."""
        ticks, out = self.source.ticks, [0] * len(self.table)
        for c, s in self.tracked:
            out[c] = ticks[s] & 1 if self.shallow else ticks[s]
        return out

    def rebase(self) -> None:
        """Make the view what a full clock says; in the same step as that clock is written."""
        self.view = new_view(self.current())
        self.vq, self.vm, self.dseq = self.source.q, self.source.m, 0
        self.steps.clear()
        self.touched = set()
        self.collapsed = self.force_clock = self.dirty = False
        self.last_push = self.now

    # ---- out

    def _before_urgent(self, out: bytearray) -> None:
        self._flush(out)

    def _write_clocks(self, out: bytearray) -> bool:
        due = self._push_due()
        if (due is None or self.now < due) and not self.force_clock:
            return False
        before = len(out)
        self._flush(out)
        return len(out) > before

    def _flush(self, out: bytearray) -> None:
        """Bring the client's mirror up to the source's present state."""
        src = self.source
        fell = src.q < self.vq
        if self.force_clock or (
            self.dirty and (fell or src.m != self.vm or src.hash != self.src_hash)
        ):
            self._write_clock(out)
        elif self.dirty:
            self.dirty = False
            self.last_push = self.now
            if self.sync.steps and not self.collapsed:
                self._write_steps(out)
            else:
                self._write_diff(out)

    def _write_clock(self, out: bytearray) -> None:
        renamed = self.source.hash != self.src_hash
        if renamed:
            self._new_schema()
        self.rebase()
        body = ClockBody(self.vq, self.vm, self.view.tolist())
        if renamed:
            names, schema, args = self.export()
            body = body._replace(
                gen=self.gen, hash=self.hash, names=names, schema=schema, args=args
            )
        out += frame(_CLOCK, encode(body))

    def _write_steps(self, out: bytearray) -> None:
        place, view = self.place, self.view
        while self.steps:
            step = self.steps.popleft()
            called = [place[i] for i in step.called if i in place]
            body = [step.q - self.vq, int(step.type), len(called), *called]
            for i, increment in step.changed:
                if i in place:
                    view[place[i]] += increment
                    body += (place[i], increment)
            self._emit(out, _STEP, step.q, body)

    def _write_diff(self, out: bytearray) -> None:
        ticks, view, table = self.source.ticks, self.view, self.table
        touched, self.touched = self.touched, set()
        self.collapsed = False
        places = [c for c, _ in self.tracked] if touched is None else sorted(touched)
        q = self.source.q
        body = [q - self.vq]
        for c in places:
            new, old = ticks[table[c]], view[c]
            if self.shallow:
                new = old + ((new ^ old) & 1)
            if new < old:
                self._write_clock(out)
                return
            if new != old:
                body += (c, new - old)
                view[c] = new
        if len(body) > 1 or body[0]:
            self._emit(out, _DIFF, q, body)

    def _emit(self, out: bytearray, kind: int, q: int, body: list[int]) -> None:
        self.vq = q
        self.dseq = (self.dseq + 1) & 255
        raw = encode_ints(body)
        size = len(raw) + _HEAD.size
        out += BYTES[size] if size < 128 else varint(size)
        out += _HEAD.pack(kind, self.dseq, digest(self.view, q, self.vm))
        out += raw

    def _stamp(self) -> bytes:
        return _STAMP.pack(self.dseq, digest(self.view, self.vq, self.vm))

    # ---- time

    def next_timer(self) -> float | None:
        due, push = super().next_timer(), self._push_due()
        # once that time has passed, the clock waits for nothing but the transport
        if self.open and push is not None and self.now < push:
            return push if due is None else min(due, push)
        return due

    def _push_due(self) -> float | None:
        """When a clock should go out that nobody asked for."""
        return self.last_push + self.push if self.dirty and self.push is not None else None
