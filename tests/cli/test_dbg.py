"""`amctl dbg`: its flags, and what it says without a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.cli._dbg_work import filters_of, size_of
from amctl.cli.main import run
from amctl.debugger.filters import Auto, Filters
from amctl.dump.copying import messages_of
from amctl.dump.sqlite import SqliteWriter
from tests.debugger.panes import lamp

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def recorded(tmp_path: Path) -> str:
    path = tmp_path / "lamp.sqlite"
    writer = SqliteWriter(path)
    for message in messages_of(lamp()):
        writer.write(message)
    writer.finish()
    return str(path)


def test_the_screen_as_text(recorded: str, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--text", "--size", "120x30", "--filter-canceled", "--view-timelines", "2"]
    assert run(["dbg", "-i", recorded, "mach://lamp?t=4&state=On", *flags]) == 0
    out, _ = capsys.readouterr()
    assert "mach://lamp/" in out
    assert "Schema:4" in out
    assert "[ ]canceled" in out
    assert "Next    | tx: " in out
    assert len(out.splitlines()) <= 30


def test_it_needs_a_terminal(recorded: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dbg", "-i", recorded]) == 2
    assert "--text" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["mach://nobody", "--text"], 3, "nobody"),
        (["lamp", "--text"], 2, "mach://"),
        (["--text", "--size", "9x9"], 2, "not between"),
        (["--text", "--size", "wide"], 2, "no size"),
        (["--text", "-l", "127.0.0.1:0"], 2, "leave -l out"),
    ],
)
def test_mistakes_are_told(
    recorded: str, words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["dbg", "-i", recorded, *words]) == code
    assert said in capsys.readouterr().err


def test_a_recording_that_is_none_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.gob.br"
    path.write_bytes(b"\x00" * 99)
    assert run(["dbg", "-i", str(path), "--text"]) == 7
    assert run(["dbg", "-i", str(tmp_path / "none.sqlite"), "--text"]) == 7
    assert "error:" in capsys.readouterr().err


def test_flags_of_filters() -> None:
    assert filters_of(None, None) == Filters()
    assert filters_of(True, None).auto is Auto.HIDE
    assert filters_of(None, False).auto is Auto.SHOW
    assert filters_of(False, None).auto is Auto.HIDE_CANCELED
    assert filters_of(None, None, canceled=True, health=False) == Filters(
        canceled=True, health=False
    )


def test_sizes() -> None:
    assert size_of("120x40") == (120, 40)
    assert len(size_of("")) == 2
