"""Faults that are planted into the engine still fit, and one of them is caught."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.faults.__main__ import main, row
from tests.faults.planting import ROOT, Caught, Grove, caught_by, failing, near
from tests.faults.seeds import FAULTS, Fault

if TYPE_CHECKING:
    from pathlib import Path


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    assert len(FAULTS) >= 20
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_fits_and_leaves_a_program(fault: Fault) -> None:
    """If it doesn't: its line was rewritten, so plant it anew in seeds.py."""
    text = (ROOT / "amctl" / fault.file).read_text(encoding="utf-8")
    planted = fault.planted(text)
    assert planted != text
    ast.parse(planted)


def test_a_fault_that_does_not_fit_says_so() -> None:
    fault = Fault("odd", "REL-1", "machine/core.py", "no such line", "")
    with pytest.raises(ValueError, match="'no such line' 0 times, not once"):
        fault.planted("text")


@pytest.mark.slow
@pytest.mark.realtime
def test_a_fault_is_caught_and_the_checkout_is_left_alone(tmp_path: Path) -> None:
    grove = Grove(tmp_path)
    fault = next(f for f in FAULTS if f.name == "a multi state ticks once")
    path = ROOT / "amctl" / fault.file
    before = path.read_text(encoding="utf-8")
    assert caught_by(grove, fault).by.startswith("conformance:")
    assert path.read_text(encoding="utf-8") == before
    tests = ["tests/machine/test_plan.py::test_clk_2_multi_ticks_twice_only_when_called"]
    assert failing(grove, tests) == tests[0].removeprefix("tests/")
    grove.plant(None)
    assert failing(grove, tests) == failing(grove, []) == ""
    assert tests[0] in near(fault)


def test_faults_can_be_listed_and_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "PAN-10"]) == 0
    assert capsys.readouterr().out == "PAN-10        auto states are tried for ever\n"
    with pytest.raises(SystemExit):
        main(["no such fault"])


def test_a_fault_that_nobody_caught_is_told() -> None:
    assert row(FAULTS[0], Caught("", 1.0)).endswith("NOBODY")
