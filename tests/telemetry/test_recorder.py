"""Moments in, snapshots out."""

from __future__ import annotations

import logging

import pytest

from amctl.telemetry.errors import RoundOrderError, UnknownNodeError
from amctl.telemetry.recorder import Recorder, standard_lights
from amctl.telemetry.snapshot import (
    KEEP_ATTEMPTS,
    KEEP_EVENTS,
    KEEP_ROUNDS,
    Attempt,
    Boot,
    Check,
    Edge,
    Light,
    Link,
    Node,
    Run,
)
from tests.support.fake_run import FakeRun


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> Recorder:
    """Two jobs, b after a."""
    return Recorder(
        Run(id="r", workflow="w", started_at="2026-01-01T00:00:00Z", max_rounds=9, max_attempts=3),
        clock,
        [Node(id="a", thread="ui", host="a"), Node(id="b", thread="worker", host="a", deps=("a",))],
        [Check("b", "0b")],
    )


@pytest.fixture
def working(recorder: Recorder, clock: Clock) -> Recorder:
    """In round 1, a at work since 100 ms."""
    recorder.joined("a")
    recorder.joined("b")
    clock.now = 50
    recorder.begin_round()
    clock.now = 100
    recorder.begin("a")
    return recorder


def node(recorder: Recorder, id: str) -> Node:
    return next(n for n in recorder.snapshot().nodes if n.id == id)


def light(recorder: Recorder, id: str) -> Light:
    return next(li for li in recorder.snapshot().lights if li.id == id)


def texts(recorder: Recorder) -> list[str]:
    return [f"{e.node or '-'} {e.text}" for e in recorder.snapshot().events]


def test_a_new_run_is_loading_and_every_node_is_offline(recorder: Recorder) -> None:
    snap = recorder.snapshot()
    assert (snap.run.phase, snap.run.round) == ("loading", 0)
    assert [n.state for n in snap.nodes] == ["offline", "offline"]
    assert snap.edges == (Edge("a>b", "a", "b", "idle"),)
    assert [li.id for li in snap.lights] == [
        "orchestrator",
        "relay",
        "a",
        "b",
        "debugger",
        "traces",
    ]


def test_nodes_of_this_process_load_nothing(recorder: Recorder) -> None:
    recorder.run_here()
    snap = recorder.snapshot()
    assert {node.thread for node in snap.nodes} == {"local"}
    assert snap.run.phase == "connecting"
    assert "Python is loading" not in snap.run.message


def test_boot_steps_are_shown_until_the_node_dials(recorder: Recorder) -> None:
    step = Boot(1, 5, "Fetching the runtime", 10, 100)
    assert recorder.boot("a", step)
    assert (node(recorder, "a").state, node(recorder, "a").boot) == ("loading", step)
    assert recorder.joining("a")
    assert (node(recorder, "a").state, node(recorder, "a").boot) == ("joining", None)
    assert light(recorder, "a").state == "wait"
    assert recorder.joined("a")
    assert (node(recorder, "a").state, light(recorder, "a").state) == ("ready", "up")


def test_phase_is_connecting_once_the_last_runtime_is_up(recorder: Recorder) -> None:
    recorder.joining("a")
    assert recorder.snapshot().run.phase == "loading"
    recorder.joining("b")
    assert recorder.snapshot().run.phase == "connecting"
    assert "waiting for the last thread" in recorder.snapshot().run.message
    recorder.joined("a")
    recorder.joined("b")
    assert recorder.snapshot().run.message == "Every thread has joined"


def test_begin_round_counts_and_makes_every_node_wait(working: Recorder) -> None:
    snap = working.snapshot()
    assert (snap.run.phase, snap.run.round) == ("running", 1)
    assert snap.run.message == "Round 1 of at most 9"
    assert (node(working, "b").state, node(working, "b").round) == ("waiting", 1)
    assert snap.rounds[0].started_ms == 50


def test_begin_round_takes_a_given_number_and_refuses_one_that_does_not_grow(
    working: Recorder,
) -> None:
    working.begin_round(5)
    assert [r.id for r in working.snapshot().rounds] == [1, 5]
    with pytest.raises(RoundOrderError, match="round 5 can not follow round 5"):
        working.begin_round(5)


