"""Log lines (section 21), and who gets them."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine, PipeRecord, Source, Tracer, Transition
from amctl.machine._line import relation_lines
from amctl.machine.lines import (
    CHANGES,
    DECISIONS,
    EVERYTHING,
    OPS,
    LineWriter,
    LogLine,
    args_suffix,
)
from amctl.machine.plan import AUTO
from tests.machine.test_steps import Replayed
from tests.machine.tools import boom, mach, no
from tests.support.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from collections.abc import Callable


class Lines(LineWriter):
    """Keeps the lines of every transition, those before it marked."""

    def __init__(self, level: int = OPS, **options: Any) -> None:
        super().__init__(level, **options)
        self.all: list[str] = []

    def transition_end(self, tx: Transition) -> None:
        super().transition_end(tx)
        pre, logs = self.take(tx)
        self.all += [f"pre {one.text}" for one in pre] + [one.text for one in logs]

    def of(self, call: Callable[[], object]) -> list[str]:
        """What a call wrote."""
        self.all.clear()
        call()
        return self.all


def written(names: str, level: int = OPS, **states: Any) -> tuple[Machine, Lines]:
    """A machine with a writer, which forgets about binding."""
    lines = Lines(level)
    m = mach(names, **states)
    m.bind_tracer(lines)
    return m, lines


def ready(names: str, level: int = OPS, **states: Any) -> tuple[Machine, Lines]:
    m, lines = written(names, level, **states)
    m.add("Exception")
    return m, lines


def test_log_5_the_sequence_of_a_simple_add() -> None:
    m, lines = ready("A")
    m.bind({"AState": lambda _: None}, id="h")
    assert lines.of(lambda: m.add("A")) == [
        "pre [handlers] bind 0:h",
        "pre [queue:add] A",
        "[add] A",
        "[state] +A",
        "[handler:0] AState",
    ]


def test_log_3_before_the_first_transition() -> None:
    lines = Lines()
    m = mach("A", tracers=[lines])
    assert lines.of(lambda: m.add("A"))[:2] == ["pre [tracers] bind lines", "pre [queue:add] A"]


def test_mutations_of_each_type_and_their_source() -> None:
    m, lines = ready("A B")
    source = Source("other", "00ff", 7)
    assert lines.of(lambda: m.set("B", source=source))[1:] == [
        "[set] B",
        "[source] other/00ff/7",
        "[state] +B -Exception",
    ]
    assert lines.of(lambda: m.remove("B")) == ["pre [queue:remove] B", "[remove] B", "[state] -B"]
    assert lines.of(lambda: m.remove("B")) == ["pre [queue:remove] B", "[remove] B"]


def test_queued_mutations_belong_to_the_running_transition() -> None:
    m, lines = ready("A B C", C="")

    def state(_: object) -> None:
        m.add("B")
        m.remove("C", {"id": "x"})
        m.add("B")

    m.bind({"AState": state})
    assert lines.of(lambda: m.add("A"))[3:9] == [
        "[state] +A",
        "[handler:0] AState",
        "[queue:add] B",
        "[postpone] queue running (1 item)",
        "[queue:remove] C (id=x)",
        "[postpone] queue running (2 items)",
    ]
    assert "[queue:skipped] Duplicate detected for [add] B" in lines.all


def test_auto_transitions() -> None:
    m, lines = ready("A B X", DECISIONS, A="auto require:B", X="auto require:Nope")
    assert lines.of(lambda: m.add("B")) == [
        "pre [queue:add] B",
        "[add] B",
        "[state] +B",
        "[auto] A X",
        "[prepend:add] A X",
        "[postpone] queue running (1 item)",
        "[add:auto] A X",
        "[reject:auto] X(-Nope)",
        "[auto_] +A",
    ]


def test_tx_7_decisions_of_auto_transitions_stand_there_twice() -> None:
    m, lines = written("A B C", A="auto remove:C require:B")
    m.add("C")
    found = lines.of(lambda: m.add("B"))
    assert found[-3:] == ["[rel:remove] C by A", "[rel:remove] C by A", "[auto_] +A -C"]


def test_relations_that_refuse() -> None:
    m, lines = ready("A B C D E", A="require:B,C", D="remove:E", E="remove:B")
    assert lines.of(lambda: m.add("A"))[1:] == ["[add] A", "[reject] A(-B -C)", "[cancel:reject] A"]
    m.add("E")
    assert lines.of(lambda: m.add("D"))[1:] == ["[add] D", "[rel:remove] E by D", "[state] +D -E"]
    assert lines.of(lambda: m.add("E"))[1:] == ["[add] E", "[cancel:reject] E"]
    lines.level = DECISIONS
    assert lines.of(lambda: m.add("E"))[2] == "[rel:remove] E by D"


def test_implied_states() -> None:
    m, lines = ready("A B C", A="add:B,C")
    assert lines.of(lambda: m.add("A"))[2:] == ["[implied] B C", "[state] +A +B +C"]


def test_level_5_shows_what_stays_and_level_2_just_changes() -> None:
    m, lines = ready("A B", EVERYTHING, B="multi")
    m.add("B")
    assert lines.of(lambda: m.add(["A", "B"]))[-1] == "[state] +A +B B Exception"
    lines.level = 2
    assert lines.of(lambda: m.remove("A")) == ["[state] -A"]
    assert lines.of(lambda: m.remove("A")) == []
    lines.level = 0
    assert lines.of(lambda: m.add("A")) == []


def test_vetoes() -> None:
    m, lines = ready("A B")
    m.add("B")
    m.bind({"AEnter": no, "BB": no, "BExit": no}, id="b")
    assert lines.of(lambda: m.add("A"))[-2:] == [
        "[handler:0] AEnter",
        "[cancel] (A B Exception) by AEnter",
    ]
    assert lines.of(lambda: m.add("B"))[-1] == "[cancel:self] (B Exception) by BB"
    assert lines.of(lambda: m.set(()))[-1] == "[cancel] () by BExit"


def test_neg_3_a_veto_that_costs_an_auto_transition_one_state() -> None:
    m, lines = written("A B", A="auto", B="auto")
    m.bind({"AEnter": no, "BEnter": lambda _: None})
    m.add("Exception")
    assert lines.all[-4:] == [
        "[handler:0] AEnter",
        "[cancel] (A B Exception) by AEnter",
        "[handler:0] BEnter",
        "[auto_] +B",
    ]


def test_pan_3_a_failing_negotiation_handler_and_the_error_after_it() -> None:
    m, lines = ready("A")
    m.bind({"AEnter": boom})
    found = lines.of(lambda: m.add("A"))
    assert found[found.index("[handler:0] AEnter") :] == [
        "[handler:0] AEnter",
        "[recover] handling panic...",
        "[cancel] (A Exception) by recover",
        "[cancel] (A Exception) by AEnter",
        "[prepend:add] Exception (err=boom)",
        "[postpone] queue running (1 item)",
        "[add] Exception (err=boom)",
        f"[source] m/{_source(m)}/1",
        "[state] +Exception (err=boom)",
        "[error:add] A (boom)",
    ]


def _source(m: Machine) -> str:
    tracer = next(t for t in m.tracers if isinstance(t, Lines))
    return next(line.split("/")[1] for line in tracer.all if line.startswith("[source]"))


def test_pan_4_a_failing_final_handler() -> None:
    m, lines = ready("A B C")
    m.set(())
    m.bind({"BState": boom})
    found = lines.of(lambda: m.set(["A", "B", "C"]))
    assert found[found.index("[handler:0] BState") :][:5] == [
        "[handler:0] BState",
        "[recover] handling panic...",
        "[cancel] (A B C) by recover",
        "[recover] partial final states as (A)",
        "[state] -B -C",
    ]
    assert found[-1] == "[error:set] A B C (boom)"


def test_pan_7_a_handler_that_ran_too_long() -> None:
    ticks = iter(range(0, 1000, 10))
    lines = Lines(DECISIONS)
    m = mach("A", handler_timeout=1.0, now=lambda: float(next(ticks)), tracers=[lines])
    m.bind({"AEnter": lambda _: None}, id="slow")
    assert lines.of(lambda: m.add("A"))[-3:] == [
        "[cancel] (A) by timeout",
        "[handler:timeout]: AEnter from slow",
        "[cancel] (A) by AEnter",
    ]


def test_err_5_plain_errors() -> None:
    m, lines = ready("ErrA")
    assert lines.of(lambda: m.add_err(ValueError("bad\nthing")))[-1] == "[error] bad\nthing"
    assert lines.of(lambda: m.add_err(ValueError()))[-1] == "[error] ValueError"
    assert lines.of(lambda: m.add("Exception"))[-1] == "[error] no error came with it"
    broken = {"_am__Exception": {"err": "x", "handler": 7}}
    assert lines.of(lambda: m.add("Exception", broken))[-1].startswith("[state] +Exception")


def test_checks_are_written_when_asked_for() -> None:
    m, lines = ready("A")
    m.bind({"AEnter": no})
    lines.all.clear()
    assert lines.of(lambda: m.can_add("A"))[1:] == []
    m = mach("A")
    m.bind({"AEnter": no})
    lines = Lines(checks=True)
    m.bind_tracer(lines)
    assert lines.of(lambda: m.can_add("A"))[1:] == [
        "pre [prepend:add] A",
        "[add] A",
        "[handler:0] AEnter",
        "[cancel] (A) by AEnter",
    ]


def test_log_4_arguments_are_sorted_and_cut() -> None:
    assert args_suffix({}) == ""
    assert args_suffix({"b": "2", "a": "x" * 20}) == f" (a={'x' * 20} b=2)"
    assert args_suffix({"a": "x" * 21}) == f" (a={'x' * 17}...)"
    m, lines = ready("A")
    found = lines.of(lambda: m.add("A", {"id": "me", "secret": 1}))
    assert found == ["pre [queue:add] A (id=me)", "[add] A (id=me)", "[state] +A (id=me)"]
    mine = LineWriter(args_of=lambda args: {"n": str(len(args))}, id="mine")
    m.bind_tracer(mine)
    m.add("A", {"x": 1})
    assert lines.all[-1] == "[add] A"


def test_log_2_what_users_write() -> None:
    m, lines = ready("A")
    m.log("one %s\ntwo %d", "x", 2)
    m.log("100%")
    m.log("%d", "no number")
    assert lines.of(lambda: m.add("A"))[:3] == [
        "pre [exter] one x two 2",
        "pre [exter] 100%",
        "pre [exter] %d ('no number',)",
    ]
    m.bind({"AEnd": lambda e: e.machine.log("bye")})
    assert lines.of(lambda: m.remove("A"))[-1] == "[exter] bye"


def test_log_2_reaches_the_programs_own_log(caplog: pytest.LogCaptureFixture) -> None:
    m = mach("A")
    with caplog.at_level(logging.WARNING):
        m.log("not now")
    with caplog.at_level(logging.INFO):
        m.log("hello %s", "you")
    assert caplog.messages == ["machine m: hello you"]


def test_log_of_another_thread_is_kept_from_tracers(caplog: pytest.LogCaptureFixture) -> None:
    m, lines = ready("A")
    with caplog.at_level(logging.INFO):
        thread = threading.Thread(target=m.log, args=("from afar",))
        thread.start()
        thread.join()
    assert caplog.messages == ["machine m: from afar"]
    assert lines.of(lambda: m.add("A"))[0] == "pre [queue:add] A"


def test_lines_of_its_own_are_a_hook() -> None:
    seen: list[tuple[str, int, str]] = []

    class Hook(Tracer):
        id = "hook"

        def log_line(self, machine: Any, level: int, text: str) -> None:
            seen.append((machine.id, level, text))

    m = mach("A")
    m.bind_tracer(Hook())
    m.bind_tracer(LineWriter())
    m.detach(m.bind({}, id="b"))
    m.log("x")
    m.import_(m.export())
    m.eval("me", lambda: None)
    m.detach_tracer(m.tracers[1])
    assert seen == [
        ("m", 3, "[tracers] bind hook"),
        ("m", 3, "[tracers] bind lines"),
        ("m", 3, "[handlers] bind 0:b"),
        ("m", 3, "[handlers] detach b"),
        ("m", 1, "[exter] x"),
        ("m", 3, "[import] exported at 0 ticks"),
        ("m", 2, "[import] imported 1 times, now at 0 ticks"),
        ("m", 3, "[eval] me"),
        ("m", 3, "[prepend:eval] "),
        ("m", 1, "[exter] eval: me"),
        ("m", 5, "[eval:end] me"),
        ("m", 3, "[tracers] detach lines"),
    ]


def test_hnd_6_numbers_of_bindings_are_not_used_again() -> None:
    m, lines = ready("A")
    m.detach(m.bind({"AState": lambda _: None}))
    m.bind({"AState": lambda _: None})
    assert lines.of(lambda: m.add("A"))[-1] == "[handler:1] AState"


def test_log_3_a_repeated_line_is_dropped_but_for_pipes() -> None:
    m, lines = ready("A")
    for text in ("[exter] x", "[exter] x", "[pipe-in:add] A from x", "[pipe-in:add] A from x"):
        lines.write(m, OPS, text)
    assert len(lines.of(lambda: m.add("A"))) == 3 + 3


def test_lines_that_no_transition_takes_do_not_pile_up() -> None:
    m, lines = ready("A")
    for n in range(1200):
        m.log("%d", n)
    found = lines.of(lambda: m.add("A"))
    assert found[0] == "pre [exter] 201"
    assert len([one for one in found if one.startswith("pre")]) == 1000


def test_log_3_take_knows_only_the_last_transition() -> None:
    m, lines = ready("A")
    ended: list[Transition] = []

    class Keep(Tracer):
        id = "keep"

        def transition_end(self, tx: Transition) -> None:
            ended.append(tx)

    m.bind_tracer(Keep())
    m.add("A")
    m.remove("A")
    assert lines.take(ended[0]) == ((), ())
    assert lines.take(ended[1])[1] == (LogLine(3, "[remove] A"), LogLine(2, "[state] -A"))
    assert LineWriter().take(ended[1]) == ((), ())


def test_a_writer_that_comes_in_mid_transition() -> None:
    m = mach("A")
    lines = Lines()
    m.bind({"AEnter": lambda _: m.bind_tracer(lines), "AState": lambda _: None})
    m.add("A")
    assert "[state] +A" not in lines.all
    found = lines.of(lambda: m.remove("A"))
    assert found[0] == "pre [tracers] bind lines"
    assert found[-2:] == ["[remove] A", "[state] -A"]


def test_a_machine_that_is_disposed_of_in_its_midst_is_written_to_the_end() -> None:
    m, lines = ready("A")
    m.bind({"AState": lambda _: m.dispose_force()})
    lines.of(lambda: m.add("A"))
    assert m.is_disposed
    assert "[state] +A" not in lines.all  # it is forgotten with the machine


def test_below_its_level_nothing_is_written() -> None:
    m, lines = written("A B", level=CHANGES, A="auto require:B")
    m.bind({"BEnter": no, "AEnd": boom})
    assert lines.of(lambda: m.add("B")) == []  # a veto is told one level above
    lines.write(m, OPS, "[not] this")
    m.add("Exception")
    assert "[not] this" not in " ".join(lines.of(lambda: m.remove("Exception")))


def test_pan_5_a_failing_end_handler_reverts_nothing_and_says_so() -> None:
    m, lines = ready("A B")
    m.add("A")
    m.bind({"AEnd": boom}, id="h")
    found = lines.of(lambda: m.set("B"))
    assert found[found.index("[state] +B -A -Exception") :][:4] == [
        "[state] +B -A -Exception",
        "[handler:0] AEnd",
        "[recover] handling panic...",
        "[cancel] (B) by recover",
    ]


def test_hnd_13_what_is_looked_for_ends_with_a_failure_or_a_question() -> None:
    m, lines = written("A", level=EVERYTHING)
    lines._checks = True
    m.bind({}, id="one")
    m.bind({"AEnter": boom}, id="two")
    m.bind({}, id="three")
    looked = [one for one in lines.of(lambda: m.add("A")) if "[handle:" in one and "AEnter" in one]
    assert looked == ["[handle:one] AEnter", "[handle:two] AEnter"]
    looked = [one for one in lines.of(lambda: m.can_remove("Exception")) if "[handle:" in one]
    assert looked[-1] == "[handle:three] AnyEnter"
    assert not any("AnyState" in one for one in looked)


def test_hnd_13_what_is_looked_for_goes_on_behind_an_auto_state_that_failed() -> None:
    m, lines = written("A B X", level=EVERYTHING, A="auto", B="auto")
    m.bind({"AEnter": boom}, id="one")
    m.bind({"AEnter": boom}, id="two")
    found = lines.of(lambda: m.add("X"))
    assert "[handle:one] AEnter" in found
    assert "[handle:two] AEnter" not in found[found.index("[handle:one] AEnter") :][:2]
    assert m.is_("B")


# -- pipes

OUT = PipeRecord("add", "m", "A", "far", "B")
OFF = PipeRecord("remove", "m", "A", "far", "B")
IN = PipeRecord("add", "near", "X", "m", "A")


def test_pip_4_pipes_as_they_come_and_go() -> None:
    lines = Lines()
    m = mach("A", tracers=[lines])
    m.add("Exception")
    m.pipes.record_out(OUT)
    m.pipes.record_out(OFF)
    m.pipes.record_in(IN)
    m.pipes.discard(OUT)
    m.pipes.drop("far")
    assert lines.of(lambda: m.add("A"))[:4] == [
        "pre [pipe-out:add] A to far",
        "pre [pipe-out:remove] A to far",
        "pre [pipe-in:add] A from near",
        "pre [pipe:gc] far",
    ]


def test_sem_4_pipes_that_were_there_before() -> None:
    m = mach("A")
    m.pipes.record_out(OUT)
    lines = Lines()
    m.bind_tracer(lines)
    lines.follow(m)
    lines.follow(m)
    m.pipes.record_in(IN)
    assert lines.of(lambda: m.add("A"))[1:3] == [
        "pre [pipe-out:add] A to far",
        "pre [pipe-in:add] A from near",
    ]


def test_a_machine_that_is_gone_is_not_followed_any_more() -> None:
    lines = Lines()
    m = mach("A", tracers=[lines])
    m.dispose_force()
    m.pipes.record_in(IN)
    assert not lines._books
    lines.forget("m")


# -- what the original wrote

RELATIONAL = ("[reject", "[rel:remove]", "[implied]", "[cancel:reject]")


@needs_shared
@pytest.mark.slow
def test_golden_what_relations_decided_in_the_recorded_workflow() -> None:
    """For transitions that changed something; of others its debugger has rewritten the lines."""
    from amctl.dump.gob import read_gob

    dump = read_gob(SHARED / "data" / "wasm-workflow.gob.br")
    seen = 0
    for id in dump.machines():
        replayed = Replayed(dump.schema(id))
        for tx in dump.transitions(id):
            if not tx.steps or tx.is_queued:
                continue
            active = replayed.order(tx)
            replayed.expect(tx)
            if not any(one.text.startswith(("[state]", "[auto_]")) for one in tx.logs):
                continue
            schema = replayed.machine._compiled
            kind = AUTO if tx.is_auto else tx.type
            mine = [*relation_lines(schema, kind, tx.called, active, False)]
            if tx.is_auto:
                left = tuple(i for i in tx.called if i in replayed.active)
                mine += relation_lines(schema, kind, left, active, True)
            theirs = [one for one in tx.logs if one.text.startswith(RELATIONAL)]
            assert [one for one in mine if one.level <= OPS] == theirs, (id, tx.id)
            seen += len(theirs)
    assert seen == 77


# -- waits


def test_log_3_waits_close_behind_the_transition_that_fulfils_them() -> None:
    m, lines = ready("A")
    waiting = m.when("A")
    assert "pre [when:new] A" in lines.of(lambda: m.add("A"))
    assert waiting.done()
    assert lines.of(lambda: m.remove("A"))[0] == "pre [when:match] A"


def test_section_17_lines_of_each_kind() -> None:
    m, lines = ready("A B")
    seen: list[str] = []

    class Hook(Tracer):
        id = "hook"

        def log_line(self, machine: Any, level: int, text: str) -> None:
            assert level == OPS
            seen.append(text)

    hook = Hook()
    m.bind_tracer(hook)
    seen.clear()
    kept: list[object] = [m.when("B", "A"), m.when("A", "B"), m.when("Exception")]
    kept += [m.when_time(["A", "B"], [1, 1]), m.when_time(["A"], [0]), m.when_time(["Nope"], [1])]
    kept += [m.when_args("A", {"x": 1, "y": 2}), m.when_args("A", {"x": 1, "y": 2})]
    kept += [m.when_query(lambda clock: clock[0] > 0), m.when_query(lambda _: False)]
    kept += [m.when_queue(m.queue_tick + 1), m.when_queue(1)]
    kept += [m.state_context("A"), m.state_context("A")]
    assert seen == [
        "[when:new] B A",
        "[whenTime:new] A,B 1 1",
        "[whenTime:new] ? 1",
        "[whenArgs:new] A (x,y)",
        "[whenQuery:new] 0",
        "[whenQuery:new] 1",
        f"[whenQueue:new] {m.queue_tick + 1}",
        "[ctx:new] A",
    ]
    seen.clear()
    m.add(["A", "B"], {"x": 1, "y": 2})
    assert seen == [
        "[ctx:match] A",
        "[whenArgs:match] A (x,y)",
        "[when:match] A B",
        "[whenTime:match] A B [1 1]",
        f"[whenQueue:match] {m.queue_tick}",
        "[whenQuery:match] 0",
    ]
    seen.clear()
    kept += [m.when_not("A")]
    m.remove("A")
    assert seen == ["[whenNot:new] A", "[whenNot:match] A"]
    m.detach_tracer(hook)
    lines.level = 0
    m.detach_tracer(lines)
    kept += [m.when("A")]
    m.bind_tracer(hook)
    seen.clear()
    m.dispose_force()
    assert seen == []
