"""Traces as text for a terminal."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from amctl.cli.options import GlobalOptions
from amctl.cli.views.traces import list_lines, put_lines, show_lines
from amctl.traces.outline import Outline
from amctl.traces.picking import Filters
from amctl.traces.reading import Summary
from amctl.traces.waterfall import Look, Waterfall
from tests.traces.made import BEGAN, Maker

if TYPE_CHECKING:
    import pytest
    from rich.text import Text


def lamp(look: Look, filters: Filters | None = None) -> list[Text]:
    made = Maker()
    other = made.add("0: [add] Go", 0, 1, service="remote")
    _, _, transitions = made.machine("lamp")
    for at in (*range(0, 20, 2), *range(500, 520, 2)):
        made.add("0: [add] On", at, 1, parent=transitions, links=((other, "source"),))
    made.add("0: !Bad", 510, 1, parent=transitions, error="it broke")
    made.add("0: idle", 510, 1, parent=transitions, accepted=False, auto=True)
    made.add("0: no", 510, 1, parent=transitions, accepted=False)
    return list(show_lines(Waterfall(Outline(made.trace()), filters or Filters(), look)))


def test_it_says_what_the_trace_is_and_what_its_signs_mean() -> None:
    lines = [line.plain for line in lamp(Look(80))]
    assert lines[0] == "trace 0af7651916cd43dd8448eb211c80319c"
    assert lines[1] == "2023-11-14 22:13:20, 519ms, 27 spans, 2 services, 1 error"
    assert lines[-2] == "┊ idle time left out: 481ms"
    assert lines[-1].startswith("▲ error  × refused  ◦ <- cause in another service")  # noqa: RUF001
    assert lines[-1].endswith("--all unfolds everything")


def test_errors_are_red_and_services_have_inks() -> None:
    lines = lamp(Look(100))
    bad = next(line for line in lines if "!Bad" in line.plain)
    assert "red" in str(bad.spans) or bad.style == "red"
    inks = {str(line.spans[0].style) for line in lines if line.plain in ("remote", "lamp")}
    assert all("bold" in ink for ink in inks)


def test_every_line_fits() -> None:
    for columns in (20, 40, 80, 200):
        assert all(line.cell_len <= columns for line in lamp(Look(columns)))


def test_ascii_has_nothing_else() -> None:
    assert all(line.plain.isascii() for line in lamp(Look(80, ascii=True)))


def test_the_list_is_a_table() -> None:
    one = Summary("ab" * 16, BEGAN, BEGAN + 2_500_000_000, 1234, 2, 3, {"b": 2, "a": 1})
    head, line = list_lines([one], whole=False)
    assert head.plain.split() == ["trace", "started", "took", "spans", "errors", "services"]
    assert line.plain == (
        "abababababab  2023-11-14 22:13:20    2.50s    1,234       2  a, b  3 spans lost"
    )
    assert next(iter(list_lines([one], whole=True))).plain.startswith("trace" + " " * 29)
    assert [text.plain for text in list_lines([], whole=True)] == ["no trace yet"]


def test_a_pipe_that_holds_only_ascii_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Summary("ab" * 16, BEGAN, BEGAN, 1, services={"l\xe4mp": 1})
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, "ascii", write_through=True))
    put_lines(list_lines([one], whole=True), GlobalOptions())
    assert rb"l\xe4mp" in held.getvalue()