def test_begin_starts_an_attempt_and_marks_its_inputs_as_delivered(
    working: Recorder, clock: Clock
) -> None:
    working.delivered("a", "0a")
    working.sending("a", "b")
    assert working.snapshot().edges[0].state == "sending"
    clock.now = 300
    working.begin("b")
    snap = working.snapshot()
    assert snap.edges[0].state == "delivered"
    assert snap.attempts[-1] == Attempt("1/b/1", 1, "b", 1, 300)
    assert (snap.run.executions, snap.rounds[0].executions) == (2, 2)
    assert node(working, "b").state == "working"


def test_progress_stays_within_0_and_1(working: Recorder) -> None:
    assert node(working, "a").progress is None
    working.progress("a", 0.5)
    assert node(working, "a").progress == 0.5
    working.progress("a", 7.0)
    assert node(working, "a").progress == 1.0


def test_failed_counts_and_the_next_attempt_is_a_retry(working: Recorder, clock: Clock) -> None:
    clock.now = 400
    working.failed("a")
    snap = working.snapshot()
    assert snap.attempts == (Attempt("1/a/1", 1, "a", 1, 100, 400, "failed"),)
    assert (snap.run.failures, snap.rounds[0].failures, snap.nodes[0].failures) == (1, 1, 1)
    assert snap.nodes[0].state == "failed"
    working.begin("a", 2)
    assert (node(working, "a").state, node(working, "a").attempt) == ("retrying", 2)
    assert texts(working)[-2:] == ["a attempt 1 failed, trying again", "a attempt 2 begins"]


def test_a_timeout_is_a_failure_with_its_own_outcome(working: Recorder) -> None:
    working.failed("a", "timeout")
    assert working.snapshot().attempts[0].outcome == "timeout"
    assert texts(working)[-1] == "a attempt 1 timed out, trying again"


def test_the_last_attempt_allowed_does_not_promise_another(working: Recorder) -> None:
    working.failed("a")
    for attempt in (2, 3):
        working.begin("a", attempt)
        working.failed("a")
    assert texts(working)[-1] == "a attempt 3 failed"


def test_delivered_keeps_the_whole_digest_and_how_long_it_took(
    working: Recorder, clock: Clock
) -> None:
    clock.now = 350
    working.delivered("a", "0a" * 64)
    assert (node(working, "a").state, node(working, "a").digest) == ("done", "0a" * 64)
    assert texts(working)[-1] == "a delivered after 250 ms"


def test_a_leafs_delivery_is_shown_but_not_judged_before_all_are_there(working: Recorder) -> None:
    working.delivered("a", "0a")
    working.begin("b")
    working.delivered("b", "0b")
    snap = working.snapshot()
    assert snap.checks == (Check("b", "0b", "0b", "waiting"),)
    assert snap.run.phase == "verifying"


def test_verified_with_right_results_ends_the_round_and_names_nobody(working: Recorder) -> None:
    working.delivered("a", "0a")
    working.begin("b")
    working.delivered("b", "0b")
    assert working.verified([])
    snap = working.snapshot()
    assert (snap.rounds[0].outcome, snap.rounds[0].wrong) == ("ok", ())
    assert [n.state for n in snap.nodes] == ["verified", "verified"]
    assert snap.checks[0].verdict == "equal"


def test_verified_names_liars_and_clears_those_who_only_got_a_wrong_input(
    working: Recorder,
) -> None:
    working.delivered("a", "ff")
    working.begin("b")
    working.delivered("b", "fe")
    working.verified(["a"], ["b"])
    snap = working.snapshot()
    assert [n.state for n in snap.nodes] == ["lied", "tainted"]
    assert [n.lies for n in snap.nodes] == [1, 0]
    assert [a.outcome for a in snap.attempts] == ["lied", "tainted"]
    assert (snap.rounds[0].outcome, snap.rounds[0].wrong, snap.run.lies) == ("lied", ("a",), 1)
    assert snap.checks[0].verdict == "wrong"
    assert (snap.run.phase, snap.run.message) == (
        "restarting",
        "a lied in round 1, so everything starts over",
    )
    assert texts(working)[-1] == "a lied: its result is not the hash of its input (round 1)"


def test_a_wrong_result_without_a_known_liar_is_still_wrong(working: Recorder) -> None:
    working.delivered("a", "ff")
    working.begin("b")
    working.delivered("b", "fe")
    working.verified([])
    assert working.snapshot().rounds[0].outcome == "lied"
    assert working.snapshot().run.message.startswith("A wrong result came out of round 1")


