"""A copy of the tree with one fault, and the engine's tests on it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.machine.rules import RECORDED, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.seeds import Fault

__all__ = ["SUITE", "Caught", "Grove", "caught_by", "failing", "near"]

ROOT = Path(__file__).resolve().parents[2]
SUITE = ("tests/machine/test_reference.py", "tests/machine", "tests/states", "tests/conformance")
"""What is to catch faults that neither recorded cases nor the tests nearest to them do."""
_CASES = "tests/cases/machine.jsonl.gz"
_CASE = re.compile(r"^  (\S+): step", re.M)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.M)
_LONGEST = 300.0
"""Seconds for one program: a fault may make a machine run for ever, which counts as caught."""


@dataclass(frozen=True)
class Caught:
    """What came of a fault."""

    by: str
    """The first test that failed; empty if none did."""
    seconds: float


class Grove:
    """A place for copies of the tree; the checkout itself is never touched."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self.sound = folder / "sound"
        self.tree.mkdir()
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".hypothesis")
        for name in ("amctl", "nodes", "tests"):
            shutil.copytree(ROOT / name, self.tree / name, ignore=ignored)
        for name in ("pyproject.toml", "README.md", "config.env"):
            shutil.copy(ROOT / name, self.tree)
        shutil.copytree(self.tree / "amctl", self.sound)

    def plant(self, fault: Fault | None) -> None:
        """Have this fault, and no other."""
        shutil.copytree(self.sound, self.tree / "amctl", dirs_exist_ok=True)
        if fault is not None:
            path = self.tree / "amctl" / fault.file
            path.write_text(fault.planted(path.read_text(encoding="utf-8")), encoding="utf-8")

    def run(self, *words: str) -> str:
        """What a Python program in the tree prints.

        Raises:
            subprocess.TimeoutExpired: It runs for ever.
        """
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(self.tree)}
        done = subprocess.run(
            [sys.executable, *words], cwd=self.tree, env=env, capture_output=True, text=True,
            check=False, timeout=_LONGEST,
        )  # fmt: skip
        return done.stdout + done.stderr


def caught_by(grove: Grove, fault: Fault) -> Caught:
    """Plant a fault; run recorded cases, the tests nearest to it, then all the others."""
    grove.plant(fault)
    began = time.monotonic()
    try:
        cases = grove.run("-m", "tests.conformance", _CASES)
        found = _CASE.search(cases)
        by = RECORDED + found[1] if found else ""
        if not by and "281 passed" not in cases:  # the cases were not even run to their end
            by = RECORDED + cases.strip().splitlines()[-1]
        by = by or failing(grove, near(fault)) or failing(grove, SUITE)
    except subprocess.TimeoutExpired:
        by = "a machine that runs for ever"
    return Caught(by, time.monotonic() - began)


def near(fault: Fault) -> list[str]:
    """The tests of a fault's rule, and those of its module."""
    rule = [t for t in table().get(fault.rule, ()) if not t.startswith(RECORDED)]
    path = Path(fault.file)
    own = path.parent / f"test_{path.name.removeprefix('_')}"
    if (ROOT / "tests" / own).is_file():
        rule.append(str(own))
    return [f"tests/{test}" for test in dict.fromkeys(rule)]


def failing(grove: Grove, tests: Sequence[str]) -> str:
    """The first of these tests that fails in the tree as it is; empty if none does."""
    if not tests:
        return ""
    options = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "--timeout=60")
    out = grove.run("-m", "pytest", *options, *tests)
    if found := _FAILED.search(out):
        return found[1].removeprefix("tests/")
    last = (out.strip().splitlines() or ["nothing"])[-1]
    return "" if re.search(r"\d passed", last) else last
