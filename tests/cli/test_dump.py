"""`amctl dump`: real files through every command, documents, exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import typer

from amctl.cli._dump_work import is_dump
from amctl.cli.dump import DumpFormat
from amctl.cli.errors import exit_code_of
from amctl.cli.exitcodes import ExitCode
from amctl.cli.lazy import LazyGroup
from amctl.cli.options import GlobalOptions
from amctl.dump.copying import copy
from amctl.dump.errors import (
    DumpExistsError,
    DumpFormatError,
    DumpNotFoundError,
    UnknownFormatError,
    UnknownMachineError,
    UnknownTransitionError,
)
from amctl.dump.opening import open_dump
from amctl.dump.writing import FORMATS, new_writer
from amctl.graph.errors import NothingMatchedError
from amctl.machine.lines import LogLine
from amctl.telemetry.messages import GapMsg, SchemaMsg, TxMsg
from tests.dump.test_fetching import says, served
from tests.support.recordings import BEGAN, lamp
from tests.support.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.dump.memory import MemoryDump

DATA = SHARED / "data"


class Root(LazyGroup):
    """As `amctl`, with one command."""

    modules: ClassVar[dict[str, str]] = {"dump": "amctl.cli.dump"}


root = typer.Typer(cls=Root, add_completion=False)
root.command("dump", help="A stub.")(lambda: None)


@root.callback()
def shared(
    ctx: typer.Context,
    config: str = typer.Option(None, "-c", "--config"),
    quiet: bool = typer.Option(False, "-q/ ", "--quiet/--no-quiet"),
) -> None:
    """The root's options."""
    ctx.obj = GlobalOptions(config, quiet=quiet)


def run(*words: str) -> int:
    command: Any = typer.main.get_command(root)
    result = command.main(["dump", *words], prog_name="amctl", standalone_mode=False)
    assert isinstance(result, int)
    return result


def house() -> MemoryDump:
    """A lamp, and a switch with a log."""
    dump = lamp()
    dump.write(SchemaMsg("switch", ("Up", "ErrStuck"), {}, parent="lamp", tags=("wall",)))
    logs = (LogLine(2, "[state] +Up"),)
    dump.write(TxMsg("switch", "aa", (1, 0), called=(0,), time_ns=BEGAN + 10**9, logs=logs))
    dump.write(
        TxMsg("switch", "aa-0", (1, 0), called=(1,), is_queued=True, time_ns=BEGAN + 2 * 10**9)
    )
    return dump


def lay(path: Path, dump: MemoryDump | None = None) -> str:
    writer = new_writer(path)
    copy(dump or house(), writer)
    writer.finish()
    return str(path)


@pytest.fixture
def sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return lay(tmp_path / "house.sqlite")


