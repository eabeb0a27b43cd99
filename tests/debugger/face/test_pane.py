"""What all parts of the screen share."""

from __future__ import annotations

import pytest

from amctl.debugger.face.clients import ClientList
from amctl.debugger.face.pane import clipped, safe, strip_of
from amctl.debugger.face.states import SchemaTree
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from amctl.dump.memory import MemoryDump
from tests.debugger.face.screens import drive
from tests.debugger.face.stage import Stage, text_of
from tests.debugger.histories import machine, tx


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [bold]text[/]", "plain [bold]text[/]"),
        ("\x1b[31mred", "·[31mred"),
        ("a\nb\tc\r\x00\x9b", "a·b·c···"),
        ("\u202eevil\u2066", "·evil·"),
        ("größe 中", "größe 中"),
    ],
)
def test_nothing_of_a_recording_is_obeyed(text: str, shown: str) -> None:
    assert safe(text) == shown
    assert strip_of([(text, None)]).text == shown


def test_texts_are_as_wide_as_they_have_to_be() -> None:
    assert clipped("abcdef", 4) == "abc…"
    assert clipped("ab", 4) == "ab  "
    assert clipped("中中中", 5) == "中中…"


async def test_evil_names_are_shown_as_text() -> None:
    evil = "[red]x\x1b]0;t\x07[/]"
    dump = MemoryDump("evil", messages=[machine(evil, (evil, "Exception")), tx(evil, 1, (1, 0))])
    session = Session(Store(dump), follow=True)
    session.work_all()
    async with drive(session) as d:
        assert "[red]x·]0;t·[/]" in d.text("clients")
        assert "[red]x·]0;t·[/]" in d.text("states")
        d.app.query_one(SchemaTree).put(1)
        await d.settle()
        assert "[red]x·]0;t·[/]" in d.text("status")


async def test_only_lines_that_changed_are_drawn_again() -> None:
    pane = ClientList()
    app = Stage(pane)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        drawn: list[int] = []
        line = pane.render_line

        def watched(y: int) -> object:
            drawn.append(y)
            return line(y)

        pane.render_line = watched  # type: ignore[method-assign,assignment]
        app.session.move(-1)
        app.changed()
        await pilot.pause()
        assert drawn == [0]
        assert "|2+" in text_of(pane)
