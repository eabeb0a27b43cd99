"""The examples of docs/examples do what they say, and docs/library.md shows all of them."""

from __future__ import annotations

import asyncio
import logging
import runpy
from typing import TYPE_CHECKING

import pytest

from tests.support.house import ROOT
from tests.support.virtual_loop import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = ROOT / "docs" / "examples"
LIBRARY = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")

SAYS = {
    "connection": [
        "[add] Connecting: Connecting",
        "[add] Exception ErrConnecting: Connecting after an error",
        "[add] Connected: Connected",
        "connected, try number 3",
        "[add] Disconnected: Disconnected",
        "without Start: canceled",
    ],
    "fan_out": [
        "a job without a word: canceled",
        "beta is through, 1 of 4",
        "trying again: no luck with gamma",
        "gamma is through, 4 of 4",
        "19 letters; (Job:9 Done:7 AllDone:1 Start:1)",
    ],
    "pipes": [
        "before: (Start:1)",
        "service: the database is ready, says database",
        "service: serving",
        "service: not serving any more",
        "service: the database has failed",
        "piped: Ready->DbReady Ready->DbReady Exception->ErrDb",
        "pipes left: 0",
    ],
}
"""Example -> lines that it prints, in this order, maybe with others between them."""


@pytest.fixture(autouse=True)
def _loud() -> Iterator[None]:
    """Examples silence the engine's log."""
    yield
    logging.getLogger("amctl").setLevel(logging.NOTSET)


@pytest.mark.parametrize("name", SAYS)
def test_an_example_does_what_it_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = runpy.run_path(str(FOLDER / f"{name}.py"))
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(program["main"]())
    out, err = capsys.readouterr()
    assert err == ""
    lines = iter(out.splitlines())
    assert [wanted for wanted in SAYS[name] if wanted not in lines] == []


def test_every_example_is_run_and_shown() -> None:
    names = {path.stem for path in FOLDER.glob("*.py")}
    assert names == set(SAYS)
    assert [name for name in names if f"(examples/{name}.py)" not in LIBRARY] == []
