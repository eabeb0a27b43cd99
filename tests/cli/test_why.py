"""`amctl why`: what it prints and how it ends, on machines without a network."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from amctl.cli import _operating as operating
from amctl.cli.exitcodes import ExitCode
from amctl.cli.main import run
from amctl.machine.explanation import Explanation, Kind
from amctl.repl.command import Context
from amctl.repl.errors import NothingRunsError
from amctl.repl.why import asking
from amctl.repl.why.errors import NoSuchMachineError, NoSuchStateError
from amctl.repl.why.model import Node, Via
from amctl.repl.why.report import report_of
from tests.repl.why.tapes import Tape

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from amctl.cli._operating import Reach
    from amctl.cli.options import GlobalOptions

    Printed = Callable[..., tuple[int, str, str]]


class World:
    """What is asked for, and what is answered."""

    def __init__(self) -> None:
        self.reach: Reach | None = None
        self.asked: tuple[Any, ...] = ()
        self.error: Exception | None = None
        found = Explanation("m", "A", "add", Kind.NEVER_ASKED, "A never was active", "add A")
        self.report = report_of(
            Node("m", "A", Via.ASKED, found.kind, found.sentence, found.remedy, False)
        )

    @contextlib.asynccontextmanager
    async def reaching(self, options: GlobalOptions, reach: Reach) -> AsyncIterator[Context]:
        self.reach = reach
        if isinstance(self.error, NothingRunsError):
            raise self.error
        yield Context(None)  # type: ignore[arg-type]  # nobody looks

    async def live(self, fleet: object, *words: str, **options: object) -> object:
        self.asked = (*words, options)
        if self.error is not None:
            raise self.error
        return self.report


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(operating, "reaching", made.reaching)
    monkeypatch.setattr(asking, "why_live", made.live)
    return made


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    def amctl(*argv: str) -> tuple[int, str, str]:
        code = run(["why", *argv])
        out, err = capsys.readouterr()
        return code, out, err

    return amctl


def test_an_answer_is_lines_on_stdout(world: World, printed: Printed) -> None:
    code, out, err = printed("m", "A", "--patience", "500ms", "--depth", "3", "--remove")
    assert (code, err) == (ExitCode.DONE, "")
    assert out == (
        "m A: not active\n  blame: A never was active\n  remedy: add A\n"
        "  because A never was active\n"
    )
    assert world.asked == ("m", "A", "remove", {"depth": 3, "patience": 0.5})


def test_an_active_state_is_explained_as_well(world: World, printed: Printed) -> None:
    world.report = report_of(Node("m", "A", Via.ASKED, Kind.ACTIVE, "A is active", "", True))
    code, out, _ = printed("m", "A")
    assert (code, out.splitlines()[0]) == (ExitCode.DONE, "m A: active")
    assert world.asked == ("m", "A", "add", {"depth": 12, "patience": 3.0})


def test_json_is_one_document(world: World, printed: Printed) -> None:
    code, out, _ = printed("m", "A", "--json")
    data = json.loads(out)
    assert code == 0
    assert data["blame"]["kind"] == "never asked"
    assert data["chain"]["sentence"] == "A never was active"


@pytest.mark.parametrize(
    ("words", "reach"),
    [
        (["-d", "x"], (None, "x", False, True)),
        (["--file", "x"], (None, "x", True, False)),
        (["--addr", "h:1"], (None, "h:1", False, False)),
        ([], (None, None, False, False)),
    ],
)
def test_where_machines_are(
    world: World, printed: Printed, words: list[str], reach: tuple[Any, ...]
) -> None:
    assert printed("m", "A", *words)[0] == 0
    assert world.reach is not None
    assert (world.reach.target, world.reach.file, world.reach.dir) == reach[1:]


@pytest.mark.parametrize(
    ("error", "code", "hint"),
    [
        (NothingRunsError("tmp", "no file"), 4, "start something"),
        (NoSuchMachineError("orchestratr", ["orchestrator"]), 3, "did you mean 'orchestrator'"),
        (NoSuchStateError("m", "Redy", ["Ready"]), 3, "did you mean 'Ready'"),
        (NoSuchStateError("m", "Zzz", ["Ready"]), 3, "list them"),
        (NoSuchMachineError("zzz", ["m"]), 3, "amctl mach list"),
        (NoSuchMachineError("zzz", ["m"], "recording"), 3, "amctl dump list"),
    ],
)
def test_errors_have_codes_and_hints(
    world: World, printed: Printed, error: Exception, code: int, hint: str
) -> None:
    world.error = error
    found, out, err = printed("m", "A")
    assert (found, out) == (code, "")
    assert hint in err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["m"], "no state is named"),
        (["m", "A", "--at", "end"], "only a recording has moments"),
        (["m", "A", "--dump", "x", "--remove"], "can't tell why a state stays"),
        (["m", "A", "--dir", "x", "--addr", "h:1"], "exclude each other"),
        (["m", "A", "--patience", "soon"], "no duration"),
    ],
)
def test_usage(world: World, printed: Printed, words: list[str], problem: str) -> None:
    code, _, err = printed(*words)
    assert code == ExitCode.USAGE
    assert problem in err


# -- recordings


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """A run of one machine whose A needs B."""

    async def made() -> Path:
        tape = Tape()
        machine = tape.machine("m", {"A": {"require": ["B"]}, "B": {}})
        machine.add("A")
        machine.add("B")
        machine.remove("B")
        machine.dispose()
        return tape.write(tmp_path / "run.sqlite")

    return asyncio.run(made())


def test_a_recording_is_asked_as_it_was_before_its_end(dump: Path, printed: Printed) -> None:
    code, out, err = printed("--dump", str(dump), "m", "A")
    assert code == 0
    assert "B of m: B ended at" in out
    assert "--at end is the very end" in err
    assert "amctl mach" not in out


def test_a_moment_of_a_recording(dump: Path, printed: Printed) -> None:
    _, out, err = printed("m", "A", "--dump", str(dump), "--at", "m:B")
    assert err == ""
    assert "A is not active: [add] A was refused" in out
    _, out, _ = printed("m", "A", "--dump", str(dump), "--at", "end", "--json")
    assert json.loads(out)["blame"]["kind"] == "disposed"


def test_the_last_runs_recording_is_the_default(
    dump: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPL_DIR", str(dump.parent))
    dump.rename(dump.with_name("am-dbg-dump.sqlite"))
    code, out, _ = printed("--dump", "m", "A")
    assert code == 0
    assert out.startswith("m A: not active")


def test_a_bad_recording_and_unknown_names(dump: Path, printed: Printed, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"")
    assert printed("--dump", str(tmp_path / "bad"), "m", "A")[0] == ExitCode.BAD_INPUT
    assert printed("--dump", str(tmp_path / "none"), "m", "A")[0] == ExitCode.BAD_INPUT
    code, _, err = printed("--dump", str(dump), "mm", "A")
    assert (code, "holds no machine 'mm'" in err) == (ExitCode.NOTHING_MATCHED, True)
    assert printed("--dump", str(dump), "m", "X")[0] == ExitCode.NOTHING_MATCHED
    assert printed("--dump", str(dump), "m", "A", "--at", "x")[0] == ExitCode.USAGE
