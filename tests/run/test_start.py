"""The bundle comes before the run, and only if a browser will want it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from amctl.run import start as room
from amctl.run.report import StartOptions
from amctl.run.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Builder:
    """An observer that says when a build begins and ends."""

    def __init__(self, happened: list[str]) -> None:
        self.happened = happened

    @contextlib.contextmanager
    def building(self) -> Iterator[Any]:
        self.happened.append("building")
        yield lambda step, done, total: None
        self.happened.append("built")


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [("browser", ["look for a browser", "building", "build", "built", "run"]), ("local", ["run"])],
)
def test_it_builds_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: Any, expected: list[str]
) -> None:
    happened: list[str] = []

    async def run(*_: Any) -> str:
        happened.append("run")
        return "report"

    monkeypatch.setattr(room, "pick_mode", lambda _: happened.append("look for a browser"))
    monkeypatch.setattr(room, "build_bundle", lambda *_: happened.append("build"))
    monkeypatch.setattr(room, "supervise", run)
    settings = load_settings(None, environ={}, home=tmp_path)
    observer: Any = Builder(happened)
    report: object = room.start(settings, StartOptions(nodes=nodes), observer)
    assert report == "report"
    assert happened == expected
