"""One machine, as it is recorded: every hook becomes a message of its stream."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

from amctl.machine import Tracer
from amctl.machine.args import loggable
from amctl.machine.plan import AUTO, CHECK_ADD, CHECK_REMOVE, RELATION_KIND
from amctl.machine.reasons import reason_of
from amctl.machine.steps import StepRecorder, steps_of
from amctl.telemetry.messages import SchemaMsg, SourceRef, TxMsg
from amctl.telemetry.outbox import FULL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from amctl.machine import MachineView, Mutation, Schema, Source, Transition
    from amctl.telemetry.dbgstream import DebugStream

__all__ = ["FIRST_ID", "DebugTracer", "SteppingTracer"]

FIRST_ID: Final = "semlogger"
"""Id of the message that shows the clock of a machine which was followed late."""
_SET: Final = 2
_FAILED: Final = "the tracer failed"
_ARG: Final = 200
"""Characters of an argument; ids are whole, for they name machines."""
_STACK: Final = 20
"""Calls of a stack that are kept, the innermost ones."""
_OWN: Final = ("amctl.machine", "amctl.telemetry")
_CHECKS: Final = (CHECK_ADD, CHECK_REMOVE)
_log = logging.getLogger("amctl.telemetry.stream")


class DebugTracer(Tracer):
    """Made by `DebugStream.attach`, which tells it to `begin`.

    Args:
        machine: Local, or a mirror.
        stream: Gets the messages.
    """

    def __init__(self, machine: MachineView, stream: DebugStream) -> None:
        self.id = f"dbg-{stream.id}"
        self.machine = machine
        self._stream, self._options = stream, stream.options
        self._machine_id = machine.id
        self._told: tuple[object, object, object] | None = None
        """The schema, tags and groups that the stream knows."""
        self._last_id = ""
        self._clocks: tuple[int, ...] = ()
        self._queued = 0
        self._has_failed = False
        self._unwatch: Callable[[], None] = lambda: None

    # --- life

    def begin(self) -> None:
        """Listen to the machine. Tell what it is, and how far it has come already."""
        machine, lines = self.machine, self._stream.lines
        if lines is not None:
            machine.bind_tracer(lines)
            lines.follow(machine)
        machine.bind_tracer(self)
        try:
            self._clocks = tuple(self.machine.time())
            if self._is_known() and any(self._clocks):
                self._last_id = FIRST_ID
                first = TxMsg(self._machine_id, FIRST_ID, self._clocks, type=_SET, is_check=True)
                first.queue_tick = self.machine.queue_tick
                first.time_ns = self._stream.now_ns()
                self._stream.offer(first)
            pipes = self.machine.pipes
            for record in (*pipes.out, *pipes.into):
                self._stream.pipe(record, gone=False)
            self._unwatch = pipes.watch(self._stream.pipe)
        except Exception as error:
            self._failed(error)

    def end(self) -> None:
        """Let the machine go, which lives on."""
        try:
            self._unwatch()
            self.machine.detach_tracer(self)
            if (lines := self._stream.lines) is not None:
                self.machine.detach_tracer(lines)
                lines.machine_dispose(self._machine_id)
        except Exception as error:
            self._failed(error)

    # --- hooks

    def new_submachine(self, parent: MachineView, child: MachineView) -> None:
        """Follow it as well."""
        self._stream.follow(child)

    def schema_change(self, machine: MachineView, old: Schema) -> None:
        """Tell the new one at once."""
        try:
            self._is_known()
        except Exception as error:
            self._failed(error)

    def transition_end(self, tx: Transition) -> None:
        """Tell what happened."""
        try:
            kind = tx.plan.kind
            is_check = kind in _CHECKS
            if not is_check or self._options.checks:
                self._tell(tx, kind, is_check)
        except Exception as error:
            self._failed(error)

    def mutation_queued(self, machine: MachineView, mutation: Mutation) -> None:
        """Tell what waits for its turn."""
        options = self._options
        queued = options.queued
        if queued == "none" or (mutation.kind in _CHECKS and not options.checks):
            return
        try:
            if queued == "all" or (mutation.kind != AUTO and self._is_waiting(mutation)):
                self._tell_queued(mutation)
        except Exception as error:
            self._failed(error)

    def machine_dispose(self, machine_id: str) -> None:
        """Nothing more will come."""
        try:
            self._unwatch()
            self._stream.ended(self, was_told=self._told is not None)
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        """The machine must never feel it; a person should see it, once."""
        level = logging.DEBUG if self._has_failed else logging.ERROR
        self._has_failed = True
        _log.log(level, "recording of %s failed", self._machine_id, exc_info=error)
        self._stream.lose(_FAILED, self._machine_id)

    # --- messages

    def _is_known(self) -> bool:
        """Whether the stream knows the present schema; tells it if need be."""
        machine, told = self.machine, self._told
        schema, tags = machine.schema, machine.tags
        groups = getattr(machine, "groups", None) or schema.groups
        if told is not None and told[0] is schema and told[1] is tags and told[2] is groups:
            return True
        index = {name: i for i, name in enumerate(machine.names)}
        message = SchemaMsg(
            machine.id,
            tuple(machine.names),
            schema.effective[0],
            parent=machine.parent_id,
            tags=tags,
            groups={
                name: tuple(index[state] for state in states if state in index)
                for name, states in groups.items()
            },
            groups_order=tuple(groups),
            time_ns=self._stream.now_ns(),
        )
        if not self._stream.offer(message):
            return False
        self._told = schema, tags, groups
        return True

    def _tell(self, tx: Transition, kind: int, is_check: bool) -> None:
        stream, machine, options, plan = self._stream, self.machine, self._options, tx.plan
        self._last_id = id = tx.id
        self._queued = 0
        self._clocks = clocks = tx.time_after or tuple(machine.time())
        accepted = tx.is_accepted
        if not self._is_known():
            stream.lose(FULL, self._machine_id)
            return
        message = TxMsg(
            self._machine_id,
            id,
            clocks,
            RELATION_KIND[kind],
            plan.called.order,
            kind == AUTO,
            accepted,
            is_check,
        )  # the rest as attributes: so many keywords take longer than all else here
        message.queue_tick, message.queue = machine.queue_tick, tx.queue_len
        message.mut_queue_token = tx.mutation.queue_token
        message.time_ns = stream.now_ns()
        if tx.source is not None:
            message.source = _source(tx.source)
        if tx.args and options.args:
            message.args = self._args(tx.args)
        if not accepted:
            message.reason = reason_of(tx)
        if options.steps:
            message.steps = steps_of(tx)
        if stream.lines is not None:
            message.pre_logs, message.logs = stream.lines.take(tx)
        stream.offer(message)

    def _is_waiting(self, mutation: Mutation) -> bool:
        """Whether somebody's mutation does not run at once: then its transition says it all."""
        if mutation.queue_token or mutation.queue_len > 1:
            return True
        queue = getattr(self.machine, "_queue", None)
        return queue is not None and mutation in queue

    def _tell_queued(self, mutation: Mutation) -> None:
        stream = self._stream
        if not self._is_known():
            stream.lose(FULL, self._machine_id)
            return
        message = TxMsg(
            self._machine_id,
            f"{self._last_id}-{self._queued}",
            self._clocks,
            RELATION_KIND[mutation.kind],
            mutation.called.order,
            mutation.is_auto,
            True,
            mutation.is_check,
            True,
            queue_tick=mutation.queue_tick_now,
            mut_queue_tick=mutation.queue_tick,
            mut_queue_token=mutation.queue_token,
            queue=mutation.queue_len,
            time_ns=stream.now_ns(),
        )
        self._queued += 1
        if mutation.source is not None:
            message.source = _source(mutation.source)
        if mutation.args and self._options.args:
            message.args = self._args(mutation.args)
        if self._options.stacks:
            message.stack = _stack(sys._getframe(1))
        stream.offer(message)

    def _args(self, args: Mapping[str, Any]) -> Mapping[str, str]:
        texts = loggable(args, self._options.arg_names)
        for name, text in texts.items():
            if len(text) > _ARG and name != "id":
                texts[name] = f"{text[:_ARG]}..."
        return texts


class SteppingTracer(DebugTracer, StepRecorder):
    """One that has to know which handlers ran."""


def _source(source: Source) -> SourceRef:
    return SourceRef(source.machine_id, source.tx_id, source.time)


def _stack(frame: FrameType | None) -> str:
    """Who asked, innermost call last, without the engine's own part."""
    lines: list[str] = []
    while frame is not None and len(lines) < _STACK:
        code, module = frame.f_code, frame.f_globals.get("__name__", "")
        if lines or not module.startswith(_OWN):
            lines.append(f"{module}:{frame.f_lineno} in {code.co_qualname}")
        frame = frame.f_back
    return "\n".join(reversed(lines))
