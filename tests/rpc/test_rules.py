"""The table of rules holds: no rule is without a test, and no test is only a name."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from tests.rpc.rules import PROVEN, RELAY_BUGS, RPC_BUGS, SKIPPED_UPSTREAM, WIRE
from tests.rpc.wire.test_rules import RULES

TESTS = Path(__file__).parents[1]
TABLES = {
    "proven": PROVEN,
    "skipped upstream": SKIPPED_UPSTREAM,
    "rpc": RPC_BUGS,
    "relay": RELAY_BUGS,
}
ROWS = [
    pytest.param(tests, id=f"{table}-{rule}")
    for table, rows in TABLES.items()
    for rule, tests in rows.items()
]


@cache
def names_in(file: str) -> frozenset[str]:
    """Names of the tests of a file."""
    path = TESTS / file
    body = ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in body if isinstance(node, kinds))


@pytest.mark.parametrize("tests", ROWS)
def test_each_rule_has_tests_that_exist(tests: tuple[str, ...]) -> None:
    assert tests
    for test in tests:
        file, _, name = test.partition("::")
        assert name in names_in(file), test


def test_no_rule_is_left_out() -> None:
    """35 rules; 26 bugs in arpc.md (the when_args one among them); 19 marks in relay.md, less the
    one that explains them."""
    assert sorted(PROVEN) == list(range(1, 36))
    assert len(RPC_BUGS) == 26
    assert len(RELAY_BUGS) == 19
    assert sorted(RULES) == list(WIRE)


def test_each_rule_of_the_wire_has_a_test_that_bears_its_number() -> None:
    files = [str(p.relative_to(TESTS)) for p in (TESTS / "rpc").rglob("test_*.py")]
    names = chain.from_iterable(names_in(file) for file in files)
    found = {int(m[1]) for name in names if (m := re.match(r"test_wir_(\d+)_", name))}
    assert found == set(WIRE)
