"""Results as JUnit's XML."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from amctl.repl.errors import NothingMatchedError
from amctl.repl.playbook.errors import Place
from amctl.repl.playbook.junit import junit
from amctl.repl.playbook.results import Did, PlayReport, Status, TaskResult, recap

if TYPE_CHECKING:
    from typing import Any


def result(status: Status, play: str = "p", **rest: Any) -> TaskResult:
    did = Did(status, "word", "why\x00<&>", {"A": 1}, {"A": 2})
    return TaskResult(play, "t", Place("f.yml", 3, 5), "m", did, 1, 0.25, **rest)


def parsed(*results: TaskResult, **rest: Any) -> ElementTree.Element:
    text = junit(PlayReport(results, recap(results, {}), 1.5, **rest))
    assert text.startswith("<?xml")
    return ElementTree.fromstring(text)


def test_counts_and_cases() -> None:
    root = parsed(
        result(Status.OK), result(Status.CHANGED, item=2), result(Status.SKIPPED),
        result(Status.CANCELED), result(Status.TIMEOUT), result(Status.FAILED, ignored=True),
        result(Status.UNREACHABLE, "other"),
    )  # fmt: skip
    counts = ("tests", "failures", "errors", "skipped")
    assert [root.get(key) for key in counts] == ["7", "1", "2", "1"]
    assert [suite.get("name") for suite in root] == ["p", "other"]
    assert [root[0].get(key) for key in counts] == ["6", "1", "1", "1"]
    assert [[child.tag for child in case] for case in root[0]] == [
        ["system-out"], ["system-out"], ["skipped"], ["failure"], ["error"], ["system-out"],
    ]  # fmt: skip
    case = root[0][1]
    assert (case.get("classname"), case.get("name"), case.get("line")) == ("p.m", "t (2)", "3")
    assert case[0].text == "A 1 -> 2"
    assert (root.get("time"), root[0].get("time")) == ("1.500", "1.500")


def test_texts_from_elsewhere_stay_xml() -> None:
    root = parsed(result(Status.FAILED))
    assert root[0][0][0].get("message") == "why\N{REPLACEMENT CHARACTER}<&>"


def test_what_ended_a_run_is_an_error_of_its_own() -> None:
    root = parsed(error=NothingMatchedError("x*", []))
    assert root[0][0][0].get("message") == "no machine matches 'x*'"
