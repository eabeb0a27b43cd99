"""What the open waits of a mirror need beyond those of a machine.

They count by index, but mean states: the order of states is the server's word, so it may change at
a handshake or with the schema. And one move of a mirror may stand for many transitions, so states
that it swaps were never active together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.machine.subscriptions import _When, _WhenTime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amctl.machine import Subscriptions

__all__ = ["leave_first", "remap"]


def remap(subs: Subscriptions, names: Sequence[str], index: Mapping[str, int]) -> None:
    """Make every open wait mean by the new indexes what it meant by the old ones.

    A wait for a state that is gone stays open until disposal.

    Args:
        subs: The waits of one clock.
        names: State names by old index.
        index: New indexes by state name.
    """
    moved = {old: index.get(name) for old, name in enumerate(names)}
    waits = list(subs._by_key.values())
    subs._by_key.clear()
    subs._by_state.clear()
    subs._time_by_state.clear()
    for wait in waits:
        if isinstance(wait, _When):
            _move_when(subs, wait, moved)
        elif isinstance(wait, _WhenTime):
            _move_when_time(subs, wait, moved)
    contexts, gone = subs._contexts, []
    subs._contexts = {}
    for old, context in contexts.items():
        new = moved[old]
        if new is None:
            gone.append(context)
        else:
            subs._contexts[new] = context
    for context in gone:
        subs._closed(context)


def leave_first(subs: Subscriptions, enters: Sequence[int], exits: Sequence[int]) -> None:
    """Take back what no longer counts, before what newly counts is looked at.

    # differs from Go, and from a local machine: two states swapped by one move don't fulfil a wait
    for both.
    """
    by_state = subs._by_state
    if by_state:
        for states, negated in ((exits, False), (enters, True)):
            for i in states:
                for wait in by_state.get(i, ()):
                    if wait.negated is negated:
                        wait.matched &= ~(1 << i)


def _move_when(subs: Subscriptions, wait: _When, moved: Mapping[int, int | None]) -> None:
    olds = [i for i in range(wait.mask.bit_length()) if wait.mask >> i & 1]
    news = [moved[i] for i in olds]
    if None in news:
        subs._by_key[wait] = wait
        return
    matched = wait.matched
    pairs = [(old, new) for old, new in zip(olds, news, strict=True) if new is not None]
    wait.mask = sum(1 << new for _, new in pairs)
    wait.matched = sum(1 << new for old, new in pairs if matched >> old & 1)
    subs._by_key[~wait.mask if wait.negated else wait.mask] = wait
    for _, new in pairs:
        subs._by_state.setdefault(new, []).append(wait)


def _move_when_time(subs: Subscriptions, wait: _WhenTime, moved: Mapping[int, int | None]) -> None:
    pending = {(None if i is None else moved[i]): tick for i, tick in wait.pending.items()}
    wait.pending = pending
    wait.key = (tuple(pending), tuple(pending.values()), id(wait))
    subs._by_key[wait.key] = wait
    for i in pending:
        subs._time_by_state.setdefault(i, []).append(wait)
