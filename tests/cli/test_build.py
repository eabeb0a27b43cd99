"""`amctl build`: builds, looks, cleans."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amctl.bundle import BuildReport, BuiltFile, NodeMissingError
from amctl.cli import build as room
from amctl.cli.main import run


class World:
    """A bundle that can be stale, and what was done to it."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.happened: list[Any] = []

    def build(self, settings: Any, progress: Any, *, prod: bool | None) -> BuildReport:
        self.happened.append(("build", prod))
        progress("app", 1, 1)
        files = (BuiltFile("app-00.zip", 2_000_000),)
        return BuildReport(bool(self.reasons), bool(prod), "00", 1.5, files, ("a.py",))

    def stale(self, settings: Any, *, prod: bool | None) -> list[str]:
        return self.reasons


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(room, "build_bundle", made.build)
    monkeypatch.setattr(room, "stale_reasons", made.stale)
    monkeypatch.setattr(room, "clean_bundle", lambda _: made.happened.append("clean"))
    return made


@pytest.mark.parametrize(
    ("words", "happened"),
    [
        ([], [("build", None)]),
        (["--prod"], [("build", True)]),
        (["--prod=false"], [("build", False)]),
        (["--clean"], ["clean", ("build", None)]),
        (["--check", "--clean"], []),
    ],
)
def test_flags(world: World, words: list[str], happened: list[Any]) -> None:
    assert run(["build", *words]) == 0
    assert world.happened == happened


def test_the_summary_is_data_and_progress_is_not(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.reasons = ["a.py changed"]
    run(["build", "-v"])
    out, err = capsys.readouterr()
    assert "2.00 MB  app-00.zip" in out
    assert "built in 1.5 s" in out
    assert err == "compiling our code\n"


def test_json_has_the_sizes(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run(["build", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["size"] == 2_000_000
    assert document["files"][0]["path"] == "app-00.zip"


def test_of_a_prod_bundle_both_sizes_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = (BuiltFile("app-00.zip", 2_000_000, brotli=500_000),)
    report = BuildReport(False, True, "00", 0.0, files, ("a.py",))
    monkeypatch.setattr(room, "build_bundle", lambda *_, **__: report)
    run(["build"])
    assert capsys.readouterr().out.splitlines() == [
        "    2.00 MB    0.50 MB sent  app-00.zip",
        "    2.00 MB    0.50 MB sent  web/dist: prod bundle is fresh",
    ]


def test_check_says_what_is_stale_and_exits_1(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.reasons = ["a.py changed"]
    assert run(["build", "--check"]) == 1
    assert capsys.readouterr().out == "stale: a.py changed\n"
    assert run(["build", "--check", "--json"]) == 1
    expected = {"stale": True, "reasons": ["a.py changed"]}
    assert json.loads(capsys.readouterr().out) == expected
    assert world.happened == []


def test_what_is_missing_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise NodeMissingError

    monkeypatch.setattr(room, "build_bundle", fail)
    assert run(["build"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: Node.js isn't installed\nhint: amctl setup installs it\n"


def test_a_bundle_without_a_memory_image_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = BuildReport(
        True, False, "00", 1.5, (), ("a.py",), snapshot_problem="ImportError: no document"
    )
    monkeypatch.setattr(room, "build_bundle", lambda *_, **__: report)
    assert run(["build"]) == 0
    out = capsys.readouterr().out
    assert "no memory image, so pages start slower: ImportError: no document" in out
    assert run(["build", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["snapshot_problem"] == "ImportError: no document"
