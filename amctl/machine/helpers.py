"""Mutations and waits in the forms that programs mostly need them (section 29).

Machines are local ones. Nothing here keeps time itself: waits are the running loop's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from amctl.machine.args import ACheck, as_args
from amctl.machine.errors import DisposedError, SchemaError, WaitTimeoutError
from amctl.machine.result import CANCELED
from amctl.machine.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from amctl.machine.args import ArgsLike
    from amctl.machine.event import Event, Source
    from amctl.machine.machine import Machine
    from amctl.machine.reads import StatesLike
    from amctl.machine.result import MutationType, Result
    from amctl.machine.schema import Schema, StateDef
    from amctl.machine.transition import Transition
    from amctl.machine.view import MachineView

__all__ = [
    "add_and_await",
    "add_done",
    "ask_add",
    "ask_remove",
    "can_add_async",
    "can_remove_async",
    "copied",
    "end",
    "implements",
    "interval",
    "keep_healthy",
    "moved",
    "remove_done",
    "removing",
    "request",
    "wait_all",
    "wait_any",
    "when_group",
]

_HEALTH = "Healthcheck"


async def add_done(
    machine: Machine,
    states: StatesLike,
    args: ArgsLike = None,
    *,
    source: Event | Source | None = None,
) -> bool:
    """Add states and, if that has to wait for its turn, wait; whether all are active then.

    Don't await it within a plain handler of the same machine: its turn comes after that.
    """
    result = machine.add(states, args, source=source)
    if result.queued:
        await machine.when_queue(result)
        return machine.is_(states)
    return result.executed


async def remove_done(
    machine: Machine,
    states: StatesLike,
    args: ArgsLike = None,
    *,
    source: Event | Source | None = None,
) -> bool:
    """Remove states, as `add_done`; whether none is active then.

    # differs from Go, which says yes whenever it had to wait (HLP-1).
    """
    result = machine.remove(states, args, source=source)
    if result.queued:
        await machine.when_queue(result)
        return machine.not_(states)
    return result.executed


async def add_and_await(
    machine: Machine, wait_for: str, states: StatesLike, args: ArgsLike = None
) -> bool:
    """Add states, and wait for the next activation of another one that comes of it.

    False if the mutation was canceled at once, or the machine was disposed of meanwhile.
    """
    signal = machine.when_next_active(wait_for)
    if machine.add(states, args).canceled:
        signal.cancel()
        return False
    await signal
    return not machine.is_disposed


async def request(
    machine: MachineView,
    op: MutationType,
    states: StatesLike,
    args: ArgsLike = None,
    *,
    retries: int = 10,
    delay: float = 0.1,
    backoff: float = 5.0,
    max_duration: float = 5.0,
) -> Result:
    """A mutation that is tried again while it is canceled (HLP-7).

    Args:
        machine: Local, or a mirror.
        op: Not EVAL.
        states: Its states.
        args: Its arguments.
        retries: How many tries may follow the first.
        delay: Seconds before the second; each further wait is twice as long.
        backoff: The longest wait, in seconds.
        max_duration: No try begins later than this, in seconds from the first.

    Returns:
        The last answer. Queued counts as success.
    """
    loop = asyncio.get_running_loop()
    last = loop.time() + max_duration
    result = await machine.mutate(op, states, args)
    for _ in range(retries):
        if not result.canceled or loop.time() + delay > last:
            break
        await asyncio.sleep(delay)
        delay = min(delay * 2, backoff)
        result = await machine.mutate(op, states, args)
    return result


# -- questions


async def can_add_async(machine: Machine, states: StatesLike, args: ArgsLike = None) -> bool:
    """Whether `add` would be accepted; also asked from within a transition, for its end."""
    return await _can(machine.can_add, states, args)


async def can_remove_async(machine: Machine, states: StatesLike, args: ArgsLike = None) -> bool:
    """Whether `remove` would be accepted. See `can_add_async`.

    # differs from Go, whose answer is the opposite (CAN-3).
    """
    return await _can(machine.can_remove, states, args)


async def _can(
    ask: Callable[[StatesLike, ArgsLike], Result], states: StatesLike, args: ArgsLike
) -> bool:
    check = ACheck()
    result = ask(states, {**as_args(args), ACheck.key(): check})
    if not result.queued:
        return result.executed
    await check.done
    return check.canceled is False


async def ask_add(machine: Machine, states: StatesLike, args: ArgsLike = None) -> Result:
    """Add states only if that would be accepted; canceled otherwise, with no mutation."""
    if await can_add_async(machine, states, args):
        return machine.add(states, args)
    return CANCELED


async def ask_remove(machine: Machine, states: StatesLike, args: ArgsLike = None) -> Result:
    """Remove states only if that would be accepted; canceled otherwise, with no mutation."""
    if await can_remove_async(machine, states, args):
        return machine.remove(states, args)
    return CANCELED


# -- waits


async def wait_all(
    *signals: Signal,
    timeout: float | None = None,  # noqa: ASYNC109  # raises its own error
    err: Machine | None = None,
) -> None:
    """Wait until all have closed; at once for none.

    Args:
        signals: What to wait for.
        timeout: Seconds; None waits for ever.
        err: A machine whose Exception ends the wait, too.

    Raises:
        WaitTimeoutError: Time ran out.
        BaseException: The machine's error, if Exception ended it.
    """
    await _wait(signals, len(signals), timeout, err)


async def wait_any(
    *signals: Signal,
    timeout: float | None = None,  # noqa: ASYNC109  # raises its own error
    err: Machine | None = None,
) -> None:
    """Wait until one has closed; see `wait_all`. Of none at all, none ever does."""
    await _wait(signals, 1, timeout, err)


async def _wait(
    signals: Sequence[Signal],
    wanted: int,
    limit: float | None,
    err: Machine | None,
) -> None:
    enough, left = Signal(not wanted, what="wait for signals"), wanted

    def closed(_: Signal) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            enough.close()

    def failed(_: Signal) -> None:
        enough.close()

    watched = [(signal, closed) for signal in signals]
    if err is not None:
        watched.append((err.when_err(), failed))
    try:
        for signal, fn in watched:
            signal.add_done_callback(fn)
        await enough.wait(limit)
    except WaitTimeoutError as error:
        missing = [name for signal in signals if not signal.done() for name in signal.missing()]
        raise WaitTimeoutError(enough.what, error.timeout, missing) from None
    finally:
        for signal, fn in watched:
            signal.remove_done_callback(fn)
    if left > 0 and err is not None:
        raise err.err or DisposedError(err.id)


def when_group(machines: Iterable[Machine], state: str) -> Signal:
    """A signal that closes once each machine has had the state active, maybe at other times."""
    signals = [machine.when(state) for machine in machines]
    group, left = Signal(not signals, what=f"{state} of {len(signals)} machines"), len(signals)

    def closed(_: Signal) -> None:
        nonlocal left
        left -= 1
        if not left:
            group.close()

    for signal in signals:
        signal.add_done_callback(closed)
    return group


async def interval(
    context: Signal, length: float, every: float, fn: Callable[[], bool | None]
) -> bool:
    """Call a function from time to time.

    Args:
        context: Its end ends it.
        length: Seconds in all.
        every: Seconds between two calls.
        fn: False ends it.

    Returns:
        Whether the time ran out, and nothing else ended it.
    """
    loop = asyncio.get_running_loop()
    last = loop.time() + length
    while loop.time() + every <= last:
        await asyncio.sleep(every)
        if context.done() or fn() is False:
            return False
    return not context.done()


async def keep_healthy(machine: Machine, every: float = 30.0) -> None:
    """Add Healthcheck from time to time, in seconds, until the machine is disposed of (HLP-4).

    It lets tools see what was logged since the last transition. Over at once without that state.
    """
    while machine.has(_HEALTH):
        machine.add(_HEALTH)
        await asyncio.sleep(every)


# -- the rest


def end(machine: Machine) -> None:
    """Dispose of a machine as it wants to be: by adding Disposing, if it has that (HLP-10)."""
    if not machine.has("Disposing") or machine.add("Disposing").canceled:
        machine.dispose()


def removing(state: str) -> Callable[[Event], None]:
    """A final handler that removes a state again, for Multi states that only count (HLP-13)."""

    def remove(event: Event) -> None:
        event.machine.remove(state, source=event)

    return remove


def implements(have: Iterable[str], need: Iterable[str]) -> str:
    """The first needed state that is missing; empty if there is none (HLP-12)."""
    there = set(have)
    return next((name for name in need if name not in there), "")


def copied(source: Mapping[str, StateDef], into: Schema, states: Iterable[str]) -> Schema:
    """A schema with some definitions of another one.

    Raises:
        SchemaError: The other one lacks a state.
    """
    found: dict[str, StateDef] = {}
    for name in states:
        if name not in source:
            raise SchemaError(f"there is no state {name!r} to copy")
        found[name] = source[name]
    return into.merge(found)


def moved(tx: Transition) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What a transition added, removed and touched (HLP-12).

    Touched is every state that a relation or a handler was about, whatever came of it.
    """
    from amctl.machine.steps import steps_of

    names = tx.machine.names
    touched = dict.fromkeys(
        names[i] for step in steps_of(tx) for i in (step.source, step.target) if i >= 0
    )
    if not tx.is_accepted:
        return (), (), tuple(touched)
    return tuple(tx.enters), tuple(tx.exits), tuple(touched)
