"""The When* family (section 17) and contexts (section 16) on a machine."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from amctl.machine import UnknownStateError, WaitTimeoutError
from tests.machine.tools import boom, mach, no


def test_sub_1_all_have_to_be_active_together() -> None:
    m = mach("A B")
    both = m.when("A", "B")
    m.add("A")
    m.remove("A")
    m.add("B")
    assert not both.done()
    m.add("A")
    assert both.done()


def test_sub_1_states_swapped_by_one_transition_count() -> None:
    """Errata: enters are swept before exits. WhenNot is not affected."""
    m = mach("A B", A="remove:B", B="remove:A")
    m.add("A")
    both, none = m.when("A", "B"), m.when_not("A", "B")
    m.add("B")
    assert both.done()
    assert not none.done()


def test_waits_are_shared_by_their_states() -> None:
    m = mach("A B")
    assert m.when("A", "B") is m.when("B", "A")
    assert m.when("A") is not m.when_not("Exception")
    assert m.when_time(["A"], [3]) is m.when_time(["A"], [3])
    assert m.when_query(bool) is not m.when_query(bool)


def test_fulfilled_waits_are_closed_at_once() -> None:
    m = mach("A B")
    m.add("A")
    done = [m.when("A"), m.when_not("B"), m.when_time(["A"], [1]), m.when_queue(2), m.when()]
    assert all(s.done() for s in done)


def test_sub_2_a_tick_once_reached_stays_reached() -> None:
    m = mach("A B")
    both = m.when_time(["A", "B"], [1, 1])
    m.add("A")
    m.remove("A")
    assert not both.done()
    m.add("B")
    assert both.done()


def test_when_time_variants() -> None:
    m = mach("A")
    m.add("A")
    ticks, active = m.when_ticks("A", 2), m.when_next_active("A")
    m.remove("A")
    assert not ticks.done()
    m.add("A")
    assert ticks.done()
    assert active.done()
    assert not m.when_time(["Nope"], [1]).done()


@pytest.mark.parametrize(("states", "ticks"), [([], []), (["A"], [1, 2])])
def test_sub_3_misuse_is_an_error_and_a_closed_signal(states: Any, ticks: Any) -> None:
    m = mach("A")
    assert m.when_time(states, ticks).done()
    assert m.is_err()
    assert f"{len(states)} states and {len(ticks)} ticks" in str(m.err)


def test_sub_5_args_before_the_others_and_exactly() -> None:
    m = mach("A")
    order: list[str] = []
    m.when("A").add_done_callback(lambda _: order.append("when"))
    m.when_args("A", {"x": 1}).add_done_callback(lambda _: order.append("args"))
    other, anything = m.when_args("A", {"x": 2}), m.when_args("A", {})
    m.add("A", {"x": 1, "y": 2})
    assert order == ["args", "when"]
    assert anything.done()
    assert not other.done()
    assert m.when_args("A", {"x": 2}) is other
    assert m.when_args("A", {"x": 2, "z": 1}) is not other


def test_sub_5_args_also_when_the_handler_failed() -> None:
    m = mach("A", handlers={"AState": boom})
    signal = m.when_args("A", {})
    m.add("A")
    assert signal.done()


def test_sub_5_args_of_a_state_whose_turn_is_over_are_missed() -> None:
    m = mach("A B")
    late: list[Any] = []
    m.bind({"BState": lambda _: late.extend([m.when_args("A", {}), m.when_args("B", {})])})
    m.add(["A", "B"])
    assert [s.done() for s in late] == [False, True]


@pytest.mark.parametrize("bound", ["C", "A C", "B C", "A B C"])
def test_sub_5_each_state_has_one_turn(bound: str) -> None:
    m = mach("A B C D")
    late: list[Any] = []
    handlers: dict[str, Any] = {f"{name}State": lambda _: None for name in bound.split()}
    handlers["CState"] = lambda _: late.extend(m.when_args(s, {}) for s in "ABCD")
    m.bind({**handlers, "AnyState": lambda _: None})
    m.add(["A", "B", "C", "D"])
    assert [s.done() for s in late] == [False, False, True, True]


@pytest.mark.parametrize("bound", ["A", "B", "A B"])
def test_sub_5_who_waits_again_waits_for_the_next_time(bound: str) -> None:
    m, closed = mach("A B", A="multi"), list[Any]()

    def again(signal: Any) -> None:
        closed.append(signal)
        m.when_args("A", {}).add_done_callback(again)

    m.when_args("A", {}).add_done_callback(again)
    m.bind({f"{name}State": lambda _: None for name in bound.split()})
    m.add(["A", "B"])
    assert len(closed) == 1
    m.add("A")
    assert len(closed) == 2


def test_sub_7_a_canceled_mutation_is_dealt_with() -> None:
    """differs from Go, where it stays open."""
    m = mach("A B", handlers={"BEnter": no})
    found: list[Any] = []
    m.bind({"AState": lambda _: found.append(m.when_queue(m.add("B")))})
    m.add("A")
    assert found[0].done()


def test_sub_8_queries() -> None:
    m = mach("A B", B="require:Nope")
    query = m.when_query(lambda ticks: ticks[m.index("A")] >= 3)
    for _ in range(2):
        m.add("A")
        m.remove("A")
    assert query.done()
    always = m.when_query(lambda _: True)
    m.add("B")
    assert not always.done()
    m.remove("B")
    assert always.done()  # accepted, without a change


async def test_pan_11_a_failing_query_fails_its_waiters(
    caplog: pytest.LogCaptureFixture,
) -> None:
    m = mach("A")
    query = m.when_query(lambda ticks: ticks[99] > 0)
    assert m.add("A").executed
    assert "query failed" in caplog.text
    assert not m.is_watched
    with pytest.raises(IndexError):
        await query


def test_sub_9_order_of_closing() -> None:
    m = mach("A Go")
    order: list[str] = []
    found: list[Any] = []

    def watch(_: Any) -> None:
        tick = m.add("A")
        for name, signal in (
            ("query", m.when_query(lambda _: m.is_("A"))),
            ("queue", m.when_queue(tick)),
            ("time", m.when_ticks("A", 1)),
            ("when", m.when("A")),
        ):
            signal.add_done_callback(lambda _, name=name: order.append(name))
            found.append(signal)

    m.bind({"GoState": watch})
    m.add("Go")
    assert order == ["when", "time", "queue", "query"]


def test_nothing_is_watched_once_all_have_closed() -> None:
    m = mach("A B")
    waits = [m.when("A"), m.when_ticks("A", 1), m.when_args("A", {}), m.when_query(lambda _: True)]
    context = m.state_context("A")
    assert m.is_watched
    m.add("A")
    assert all(s.done() for s in (*waits, context))
    assert not m.is_watched


def test_ctx_1_and_2_contexts() -> None:
    m = mach("A M", M="multi")
    inactive = m.state_context("A")
    assert inactive is m.state_context("A")
    assert inactive.is_alive
    m.add("A")
    assert not inactive.is_alive
    active = m.state_context("A")
    assert (active.name, active.tick) == ("A", 1)
    m.add("A")
    assert active.is_alive
    m.remove("A")
    assert not active.is_alive
    with pytest.raises(UnknownStateError):
        m.state_context("Nope")


def test_mlt_1_reentry_ends_a_context() -> None:
    m = mach("M", M="multi")
    m.add("M")
    context = m.state_context("M")
    m.add("M")
    assert context.done()


def test_ctx_3_contexts_end_before_final_handlers() -> None:
    m = mach("A")
    m.add("A")
    context, seen = m.state_context("A"), list[bool]()
    m.bind({"AEnd": lambda _: seen.append(context.done())})
    m.remove("A")
    assert seen == [True]


async def test_awaiting_tells_the_machine_time() -> None:
    m = mach("A B")
    m.add("B")
    asyncio.get_running_loop().call_later(5, m.add, "A")
    assert await m.when("A") == 2


async def test_cancelling_one_waiter_harms_nobody() -> None:
    m = mach("A")
    signal = m.when("A")
    first = asyncio.ensure_future(signal.wait())
    second = asyncio.ensure_future(m.when("A").wait())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    m.add("A")
    assert await second == 1
    assert first.cancelled()
    assert signal.done()


async def test_a_wait_that_was_given_up_leaves_nothing_behind() -> None:
    m = mach("A")
    for make in (
        lambda: m.when("A"),
        lambda: m.when_query(lambda _: False),
        lambda: m.when_args("A", {}),
        lambda: m.when_ticks("A", 9),
        lambda: m.when_queue(99),
    ):
        with pytest.raises(WaitTimeoutError):
            await make().wait(1)
        gc.collect()  # the error's traceback, which holds the signal, is part of a cycle
        assert not m.is_watched


async def test_a_wait_that_was_given_up_still_closes_for_who_polls() -> None:
    m = mach("A")
    signal = m.when("A")
    with pytest.raises(WaitTimeoutError) as caught:
        await signal.wait(1)
    assert caught.value.missing == ("A",)
    assert m.when("A") is signal
    m.add("A")
    assert signal.done()


@pytest.mark.parametrize("fails", [False, True])
def test_a_wait_may_vanish_while_another_one_closes(fails: bool) -> None:
    """The last reference to it goes in a callback, in the midst of closing."""

    def query(_: object) -> bool:
        if fails and not kept:
            raise ValueError("nobody will know")
        return m.is_("A")

    m, kept = mach("A"), list[Any]()
    first = m.when_query(lambda _: m.is_("A"))
    kept.append(m.when_query(query))
    kept[0].add_done_callback(print)  # somebody waits,
    kept[0].remove_done_callback(print)  # and gives up
    first.add_done_callback(lambda _: kept.clear())
    m.add("A")
    assert first.done()
    assert not kept
    assert not m.is_watched
    assert not m.is_err()


async def test_a_timeout_counts_from_the_call() -> None:
    m = mach("A B")
    m.add("A")
    both = m.when("A", "B", timeout=2)
    await asyncio.sleep(1.5)
    with pytest.raises(WaitTimeoutError, match="missing B"):
        await both.wait(10)
    assert both.done()
    assert asyncio.get_running_loop().time() == pytest.approx(2)
    assert not m.is_watched
    fine = m.when("B", timeout=2)
    m.add("B")
    assert await fine == 2


async def test_a_signal_is_cancelled_when_the_last_owner_gives_it_up() -> None:
    m = mach("A")
    one, two = m.when("A"), m.when("A")
    waiter = asyncio.ensure_future(one.wait())
    await asyncio.sleep(0)
    one.cancel()
    assert not two.done()
    two.cancel()
    assert not m.is_watched
    with pytest.raises(asyncio.CancelledError):
        await waiter


def test_ctx_5_and_dsp_1_all_close_on_disposal() -> None:
    m = mach("A")
    waits = [
        m.when("A"),
        m.when_ticks("A", 1),
        m.when_args("A", {}),
        m.when_query(lambda _: False),
        m.when_queue(9),
        m.state_context("A"),
    ]
    m.dispose()
    assert all(s.done() for s in waits)
    after = [m.when("A"), m.when_not("A"), m.when_time(["A"], [9]), m.when_args("A", {})]
    after += [m.when_query(lambda _: False), m.when_queue(99), m.when_err(), m.when_disposed()]
    assert all(s.done() for s in after)
    assert not m.state_context("A").done()
