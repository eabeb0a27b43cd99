"""Pipes: states of one machine that follow those of another.

All deliveries of one source transition reach a target as one ordered batch, with the arguments and
the source of that transition. A local target gets it in the next turn of the loop. A network target
has one queue: a batch is sent when the one before it was answered.

Nothing is lost silently. What a target rejects is logged. What could not be delivered to a network
target is logged too, and made good: after its next handshake (and after every handshake with a
server that knows nothing of before) the target's pipes are brought to the present state of their
source, each activation with the arguments it had. Add-only pipes (`remove=False`) are triggers: a
missed one is not repeated, since nobody knows whether it would still be wanted.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, cast

from amctl.machine import BatchOp, MutationType, PipeRecord, Source, UnknownStateError
from amctl.states._inlet import Binding, Inlet, Pair, Remote, add_op, inlet_of, repeats

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.machine import MachineView, Result

__all__ = [
    "bind",
    "bind_any",
    "bind_connected",
    "bind_err",
    "bind_many",
    "bind_ready",
    "bind_start",
    "sync",
]

_ADD, _REMOVE = MutationType.ADD, MutationType.REMOVE


def bind(
    source: MachineView,
    target: MachineView,
    pairs: Iterable[tuple[str, str]],
    *,
    remove: bool = True,
    id: str = "",
) -> str:
    """Make states of the target follow states of the source.

    A target state that starts with `Err` is added together with Exception. Pipes never veto the
    source; the target may reject. Disposal of either end ends the pipes.

    Args:
        source: Where states move. Local or mirrored.
        target: What follows. Local or mirrored.
        pairs: (source state, target state); empty names are skipped.
        remove: Also remove the target state when the source state ends. False makes triggers.
        id: Of the binding; by default after the first state, or the number of pairs.

    Returns:
        The id of the binding on the source.

    Raises:
        UnknownStateError: A state does not exist; nothing was bound.
    """
    triples = [Pair(one, two, two if remove else "") for one, two in pairs if one and two]
    if not id:
        what = triples[0].state if len(triples) == 1 else ""
        id = f"Bind-{what}-{target.id}" if what else f"BindMany-{len(triples)}-{target.id}"
    return _bind(source, target, triples, id)


def _bind(source: MachineView, target: MachineView, pairs: list[Pair], id: str) -> str:
    _check(source, [pair.state for pair in pairs])
    _check(target, [name for pair in pairs for name in (pair.active, pair.inactive) if name])
    inlet = inlet_of(target)
    binding = Binding(source, inlet, pairs)
    id = source.bind(binding.handlers(), id=id)
    inlet.follow(binding)
    for pair in pairs:
        if pair.active:
            _record(
                source, target, PipeRecord("add", source.id, pair.state, target.id, pair.active)
            )
        if pair.inactive:
            record = PipeRecord("remove", source.id, pair.state, target.id, pair.inactive)
            _record(source, target, record)
    _forget_with(source, target, binding, inlet, id)
    return id


def _check(machine: MachineView, states: list[str]) -> None:
    if not machine.is_local and not cast("Remote", machine).is_known:
        return
    unknown = [name for name in states if not machine.has(name)]
    if unknown:
        raise UnknownStateError(machine.id, unknown, machine.names)


def _record(source: MachineView, target: MachineView, record: PipeRecord) -> None:
    source.pipes.record_out(record)
    target.pipes.record_in(record)


def _forget_with(
    source: MachineView, target: MachineView, binding: Binding, inlet: Inlet, id: str
) -> None:
    """Disposal of one end removes the records on the other (DSP-7), and stops the binding."""
    far, near = weakref.ref(target), weakref.ref(source)

    def source_gone(gone: str) -> None:
        inlet.leave(binding)
        if (machine := far()) is not None:
            machine.pipes.drop(gone)

    def target_gone(gone: str) -> None:
        inlet.leave(binding)
        if (machine := near()) is not None and not machine.is_disposed:
            machine.pipes.drop(gone)
            machine.detach(id)

    source.on_dispose(source_gone)
    target.on_dispose(target_gone)


def bind_many(
    source: MachineView,
    target: MachineView,
    states: Iterable[str],
    targets: Iterable[str] | None = None,
) -> str:
    """Pipe states one to one in one binding; targets are named like the sources by default.

    Raises:
        ValueError: If the lists differ in length.
        UnknownStateError: A state does not exist.
    """
    names = list(states)
    return bind(source, target, zip(names, names if targets is None else targets, strict=True))


def bind_ready(source: MachineView, target: MachineView, active: str, inactive: str = "") -> str:
    """Pipe Ready: `active` is added with it, `inactive` (or `active`) removed when it ends."""
    pair = Pair("Ready", active, inactive or active)
    return _bind(source, target, [pair], f"BindReady-{target.id}")


def bind_start(source: MachineView, target: MachineView, active: str, inactive: str = "") -> str:
    """Pipe Start, as `bind_ready`."""
    pair = Pair("Start", active, inactive or active)
    return _bind(source, target, [pair], f"BindStart-{target.id}")


def bind_err(source: MachineView, target: MachineView, target_err: str = "") -> str:
    """Pipe Exception to an error state (or to Exception), without removal."""
    pair = Pair("Exception", target_err or "Exception", "")
    return _bind(source, target, [pair], f"BindErr-{target.id}")


def bind_connected(
    source: MachineView,
    target: MachineView,
    *,
    disconnected: str = "",
    connecting: str = "",
    connected: str = "",
    disconnecting: str = "",
) -> str:
    """Pipe the life of a connection; what is left empty is not piped."""
    pairs = (
        ("Disconnected", disconnected),
        ("Connecting", connecting),
        ("Connected", connected),
        ("Disconnecting", disconnecting),
    )
    return bind(source, target, pairs, id=f"BindConnected-{target.id}")


def bind_any(source: MachineView, target: MachineView) -> str:
    """Pipe every state of the source to the one of the same name; the target's own are left alone.

    Raises:
        UnknownStateError: The target lacks a state of the source.
    """
    pairs = [(name, name) for name in source.names]
    return bind(source, target, pairs, id=f"BindAny-{target.id}")


async def sync(
    source: MachineView, target: MachineView, pairs: Iterable[tuple[str, str]]
) -> list[Result]:
    """Bring target states to the present ones of the source, without arguments (PIP-8).

    One ordered batch, in its turn behind what pipes have queued: one Add of all whose source is
    active (error states each with Exception), one Remove of the rest. If the target cancels the
    Add as a whole, its states are added one by one. A local target is done before this suspends.

    Returns:
        What the target answered.

    Raises:
        RpcError: A network target could not be reached; nothing is retried.
        UnknownStateError: A state does not exist.
    """
    todo = [pair for pair in pairs if all(pair)]
    _check(source, [one for one, _ in todo])
    _check(target, [two for _, two in todo])
    ops = _sync_ops(source, target, todo)
    if not ops:
        return []
    results = await _put_and_wait(target, ops)
    again = [
        BatchOp(_ADD, (name,), None, op.source)
        for op, result in zip(ops, results, strict=True)
        if result.canceled and op.op is _ADD and len(op.states) > 1 and op.states[0] != "Exception"
        for name in op.states
    ]
    return results + (await _put_and_wait(target, again) if again else [])


def _sync_ops(
    source: MachineView, target: MachineView, pairs: list[tuple[str, str]]
) -> list[BatchOp]:
    cause = Source(source.id)
    on = [two for one, two in pairs if source.is_(one) and not repeats(target, two)]
    active = {two for one, two in pairs if source.is_(one)}
    off = [two for one, two in pairs if not source.is_(one) and two not in active]
    plain = tuple(dict.fromkeys(name for name in on if not name.startswith("Err")))
    ops = [BatchOp(_ADD, plain, None, cause)] if plain else []
    ops += [add_op(name, None, cause) for name in dict.fromkeys(on) if name.startswith("Err")]
    if off:
        ops.append(BatchOp(_REMOVE, tuple(dict.fromkeys(off)), None, cause))
    return ops


async def _put_and_wait(target: MachineView, ops: list[BatchOp]) -> list[Result]:
    inlet = inlet_of(target)
    batch = inlet.put_all(ops)
    batch.done = asyncio.get_running_loop().create_future()
    inlet.flush()
    return await batch.done
