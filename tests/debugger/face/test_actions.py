"""What keys and tools do (debugger_ui.md 2.6, 2.8, 3)."""

from __future__ import annotations

from amctl.debugger.filters import Auto
from tests.debugger.face.screens import drive, run
from tests.debugger.panes import at


async def test_s31_s35_moving_by_keys() -> None:
    async with drive(at(0)) as d:
        await d.press("right")
        assert d.session.cursor == 1
        await d.press("end")
        assert d.session.cursor == 7
        await d.press("left", "alt+h")
        assert d.session.cursor == 0
        await d.press("alt+l")
        assert d.session.cursor == 7
        await d.press("home", "alt+k")
        assert (d.session.cursor, d.session.step) == (0, 1)
        await d.press("alt+j")
        assert (d.session.cursor, d.session.step) == (0, 0)


async def test_s34_with_a_state_the_fast_jump_goes_to_what_touched_it() -> None:
    async with drive(at(0)) as d:
        d.session.select_state("Off")
        await d.press("alt+right", "alt+right", "alt+right")
        assert d.session.cursor == 4  # called, and canceled
        await d.press("alt+left")
        assert d.session.cursor == 3


async def test_s35_play_goes_on_until_the_end() -> None:
    async with drive(at(5)) as d:
        await d.press("space")
        assert d.app.view.playing
        d.app.play_on()
        assert d.session.cursor == 6
        d.app.play_on()
        d.app.play_on()
        assert d.session.cursor == 7
        assert not d.app.view.playing
        await d.press("home", "space", "space")
        d.app.play_on()
        assert d.session.cursor == 0


async def test_s28_filters_are_toggled_and_say_how_much_is_shown() -> None:
    async with drive(at(3)) as d:
        for name in ("canceled", "queued", "empty", "health", "outgroup", "disconn", "checks"):
            was = getattr(d.session.filters, name)
            getattr(d.app, f"action_skip_{name}")()
            assert getattr(d.session.filters, name) is not was
        d.app.action_skip_rpc_machs()
        assert d.session.filters.rpc
        d.app.action_skip_auto()
        assert d.session.filters.auto is Auto.HIDE_CANCELED
        await d.settle()
        assert "showing 4 of 7" in d.text("status")


async def test_s37_s38_machines_and_history() -> None:
    async with drive(run()) as d:
        d.app.action_next_client()
        assert d.session.machine == "rc-srv-browser1"
        d.app.action_prev_client()
        d.app.action_prev_client()
        assert d.session.machine == "rs-repl-browser4"
        await d.press("alt+b")
        assert d.session.machine == "orchestrator"
        await d.press("alt+w")
        assert d.session.machine == "rs-repl-browser4"


async def test_s36_moving_by_hand_ends_the_tail() -> None:
    async with drive(at(3)) as d:
        await d.press("alt+v")
        assert d.session.follow
        assert d.session.cursor == 7
        await d.press("left")
        assert not d.session.follow


async def test_views_change_by_keys() -> None:
    async with drive(at(3)) as d:
        for key, shown in (
            ("alt+m", {"schema", "matrix"}),
            ("alt+m", {"schema", "rain"}),
            ("alt+m", {"matrix"}),
            ("alt+m", {"rain"}),
            ("alt+m", {"schema", "log", "reader"}),
            ("alt+o", {"schema", "log"}),
            ("alt+r", {"schema", "rain"}),
            ("alt+r", {"schema", "log"}),
        ):
            await d.press(key)
            parts = ("schema", "log", "reader", "matrix", "rain")
            found = {id for id in parts if d.app.query_one(f"#{id}").display}
            assert found == shown, key


async def test_tab_goes_round_and_esc_to_the_machines() -> None:
    async with drive(at(3)) as d:
        first = d.app.focused
        seen = []
        for _ in d.app.panes:
            await d.press("tab")
            seen.append(d.app.focused)
        assert d.app.focused is first
        assert {one.id for one in seen if one} >= {"clients", "states", "log", "reader", "tx-line"}
        await d.press("shift+tab", "escape")
        assert d.app.focused is not None
        assert d.app.focused.id == "clients"
        await d.press("alt+f")
        assert d.app.focused.id == "toolbar"
        await d.press("alt+f")
        assert d.app.focused.id == "clients"
