"""The whole gate, the same on a laptop and in CI: `python -m tests [words for pytest]`.

Lint, format, types, then every test: the fast ones over both cores, those with a Chromium one
after another. All sections run whatever the first ones say; the exit code is 1 if any failed.
With words for pytest (`-k relay`, a path, `-x`) only the tests run, on those words.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NO_TESTS = 5
"""pytest's exit code when a selection holds no test."""

CHECKS = {
    "lint": ["ruff", "check", "--quiet", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "types": ["mypy"],
}
TESTS = {
    "tests": ["-n", "2", "-m", "not e2e"],
    "tests in a browser": ["-n", "0", "-m", "e2e"],
}
_COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed)")


def heading(name: str) -> None:
    """Print where the gate is."""
    print(f"\n--- {name} ".ljust(79, "-"), flush=True)


def environment() -> dict[str, str]:
    """Keeps byte code: the tests start hundreds of processes, and each would compile anew."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def check(name: str, command: list[str]) -> bool:
    """Run one tool; whether it was content."""
    heading(name)
    code = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode
    print("ok" if code == 0 else f"{name} failed", flush=True)
    return code == 0


def tests(name: str, options: list[str], words: list[str], totals: dict[str, int]) -> bool:
    """Run one share of the tests and add its counts to `totals`."""
    heading(name)
    command = [sys.executable, "-m", "pytest", "-q", "--durations=5", *options, *words]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment()
    )
    assert process.stdout is not None
    last = ""
    for line in process.stdout:
        print(line, end="", flush=True)
        last = line if " in " in line and _COUNT.search(line) else last
    for count, what in _COUNT.findall(last):
        kind = "failed" if what.startswith("error") else what
        totals[kind] = totals.get(kind, 0) + int(count)
    return process.wait() in (0, NO_TESTS)


def main(words: list[str]) -> int:
    """Run the gate; its exit code."""
    began = time.monotonic()
    good = True
    if not words:
        for name, command in CHECKS.items():
            good &= check(name, command)
    totals = {"passed": 0}
    for name, options in TESTS.items():
        good &= tests(name, options, words, totals)
    if not totals["passed"]:
        good = False
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(totals.items()))
    heading("all of it")
    print("the gate is open" if good else "the gate is shut: see above", flush=True)
    print(f" {counts} in {time.monotonic() - began:.2f}s ".center(79, "="), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
