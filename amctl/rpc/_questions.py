"""Questions that only read: about, queue, machines, inspect."""

from __future__ import annotations

import dataclasses
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from amctl.machine import Machine, Transition, registry
from amctl.rpc.answers import (
    About,
    ArgField,
    ArgType,
    Bound,
    InnerMachine,
    PipeEnd,
    QueueItem,
    QueueState,
)
from amctl.rpc.errors import QuestionError
from amctl.rpc.wire.codes import Code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from amctl.machine import Args, MachineView, Mutation, PipeRecord

__all__ = ["MAX_ANSWER", "READING", "Question", "near", "target"]

MAX_ANSWER = 512 << 10
"""Bytes of an answer."""

_FEW = 12
_WORD = 80


class Question(NamedTuple):
    """What answers a question, and what it takes."""

    fn: Callable[[MachineView, Mapping[str, Any]], Any]
    params: frozenset[str] | None = None
    """Names of its parameters; None leaves them to `fn`."""
    needs: Callable[[Mapping[str, Any]], tuple[int, Sequence[str]]] | None = None
    """The op and the states that must be permitted; None: the op ASK."""


def near(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: something like it, or all there is."""
    names = list(known)
    close = get_close_matches(word[:_WORD], names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there is {', '.join(names)}" if 0 < len(names) <= _FEW else ""


def target(source: MachineView, params: Mapping[str, Any]) -> MachineView:
    """The machine that a reading question is about: the source, or another one of this process.

    Raises:
        QuestionError: No live machine here has that id.
    """
    wanted = params.get("machine")
    if wanted is None or wanted == source.id:
        return source
    if not isinstance(wanted, str):
        raise QuestionError(Code.ARGS, f"machine is an id, not {wanted!r:.60}")
    found = registry.find(wanted)
    if found is None:
        ids = [machine.id for machine in registry.live()]
        text = f"no machine {wanted!r:.80} lives in the process of {source.id!r}"
        raise QuestionError(Code.ARGS, text + near(wanted, ids))
    return found


# -- about


def _about(source: MachineView, params: Mapping[str, Any]) -> About:
    machine = target(source, params)
    accepted: Sequence[type[Args]] = getattr(machine, "accepted_args", ())
    groups: Mapping[str, Sequence[str]] = getattr(machine, "groups", machine.schema.groups)
    return About(
        id=machine.id,
        parent_id=machine.parent_id,
        tags=machine.tags,
        args=tuple(map(_arg_type, accepted)),
        bindings=tuple(
            Bound(b.id, tuple(b.prefix + name for name in b.handlers))
            for b in getattr(machine, "_bindings", ())
        ),
        children=tuple(m.id for m in registry.live() if m.parent_id == machine.id),
        into=tuple(map(_pipe, machine.pipes.into)),
        out=tuple(map(_pipe, machine.pipes.out)),
        groups=tuple((name, tuple(states)) for name, states in groups.items()),
        is_local=machine.is_local,
        remote_id=getattr(machine, "remote_id", ""),
    )


def _arg_type(cls: type[Args]) -> ArgType:
    fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(cls)  # type: ignore[arg-type]  # subclasses are dataclasses
    return ArgType(
        cls.label(),
        cls.key(),
        tuple(ArgField(f.name, _annotation(f.type), _default(f)) for f in fields),
    )


def _annotation(written: Any) -> str:
    if isinstance(written, str):
        return written
    return written.__name__ if type(written) is type else str(written)


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return repr(field.default)
    made = field.default_factory
    return repr(made()) if made is not dataclasses.MISSING else ""


def _pipe(record: PipeRecord) -> PipeEnd:
    return PipeEnd(
        record.op,
        record.source_id,
        record.source_state,
        record.target_id,
        record.target_state,
    )


# -- queue


def _queue(source: MachineView, params: Mapping[str, Any]) -> QueueState:
    machine = target(source, params)
    if not isinstance(machine, Machine):
        return QueueState(machine.queue_tick)  # its queue is elsewhere
    tx = machine.transition if machine.is_busy else None
    return QueueState(
        tick=machine.queue_tick,
        waiting=tuple(map(_item, machine.queue())),
        running=_item(tx.mutation) if tx is not None else None,
        handler=_running_handler(machine) if tx is not None else "",
        tasks=machine._tasks.handlers(),
        limit=machine.queue_limit,
    )


def _item(mutation: Mutation) -> QueueItem:
    origin = mutation.source
    return QueueItem(
        type=str(mutation.type),
        states=mutation.called_states,
        tick=mutation.queue_tick,
        source_id=origin.machine_id if origin is not None else "",
        source_tx=origin.tx_id if origin is not None else "",
        auto=mutation.is_auto,
        check=mutation.is_check,
    )


def _running_handler(machine: Machine) -> str:
    """Who asks from inside of a handler finds it on the stack; noting it would cost every call."""
    codes = (Transition._call.__code__, Transition._ask.__code__, Transition._final.__code__)
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code in codes:
            found = frame.f_locals
            if found["self"].machine is machine and (event := found.get("event")) is not None:
                return str(event.name)
    return ""


# -- machines


def _machines(source: MachineView, params: Mapping[str, Any]) -> list[InnerMachine]:
    return [
        InnerMachine(
            id=machine.id,
            parent_id=machine.parent_id,
            tags=machine.tags,
            active=tuple(machine.active),
            time_sum=machine.time_sum,
            is_local=machine.is_local,
            remote_id=getattr(machine, "remote_id", ""),
        )
        for machine in _parents_first(registry.live())
    ]


def _parents_first(machines: Sequence[MachineView]) -> Iterator[MachineView]:
    """Each machine, then what is below it, by age."""
    ids = {machine.id for machine in machines}
    below: dict[str, list[MachineView]] = {}
    for machine in machines:
        parent = machine.parent_id if machine.parent_id in ids else ""
        below.setdefault(parent, []).append(machine)
    waiting = below.pop("", [])[::-1]
    while waiting:
        machine = waiting.pop()
        yield machine
        waiting += below.pop(machine.id, [])[::-1]
    for circle in below.values():  # machines that claim to be each other's parents
        yield from circle


# -- inspect


def _inspect(source: MachineView, params: Mapping[str, Any]) -> dict[str, Any]:
    machine = target(source, params)
    return {
        "names": list(machine.names),
        "ticks": list(machine.time()),
        "active": list(machine.active),
        "schema": machine.schema.to_dict(),
    }


_MACHINE = frozenset(("machine",))

READING = {
    "about": Question(_about, _MACHINE),
    "queue": Question(_queue, _MACHINE),
    "machines": Question(_machines, frozenset()),
    "inspect": Question(_inspect, _MACHINE),
}
