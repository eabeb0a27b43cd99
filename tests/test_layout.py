"""The tests mirror the tree, so that whoever changes a module finds its tests."""

from __future__ import annotations

from pathlib import Path

from tests.support.house import ROOT, sources

ELSEWHERE: dict[str, str] = {
    "amctl/cli/began.py": "tests/cli/test_start.py",
    "amctl/cli/views/doctor.py": "tests/cli/test_doctor.py",
    "amctl/cli/views/profiles.py": "tests/cli/test_profile.py",
    "amctl/dump/model.py": "tests/dump/test_memory.py",
    "amctl/graph/model.py": "tests/graph/test_build.py",
    "amctl/machine/explanation.py": "tests/machine/test_explain.py",
    "amctl/repl/command.py": "tests/repl/test_registry.py",
    "amctl/repl/errors.py": "tests/cli/test_errors.py",
    "amctl/repl/peer.py": "tests/repl/test_fleet.py",
    "amctl/rpc/answers.py": "tests/rpc/test_asking.py",
    "amctl/repl/why/asking.py": "tests/cli/test_why.py",
    "amctl/repl/why/errors.py": "tests/repl/why/test_live.py",
    "amctl/repl/why/model.py": "tests/repl/why/test_following.py",
    "amctl/run/errors.py": "tests/cli/test_errors.py",
    "amctl/run/values.py": "tests/run/test_settings.py",
    "amctl/vis/options.py": "tests/vis/test_presets.py",
    "amctl/vis/view.py": "tests/vis/test_select.py",
}
"""Module -> the test file that covers it although its name says otherwise."""


def place(path: Path) -> Path:
    """Where the tests of a module belong."""
    parts = path.parts[1:] if path.parts[0] == "amctl" else path.parts
    return Path("tests", *parts[:-1], f"test_{path.name}")


def test_every_public_module_has_its_test_file() -> None:
    modules = [p for p in sources() if not p.name.startswith("_")]
    homes = {str(p): Path(ELSEWHERE.get(str(p), place(p))) for p in modules}
    assert {p: str(home) for p, home in homes.items() if not (ROOT / home).is_file()} == {}


def test_no_exception_is_stale() -> None:
    stale = [p for p in ELSEWHERE if not (ROOT / p).is_file() or (ROOT / place(Path(p))).is_file()]
    assert stale == []


def test_test_folders_stand_beside_rooms() -> None:
    free = {"cases", "chaos", "conformance", "dags", "e2e", "fuzz", "golden", "support"}
    free |= {"faults", "__pycache__"}
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir()} - free
    rooms = {p.name for p in (ROOT / "amctl").iterdir() if p.is_dir()} | {"nodes"}
    assert folders <= rooms