def test_losing_a_node_interrupts_the_round_and_cancels_what_runs(
    working: Recorder, clock: Clock
) -> None:
    clock.now = 200
    assert working.lost("b")
    snap = working.snapshot()
    assert (snap.rounds[0].outcome, snap.rounds[0].ended_ms) == ("interrupted", 200)
    assert snap.attempts[0].outcome == "canceled"
    assert [n.state for n in snap.nodes] == ["ready", "lost"]
    assert (snap.run.phase, light(working, "b").state) == ("connecting", "down")
    assert not working.lost("b")
    working.joined("b")
    working.begin_round()
    assert [r.outcome for r in working.snapshot().rounds] == ["interrupted", "running"]


def test_a_node_that_is_lost_while_others_load_does_not_change_the_phase(
    recorder: Recorder,
) -> None:
    recorder.joined("a")
    recorder.lost("a")
    assert recorder.snapshot().run.phase == "loading"


def test_interrupted_tells_why_and_waits_for_whoever_is_missing(working: Recorder) -> None:
    working.interrupted("asked to start anew")
    assert working.snapshot().run.phase == "restarting"
    assert texts(working)[-1] == "- asked to start anew"
    assert not working.interrupted()
    working.begin_round()
    working.lost("a")
    assert not working.interrupted()


def test_a_round_that_begins_before_the_last_one_ended_interrupts_it(working: Recorder) -> None:
    working.begin_round()
    assert [r.outcome for r in working.snapshot().rounds] == ["interrupted", "running"]
    assert working.snapshot().attempts[0].outcome == "canceled"


def test_gave_up_ends_the_round_and_cancels_what_runs(working: Recorder) -> None:
    working.delivered("a", "0a")
    working.begin("b")
    working.failed("b")
    working.gave_up("b")
    snap = working.snapshot()
    assert (snap.rounds[0].outcome, snap.run.phase) == ("gave_up", "restarting")
    assert snap.run.message == "b failed 1x in round 1, so everything starts over"
    assert not working.gave_up("b")


def test_canceled_lets_a_node_wait_again(working: Recorder) -> None:
    assert working.canceled("a")
    assert node(working, "a").state == "waiting"
    assert working.snapshot().attempts[0].outcome == "canceled"
    assert not working.canceled("a")


