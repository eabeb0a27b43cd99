"""`amctl dump find`: where an expression became true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typer

from amctl.cli.errors import exit_code_of
from amctl.cli.exitcodes import ExitCode
from amctl.debugger.errors import PredicateError, UnknownStateError
from amctl.dump.errors import DumpFormatError, UnknownMachineError, UnknownTransitionError
from tests.cli.test_dump import document, lay, run
from tests.support.recordings import recording, schema, tx

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.dump.memory import MemoryDump


def house() -> MemoryDump:
    """A lamp that is switched on, off and on again; the hall's follows."""
    return recording(
        schema("lamp", ("On", "Warm")),
        schema("hall", ("On",)),
        tx("lamp", 1, (1, 0), called=(0,)),
        tx("hall", 2, (1,), called=(0,)),
        tx("lamp", 3, (2, 1), called=(0,), type=1),
        tx("lamp", 4, (3, 1), called=(0,)),
        tx("hall", 5, (2,), called=(0,), type=1),
    )


@pytest.fixture
def sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPL_DIR", str(tmp_path))
    return lay(tmp_path / "am-dbg-dump.sqlite", house())


def at(machine: str, number: int) -> str:
    return f"mach://{machine}/{number:016x}"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["lamp", "On"], [at("lamp", 1)]),
        (["lamp", "On", "--back"], [at("lamp", 4)]),
        (["lamp", "On", "-n", "0"], [at("lamp", 1), at("lamp", 4)]),
        (["lamp", "On", "-n", "9", "--back"], [at("lamp", 4), at("lamp", 1)]),
        (["lamp", "!On", "-n", "0"], ["mach://lamp?t=0", at("lamp", 3)]),
        (["lamp", "On:>=2 & Warm"], [at("lamp", 3)]),
        (["lamp", "On & hall.On", "-n", "0"], [at("hall", 2), at("lamp", 4)]),
        (["lamp", "On", "--from", at("lamp", 1)], [at("lamp", 4)]),
        (["lamp", "On", "--from", at("lamp", 4), "--back"], [at("lamp", 1)]),
        (["lamp", "On", "--from", at("hall", 2)], [at("lamp", 4)]),
        (["lamp", "On", "--from", "mach://hall?t=1"], [at("lamp", 4)]),
        (["lamp", "On", "--from", "0.002"], [at("lamp", 4)]),
        (["lamp", "On", "--from", "0.0025", "--back"], [at("lamp", 1)]),
        (["hall", "On & lamp.On", "--from", at("lamp", 3)], [at("lamp", 4)]),
    ],
)
def test_it_prints_where_it_became_true(
    sqlite: str, capsys: pytest.CaptureFixture[str], words: list[str], found: list[str]
) -> None:
    assert run("find", sqlite, *words) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()] == found


def test_a_line_tells_when_and_what(sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("find", "lamp", "On", "--back")
    assert capsys.readouterr().out == f"{at('lamp', 4)}  3/3  0.003000  +On  -> +On\n"


def test_a_document_tells_all_of_it(sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("find", "lamp", "On", "--json") == 0
    made = document(capsys)
    assert (made["machine"], made["expression"], made["more"]) == ("lamp", "On", True)
    assert made["shown"] == "showing 3 of 3, 0 dropped"
    (first,) = made["transitions"]
    assert (first["address"], first["cursor"], first["added"]) == (at("lamp", 1), 1, ["On"])


def test_nowhere_ends_with_3_and_a_document(
    sqlite: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("find", "lamp", "On:>99") == ExitCode.NOTHING_MATCHED
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (
        "",
        "it did not become true; showing 3 of 3, 0 dropped\n",
    )
    assert run("find", "lamp", "On:>99", "--json") == ExitCode.NOTHING_MATCHED
    assert document(capsys)["transitions"] == []


def test_more_than_were_asked_for_is_said(sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("find", "lamp", "On | !On & Warm | !Warm", "-n", "2")
    assert capsys.readouterr().err == ""
    run("find", "hall", "On | lamp.On", "-n", "1")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "error", "code"),
    [
        (["lmp", "On"], UnknownMachineError, 3),
        (["lamp", "Onn"], UnknownStateError, 3),
        (["lamp", "cellar.On"], UnknownStateError, 3),
        (["lamp", "On &"], PredicateError, 2),
        (["lamp", "On", "--from", "mach://lamp/nope"], UnknownTransitionError, 3),
        (["lamp", "On", "--from", "mach://cellar/x"], UnknownMachineError, 3),
    ],
)
def test_what_is_wrong_is_an_error_with_a_code(
    sqlite: str, words: list[str], error: type[Exception], code: int
) -> None:
    with pytest.raises(error) as caught:
        run("find", *words)
    assert exit_code_of(caught.value) == code


@pytest.mark.parametrize("words", [["lamp"], ["a", "b", "c", "d"], ["lamp", "On", "--from", "x"],
                                   ["lamp", "On", "--from", "mach://lamp"]])  # fmt: skip
def test_bad_words_are_usage_errors(sqlite: str, words: list[str]) -> None:
    with pytest.raises(typer.BadParameter):
        run("find", *words)


def test_a_machine_without_transitions_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lay(tmp_path / "empty.sqlite", recording(schema("lamp", ("On",))))
    assert run("find", path, "lamp", "!On") == ExitCode.NOTHING_MATCHED


def test_damage_ends_with_7_behind_what_could_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [tx("lamp", n, (n + 1, 0), called=(0,)) for n in range(30_000)]
    path = lay(tmp_path / "x.sqlite", recording(schema("lamp", ("On", "Warm")), *many))
    file = tmp_path / "x.sqlite"
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(size // 2 // 4096 * 4096)
        opened.write(b"\xff" * 8 * 4096)
    with pytest.raises(DumpFormatError) as caught:
        run("find", path, "lamp", "On")
    assert exit_code_of(caught.value) == ExitCode.BAD_INPUT
