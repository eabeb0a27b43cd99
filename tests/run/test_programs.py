"""Programs: where they are, and what they said."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from amctl.run.programs import run_quietly, search_path, which


def test_programs_beside_this_python_are_found_last() -> None:
    own = str(Path(sys.executable).parent)
    assert search_path({"PATH": "/usr/bin"}).split(os.pathsep) == ["/usr/bin", own]
    assert search_path({"PATH": own}) == own
    assert which("python") is not None


@pytest.mark.realtime
def test_a_program_that_fails_leaves_its_last_words() -> None:
    program = "print('a', *range(9), sep='\\n'); raise SystemExit(3)"
    ran = run_quietly([sys.executable, "-c", program])
    assert ran.code == 3
    assert ran.tail.splitlines() == ["4", "5", "6", "7", "8"]


def test_a_program_that_is_not_there_is_no_exception() -> None:
    ran = run_quietly(["no-such-program-at-all"])
    assert ran.code == 127
    assert "no-such-program-at-all" in ran.tail
