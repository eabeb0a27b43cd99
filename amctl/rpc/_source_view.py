"""A machine as the wire's sessions see it: names, ticks, and a note after each transition."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from amctl.machine import Tracer
from amctl.machine.plan import RELATION_KIND
from amctl.rpc.payload import args_to_wire

if TYPE_CHECKING:
    from amctl.machine import MachineView, Schema, Transition

__all__ = ["Listener", "SourceView"]

Listener = Callable[[int, Sequence[int], Sequence[tuple[int, int]]], None]


class SourceView:
    """Adapts a machine, local or mirrored, to the source that `Hub` wants.

    It binds a tracer to the machine only while somebody listens.

    Args:
        machine: Never disposed of from here.
        tracer_id: Unique among the machine's tracers.
        moved: Called after each transition, once the listeners were told.
        ending: Called when the machine is disposed of; its last ticks can still be read here.
    """

    def __init__(
        self,
        machine: MachineView,
        tracer_id: str,
        moved: Callable[[], None],
        ending: Callable[[], None],
    ) -> None:
        self.machine, self._moved, self._ending = machine, moved, ending
        self._before: Sequence[int] = ()
        self._moves: Sequence[tuple[int, int]] = ()
        self._tx: Transition | None = None
        self.listeners: list[Listener] = _Listeners(self._listen)
        self._tracer = _SourceTracer(self, tracer_id)
        self._bound = False
        self._schema: Schema | None = None
        self._hash = ""
        self._dict: Any = None

    @property
    def id(self) -> str:
        """The machine's id."""
        return self.machine.id

    @property
    def names(self) -> Sequence[str]:
        """State names in index order."""
        return self.machine.names

    @property
    def ticks(self) -> Sequence[int]:
        """Ticks in the order of names."""
        machine: Any = self.machine
        # not `time()`, which copies: whoever asks reads a few of them, before the machine goes on
        return self._last() if machine.is_disposed else machine._clock

    def _last(self) -> Sequence[int]:
        """What they were after the last transition: a disposed machine has none."""
        ticks = list(self._before)
        for i, more in self._moves:
            ticks[i] += more
        return ticks

    @property
    def last_args(self) -> dict[str, Any] | None:
        """Arguments of the transition that listeners are being told of, as the wire has them."""
        return args_to_wire(self._tx.args) if self._tx is not None else None

    @property
    def q(self) -> int:
        """The queue tick."""
        return self.machine.queue_tick

    @property
    def m(self) -> int:
        """The machine tick."""
        return self.machine.machine_tick

    @property
    def schema(self) -> Any:
        """The schema as plain data, or None if the machine knows none."""
        self._refresh()
        return self._dict

    @property
    def hash(self) -> str:
        """Changes with the schema and with the order of names, which the schema's hash ignores."""
        self._refresh()
        return self._hash

    def _refresh(self) -> None:
        schema = self.machine.schema
        if schema is not self._schema or not self._hash:
            self._schema = schema
            self._dict = schema.to_dict() if schema is not None else None
            order = zlib.crc32("\n".join(self.machine.names).encode())
            self._hash = f"{schema.hash if schema is not None else ''}-{order:08x}"

    def _listen(self, wanted: bool) -> None:
        if wanted and not self._bound and not self.machine.is_disposed:
            self._bound = True
            self._before, self._moves = self.machine.time(), ()
            self.machine.bind_tracer(self._tracer)
        elif not wanted and self._bound:
            self._bound = False
            if not self.machine.is_disposed:
                self.machine.detach_tracer(self._tracer)

    def transition(self, tx: Transition) -> None:
        """Tell the listeners of one ended transition."""
        changed = tx.changed
        self._tx, self._before, self._moves = tx, tx.time_before, changed
        kind, called = RELATION_KIND[tx.mutation.kind], tx.called
        for listener in tuple(self.listeners):
            listener(kind, called, changed)
        self._tx = None
        self._moved()

    def renamed(self) -> None:
        """The schema changed."""
        self._before, self._moves = self.machine.time(), ()
        for listener in tuple(self.listeners):
            listener(0, (), ())
        self._moved()

    def ending(self) -> None:
        """The machine is being disposed of."""
        self._ending()


class _Listeners(list[Listener]):
    """A list that tells when it becomes used and unused."""

    def __init__(self, used: Callable[[bool], None]) -> None:
        super().__init__()
        self._used = used

    def append(self, listener: Listener) -> None:
        super().append(listener)
        self._used(True)

    def remove(self, listener: Listener) -> None:
        super().remove(listener)
        if not self:
            self._used(False)


class _SourceTracer(Tracer):
    def __init__(self, view: SourceView, id: str) -> None:
        self._view, self.id = view, id

    def transition_end(self, tx: Transition) -> None:
        self._view.transition(tx)

    def schema_change(self, machine: MachineView, old: Schema) -> None:
        self._view.renamed()

    def machine_dispose(self, machine_id: str) -> None:
        self._view.ending()
