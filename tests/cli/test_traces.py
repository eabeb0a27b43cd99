"""`amctl traces`: real files through every command, documents, exit codes."""

from __future__ import annotations

import gzip
import json
import shutil
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import typer

from amctl.cli import _traces_work
from amctl.cli.errors import exit_code_of
from amctl.cli.exitcodes import ExitCode
from amctl.cli.lazy import LazyGroup
from amctl.cli.options import GlobalOptions
from amctl.traces.errors import (
    NoSpanError,
    TraceFormatError,
    TraceNotFoundError,
    TraceOutputError,
    UnknownTraceError,
)
from tests.traces.made import CASE, recorded
from tests.traces.test_perfetto import faults

if TYPE_CHECKING:
    from pathlib import Path


class Root(LazyGroup):
    """As `amctl`, with one command."""

    modules: ClassVar[dict[str, str]] = {"traces": "amctl.cli.traces"}


root = typer.Typer(cls=Root, add_completion=False)
root.command("traces", help="A stub.")(lambda: None)


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
    result = command.main(["traces", *words], prog_name="amctl", standalone_mode=False)
    assert isinstance(result, int)
    return result


def out(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(out(capsys))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place to work in, without a display, a hundred columns wide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def run_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the last run, as the settings name it."""
    place = folder / "run"
    place.mkdir()
    monkeypatch.setenv("REPL_DIR", str(place))
    shutil.copy(CASE, place / "traces.jsonl")
    return place


TRACE = recorded().trace_id


class TestList:
    def test_of_the_last_run_as_one_document(
        self, run_folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("list", "--json") == ExitCode.DONE
        (one,) = document(capsys)
        assert list(one)[:4] == ["trace_id", "started", "spans", "services"]
        assert (one["trace_id"], one["spans"]) == (TRACE, 368)
        assert one["services"][0] == "orchestrator"
        assert len(one["services"]) == 5

    def test_as_a_table(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("list", str(CASE)) == ExitCode.DONE
        lines = out(capsys).splitlines()
        assert len(lines) == 2
        assert lines[1].startswith(TRACE)

    def test_earlier_runs_only_if_asked(
        self, run_folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        other = CASE.read_text().replace(TRACE, "1" * 32)
        (run_folder / "traces.1.jsonl").write_text(other)
        run("list", "--json")
        assert len(document(capsys)) == 1
        run("list", "--all", "--json")
        assert {one["trace_id"] for one in document(capsys)} == {TRACE, "1" * 32}

    def test_an_empty_file_is_an_empty_list(
        self, run_folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (run_folder / "traces.jsonl").write_text("")
        assert run("list", "--json") == ExitCode.DONE
        assert document(capsys) == []

    def test_damage_is_told_on_stderr(
        self, run_folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with (run_folder / "traces.jsonl").open("a") as file:
            file.write('oops\n{"resourceSpans":[{"res')
        assert run("list", "--json") == ExitCode.DONE
        captured = capsys.readouterr()
        assert json.loads(captured.out)[0]["spans"] == 368
        assert "1 damaged line left out" in captured.err


class TestShow:
    def test_the_last_trace_of_the_last_run(
        self, run_folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("show") == ExitCode.DONE
        lines = out(capsys).splitlines()
        assert lines[0] == f"trace {TRACE}"
        assert max(map(len, lines)) <= 100

    def test_a_word_is_a_trace_or_a_file(
        self, run_folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        seen = []
        for words in ((TRACE[:8],), (str(CASE),), (TRACE[:8], str(CASE))):
            run("show", *words, "--depth", "1")
            seen.append(out(capsys))
        assert len(set(seen)) == 1

    def test_a_retry_shows_whose_decision_it_was(self, capsys: pytest.CaptureFixture[str]) -> None:
        run("show", str(CASE), "--service", "browser3", "--grep", r"\[add\] Retrying")
        lines = [
            line.split("  ")[0] if "<-" not in line else line for line in out(capsys).split("\n")
        ]
        assert any("<- browser2 [add] Browser3Retry" in line for line in lines)

    @pytest.mark.parametrize(
        ("flags", "kinds"),
        [
            (("--no-transitions",), {"machine", "states", "state"}),
            (("--depth", "1"), {"machine"}),
            (("--min", "1s"), {"machine", "states", "state"}),
            (("--grep", "ServerPayloadEnter"), {"machine", "transitions", "transition"}),
        ],
    )
    def test_filters(
        self, flags: tuple[str, ...], kinds: set[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        run("show", str(CASE), "--json", *flags)
        assert {span["kind"] for span in document(capsys)["spans"]} == kinds

    def test_machines_and_services_are_patterns(self, capsys: pytest.CaptureFixture[str]) -> None:
        for flag in ("--machine", "--service"):
            run("show", str(CASE), "--json", flag, "browser*,!browser2")
            found = {span["service"] for span in document(capsys)["spans"]}
            assert found == {"browser1", "browser3", "browser4"}

    def test_all_has_every_span(self, capsys: pytest.CaptureFixture[str]) -> None:
        run("show", str(CASE), "--json", "--all")
        assert len({span["span_id"] for span in document(capsys)["spans"]}) == 368

    def test_width_is_as_wished(self, capsys: pytest.CaptureFixture[str]) -> None:
        for columns in (20, 60, 140):
            run("show", str(CASE), "--width", str(columns), "--links")
            assert max(map(len, out(capsys).splitlines())) <= columns

    @pytest.mark.parametrize("flags", [("--errors",), ("--grep", "no such thing"), ("--min", "9h")])
    def test_nothing_left_is_an_error(self, flags: tuple[str, ...]) -> None:
        with pytest.raises(NoSpanError) as caught:
            run("show", str(CASE), *flags)
        assert flags[0] in str(caught.value)
        assert exit_code_of(caught.value) is ExitCode.NOTHING_MATCHED

    def test_a_wrong_name_has_a_hint(self) -> None:
        with pytest.raises(NoSpanError) as caught:
            run("show", str(CASE), "--service", "browser33")
        assert caught.value.hint == "did you mean 'browser3'?"

    @pytest.mark.parametrize("flags", [("--grep", "["), ("--min", "soon"), ("--machine", "re:[")])
    def test_what_is_no_filter_is_refused(self, flags: tuple[str, ...]) -> None:
        with pytest.raises(typer.BadParameter):
            run("show", str(CASE), *flags)


class TestFiles:
    def test_what_is_no_trace_has_its_exit_code(self, folder: Path) -> None:
        (folder / "no.jsonl").write_text("hello\n")
        for error, words in (
            (TraceFormatError, ("list", "no.jsonl")),
            (TraceNotFoundError, ("show", "gone.jsonl")),
        ):
            with pytest.raises(error) as caught:
                run(*words)
            assert exit_code_of(caught.value) is ExitCode.BAD_INPUT

    def test_without_a_run_there_is_a_hint(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REPL_DIR", str(folder))
        with pytest.raises(TraceNotFoundError) as caught:
            run("list")
        assert "amctl start" in caught.value.hint

    def test_an_unknown_trace_is_nothing_matched(self, run_folder: Path) -> None:
        with pytest.raises(UnknownTraceError) as caught:
            run("show", "ffff")
        assert exit_code_of(caught.value) is ExitCode.NOTHING_MATCHED


class TestExport:
    @pytest.mark.parametrize("format", ["otlp", "jaeger"])
    def test_what_is_written_can_be_read(
        self, format: str, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("export", str(CASE), "--format", format, "-o", "t.json") == ExitCode.DONE
        assert "wrote t.json" in capsys.readouterr().err
        run("list", "t.json", "--json")
        assert document(capsys)[0]["spans"] == 368

    def test_stdout_by_default(self, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        assert run("export", str(CASE)) == ExitCode.DONE
        assert len(json.loads(capfdbinary.readouterr().out)["resourceSpans"]) == 5

    def test_perfetto(self, folder: Path) -> None:
        run("export", str(CASE), "--format", "perfetto", "-o", "deep/t.json")
        assert faults(json.loads((folder / "deep" / "t.json").read_text())) == []

    def test_what_can_not_be_written_is_an_error(self, folder: Path) -> None:
        (folder / "file").write_text("")
        with pytest.raises(TraceOutputError, match="file/t can't be written"):
            run("export", str(CASE), "-o", "file/t")

    def test_gzipped_files_are_read(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "t.jsonl.gz").write_bytes(gzip.compress(CASE.read_bytes()))
        run("list", "t.jsonl.gz", "--json")
        assert document(capsys)[0]["spans"] == 368


class TestOpen:
    def test_the_page_is_written_here_by_default(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("open", str(CASE)) == ExitCode.DONE
        (written,) = folder.glob("*.html")
        assert written.name == f"trace-{TRACE[:12]}.html"
        assert f"wrote {written.name}" in capsys.readouterr().err
        assert TRACE in written.read_text()

    def test_it_is_opened_if_that_is_possible_or_wished(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from amctl.run import browser

        opened: list[str] = []
        monkeypatch.setattr(browser, "can_open", lambda: True)
        monkeypatch.setattr(browser, "open_for_person", lambda url: not opened.append(url))
        run("open", str(CASE), "-o", "a.html")
        run("open", str(CASE), "-o", "b.html", "--no-open")
        monkeypatch.setattr(browser, "can_open", lambda: False)
        run("open", str(CASE), "-o", "c.html")
        run("open", str(CASE), "-o", "d.html", "--open")
        assert [url.rpartition("/")[2] for url in opened] == ["a.html", "d.html"]

    def test_what_can_not_be_shown_is_told(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from amctl.run import browser

        monkeypatch.setattr(browser, "open_for_person", lambda url: False)
        run("open", str(CASE), "-o", "a.html", "--open")
        assert "open a.html in a browser" in capsys.readouterr().err


def test_a_word_with_a_slash_or_ending_is_a_file(folder: Path) -> None:
    (folder / "abc").write_text("")
    words = ("a/b", "x.jsonl", "x.JSON", "abc", "x.gz", "abcd", "0af7")
    assert [_traces_work.is_file(word) for word in words] == [True] * 5 + [False] * 2
