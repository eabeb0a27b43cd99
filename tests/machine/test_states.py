"""Sets of states as classes (section 2b)."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine, StateDef, States
from amctl.machine.states import State
from amctl.states.basic import BasicStates
from tests.support.house import ROOT

if TYPE_CHECKING:
    from pathlib import Path


class Basic(States):
    """The base of most."""

    ErrNetwork = State(require=["Exception"])
    Start = State()
    Ready = State(require=["Start"])
    groups = {"Life": ("Start", "Ready")}  # noqa: RUF012  # frozen by convention


class Connected(States):
    """With Exception at its end."""

    exception_last = True
    Connecting = State(require=["Start"], remove=["Online"])
    Online = State(require=["Start"], remove=["Connecting"])
    groups = {"Net": ("Connecting", "Online")}  # noqa: RUF012


class Worker(Connected, Basic):
    """Both, with a redefinition of each kind."""

    Working = State(auto=True, multi=True, add=["Ready"], after=["Start"], tags=["busy"])
    Start = State(add=["Working"])
    Ready = State.override(remove=["Working"])
    groups = {"Own": ("Working",)}  # noqa: RUF012


class Diamond(Basic, Worker if False else Connected):
    """Two sets side by side."""


class Again(Connected, Basic):
    """Inherits the base a second time, through another set."""


class Twice(Worker, Again):
    """A real diamond."""

    Last = State()


def test_a_state_is_its_name() -> None:
    assert Worker.Working == "Working"
    assert Worker().Start == "Start"
    assert type(Worker.Online) is str


def test_set_1_names_in_order_the_first_place_counts() -> None:
    assert Basic.names() == ("Exception", "ErrNetwork", "Start", "Ready")
    assert Connected.names() == ("Connecting", "Online", "Exception")
    assert Worker.names() == (
        "Exception", "Working", "Start", "Connecting", "Online", "ErrNetwork", "Ready",
    )  # fmt: skip
    assert Twice.names() == (
        "Exception", "Last", "Working", "Start", "Connecting", "Online", "ErrNetwork", "Ready",
    )  # fmt: skip


def test_set_1_the_place_of_exception_is_the_sets_own() -> None:
    assert Diamond.names()[0] == "Exception"

    class Sub(Connected):
        """Does not inherit it either."""

    assert Sub.names()[0] == "Exception"


def test_sch_3_own_definitions_win_then_those_of_the_first_base() -> None:
    schema = Worker.schema()
    assert schema["Start"] == StateDef(add=("Working",))
    assert schema["Ready"] == StateDef(remove=("Working",))
    working = schema["Working"]
    assert working == StateDef(True, True, add=("Ready",), after=("Start",))
    assert working.tags == ("busy",)
    assert Twice.schema()["Start"] == schema["Start"]
    assert schema is Worker.schema()
    assert schema is not Twice.schema()


def test_a_set_that_is_inherited_is_not_changed() -> None:
    assert Basic.schema()["Start"] == StateDef()
    assert Basic.groups == {"Life": ("Start", "Ready")}


def test_set_2_and_3_the_tree_keeps_the_first_of_a_diamond() -> None:
    assert Worker.tree() == {
        "self": ("Working", "Start", "Ready"),
        "Connected": ("Connecting", "Online"),
        "Basic": ("ErrNetwork",),
    }
    assert Twice.tree() == {
        "self": ("Last",),
        "Worker": ("Working", "Start", "Ready"),
        "Connected": ("Connecting", "Online"),
        "Basic": ("ErrNetwork",),
        "Again": (),
    }


def test_set_4_groups_are_inherited() -> None:
    groups = {"Own": ("Working",), "Net": ("Connecting", "Online"), "Life": ("Start", "Ready")}
    assert Worker.groups == groups
    assert Worker.schema().groups == groups
    assert Machine("m", Worker).groups == groups


def test_other_bases_and_attributes_are_no_states() -> None:
    class Mixin:
        """Of another kind."""

        Other = State()

    class Mixed(Mixin, Basic):
        """With a helper."""

        limit = 3

    assert Mixed.names() == Basic.names()


def test_the_empty_set_is_exception_alone() -> None:
    assert States.names() == ("Exception",)
    m = Machine("m", States)
    assert m.names == ("Exception",)
    assert m.add("Exception").executed


def test_a_typo_is_an_error() -> None:
    with pytest.raises(AttributeError):
        Worker.Workin  # type: ignore[attr-defined]  # noqa: B018


# -- a name that isn't there


def test_a_state_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Strat"):
        _ = BasicStates.Strat  # type: ignore[attr-defined]  # that's the point


@pytest.mark.slow
@pytest.mark.realtime
def test_a_state_that_does_not_exist_is_a_type_error(tmp_path: Path) -> None:
    """As a person would see it, with the options of this project."""
    program = (
        "from amctl import Machine\n"
        "from amctl.states.basic import BasicStates\n"
        "m = Machine('m', BasicStates)\n"
        "m.add(BasicStates.Start)\n"
        "m.add([BasicStates.Strat, BasicStates.Ready])\n"
        "m.add(5)\n"
    )
    path = tmp_path / "door.py"
    path.write_text(program)
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    where = [line.partition(": error: ")[0] for line in lines if ": error: " in line]
    assert [text.rpartition(":")[2] for text in where] == ["5", "6"]
    assert '"type[BasicStates]" has no attribute "Strat"' in lines[0]
