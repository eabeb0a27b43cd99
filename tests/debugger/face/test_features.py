"""The features of debugger_ui.md by their numbers, on the whole screen; that none lacks a test.

Each test drives keys and mouse on a small recording, and one on the recorded run of the original.
 What belongs to one part alone is tested beside that part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from textual import events

from amctl.debugger.exporting import Export
from amctl.debugger.face.app import Debugger
from amctl.debugger.face.clients import ClientList
from amctl.debugger.face.log import LogPane
from amctl.debugger.face.reader import ReaderPane
from amctl.debugger.face.states import SchemaTree
from amctl.debugger.face.status import StatusBar
from amctl.debugger.face.timelines import StepLine, TxLine
from amctl.debugger.face.toolbar import Toolbar
from amctl.debugger.face.viewstate import ViewState
from amctl.debugger.filters import Filters
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from amctl.machine.steps import ACTIVATE, CALLED, Step
from amctl.telemetry.messages import SchemaMsg, TxMsg
from tests.debugger.face.stage import lines_of, needs_workflow, text_of, workflow
from tests.debugger.histories import SECOND, machine
from tests.debugger.panes import at, lamp

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from amctl.debugger.face.pane import Pane
    from amctl.dump.memory import MemoryDump

P = TypeVar("P", bound="Pane")
ROOT = Path(__file__).parents[3]
ESSENTIAL = {1, 2, 3, 6, 8, 9, 10, 11, 14, 15, 16, 17, 22, 27, 30, 31, 32, 34, 36, 43, 44}
USEFUL = {4, 5, 7, 12, 13, 18, 19, 21, 23, 24, 25, 26, 28, 29, 33, 35, 37, 38, 39, 41, 42, 45, 47}
USEFUL |= {49, 51}
LATER = {20, 40, 46, 48, 50}
"""Of 45 and 47 the plain web and a text of the screen are useful, the rest is for later."""
ELSEWHERE = {49: "tests/dump/test_collector.py"}
"""Number -> the tests of what another part of the project does."""


def pair() -> MemoryDump:
    """The lamp, and a room that it is part of; both talk."""
    dump = lamp()
    dump.write(machine("room", ("Start", "Ready", "ErrDark")))
    dump.write(
        SchemaMsg("lamp2", ("Plugged",), {}, "room", ("spare",))  # a part of the room
    )
    for number, clocks in enumerate(((1, 0, 0), (1, 1, 0), (1, 1, 1)), 1):
        steps = (Step(CALLED, target=number - 1), Step(ACTIVATE, target=number - 1))
        dump.write(
            TxMsg("room", f"{100 + number:016x}", clocks, called=(number - 1,), steps=steps,
                  time_ns=(1002 + 2 * number) * SECOND)
        )  # fmt: skip
    return dump


def opened(cursor: int = 3, **view: Any) -> Debugger:
    """The whole screen on the two of them."""
    session = Session(Store(pair()), Filters.none(), follow=False)
    session.work_all()
    session.select_machine("lamp")
    session.first()
    session.move(cursor)
    return Debugger(session, ViewState(**view), every=0)


Drive = Callable[[Debugger, "Pilot[int]"], Coroutine[Any, Any, None]]
FEATURES: list[tuple[int, Drive]] = []


def feature(cursor: int) -> Callable[[Drive], Drive]:
    """A feature to drive; it begins at that transition of the lamp."""

    def taken(drive: Drive) -> Drive:
        FEATURES.append((cursor, drive))
        return drive

    return taken


async def set_back(app: Debugger, pilot: Pilot[int], cursor: int) -> None:
    """As if the debugger had just been opened."""
    while len(app.screen_stack) > 1:
        app.pop_screen()
    old, app.view = app.session, ViewState()
    app.session = opened(cursor).session
    old.close()
    for pane in (part(app, ClientList), part(app, SchemaTree)):
        pane._typed = ""  # as if some time had passed
        pane._clock, pane.at = (lambda: 0.0), 0
    part(app, SchemaTree).opened.clear()
    part(app, SchemaTree).focus()
    app.changed()
    await pilot.pause()


def part(app: Debugger, kind: type[P]) -> P:
    """One part of the screen."""
    return app.query_one(kind)


def row_of(pane: Pane, word: str) -> int:
    """The first line of a part that holds a word."""
    return next(n for n, line in enumerate(lines_of(pane)) if word in line)


@feature(3)
async def s4_title_of_the_list(app: Debugger, pilot: Pilot[int]) -> None:
    await pilot.pause()
    assert part(app, ClientList).border_title == "Machines 3 T10"


@feature(3)
async def s6_select_and_take_out_machines(app: Debugger, pilot: Pilot[int]) -> None:
    await pilot.press("escape")
    clients = part(app, ClientList)
    assert app.focused is clients
    await pilot.press("down", "enter")
    assert app.session.machine == "room"
    at = row_of(clients, "lamp ")
    await pilot.click(clients, offset=(3, at + 1))
    assert app.session.machine == "lamp"
    clients.focus()
    await pilot.press("backspace")
    await pilot.pause()
    assert "lamp" not in app.session.machines
    await pilot.press("alt+d")
    assert len(app.session.machines) == 1


@feature(4)
async def s7_s8_a_switch_keeps_the_moment(app: Debugger, pilot: Pilot[int]) -> None:
    await pilot.press("escape", "r", "enter")
    assert app.session.spot.machine == "room"
    assert app.session.cursor == 1  # what happened up to then


@feature(3)
async def s9_s10_s11_the_tree(app: Debugger, pilot: Pilot[int]) -> None:
    tree = part(app, SchemaTree)
    tree.focus()
    await pilot.press("down", "down")
    assert app.session.state == "On"
    await pilot.press("enter")
    text = text_of(tree)
    for word in ("Plugged", "M|0", "Require", "Remove", "#light", "|1"):
        assert word in text
    await pilot.click(tree, offset=(15, row_of(tree, "Require") + 2))  # the state below it
    assert app.session.state == "Plugged"
    await pilot.press("escape", "r", "enter")
    assert app.session.state == ""
    await pilot.press("up", "enter")
    assert app.session.machine == "lamp"
    assert app.session.state == "Plugged"


@feature(2)
async def s12_marks_and_lines_while_stepping(app: Debugger, pilot: Pilot[int]) -> None:
    await pilot.press(*["alt+k"] * 5)
    await pilot.pause()
    text = text_of(part(app, SchemaTree))
    assert re.search(r"├──\+ +On", text)
    assert re.search(r"├──- +Off", text)
    assert re.search(r"Plugged +\|1 +\|", text)


@feature(5)
async def s14_s16_s17_a_click_in_the_log(app: Debugger, pilot: Pilot[int]) -> None:
    log = part(app, LogPane)
    await pilot.pause()
    assert "[cance] +Off" in text_of(log)
    await pilot.click(log, offset=(12, row_of(log, "[state] +On -Off") + 1))
    assert (app.session.cursor, app.session.state) == (3, "On")


@feature(3)
async def s15_level_of_the_log(app: Debugger, pilot: Pilot[int]) -> None:
    log = part(app, LogPane)
    await pilot.pause()
    assert "[add] On" not in text_of(log)
    app.action_log()
    await pilot.pause()
    assert "[add] On" in text_of(log)
    for _ in range(3):
        app.action_log()
    await pilot.pause()
    assert not log.display


@feature(5)
async def s17_traces_and_times_and_s19_wrap_are_toggles(app: Debugger, pilot: Pilot[int]) -> None:
    log, bar = part(app, LogPane), part(app, Toolbar)
    await pilot.pause()
    assert "lamp.py:3" in text_of(log)
    for row, word in ((2, "traces"), (1, "times"), (3, "wrap")):
        await pilot.click(bar, offset=(lines_of(bar)[row].index(word), row))
    await pilot.pause()
    assert "lamp.py:3" not in text_of(log)
    assert "1970-01-01 00:16:4" in text_of(log)
    assert app.view.wrap


@feature(3)
async def s19_scrolling_by_hand_ends_following(app: Debugger, pilot: Pilot[int]) -> None:
    await pilot.press("alt+v")
    assert app.session.follow
    assert app.session.cursor == 7
    part(app, LogPane).focus()
    await pilot.press("up")
    await pilot.pause()
    assert not app.session.follow


@feature(3)
async def s21_s23_s24_s25_s26_the_reader(app: Debugger, pilot: Pilot[int]) -> None:
    reader = part(app, ReaderPane)
    await pilot.pause()
    text = text_of(reader)
    for word in ("Queue", "Executed", "Arguments", "by"):
        assert word in text
    at = row_of(reader, "Executed")
    await pilot.click(reader, offset=(2, at + 1))  # closed
    await pilot.pause()
    assert "Executed (1)▸" in text_of(reader)
    await pilot.press("right", "alt+o")
    assert not app.view.reader


@feature(3)
async def s29_none_one_or_two_timelines(app: Debugger, pilot: Pilot[int]) -> None:
    shown = []
    for _ in range(3):
        await pilot.pause()
        shown.append((part(app, TxLine).display, part(app, StepLine).display))
        app.action_timelines()
    assert shown == [(True, False), (True, True), (False, False)]


@feature(3)
async def s31_s32_cursor_0_and_filters(app: Debugger, pilot: Pilot[int]) -> None:
    await pilot.press("home")
    assert app.session.cursor == 0
    assert "|0" in text_of(part(app, SchemaTree))
    app.action_skip_queued()
    await pilot.press("right", "right")
    assert app.session.cursor == 3  # the queued one is left out
    await pilot.press("end", "right")
    assert app.session.cursor == 7
    assert "there is none behind it" in text_of(part(app, StatusBar))
    await pilot.press("home", "left")
    assert app.session.cursor == 0


@feature(2)
async def s33_steps_by_keys(app: Debugger, pilot: Pilot[int]) -> None:
    await pilot.press(*["alt+k"] * 7)
    assert (app.session.cursor, app.session.step) == (3, 0)
    await pilot.press("alt+j")
    assert (app.session.cursor, app.session.step) == (2, 6)


@feature(0)
async def s34_fast_jumps(app: Debugger, pilot: Pilot[int]) -> None:
    app.session.select_state("Off")
    await pilot.press("alt+l", "alt+l", "alt+l")
    assert app.session.cursor == 4  # 1 added, 3 removed, 4 called it in vain
    await pilot.press("alt+left")
    assert app.session.cursor == 3
    app.session.select_state("")
    await pilot.press("alt+right")
    assert app.session.cursor == 7


@feature(5)
async def s35_play(app: Debugger, pilot: Pilot[int]) -> None:
    part(app, TxLine).focus()
    await pilot.press("space")
    assert app.view.playing
    for _ in range(3):
        app.play_on()
    assert app.session.cursor == 7
    assert not app.view.playing  # it stops at the end


@feature(3)
async def s36_following(app: Debugger, pilot: Pilot[int]) -> None:
    await pilot.press("alt+v")
    store = app.session.store
    store.dump.write(  # type: ignore[attr-defined]
        TxMsg("lamp", f"{9:016x}", (1, 1, 2, 5), called=(3,), time_ns=1100 * SECOND)
    )
    app.session.refresh()
    app.session.work_all()
    app.changed()
    await pilot.pause()
    assert app.session.cursor == 8
    await pilot.press("left")
    assert not app.session.follow


@feature(3)
async def s42_typing_in_the_tree(app: Debugger, pilot: Pilot[int]) -> None:
    part(app, SchemaTree).focus()
    await pilot.press("o", "f")
    assert app.session.state == "Off"
    await pilot.press("x")
    await pilot.pause()
    assert "nothing from here on begins with 'ofx'" in text_of(part(app, StatusBar))


async def test_s44_a_recording_from_a_file_shows(tmp_path: Path) -> None:
    for ending in ("sqlite", "gob.br"):
        export = Export(at(3), tmp_path / f"lamp.{ending}")
        assert export.step(1000)
        app = Debugger(Session.open(export.path, follow=False), every=0)
        async with app.run_test(size=(140, 40)) as pilot:
            await app.workers.wait_for_complete()
            await pilot.press("end")
            await pilot.pause()
            assert "|7" in text_of(part(app, ClientList))


async def test_s51_status_and_themes() -> None:
    dark, light = opened(3), opened(3)
    light.theme = "amctl-light"
    async with dark.run_test(size=(140, 40)) as pilot:
        dark.session.select_state("On")
        await pilot.press("alt+j")
        await pilot.pause()
        text = text_of(part(dark, StatusBar))
        for word in ("On | idx: 1 | tick: 0", "showing 7 of 7, 4 dropped", "Graph:t", "handler"):
            assert word in text
        one = dark.export_screenshot()
    async with light.run_test(size=(140, 40)) as pilot:
        await pilot.pause()
        assert light.export_screenshot() != one


async def test_features_by_keys_and_mouse() -> None:
    """All of them on one screen, which is set back in between."""
    app = opened()
    async with app.run_test(size=(150, 36)) as pilot:
        for cursor, drive in FEATURES:
            await set_back(app, pilot, cursor)
            await drive(app, pilot)


async def test_narrow_and_low_screens() -> None:
    app = opened(3)
    async with app.run_test(size=(60, 15)) as pilot:
        await pilot.press("right", "alt+r", "alt+m", "alt+m", "alt+f", "escape", "alt+k")
        await pilot.pause()
        assert not part(app, ClientList).display
        await pilot.resize_terminal(140, 40)
        await pilot.pause()
        assert part(app, ClientList).display


@feature(3)
async def s3_keys_of_dialogs(app: Debugger, pilot: Pilot[int]) -> None:
    for key in ("question_mark", "slash", "colon", "alt+g", "alt+s"):
        await pilot.press(key)
        await pilot.pause()
        assert len(app.screen_stack) == 2, key
        await pilot.press("escape")
        assert len(app.screen_stack) == 1, key


@needs_workflow
async def test_the_recorded_run_by_keys_and_mouse() -> None:
    app = Debugger(workflow("orchestrator", 111), ViewState(timelines=2), every=0)
    async with app.run_test(size=(150, 36)) as pilot:
        clients, log, line = part(app, ClientList), part(app, LogPane), part(app, TxLine)
        await pilot.pause()
        assert "R|111+" in text_of(clients)
        assert clients.border_title.startswith("Machines 27 T")  # type: ignore[union-attr]
        assert "[state] -Browser1Failed" in text_of(log)
        await pilot.press("right", "alt+k", "alt+l")
        await pilot.click(line, offset=(80, 1))
        await pilot._post_mouse_events([events.MouseScrollDown], line, offset=(5, 1))
        before = app.session.spot
        await pilot.press("escape")
        await pilot.click(clients, offset=(3, row_of(clients, "rc-srv-browser2") + 1))
        assert app.session.machine == "rc-srv-browser2"
        await pilot.press("alt+b")
        assert app.session.spot.machine == before.machine
        for view in ("alt+m",) * 5:
            await pilot.press(view)
        assert app.view.content == "tree-log"


# -- none lacks a test


def named() -> set[int]:
    """Numbers of features that tests are named after."""
    found: set[int] = set()
    for folder in ("debugger", "cli"):
        for path in (ROOT / "tests" / folder).rglob("test_*.py"):
            for name in re.findall(r"def (?:test_)?((?:s\d+_)+)", path.read_text(encoding="utf-8")):
                found.update(int(number) for number in re.findall(r"\d+", name))
    return found


def test_every_essential_and_useful_feature_has_a_test() -> None:
    assert len(ESSENTIAL | USEFUL | LATER) == 51
    missing = (ESSENTIAL | USEFUL) - named() - ELSEWHERE.keys()
    assert missing == set()
    assert [path for path in ELSEWHERE.values() if not (ROOT / path).is_file()] == []


def test_the_lamp_is_the_one_of_the_core() -> None:
    assert at(3).store.size("lamp") == Store(pair()).size("lamp") == 7