def out(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(out(capsys))


# -- list


def test_list_shows_machines_as_a_tree(sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", sqlite) == 0
    name, counts, empty, head, *rows = out(capsys).splitlines()
    assert (name, empty) == (sqlite, "")
    assert counts == "2 machines, 5 transitions in 2.0 s from 2023-11-14 22:13:20.124 UTC"
    assert head.split() == ["machine", "states", "txs", "from", "to", "active", "at", "the", "end"]
    assert [row.split() for row in rows] == [
        ["lamp", "6", "3", "0.000", "0.002", "Plugged,", "On,", "Warm"],
        ["switch", "2", "2", "0.999", "1.999", "Up"],
    ]
    assert rows[1].startswith("  switch")


def test_list_as_a_document(sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--json", sqlite) == 0
    made = document(capsys)
    assert (made["dump"], made["format"], made["transitions"]) == (sqlite, "sqlite", 5)
    assert [machine["id"] for machine in made["machines"]] == ["lamp", "switch"]


def test_list_takes_the_last_runs_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPL_DIR", raising=False)
    config = tmp_path / "config.env"
    config.write_text(f"REPL_DIR={tmp_path}\n")
    with pytest.raises(DumpNotFoundError):
        run("-c", str(config), "list")
    lay(tmp_path / "am-dbg-dump.sqlite")
    for words in (["list"], ["inspect"], ["verify"], ["export"]):
        assert run("-c", str(config), *words) == 0
    assert "lamp" in out(capsys)


def test_an_empty_recording_is_a_document_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lay(tmp_path / "x.jsonl", lamp().__class__())
    assert run("list", path, "--json") == 0
    assert document(capsys)["machines"] == []
    assert run("inspect", path, "--json") == 0
    assert document(capsys)["transitions"] == []


# -- inspect


def ids(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines()]


LAMP = [f"{number:016x}" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], [*LAMP, "aa", "aa-0"]),
        (["lamp"], LAMP),
        (["parent:lamp"], ["aa", "aa-0"]),
        (["tag:wall"], ["aa", "aa-0"]),
        (["state:Warm"], LAMP),
        (["!sw*"], LAMP),
        (["mach://switch"], ["aa", "aa-0"]),
        (["--grep", "errbulb|stuck"], [LAMP[2], "aa-0"]),
        (["--grep", "ERRBULB"], []),
        (["--from", "0.5", "--until", "1.5s"], ["aa"]),
        (["--from", "2023-11-14T22:13:22Z"], ["aa-0"]),
        (["-n", "2"], LAMP[:2]),
        (["--limit", "0"], [*LAMP, "aa", "aa-0"]),
    ],
)
def test_inspect_lists_what_is_asked_for(
    sqlite: str, capsys: pytest.CaptureFixture[str], words: list[str], found: list[str]
) -> None:
    assert run("inspect", sqlite, *words) == 0
    assert ids(out(capsys)) == found


@pytest.mark.parametrize(
    ("word", "is_one"),
    [
        ("orchestrator", False),
        ("rs-*,!x", False),
        ("mach://lamp/1", False),
        ("no.sqlite", True),
        ("some/where", True),
        ("http://127.0.0.1/x", True),
        ("house.sqlite", True),
    ],
)
def test_a_word_alone_is_a_recording_if_it_looks_like_one(
    sqlite: str, word: str, is_one: bool
) -> None:
    assert is_dump(word) is is_one


def test_inspect_looks_into_the_last_run_for_a_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPL_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    lay(tmp_path / "am-dbg-dump.sqlite")
    assert run("inspect", "switch") == 0
    assert ids(out(capsys)) == ["aa", "aa-0"]


def test_inspect_says_if_there_is_more(sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (["-n", "2"], "these are the first 2; --limit 0 shows all\n"),
        (["-n", "5"], ""),
        (["--grep", "nothing"], "no transition fits\n"),
    ):
        run("inspect", sqlite, *words)
        assert capsys.readouterr().err == said


