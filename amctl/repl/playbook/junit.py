"""Results as JUnit's XML, which CI systems show: a suite for each play, a case for each result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from amctl.repl.playbook.results import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.repl.playbook.results import PlayReport, TaskResult

__all__ = ["junit"]

_FORBIDDEN = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML can't hold."""
_NOT_RUN = {Status.SKIPPED, Status.UNKNOWN}
_ERRORS = {Status.UNREACHABLE, Status.TIMEOUT}
"""What keeps a test from telling anything; the other failures are of what was tested."""


def junit(report: PlayReport) -> str:
    """The document, with its declaration."""
    root = ElementTree.Element("testsuites", name="amctl play")
    plays: dict[str, list[TaskResult]] = {}
    for result in report.results:
        plays.setdefault(result.play, []).append(result)
    for play, results in plays.items():
        root.append(_suite(play, results))
    _count(root, report.results, report.seconds)
    if report.error is not None:
        suite = ElementTree.SubElement(root, "testsuite", name="run", tests="1", errors="1")
        case = ElementTree.SubElement(suite, "testcase", classname="amctl", name="run")
        ElementTree.SubElement(case, "error", message=_clean(str(report.error)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(play: str, results: Sequence[TaskResult]) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=_clean(play))
    _count(suite, results, sum(result.seconds for result in results))
    for result in results:
        suite.append(_case(play, result))
    return suite


def _count(element: ElementTree.Element, results: Sequence[TaskResult], seconds: float) -> None:
    bad = [result.status for result in results if result.is_bad]
    errors = sum(status in _ERRORS for status in bad)
    element.set("tests", str(len(results)))
    element.set("failures", str(len(bad) - errors))
    element.set("errors", str(errors))
    element.set("skipped", str(sum(result.status in _NOT_RUN for result in results)))
    element.set("time", f"{seconds:.3f}")


def _case(play: str, result: TaskResult) -> ElementTree.Element:
    name = result.task if result.item is None else f"{result.task} ({result.item})"
    case = ElementTree.Element(
        "testcase",
        classname=_clean(f"{play}.{result.machine}"),
        name=_clean(name),
        time=f"{result.seconds:.3f}",
        file=_clean(result.place.file),
        line=str(result.place.line),
    )
    message = _clean(result.did.reason or result.status.value)
    if result.status in _NOT_RUN:
        ElementTree.SubElement(case, "skipped", message=message)
    elif result.is_bad:
        kind = "error" if result.status in _ERRORS else "failure"
        found = ElementTree.SubElement(case, kind, type=result.status.value, message=message)
        found.text = _clean(f"{result.place}: {message}")
    elif moved := result.did.moved:
        lines = [f"{state} {before} -> {after}" for state, (before, after) in moved.items()]
        ElementTree.SubElement(case, "system-out").text = _clean("\n".join(lines))
    return case


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
