"""A tree of machines as a tree of spans (otel.md, sections 3 and 4).

    mach:0:ID -> 0:states      -> 0:Working -> one span each time that it is active
              -> 0:transitions -> 0: [add] Working
              -> 0:submachines -> mach:1:CHILD -> ...

Spans of machines, groups and names end at once: they only nest. A state's instance lives as long as
the state is active; a multi state that ticks again is an event of the instance.

Causes are links of transitions. Within the process the source's id says who it was. Across
processes each traced transition leaves its span's `traceparent` where mutations that it causes take
it along.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from amctl.machine import ERROR_KEY, EXCEPTION, AException, registry
from amctl.machine.args import loggable
from amctl.machine.reasons import reason_of
from amctl.machine.steps import StepRecorder, steps_of
from amctl.telemetry.otelfilter import OtelOptions, Picked
from amctl.telemetry.spans import SpanRef, from_traceparent, traceparent

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import MachineView, Transition
    from amctl.telemetry.spans import AttributeValue, Span, SpanSink

__all__ = ["OtelTracer"]

_REMEMBERED = 300
"""Transitions of a machine that later ones may be linked to."""
_log = logging.getLogger("amctl.telemetry.otel")


class _Traced:
    """What is known of one machine."""

    __slots__ = (
        "group",
        "instances",
        "machine_id",
        "names",
        "number",
        "past",
        "span",
        "states",
        "text",
        "transitions",
        "tx",
    )

    def __init__(self, number: int, machine_id: str, span: SpanRef) -> None:
        self.number, self.machine_id, self.span = number, machine_id, span
        self.states: SpanRef | None = None
        self.transitions: SpanRef | None = None
        self.group: SpanRef | None = None
        """Of its submachines."""
        self.names: dict[str, SpanRef] = {}
        self.instances: dict[str, Span] = {}
        self.tx: Span | None = None
        self.text = ""
        """The mutation of `tx`, in words."""
        self.past: OrderedDict[str, SpanRef] = OrderedDict()


class OtelTracer(StepRecorder):
    """One tree, and one service. Bind it by `follow`, which reaches descendants too.

    Args:
        sink: Takes the spans.
        options: What is traced.
        parent: The span above the topmost machine; None begins a trace.
        now_ns: Unix time in nanoseconds.
        id: As a tracer.
    """

    def __init__(
        self,
        sink: SpanSink,
        options: OtelOptions,
        *,
        parent: SpanRef | None,
        now_ns: Callable[[], int],
        id: str = "otel",
    ) -> None:
        super().__init__()
        self.id = id
        self._sink, self._options, self._parent, self._now = sink, options, parent, now_ns
        self._picked = Picked(options)
        self._traced: dict[str, _Traced] = {}
        self._above: dict[str, str] = {}
        """Machine -> its parent; hidden ones too."""
        self._followed: dict[str, MachineView] = {}
        self._count = 0
        self._is_over = False

    # --- machines

    def follow(self, machine: MachineView) -> None:
        """Trace a machine, its descendants, and those that they will have.

        A second machine with the id of a live one is left alone, with a line in the log.
        """
        waiting = [machine]
        while waiting:
            one = waiting.pop(0)
            if self._begin(one, is_root=one is machine and machine.parent_id not in self._followed):
                below = [m for m in registry.live() if m.parent_id == one.id]
                # parents are known by id alone: what another one of this id has left is older
                newest = {m.id: m for m in below}.values()
                waiting += [*newest, *(m for m in below if m not in newest)]

    def _begin(self, machine: MachineView, *, is_root: bool) -> bool:
        if self._is_over or machine.is_disposed:
            return False
        if machine.id in self._followed:
            if self._followed[machine.id] is not machine:
                _log.warning("a second machine %s isn't traced", machine.id)
            return False
        self._followed[machine.id] = machine
        self._above[machine.id] = machine.parent_id
        if is_root or self._picked.machine(machine):
            self._show(machine)
        machine.bind_tracer(self)
        return True

    def _show(self, machine: MachineView) -> None:
        number, self._count = self._count, self._count + 1
        id = machine.id
        parent, now = self._parent_of(id), self._now()
        ref = self._mark(f"mach:{number}:{id}", parent, now, "id", id)
        traced = self._traced[id] = _Traced(number, id, ref)
        traced.states = self._mark(f"{number}:states", ref, now, "mach_id", id)
        if self._options.transitions:
            traced.transitions = self._mark(f"{number}:transitions", ref, now, "mach_id", id)
        for state in machine.active:
            if self._picked.state(id, state):
                self._open(traced, machine, state, now)

    def _parent_of(self, id: str) -> SpanRef | None:
        """The group of the nearest machine above that is shown; made when it gets the first."""
        above = self._above.get(id, "")
        while above and above not in self._traced:
            above = self._above.get(above, "")
        if not above:
            return self._parent
        traced = self._traced[above]
        if traced.group is None:
            name = f"{traced.number}:submachines"
            traced.group = self._mark(name, traced.span, self._now(), "mach_id", above)
        return traced.group

    def _mark(self, name: str, parent: SpanRef | None, now: int, key: str, value: str) -> SpanRef:
        """A span that only nests."""
        span = self._sink.start(name, parent, now, self._named((key, value)))
        span.end(now)
        return span.ref

    def _named(self, *pairs: tuple[str, AttributeValue]) -> list[tuple[str, AttributeValue]]:
        named = [(f"am.{name}", value) for name, value in pairs]
        return [*named, *pairs] if self._options.old_names else named

    # --- hooks: machines

    def machine_init(self, machine: MachineView) -> None:
        """A machine that has this tracer from the start."""
        self._begin(machine, is_root=machine.parent_id not in self._followed)

    def new_submachine(self, parent: MachineView, child: MachineView) -> None:
        """Trace it as well."""
        self._begin(child, is_root=False)

    def machine_dispose(self, machine_id: str) -> None:
        """End everything that is open."""
        self._followed.pop(machine_id, None)
        self._above.pop(machine_id, None)
        if (traced := self._traced.pop(machine_id, None)) is not None:
            self._end(traced)

    def close(self) -> None:
        """Let all machines go, the youngest first, and end what is open. Safe to call again."""
        self._is_over = True
        for machine in reversed(list(self._followed.values())):
            machine.detach_tracer(self)
        for traced in reversed(list(self._traced.values())):
            self._end(traced)
        self._traced.clear()
        self._followed.clear()

    @property
    def machine_ids(self) -> list[str]:
        """Of the machines that are shown."""
        return list(self._traced)

    def _end(self, traced: _Traced) -> None:
        now = self._now()
        if traced.tx is not None:
            traced.tx.end(now)
            traced.tx = None
        for span in traced.instances.values():
            span.end(now)
        traced.instances.clear()

    # --- hooks: transitions

    def transition_init(self, tx: Transition) -> None:
        """Begin its span, and leave word of it for what it will cause."""
        traced, options = self._traced.get(tx.machine.id), self._options
        if traced is None or not options.transitions or self._is_left_out(tx):
            return
        text, number = str(tx.mutation), traced.number
        traced.text = text
        error = _error_of(tx)
        name = f"{number}: {'!' if error is not None else ''}{text}"
        span = traced.tx = self._sink.start(
            name,
            traced.transitions,
            now := self._now(),
            self._named(
                ("tx_id", tx.id),
                ("mach_id", traced.machine_id),
                ("mutation", text),
                ("time_before", sum(tx.time_before)),
                ("auto", tx.is_auto),
            ),
        )
        if (cause := self._cause(tx)) is not None:
            span.link(cause, "source")
        if error is not None:
            self._set(span, "error", error[1])
            span.fail(*error, now)
        if options.args and tx.args:
            for key, value in loggable(tx.args).items():
                self._set(span, f"args.{key}", value)
        traced.past[tx.id] = span.ref
        if len(traced.past) > _REMEMBERED:
            traced.past.popitem(last=False)
        tx.trace = traceparent(span.ref)

    def _is_left_out(self, tx: Transition) -> bool:
        options = self._options
        return (
            tx.is_check
            or (tx.is_auto and not options.auto)
            or (tx.is_health and not options.health)
        )

    def _cause(self, tx: Transition) -> SpanRef | None:
        source = tx.source
        if source is None:
            return None
        if source.trace and (ref := from_traceparent(source.trace)) is not None:
            return ref
        there = self._traced.get(source.machine_id)
        return there.past.get(source.tx_id) if there is not None else None

    def handler_end(self, tx: Transition, binding: str, name: str) -> None:
        """A moment of the transition."""
        traced = self._traced.get(tx.machine.id)
        if traced is not None and traced.tx is not None:
            traced.tx.event(name, self._now(), {"emitter": binding})

    def transition_finals(self, tx: Transition) -> None:
        """States have moved: end and begin their instances."""
        traced = self._traced.get(tx.machine.id)
        if traced is None or (tx.is_health and not self._options.health):
            return
        now, names = self._now(), tx.machine.names
        added = list(dict.fromkeys([*tx.enters, *(names[i] for i, n in tx.changed if n > 1)]))
        removed = [state for state in tx.exits if state not in added]
        pick, id, span = self._picked.state, traced.machine_id, traced.tx
        for state in removed:
            instance = traced.instances.pop(state, None)
            if instance is not None:
                instance.end(now)
                if span is not None:
                    span.link(instance.ref, "removed")
        for state in added:
            if pick(id, state):
                instance = self._add(traced, tx, state, now)
                if span is not None:
                    span.link(instance.ref, "added")
        if span is not None:
            diff = [*(f"+{state}" for state in added), *(f"-{state}" for state in removed)]
            self._set(span, "states_diff", " ".join(diff))

    def _add(self, traced: _Traced, tx: Transition, state: str, now: int) -> Span:
        instance = traced.instances.get(state)
        if instance is None:
            instance = self._open(traced, tx.machine, state, now, tx.id)
        instance.event(traced.text if traced.tx is not None else str(tx.mutation), now)
        return instance

    def _open(
        self, traced: _Traced, machine: MachineView, state: str, now: int, tx_id: str = ""
    ) -> Span:
        name = f"{traced.number}:{state}{' [M]' if machine.schema[state].multi else ''}"
        parent = traced.names.get(state)
        if parent is None:
            parent = traced.names[state] = self._mark(
                name, traced.states, now, "mach_id", traced.machine_id
            )
        attributes = self._named(("tx_id", tx_id)) if tx_id else ()
        span = traced.instances[state] = self._sink.start(name, parent, now, attributes)
        return span

    def transition_end(self, tx: Transition) -> None:
        """End its span, and say what came of it."""
        traced = self._traced.get(tx.machine.id)
        if traced is None or (span := traced.tx) is None:
            return
        traced.tx = None
        self._set(span, "accepted", tx.is_accepted)
        if tx.is_accepted:
            self._set(span, "time_after", sum(tx.time_after))
            self._set(span, "steps_count", len(steps_of(tx)))
        elif (reason := reason_of(tx)) is not None:
            self._set(span, "reason", str(reason))
        if tx.failure is not None:
            error = tx.failure[2]
            span.fail(type(error).__name__, str(error), self._now())
        span.end(self._now())

    def _set(self, span: Span, name: str, value: AttributeValue) -> None:
        span.set(f"am.{name}", value)
        if self._options.old_names:
            span.set(name, value)


def _error_of(tx: Transition) -> tuple[str, str] | None:
    """Type and text of the error that a transition brings; None if it brings none.

    # differs from Go, where every transition counts that leaves Exception active.
    """
    if EXCEPTION not in tx.target_states:
        return None
    if EXCEPTION in tx.states_before and EXCEPTION not in tx.called_states:
        return None
    given = tx.args.get(ERROR_KEY)
    error = given.err if isinstance(given, AException) else given
    if isinstance(error, BaseException):
        return type(error).__name__, str(error)
    return EXCEPTION, "" if error is None else str(error)
