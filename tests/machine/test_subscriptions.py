"""Subscriptions over any clock, e.g. one that mirrors a remote machine's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.machine import Signal, Subscriptions
from tests.machine.tools import mach


@dataclass
class Clock:
    """Three states, and who watches them."""

    ticks: list[int] = field(default_factory=lambda: [0, 0, 0])
    queue_tick: int = 1
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.subs = Subscriptions(
            lambda: self.calls.append("open"), lambda: self.calls.append("empty"), ("A", "B", "C")
        )

    @property
    def mask(self) -> int:
        return sum(1 << i for i, t in enumerate(self.ticks) if t % 2)

    def move(self, *flips: int, args: dict[str, Any] | None = None) -> None:
        """One accepted transition that flips these states."""
        enters = [i for i in flips if not self.ticks[i] % 2]
        exits = [i for i in flips if self.ticks[i] % 2]
        for i in flips:
            self.ticks[i] += 1
        self.queue_tick += 1
        self.subs.transition(enters, exits, self.ticks, self.queue_tick, args or {})

    def when(self, *order: int, negated: bool = False) -> Signal:
        return self.subs.when(order, sum(1 << i for i in order), self.mask, negated)


def test_the_owner_hears_of_the_first_and_the_last() -> None:
    clock = Clock()
    assert clock.subs.is_empty
    clock.when(0)
    clock.when(1)
    clock.subs.context(0, "A", 0)
    assert clock.calls == ["open"]
    clock.move(0)
    assert not clock.subs.is_empty
    clock.move(1)
    assert clock.calls == ["open", "empty"]
    assert clock.subs.is_empty


async def test_signals_close_at_the_machine_time() -> None:
    clock = Clock()
    signal = clock.when(0, 1)
    clock.move(0, 2)
    clock.move(1)
    assert await signal == 3


def test_missing_names() -> None:
    clock = Clock()
    clock.move(1)
    assert list(clock.when(0, 1, 2).missing()) == ["A", "C"]
    assert list(clock.when(0, 1, negated=True).missing()) == ["B"]
    timed = clock.subs.when_time([0, 2, None], [1, 1, 1], clock.ticks)
    clock.move(0)
    assert list(timed.missing()) == ["C"]
    assert clock.subs.listed(0b101) == ["A", "C"]


def test_a_condition_over_one_state_named_twice() -> None:
    clock = Clock()
    signal = clock.when(0)
    clock.move(0)
    assert signal.done()
    assert clock.subs.is_empty


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True),
    st.booleans(),
    st.lists(st.lists(st.integers(0, 2), max_size=3, unique=True), max_size=12),
)
def test_sub_1_against_its_plain_text(
    order: list[int], negated: bool, moves: list[list[int]]
) -> None:
    """Each state seen fulfilled counts until its counter-move; all enters are swept first."""
    clock = Clock()
    signal = clock.when(*order, negated=negated)
    seen = {i for i in order if bool(clock.ticks[i] % 2) is not negated}
    closed = len(seen) == len(order)
    for flips in moves:
        enters = [i for i in flips if i in order and not clock.ticks[i] % 2]
        exits = [i for i in flips if i in order and clock.ticks[i] % 2]
        for sweep, counts in ((enters, not negated), (exits, negated)):
            for i in sweep:
                if counts:
                    seen.add(i)
                else:
                    seen.discard(i)
                closed = closed or len(seen) == len(order)
        clock.move(*flips)
        assert signal.done() is closed
    assert clock.subs.is_empty is closed


@given(
    st.dictionaries(st.integers(0, 2), st.integers(0, 4), min_size=1),
    st.lists(st.lists(st.integers(0, 2), max_size=3, unique=True), max_size=12),
)
def test_sub_2_times_are_reached_for_good(want: dict[int, int], moves: list[list[int]]) -> None:
    clock = Clock()
    signal = clock.subs.when_time([*want], [*want.values()], clock.ticks)
    for flips in moves:
        clock.move(*flips)
        assert signal.done() is all(clock.ticks[i] >= t for i, t in want.items())
    assert clock.subs.is_empty is signal.done()


@pytest.mark.slow
@given(st.data())
def test_a_machine_is_watched_while_anything_is_open(data: st.DataObject) -> None:
    m = mach("A B M", M="multi", B="remove:A")
    makers = [
        lambda: m.when("A", "M"),
        lambda: m.when_not("A"),
        lambda: m.when_ticks("M", 2),
        lambda: m.when_args("A", {"x": 1}),
        lambda: m.when_query(lambda ticks: ticks[2] > 2),
        lambda: m.when_queue(m.queue_tick + 2),
        lambda: m.state_context("M"),
    ]
    signals: list[Signal] = []
    for _ in range(data.draw(st.integers(0, 12))):
        if data.draw(st.booleans()):
            signals.append(data.draw(st.sampled_from(makers))())
        else:
            op = data.draw(st.sampled_from(["add", "remove"]))
            args = data.draw(st.sampled_from([None, {"x": 1}]))
            getattr(m, op)(data.draw(st.sampled_from(["A", "B", "M"])), args)
        assert m.is_watched is any(not s.done() for s in signals)
    m.dispose()
    assert all(s.done() for s in signals)
    assert m._subs.is_empty


def test_sub_10_a_flush_releases_who_waits_for_the_queue() -> None:
    clock = Clock()
    waits = [clock.subs.when_queue(tick, 1) for tick in (5, 99)]
    other = clock.when(0)
    clock.subs.flush_queue()
    assert [s.done() for s in (*waits, other)] == [True, True, False]


def test_sub_7_the_queue_can_be_looked_at_alone() -> None:
    clock = Clock()
    early, late = clock.subs.when_queue(2, 1), clock.subs.when_queue(3, 1)
    assert clock.subs.when_queue(2, 2).done()
    clock.subs.process_queue(2)
    assert (early.done(), late.done()) == (True, False)


def test_sub_5_arguments_of_several_waiters() -> None:
    clock = Clock()
    one, two, any_ = (clock.subs.when_args(0, a) for a in ({"x": 1}, {"x": 1, "y": 2}, {}))
    other = clock.subs.when_args(1, {"x": 1})
    clock.move(0, args={"x": 1, "z": 3})
    assert [s.done() for s in (one, two, any_, other)] == [True, False, True, False]
    clock.move(1)
    assert not other.done()


def test_sub_5_only_equal_arguments_share() -> None:
    clock = Clock()
    first = clock.subs.when_args(0, {"x": 1, "y": 2})
    assert clock.subs.when_args(0, {"y": 2, "x": 1}) is first
    assert clock.subs.when_args(0, {"x": 1}) is not first
    assert clock.subs.when_args(1, {"x": 1, "y": 2}) is not first


def test_giving_up_leaves_other_waits_of_the_state_alone() -> None:
    clock = Clock()
    pair, single = clock.when(0, 1), clock.when(0)
    timed = [clock.subs.when_time([0], [t], clock.ticks) for t in (1, 2)]
    args = [clock.subs.when_args(0, {"x": x}) for x in (1, 2)]
    for signal in (pair, timed[0], args[0]):
        signal.cancel()
    clock.move(0, args={"x": 2})
    clock.move(0)
    assert [s.done() for s in (single, timed[1], args[1])] == [True] * 3
    assert clock.subs.is_empty


def test_a_wait_that_is_forgotten_late_does_not_take_its_successor_along() -> None:
    """Nobody waits any more, it closes, somebody else waits anew, and only then it is forgotten."""
    clock = Clock()

    def make() -> list[Signal]:
        clock.ticks[0] = 0
        return [
            clock.when(0),
            clock.subs.when_time([0], [1], clock.ticks),
            clock.subs.when_query(lambda ticks: ticks[0] % 2 == 1),
        ]

    old = make()
    for signal in old:
        signal.add_done_callback(print)
        signal.remove_done_callback(print)
    clock.move(0)
    assert all(s.done() for s in old)
    new = make()
    del signal
    old.clear()
    assert not any(s.done() for s in new)
    clock.move(0)
    assert all(s.done() for s in new)
    assert clock.subs.is_empty


def test_ctx_contexts_end_before_waits_close() -> None:
    clock, order = Clock(), list[str]()
    clock.when(0).add_done_callback(lambda _: order.append("when"))
    clock.subs.context(0, "A", 0).add_done_callback(lambda _: order.append("context"))
    clock.subs.when_args(0, {}).add_done_callback(lambda _: order.append("args"))
    clock.move(0)
    assert order == ["context", "args", "when"]


def test_ctx_contexts_of_other_states_stay() -> None:
    clock = Clock()
    context = clock.subs.context(0, "A", 0)
    clock.move(1)
    assert context.is_alive
    assert clock.subs.context(0, "A", 0) is context


def test_a_query_sees_ticks_after_each_transition() -> None:
    clock, seen = Clock(), list[list[int]]()

    def query(ticks: Any) -> bool:
        seen.append(list(ticks))
        return len(seen) == 2

    signal = clock.subs.when_query(query)
    for _ in range(3):
        clock.move(0)
    assert seen == [[1, 0, 0], [2, 0, 0]]
    assert signal.done()


def test_a_query_that_fails_leaves_others_alone() -> None:
    clock = Clock()
    bad = clock.subs.when_query(lambda _: 1 // 0 > 0)
    good = clock.subs.when_query(lambda _: True)
    clock.move(0)
    assert bad.done()
    assert good.done()


def test_closing_all() -> None:
    clock, order = Clock(), list[str]()
    signals = {
        "context": clock.subs.context(0, "A", 0),
        "when": clock.when(0),
        "time": clock.subs.when_time([None], [1], clock.ticks),
        "args": clock.subs.when_args(0, {}),
        "queue": clock.subs.when_queue(9, 1),
        "query": clock.subs.when_query(lambda _: False),
    }
    for name, signal in signals.items():
        signal.add_done_callback(lambda _, name=name: order.append(name))  # type: ignore[misc]
    clock.subs.close_all()
    assert order == list(signals)
    assert clock.calls == ["open", "empty"]
