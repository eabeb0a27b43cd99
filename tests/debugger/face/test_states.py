"""The schema tree (debugger_ui.md 2.2)."""

from __future__ import annotations

from amctl.debugger.face.states import GroupLine, SchemaTree
from tests.debugger.face.screens import drive, run
from tests.debugger.face.stage import Stage, lines_of
from tests.debugger.panes import at


def shown(tree: SchemaTree) -> list[str]:
    return [line.rstrip() for line in lines_of(tree) if line.strip()]


async def test_s9_states_stand_in_the_schemas_order_with_their_clocks() -> None:
    tree = SchemaTree()
    async with Stage(tree, session=at(6)).run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        assert shown(tree) == [
            "States",
            "├──Plugged   |1",
            "├──On        |1",
            "├──Off       |2",
            "└──ErrBulb  M|3 *",
        ]
        row = {r.name: r for r in tree.states.rows}
        assert tree._plain(row["Off"]) == tree.ink("inactive")
        assert tree._plain(row["On"]) == tree.ink("active")
        assert tree._plain(row["ErrBulb"]) == tree.ink("error")


async def test_s10_enter_opens_a_state_and_leads_to_another() -> None:
    tree = SchemaTree()
    app = Stage(tree, session=at(3))
    async with app.run_test(size=(40, 20)) as pilot:
        tree.focus()
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        lines = shown(tree)
        assert "│  ├──Require" in lines
        assert "│  │  ├──Plugged" in lines
        assert "│  │  ├──#light" in lines
        tree.put(lines.index("│  │  ├──Plugged"))
        await pilot.press("enter")
        await pilot.pause()
        assert app.session.state == "Plugged"
        assert tree.at == shown(tree).index("├──Plugged   |1")
        await pilot.press("down", "enter")  # closes On
        await pilot.pause()
        assert "│  ├──Require" not in shown(tree)


async def test_s11_the_cursor_selects_a_state_which_is_kept_over_machines() -> None:
    async with drive(run()) as d:
        tree = d.app.query_one(SchemaTree)
        d.focus("states")
        await d.press("R")
        assert d.session.state == "Ready"
        assert "Ready | idx: " in d.text("status")
        await d.click("clients", 3, 0)
        assert d.session.state == ""
        d.session.select_machine("orchestrator")
        d.app.changed()
        await d.settle()
        assert d.session.state == "Ready"
        assert tree.nodes[tree.at].text == "Ready"


async def test_s42_typing_looks_for_states() -> None:
    async with drive(run()) as d:
        d.focus("states")
        await d.press("b", "r", "o", "w", "s", "e", "r", "2", "w")
        assert d.session.state == "Browser2Work"


async def test_s12_steps_mark_states_and_join_them() -> None:
    tree = SchemaTree()
    app = Stage(tree, session=at(2))
    async with app.run_test(size=(60, 20)) as pilot:
        for _ in range(5):
            app.action_next_step()
        await pilot.pause()
        lines = shown(tree)
        assert tree.states.is_stepping
        assert any(line.startswith("├──+  On") for line in lines)
        assert "│  │  ├──Plugged" in "\n".join(lines)
        joined = [line for line in lines if line.endswith("|")]
        assert len(joined) >= 3  # from the reference to its state
        assert any(line.startswith("├──-  Off") for line in lines)


async def test_s12_the_sign_of_a_refusal_is_red_at_the_end() -> None:
    tree = SchemaTree()
    app = Stage(tree, session=at(3))
    async with app.run_test(size=(60, 20)) as pilot:
        app.action_next_step()
        app.action_next_step()
        await pilot.pause()
        pieces = list(tree.pieces(1))
        assert ("!  ", tree.ink("error")) in pieces


async def test_s13_a_group_narrows_the_tree() -> None:
    tree, group = SchemaTree(), GroupLine()
    app = Stage(group, tree, session=at(3))
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.click(group)
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.session.group == "- self"
        assert tree.border_title is not None
        assert [row.name for row in tree.states.rows] == ["Plugged", "On"]


async def test_alt_e_opens_and_closes_everything() -> None:
    async with drive(at(3)) as d:
        tree = d.app.query_one(SchemaTree)
        await d.press("alt+e")
        assert len(tree.nodes) > 9
        await d.press("alt+e")
        assert len(tree.nodes) == 5
