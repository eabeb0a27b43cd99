"""Address bar, history, tags (debugger_ui.md 37, 38, 39)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from amctl.debugger.face.addressbar import AddressBar, TagsBar
from amctl.debugger.filters import Filters
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from tests.debugger.face.stage import Stage, lines_of, needs_workflow, text_of, workflow
from tests.debugger.histories import history, tx

if TYPE_CHECKING:
    from textual.pilot import Pilot


def two_machines() -> Session:
    """Two machines, at the end of the first."""
    dump = history(
        tx("a", 1, (1, 0, 0, 0), called=(0,)),
        tx("b", 2, (1, 0, 0, 0), called=(0,)),
        tx("a", 3, (1, 1, 0, 0), called=(1,)),
        machines=("a", "b"),
    )
    session = Session(Store(dump), Filters.none(), follow=False)
    session.work_all()
    return session


async def press(pilot: Pilot[int], bar: AddressBar, label: str) -> None:
    """Click on a button."""
    await pilot.pause()
    await pilot.click(bar, offset=(lines_of(bar)[0].index(label), 0))
    await pilot.pause()


async def test_s37_buttons_and_address() -> None:
    bar = AddressBar()
    app = Stage(bar)
    async with app.run_test(size=(110, 4)) as pilot:
        await pilot.pause()
        line = lines_of(bar)[0]
        assert " ".join(line.split("mach://")[0].split()) == "◄ prev mach ← → next mach ►"
        assert f" mach://lamp/{3:016x} " in line
        assert line.rstrip().endswith("copy   paste")


async def test_s37_previous_and_next_machine() -> None:
    bar = AddressBar()
    app = Stage(bar, session=two_machines())
    async with app.run_test(size=(110, 4)) as pilot:
        await press(pilot, bar, "next mach")
        assert app.session.machine == "b"
        await press(pilot, bar, "prev mach")
        assert app.session.machine == "a"


async def test_s38_back_and_forward() -> None:
    bar = AddressBar()
    app = Stage(bar, session=two_machines())
    async with app.run_test(size=(110, 4)) as pilot:
        app.action_next()
        app.action_next()
        assert app.session.cursor == 2
        await press(pilot, bar, "←")
        assert app.session.cursor == 1
        await press(pilot, bar, "→")
        assert app.session.cursor == 2
        bar.focus()
        await pilot.press("right", "enter")  # by keys: back
        assert app.session.cursor == 1


async def test_s37_copy_and_paste() -> None:
    bar = AddressBar()
    app = Stage(bar, session=two_machines())
    async with app.run_test(size=(110, 4)) as pilot:
        app.action_last()
        await press(pilot, bar, "copy")
        assert app.clipboard == f"mach://a/{3:016x}"
        app.action_first()
        await press(pilot, bar, "paste")
        assert app.session.cursor == 2
        app.post_message(events.Paste(f"mach://b/{2:016x}\n"))
        await pilot.pause()
        assert app.session.machine == "b"


async def test_the_clipboard_can_be_switched_off() -> None:
    bar = AddressBar()
    app = Stage(bar)
    app.clipboard_on = False
    async with app.run_test(size=(110, 4)) as pilot:
        await press(pilot, bar, "copy")
        assert app.clipboard == ""
        assert "--enable-clipboard" in app.said[-1]


async def test_s37_a_click_on_the_address_asks_for_another_one() -> None:
    bar = AddressBar()
    app = Stage(bar)
    async with app.run_test(size=(110, 20)) as pilot:
        await press(pilot, bar, "mach://")
        await pilot.press("ctrl+u", *"mach:")
        await pilot.press(*"//lamp?t=2", "enter")
        await pilot.pause()
        assert app.session.cursor == 1
        assert len(app.screen_stack) == 1


async def test_s39_tags() -> None:
    bar = TagsBar()
    app = Stage(bar)
    async with app.run_test(size=(60, 4)) as pilot:
        await pilot.pause()
        assert text_of(bar).strip() == "#home #addr:1"


@needs_workflow
async def test_s39_tags_of_parents_on_the_recorded_run() -> None:
    bar, tags = AddressBar(), TagsBar()
    app = Stage(bar, tags, session=workflow("rc-srv-browser1", 5))
    async with app.run_test(size=(160, 4)) as pilot:
        await pilot.pause()
        assert "mach://rc-srv-browser1/" in lines_of(bar)[0]
        assert " ... #" in text_of(tags) or "#rpc-client" in text_of(tags)
