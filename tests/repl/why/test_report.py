"""Blame, remedy, tree, and the whole as data."""

from __future__ import annotations

import json

from amctl.machine import Source
from amctl.machine.explanation import Explanation, Kind
from amctl.machine.reasons import Reason
from amctl.machine.refusals import Refusal
from amctl.repl.why.model import Far, Node, Via
from amctl.repl.why.report import report_of
from amctl.rpc.answers import WhyLink


def node(machine: str, state: str, kind: str, *because: Node, **more: object) -> Node:
    values = {"via": Via.REQUIRES, "sentence": f"{state} is {kind}", "active": False, **more}
    return Node(machine, state, kind=kind, because=because, **values)  # type: ignore[arg-type]


def test_the_gravest_end_is_to_blame_and_others_are_counted() -> None:
    root = node(
        "m",
        "A",
        Kind.REQUIRE,
        node("m", "B", Kind.NEVER_ASKED),
        node("far", "C", Far.DEAD_PEER, remedy="start it"),
        node("m", "D", Kind.VETO),
        via=Via.ASKED,
    )
    report = report_of(root)
    assert (report.culprit.state, report.others) == ("C", 2)
    assert report.blame == "C of far: C is dead peer"
    assert report.remedy == "start it"


def test_an_error_with_more_behind_it_is_an_end() -> None:
    behind = node("m", "Exception", Kind.ACTIVE, via=Via.ENDED_BY, active=True)
    report = report_of(node("m", "A", Kind.ERROR, behind, via=Via.ASKED))
    assert report.culprit.state == "A"


def test_a_machine_that_was_disposed_of_is_graver_than_its_cut_connection() -> None:
    far = node("far", "A", Kind.DISPOSED)
    report = report_of(node("rnm", "A", Far.DEAD_PEER, far, via=Via.ASKED))
    assert report.culprit.machine == "far"


def test_a_rival_is_to_be_removed() -> None:
    rival = node("m", "B", Kind.ACTIVE, via=Via.REMOVED_BY, active=True, reachable=True)
    report = report_of(node("m", "A", Kind.REMOVE, rival, via=Via.ASKED))
    assert report.blame == "B of m, which keeps A out: B is active"
    assert report.remedy == "remove B (amctl mach remove m B)"
    assert report.hint == "amctl why --dump m B"
    assert report.lines == (
        "m A: not active",
        "  blame: B of m, which keeps A out: B is active",
        "  remedy: remove B (amctl mach remove m B)",
        "  history: amctl why --dump m B",
        "  because A is remove",
        "    because it is removed by B of m: B is active",
    )


def test_an_active_state_goes_back_to_something() -> None:
    source = node("far", "B", Kind.ACTIVE, via=Via.PIPED_FROM, active=True)
    report = report_of(node("m", "A", Kind.ACTIVE, source, via=Via.ASKED, active=True))
    assert report.blame == "it goes back to B of far: B is active"
    assert report.lines[0] == "m A: active"


def test_where_it_ends_is_said() -> None:
    root = node("m", "A", Kind.ENDED, via=Via.ASKED, end="no way", details=("more",))
    report = report_of(root)
    assert report.blame == "A is ended (no way)"
    assert report.lines[-2:] == ("    more", "    not followed further: no way")


def test_everything_is_plain_json() -> None:
    last = Refusal("add", ("A",), Reason("veto"), 1, source=Source("far", trace=b"x"))
    found = Explanation("m", "A", "add", Kind.VETO, "A is vetoed", last=last)
    root = node(
        "m", "A", Kind.VETO, via=Via.ASKED, explanation=found, link=WhyLink("rc", connected=True)
    )
    data = json.loads(json.dumps(report_of(root).data))
    assert data["blame"]["kind"] == "veto"
    chain = data["chain"]
    assert chain["link"]["client_id"] == "rc"
    assert chain["explanation"]["last"]["source"] == {"machine_id": "far", "tx_id": "", "time": 0}
    assert chain["because"] == []


def test_a_kind_that_is_not_known_comes_last() -> None:
    root = node("m", "A", Kind.REQUIRE, node("m", "B", "new"), node("m", "C", Kind.ENDED))
    assert report_of(root).culprit.state == "C"
