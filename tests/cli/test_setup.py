"""`amctl setup`: asks once on a terminal, never without one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from amctl.cli import setup as room
from amctl.cli.main import run
from amctl.run.setup import Fate, Need, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP = Step(("apt-get", "install", "thing"))


def need(name: str, *, found: str = "", required: bool = True, system: bool = True) -> Need:
    return Need(name, "does things", found, required, system, (STEP,), f"type {name}")


class World:
    """The needs of a machine, and whether installing them was allowed."""

    def __init__(self, needs: list[Need]) -> None:
        self.needs = needs
        self.allowed: bool | None = None

    def install(self, needs: list[Need], say: Any, *, allow_system: bool) -> Iterator[Fate]:
        self.allowed = allow_system
        say("working")
        for item in needs:
            done = item.found or allow_system
            yield Fate(item, "installed" if done else "missing", item.by_hand)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World([need("chromium"), need("graphviz", found="/usr/bin/dot", required=False)])
    monkeypatch.setattr(room, "survey", lambda home: made.needs)
    monkeypatch.setattr(room, "install", made.install)
    return made


def answer(word: bool, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Pretend a terminal whose user gives this answer."""
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(room.typer, "confirm", lambda text, **_: asked.append(text) or word)
    return asked


def test_without_a_terminal_it_proceeds(world: World) -> None:
    assert run(["setup"]) == 0
    assert world.allowed is True


@pytest.mark.parametrize(("word", "code"), [(True, 0), (False, 1)])
def test_on_a_terminal_it_lists_and_asks_once(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    word: bool,
    code: int,
) -> None:
    asked = answer(word, monkeypatch)
    assert run(["setup"]) == code
    assert len(asked) == 1
    assert world.allowed is word
    err = capsys.readouterr().err
    assert "chromium" in err
    assert "type chromium" in err


def test_yes_asks_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(False, monkeypatch)
    assert run(["setup", "--yes"]) == 0
    assert asked == []


def test_nothing_to_install_asks_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(False, monkeypatch)
    world.needs = [need("chromium", found="/c"), need("pyodide", system=False)]
    assert run(["setup"]) == 0
    assert asked == []


def test_check_changes_nothing_and_tells(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["setup", "--check"]) == 1
    assert world.allowed is None
    assert "type chromium" in capsys.readouterr().out
    world.needs = world.needs[1:]
    assert run(["setup", "--check"]) == 0


def test_what_is_optional_never_fails(world: World) -> None:
    world.needs = [need("graphviz", required=False)]
    assert run(["setup", "--check"]) == 0


def test_json_is_one_document(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["setup", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["chromium", "graphviz"]
    assert rows[0]["outcome"] == "installed"