def test_a_late_result_of_an_attempt_that_is_over_changes_nothing(
    working: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    working.failed("a", "timeout")
    before = working.seq
    assert not working.delivered("a", "0a")
    assert not working.failed("a")
    assert not working.progress("a", 0.5)
    assert working.seq == before
    assert "delivered of a ignored, for it is failed" in caplog.text


def test_begin_needs_an_open_round_and_a_growing_attempt(recorder: Recorder) -> None:
    recorder.joined("a")
    assert not recorder.begin("a")
    recorder.begin_round()
    assert recorder.begin("a", 3)
    assert not recorder.begin("a", 3)
    assert not recorder.begin("b"), "b has not joined"


def test_a_new_attempt_cancels_one_that_still_runs(working: Recorder) -> None:
    working.begin("a", 2)
    assert [a.outcome for a in working.snapshot().attempts] == ["canceled", "working"]


@pytest.mark.parametrize("moment", ["joined", "joining", "lost", "begin", "gave_up", "canceled"])
def test_an_unknown_node_is_the_callers_mistake(recorder: Recorder, moment: str) -> None:
    with pytest.raises(UnknownNodeError, match="the run has no node 'c'"):
        getattr(recorder, moment)("c")


def test_sending_over_an_edge_that_is_not_there_changes_nothing(working: Recorder) -> None:
    assert not working.sending("b", "a")


def test_the_first_end_counts_and_a_new_round_opens_the_run_again(
    working: Recorder, clock: Clock
) -> None:
    clock.now = 900
    assert working.finish("succeeded")
    assert not working.finish("stopped")
    assert not working.phase("running", "no")
    assert working.snapshot().run.ended_ms == 900
    assert working.snapshot().run.message == "The result equals its known hash"
    clock.now = 1000
    working.begin_round()
    assert (working.snapshot().run.phase, working.snapshot().run.ended_ms) == ("running", None)


def test_nodes_that_leave_after_the_end_keep_their_result_on_show(working: Recorder) -> None:
    working.delivered("a", "0a")
    working.begin("b")
    working.delivered("b", "0b")
    working.verified([])
    working.finish("succeeded")
    working.lost("a")
    assert (node(working, "a").state, light(working, "a").state) == ("verified", "off")
    working.joined("a")
    assert (node(working, "a").state, light(working, "a").state) == ("verified", "up")


def test_finish_says_who_lied_last(working: Recorder) -> None:
    working.verified(["a"], ["b"])
    working.finish("failed")
    assert working.run.message == "No verified result in 1 round; a lied in the last one"


def test_phase_keeps_its_since_while_only_the_words_change(working: Recorder, clock: Clock) -> None:
    clock.now = 500
    working.phase("running", "other words")
    assert working.run.phase_since_ms == 50
    working.phase("stopped", "Ctrl-C")
    assert (working.run.phase, working.run.ended_ms) == ("stopped", 500)
    assert texts(working)[-1] == "- Ctrl-C"


def test_lights_keep_their_label_and_new_ones_come_last(recorder: Recorder) -> None:
    recorder.light("relay", "up", "localhost:1")
    recorder.light("jaeger", "down", label="Jaeger")
    lights = recorder.snapshot().lights
    assert lights[1] == Light("relay", "relay", "up", "localhost:1")
    assert lights[-1] == Light("jaeger", "Jaeger", "down")


def test_links_and_lines_are_kept(recorder: Recorder) -> None:
    recorder.link(Link("log", "Log", "", "tmp/log"))
    recorder.say("info", "hello")
    assert recorder.snapshot().links[0].path == "tmp/log"
    assert texts(recorder) == ["- hello"]


def test_memory_is_bounded_over_thousands_of_rounds(recorder: Recorder) -> None:
    recorder.joined("a")
    recorder.joined("b")
    for _ in range(2000):
        recorder.begin_round()
        recorder.begin("a")
        recorder.failed("a")
    snap = recorder.snapshot()
    assert len(snap.events) == KEEP_EVENTS
    assert [r.id for r in snap.rounds] == list(range(2001 - KEEP_ROUNDS, 2001))
    assert {a.round for a in snap.attempts} == set(range(2001 - KEEP_ATTEMPTS, 2001))
    assert (snap.run.executions, snap.run.failures, snap.run.round) == (2000, 2000, 2000)


def test_a_snapshot_shares_what_did_not_change(working: Recorder, clock: Clock) -> None:
    old = working.snapshot()
    clock.now = 777
    working.light("relay", "up")
    new = working.snapshot()
    assert new.nodes is old.nodes
    assert new.attempts is old.attempts
    assert new.lights is not old.lights
    assert new.lights[0] is old.lights[0]
    assert (new.run.now_ms, new.seq) == (777, old.seq + 1)


def test_subscribers_are_called_once_per_moment_until_they_leave(recorder: Recorder) -> None:
    calls: list[int] = []
    leave = recorder.subscribe(lambda: calls.append(recorder.seq))
    recorder.joined("a")
    recorder.joined("b")
    leave()
    leave()
    recorder.begin_round()
    assert calls == [1, 2]


def test_a_subscriber_that_fails_is_logged_and_harms_nobody(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    def broken() -> None:
        raise RuntimeError("broken view")

    recorder.subscribe(broken)
    recorder.subscribe(lambda: calls.append("ok"))
    recorder.joined("a")
    assert calls == ["ok"]
    assert "broken view" in caplog.text


def test_close_tells_subscribers_once(recorder: Recorder) -> None:
    calls: list[bool] = []
    recorder.subscribe(lambda: calls.append(recorder.is_closed))
    recorder.close()
    recorder.close()
    assert calls == [True]


def test_standard_lights_are_dark() -> None:
    assert {li.state for li in standard_lights(["a"])} == {"off"}


@pytest.mark.parametrize("name", ["four", "seven", "thirty"])
def test_a_whole_run_ends_verified_with_the_right_counts(name: str) -> None:
    run = FakeRun(name)
    end = run.advance()
    jobs = len(run.ids)
    assert (end.run.phase, end.run.round) == ("succeeded", 2)
    assert (end.run.executions, end.run.failures, end.run.lies) == (2 * jobs + 1, 1, 1)
    assert {n.state for n in end.nodes} == {"verified"}
    assert {c.verdict for c in end.checks} == {"equal"}