def test_inspect_shows_steps_and_logs(sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("inspect", sqlite, "--steps", "--logs")
    lines = [line.strip() for line in out(capsys).splitlines()]
    assert "On require Plugged" in lines
    assert "2 [state] +Up" in lines


def test_inspect_as_documents(sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("inspect", sqlite, "lamp", "--json", "-n", "2")
    made = document(capsys)
    assert (made["dump"], made["more"]) == (sqlite, True)
    assert [tx["id"] for tx in made["transitions"]] == LAMP[:2]
    run("inspect", sqlite, "--jsonl")
    made = [json.loads(line) for line in out(capsys).splitlines()]
    assert [tx["id"] for tx in made] == [*LAMP, "aa", "aa-0"]


def test_inspect_tells_all_about_one(sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("inspect", sqlite, f"mach://lamp/{LAMP[1]}")
    shown = capsys.readouterr()
    assert shown.err == ""
    lines = shown.out.splitlines()
    assert lines[:2] == [f"mach://lamp/{LAMP[1]}", "+On (hand=left)"]
    assert "came from mach://person/00000000000000aa at 7" in lines
    assert "active    Plugged, On, Warm" in lines
    assert "  On require Plugged" in lines
    run("inspect", sqlite, "mach://lamp?t=5", "--json")
    assert [tx["id"] for tx in document(capsys)["transitions"]] == [LAMP[1]]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["mach://nobody"], UnknownMachineError),
        (["mach://lamp/ffff"], UnknownTransitionError),
        (["nobody"], NothingMatchedError),
    ],
)
def test_what_isnt_there_ends_with_3(sqlite: str, words: list[str], error: type) -> None:
    with pytest.raises(error) as caught:
        run("inspect", sqlite, *words)
    assert exit_code_of(caught.value) == ExitCode.NOTHING_MATCHED


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--grep", "("], "--grep '(' is no regular expression"),
        (["--from", "noon"], "--from 'noon' is no time"),
        (["--until", "2023-99"], "--until '2023-99' is no time"),
    ],
)
def test_bad_words_are_usage_errors(sqlite: str, words: list[str], told: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        run("inspect", sqlite, *words)
    assert told in str(caught.value)


# -- export, import


@pytest.mark.parametrize("format", FORMATS)
def test_export_writes_every_format(
    sqlite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    path = tmp_path / f"x.{format}"
    assert run("export", sqlite, "-o", str(path)) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"{path}: 5 transitions of {sqlite}\n")
    assert path.stat().st_size > 100
    with pytest.raises(DumpExistsError):
        run("export", sqlite, "-o", str(path))
    assert run("export", sqlite, "-o", str(path), "--force") == 0


def test_every_format_can_be_named() -> None:
    assert tuple(each.value for each in DumpFormat) == FORMATS


def test_export_writes_text_to_stdout(sqlite: str, capfdbinary: Any) -> None:
    assert run("export", sqlite) == 0
    assert capfdbinary.readouterr().out.startswith(b'{"format":"amctl-dump"')
    assert run("export", sqlite, "--format", "md", "-o", "-") == 0
    assert capfdbinary.readouterr().out.startswith(b"# house.sqlite")
    with pytest.raises(typer.BadParameter, match="needs a file"):
        run("export", sqlite, "--format", "gob.br")


def test_export_writes_a_part(sqlite: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    words = ["-m", "lamp", "--machine", "sw*", "--until", "1.5", "-o", str(path)]
    assert run("export", sqlite, *words) == 0
    dump = open_dump(path)
    assert [tx.id for tx in dump.transitions()] == [*LAMP, "aa"]
    assert dump.meta["name"] == "house.sqlite"


def test_a_part_of_nobody_is_no_part(sqlite: str, tmp_path: Path) -> None:
    with pytest.raises(NothingMatchedError):
        run("export", sqlite, "-m", "nobody", "-o", str(tmp_path / "x.jsonl"))
    assert not (tmp_path / "x.jsonl").exists()


def test_an_export_that_fails_leaves_nothing(sqlite: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError):
        run("export", sqlite, "-o", str(tmp_path / "x.txt"))
    broken = tmp_path / "cut.jsonl"
    lay(broken)
    text = broken.read_text().splitlines()
    broken.write_text("\n".join([*text[:3], "{}", *text[3:]]))
    with pytest.raises(DumpFormatError, match="line 4"):
        run("export", str(broken), "-o", str(tmp_path / "y.sqlite"))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["cut.jsonl", "house.sqlite"]


def test_reports_show_so_many(sqlite: str, capfdbinary: Any) -> None:
    assert run("export", sqlite, "--format", "md", "--limit", "2") == 0
    assert b"Showing 2 of 5" in capfdbinary.readouterr().out


def test_import_makes_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path / "house.gob.br")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert run("import", "../house.gob.br") == 0
    assert run("import", "../house.gob.br", "-o", "other") == 0
    for name in ("house.sqlite", "other"):
        with open_dump(name) as dump:  # type: ignore[attr-defined]
            assert (dump.format, dump.count()) == ("sqlite", 5)


@pytest.mark.parametrize("output", ["x.md", "x.GOB.BR", "-"])
def test_import_makes_nothing_else(sqlite: str, output: str) -> None:
    with pytest.raises(typer.BadParameter, match="import makes an SQLite file"):
        run("import", sqlite, "-o", output)


# -- merge


def test_merge_makes_one(sqlite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = lay(tmp_path / "lamp.gob.br", lamp())
    assert run("merge", sqlite, other, "-o", "all.jsonl.zst", "--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {
        "machines": 2,
        "transitions": 5,
        "duplicates": 3,
        "conflicts": [],
    }
    assert shown.err == (
        "all.jsonl.zst: 5 transitions of 2 machines; 3 were in more than one recording\n"
    )
    assert open_dump("all.jsonl.zst").meta["name"] == "house.sqlite, lamp.gob.br"


def test_merge_tells_what_cant_be_of_one_run(
    sqlite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = lamp().__class__()
    other.write(SchemaMsg("switch", ("Up", "ErrStuck"), {}))
    other.write(TxMsg("switch", "aa", (7, 0), time_ns=BEGAN + 10**9))
    assert run("merge", sqlite, lay(tmp_path / "other.jsonl", other), "-o", "x.jsonl") == 0
    assert "warning: machine 'switch': an id stands for different transitions" in (
        capsys.readouterr().err
    )


# -- verify


def test_verify_says_what_is_whole(sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", sqlite) == 0
    assert out(capsys).startswith(f"{sqlite}: whole, 5 transitions of 2 machines\n")
    assert run("verify", sqlite, "--json") == 0
    made = document(capsys)
    assert (made["ok"], made["problems"]) == (True, [])


def test_verify_ends_with_7_at_damage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.jsonl.zst"
    lay(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    assert run("verify", str(path)) == ExitCode.BAD_INPUT
    assert "damaged: " in out(capsys)
    assert run("verify", str(path), "--json") == ExitCode.BAD_INPUT
    assert document(capsys)["ok"] is False
    for content in (b"", b"hello", b"SQLite format 3\0" + b"x" * 5000):
        path.write_bytes(content)
        assert run("verify", str(path)) == ExitCode.BAD_INPUT


@pytest.mark.realtime
def test_verify_of_a_url(sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    with open(sqlite, "rb") as file, served(says(body=file.read())) as url:
        assert run("verify", url, "--json") == 0
    made = document(capsys)
    assert (made["dump"], made["format"], made["transitions"]) == (url, "sqlite", 5)


def test_verify_tells_gaps_which_are_no_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = house()
    dump.write(GapMsg(7, "outbox full"))
    assert run("verify", lay(tmp_path / "x.sqlite", dump)) == 0
    assert "missing: 7 messages, as the recording says" in out(capsys)


def test_verify_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DumpNotFoundError):
        run("verify", str(tmp_path / "no.sqlite"))


# -- diff


def test_diff_of_equal_ones(
    sqlite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = lay(tmp_path / "x.jsonl")
    assert run("diff", sqlite, other) == 0
    assert out(capsys) == "equal: 2 machines and 4 transitions\n"


def test_diff_names_where_they_part(
    sqlite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = lamp()
    other.write(TxMsg("lamp", "zz", (2, 1, 2, 1, 0, 0), 1, (0,), time_ns=BEGAN + 4 * 10**6))
    path = lay(tmp_path / "x.jsonl", other)
    assert run("diff", sqlite, path) == ExitCode.FAILED
    text = out(capsys)
    assert "only in A: switch" in text
    assert "first divergence: lamp at 0.003000 s, only B goes on" in text
    assert run("diff", sqlite, path, "--json") == ExitCode.FAILED
    made = document(capsys)
    assert made["equal"] is False
    assert made["machines_only_a"] == ["switch"]
    assert made["first"]["machine"] == "lamp"
    assert made["first"]["b"]["id"] == "zz"
    assert made["machines"][0]["only_b"] == 1


# -- the group


def test_without_a_command_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    command: Any = typer.main.get_command(root)
    command.main(["dump"], prog_name="amctl", standalone_mode=False)
    assert "amctl dump list" in out(capsys)


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "machines", "count"),
    [("wasm-workflow.gob.br", 27, 751), ("am-dbg-sim.gob.br", 107, 7605)],
)
def test_the_originals_recordings_go_through_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, machines: int, count: int
) -> None:
    source = str(DATA / name)
    for ending in ("sqlite", "jsonl.zst", "gob.br"):
        path = str(tmp_path / f"x.{ending}")
        assert run("export", source, "-o", path) == 0
        assert run("diff", source, path) == 0
        capsys.readouterr()
        assert run("verify", path, "--json") == 0
        made = document(capsys)
        assert (made["machines"], made["transitions"]) == (machines, count)
        source = path
    assert run("diff", str(DATA / name), source) == 0
