"""Every rule of the specification has its test, and every test that names a rule names one."""

from __future__ import annotations

import re

import pytest

from tests.machine.rules import TESTS, ids, names_in, problems, recorded, rule_of, table
from tests.support.shared import SHARED, needs_shared


def test_every_rule_has_its_test_and_every_test_exists() -> None:
    assert problems(ids(), table()) == []


def test_there_are_as_many_rules_as_the_specification_has() -> None:
    assert len(ids()) == len({*ids()})
    assert len([rule for rule in ids() if not rule.startswith("errata:")]) == 288


def test_every_test_that_is_named_after_a_rule_stands_in_the_table() -> None:
    rules, known, missing = table(), ids(), []
    for folder in ("machine", "states"):
        for path in sorted((TESTS / folder).glob("test_*.py")):
            file = f"{folder}/{path.name}"
            for name in names_in(file):
                rule = rule_of(name, known)
                if rule and f"{file}::{name}" not in rules.get(rule, ()):
                    missing.append(f"{rule}: {file}::{name}")
    assert sorted(missing) == []


@needs_shared
def test_the_ids_are_those_of_the_specification() -> None:
    text = (SHARED / "spec" / "machine.md").read_text(encoding="utf-8")
    rules = {rule for rule in ids() if not rule.startswith("errata:")}
    assert rules == set(re.findall(r"\b[A-Z]{1,4}-[0-9]+\b", text))


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["B-1", "    machine/test_rules.py::test_x"], "B-1: no rule of the specification"),
        (["A-1"], "A-1: no test"),
        ([], "A-1: no test"),
        (["A-1", "    machine/test_rules.py::test_x"], "A-1: there is no machine/test_rules.py::"),
        (["A-1", "    machine/test_nope.py::test_x"], "A-1: there is no machine/test_nope.py::"),
        (["A-1", "    conformance:nope"], "A-1: there is no conformance:nope"),
    ],
)
def test_a_wrong_table_is_told(lines: list[str], problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(["A-1"], table(lines)))


def test_a_right_table_is_right() -> None:
    this = "    machine/test_rules.py::test_a_right_table_is_right"
    case = f"    conformance:{min(recorded())}"
    assert problems(["A-1"], table(["A-1", this, case])) == []
    assert rule_of("test_rel_4_and_5_more", ids()) == "REL-4"
    assert rule_of("test_wir_1_more", ids()) == ""
    assert rule_of("test_ten_lines", ids()) == ""
