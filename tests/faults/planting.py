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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.seeds import Fault

__all__ = ["SUITE", "Caught", "Grove", "run"]

ROOT = Path(__file__).resolve().parents[2]
SUITE = (
    "tests/conformance",
    "tests/machine/test_reference.py",
    "tests/machine",
    "tests/states",
)
"""What is to catch faults, in the order of running."""
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.M)
_LONGEST = 300.0
"""Seconds for one fault: it may make a machine run for ever, which counts as caught."""


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
        self.tree.mkdir()
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "dist", ".hypothesis")
        for name in ("amctl", "nodes", "tests"):
            shutil.copytree(ROOT / name, self.tree / name, ignore=ignored)
        for name in ("pyproject.toml", "README.md", "config.env"):
            shutil.copy(ROOT / name, self.tree)

    def plant(self, fault: Fault | None) -> None:
        """Have this fault, and no other."""
        for name in ("machine", "states"):
            shutil.copytree(ROOT / "amctl" / name, self.tree / "amctl" / name, dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
        if fault is not None:
            path = self.tree / "amctl" / fault.file
            path.write_text(fault.planted(path.read_text(encoding="utf-8")), encoding="utf-8")


def run(grove: Grove, fault: Fault | None, suite: Sequence[str] = SUITE) -> Caught:
    """Plant a fault and run the tests until one fails."""
    grove.plant(fault)
    command = [
        sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
        "-p", "no:xdist", "--tb=no", "--timeout=60", *suite,
    ]  # fmt: skip
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(grove.tree)}
    began = time.monotonic()
    try:
        done = subprocess.run(
            command, cwd=grove.tree, env=env, capture_output=True, text=True, check=False,
            timeout=_LONGEST,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Caught("it runs for ever", time.monotonic() - began)
    found = _FAILED.search(done.stdout)
    by = found[1].removeprefix("tests/") if found else ""
    if done.returncode and not by:
        by = (done.stdout + done.stderr).strip().splitlines()[-1]
    return Caught(by, time.monotonic() - began)
