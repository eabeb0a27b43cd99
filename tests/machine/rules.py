"""Which test proves which rule of the specification: reads rules.txt and rule_ids.txt."""

from __future__ import annotations

import ast
import gzip
import json
from functools import lru_cache
from pathlib import Path

__all__ = ["RECORDED", "ids", "names_in", "problems", "recorded", "rule_of", "table"]

HERE = Path(__file__).parent
TESTS = HERE.parent
RECORDED = "conformance:"


def _lines(name: str) -> list[str]:
    text = (HERE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def ids() -> list[str]:
    """Every rule's id, in the specification's order."""
    return _lines("rule_ids.txt")


def table(lines: list[str] | None = None) -> dict[str, list[str]]:
    """By rule: node ids below tests/, and `conformance:<case>`; a rule twice is one rule."""
    found: dict[str, list[str]] = {}
    rule = ""
    for line in _lines("rules.txt") if lines is None else lines:
        if line[0].isspace():
            found[rule].append(line.strip())
        else:
            rule = line.strip()
            found.setdefault(rule, [])
    return found


@lru_cache(maxsize=256)
def names_in(file: str) -> frozenset[str]:
    """Names of the tests in a file below tests/; empty if there is no such file."""
    path = TESTS / file
    if not path.is_file():
        return frozenset()
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(n.name for n in nodes if isinstance(n, functions) and n.name[:5] == "test_")


@lru_cache(maxsize=1)
def recorded() -> frozenset[str]:
    """Ids of the recorded cases."""
    with gzip.open(TESTS / "cases" / "machine.jsonl.gz", "rt") as lines:
        return frozenset(json.loads(line)["id"] for line in lines)


def problems(known: list[str], rules: dict[str, list[str]]) -> list[str]:
    """What is wrong with a table: rules without a test, unknown rules, tests that don't exist."""
    found = [f"{rule}: no rule of the specification" for rule in rules if rule not in known]
    found += [f"{rule}: no test" for rule in known if not rules.get(rule)]
    for rule, tests in rules.items():
        for test in tests:
            file, _, name = test.partition("::")
            if test.startswith(RECORDED):
                exists = test.removeprefix(RECORDED) in recorded()
            else:
                exists = name in names_in(file)
            if not exists:
                found.append(f"{rule}: there is no {test}")
    return found


def rule_of(name: str, known: list[str]) -> str:
    """The rule that a test is named after, `test_rel_4_...`; empty if it is after none."""
    words = name.split("_")
    if len(words) > 2 and words[2].isdigit():
        kind = words[1].upper()
        if any(rule.startswith(f"{kind}-") for rule in known):
            return f"{kind}-{words[2]}"
    return ""
