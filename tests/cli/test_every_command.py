"""Every command: its help ends in an example that works, and `--json` is one document.

A new command fails here until it stands in JSON (how it is run for its document) or in WORDS (why
it has none). Its example is read by its own parser; those in REAL are run too.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import typer

from amctl.cli.lazy import LazyGroup
from amctl.cli.main import HIDDEN, app, run
from amctl.machine import Args, State
from amctl.repl.command import Context
from amctl.states.basic import BasicStates
from tests.cli.test_dump import lay
from tests.support.fake_fleet import FakeFleet, fleet_of
from tests.support.recordings import recording, schema, tx
from tests.support.small_program import write_project
from tests.support.virtual_loop import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from amctl.dump.memory import MemoryDump

DUMP = "tmp/am-dbg-dump.sqlite"

JSON: dict[str, str | None] = {
    "start": "--nodes local",
    "build": "--check",
    "repl": "-- list",
    "mach list": "",
    "mach show": "orchestrator",
    "mach inspect": "all",
    "mach time": "all --sum",
    "mach add": "orchestrator StartWork",
    "mach remove": "all Working",
    "mach set": "browser1 Start",
    "mach toggle": "browser1 Working --check",
    "mach can": "add all StartWork",
    "mach when": "all Start",
    "mach when-not": "all Exception",
    "mach when-time": "orchestrator -s StartWork -t 1",
    "play": "book.yml --check",
    "why": "orchestrator Working",
    "collect": "-d tmp",
    "dump list": DUMP,
    "dump inspect": f"{DUMP} orchestrator",
    "dump find": f"{DUMP} orchestrator Start --back",
    "dump merge": "1.sqlite 2.sqlite -o all.sqlite",
    "dump verify": DUMP,
    "dump diff": "before.sqlite after.sqlite",
    "vis inspect-dump": DUMP,
    "deps list": "",
    "deps graph": "",
    "relay rotate-dbg": "-d tmp",
    "relay wasm": None,
    "traces list": None,
    "traces show": None,
    "jaeger up": None,
    "jaeger down": "",
    "jaeger status": "",
    "bench collect": "--size 10",
    "bench rpc": "--calls 100",
    "bench engine": "--rounds 1",
    "gen states": "Downloader",
    "gen lint": "nodes.states",
    "bench start": "--runs 1",
    "setup": "--check",
    "doctor": "",
    "profile": None,
    "completion": "zsh",
}
"""Command -> its words in the test, `--json` aside. None: its document is tested where it lives,
for here nothing can stand in for what it starts."""

EMPTY = {
    "mach list": "nope --allow-empty",
    "mach show": "nope --allow-empty",
    "mach add": "nope Start --allow-empty",
    "dump inspect": f"{DUMP} orchestrator --grep nothing-has-this",
    "dump list": "empty.sqlite",
}
"""Command -> words that find nothing."""

WORDS = {
    "dbg": "shows a screen",
    "dump export": "writes a file",
    "dump import": "writes a file",
    "vis render-dump": "draws a picture",
    "vis live": "draws a picture",
    "vis tx": "draws a picture",
    "traces open": "writes a page",
    "traces export": "writes a file",
    "jaeger open": "opens a page",
    "complete": "answers shells in their own form",
}
"""Command without `--json` -> why."""

REAL = {
    *(name for name in JSON if name.startswith("mach ")),
    *("mach", "dump", "dump list", "dump inspect", "dump find", "dump export", "dump import"),
    "dump merge",
    *("dump verify", "dump diff", "vis inspect-dump", "deps", "deps list", "deps graph"),
    *("completion", "complete", "gen", "gen states", "gen lint"),
}
"""Commands whose examples are run; the others start, fetch, draw or open something."""

SAYS_NO = {"deps list": 3}
"""Example -> its exit code here, where it isn't 0: the small program has no such package."""


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """All commands that are no groups, and groups, loaded; by their words."""
    for name in getattr(command, "commands", {}):
        inner = command.resolve_command(None, [name])[1]
        yield " ".join((*path, name)), inner
        yield from leaves(inner, (*path, name))


ALL = dict(leaves(typer.main.get_command(app)))
GROUPS = {name for name, command in ALL.items() if hasattr(command, "commands")}
SINGLE = sorted(set(ALL) - {n for n in GROUPS if ALL[n].commands})


def has_json(command: Any) -> bool:
    return any("--json" in param.opts for param in command.params)


def example(command: Any) -> str:
    """The last paragraph of a command's help."""
    last = inspect.cleandoc(command.help or "").split("\n\n")[-1]
    assert last.startswith("Example: amctl "), "its help doesn't end in an example"
    return last.removeprefix("Example: ").replace("\n", " ")


# -- a place where all of them find something


class Nodes(BasicStates):
    """What the machines of the examples have."""

    StartWork = State(multi=True)
    WorkDelivered = State()
    Working = State()


@dataclass(frozen=True)
class AStartWork(Args):
    """Typed arguments of the examples."""

    prefix: ClassVar[str] = "test"

    reason: str = ""


def history() -> MemoryDump:
    """An orchestrator that starts, and is refused once."""
    return recording(
        schema("orchestrator", ("Start", "Ready")),
        tx("orchestrator", 1, (1, 0), called=(0,)),
        tx("orchestrator", 2, (1, 0), called=(1,), accepted=False),
    )


def fleet() -> FakeFleet:
    """Machines that are there without a run."""
    made = fleet_of("orchestrator", "browser1", states=Nodes)
    for peer in made.peers:
        peer.net.accept_args(AStartWork)
        peer.net.add(("Start", "Ready", "WorkDelivered"))
    net = made.peers[0].net
    net.add("StartWork")
    net.remove("StartWork")
    net.add("StartWork")
    return made


def running(options: Any, reach: Any, work: Any) -> Any:
    """As `operate`."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work(Context(fleet())))


@contextlib.asynccontextmanager
async def reached(options: Any, reach: Any) -> AsyncIterator[Context]:
    """As `reaching`."""
    yield Context(fleet())


BOOK = """
- name: work
  machines: orchestrator
  tasks: [{name: go, add: [Working]}]
"""


async def collected(*_: Any) -> Any:
    from amctl.dump.service import Collected

    return Collected("127.0.0.1:1", "tmp/x.sqlite", (), 0, 0, 0, 0, 0)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the examples name, and stand-ins for what would start something."""
    from amctl.cli import deps, start
    from amctl.insight.deps import read_deps

    monkeypatch.chdir(tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("REPL_DIR", str(tmp_path / "tmp"))
    for name in (DUMP, "1.sqlite", "2.sqlite", "before.sqlite", "after.sqlite"):
        lay(tmp_path / name, history())
    lay(tmp_path / "empty.sqlite", recording())
    (tmp_path / "book.yml").write_text(BOOK)
    lay(tmp_path / "am-dbg-dump.gob.br", history())

    project = write_project(tmp_path / "project")
    monkeypatch.setattr(
        deps,
        "_read",
        lambda shared, program: read_deps(
            project, program.value, ["shop.browser"], browser=program == "browser"
        ),
    )
    report = SimpleNamespace(as_json=lambda: {"ok": True}, ending="verified")
    monkeypatch.setattr(start, "_run", lambda *_, **__: report)
    monkeypatch.setattr("amctl.cli._operating.operate", running)
    monkeypatch.setattr("amctl.cli._mach_run.operate", running)
    monkeypatch.setattr("amctl.cli._operating.reaching", reached)
    monkeypatch.setattr("amctl.cli._play_run.reaching", reached)
    monkeypatch.setattr("amctl.dump.service.collect", collected)
    figures = SimpleNamespace(to_json=lambda: {"transitions": 10})
    monkeypatch.setattr("amctl.bench.collect.bench_collect", lambda *_, **__: figures)
    monkeypatch.setattr("amctl.bench.rpc.bench_rpc", lambda *_, **__: figures)
    monkeypatch.setattr("amctl.bench.engine.bench_engine", lambda *_, **__: figures)
    monkeypatch.setattr("amctl.bench.start.bench_start", lambda *_, **__: figures)
    monkeypatch.setattr("amctl.run.bundling.build_bundle", lambda *_, **__: None)
    monkeypatch.setattr("amctl.run.bundling.stale_reasons", lambda *_, **__: [])
    monkeypatch.setattr("amctl.cli.build.stale_reasons", lambda *_, **__: [])
    return tmp_path


# -- the table


def test_every_command_stands_in_one_table() -> None:
    assert set(JSON) | set(WORDS) == set(SINGLE), "say in JSON or WORDS what a new command prints"
    assert set(JSON) & set(WORDS) == set()
    assert [name for name in JSON if not has_json(ALL[name])] == []
    assert [name for name in WORDS if has_json(ALL[name])] == []
    assert {*EMPTY, *SAYS_NO} <= set(JSON)
    assert set(ALL) >= REAL


# -- examples


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_help_ends_in_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "--help"]) == 0
    out, err = capsys.readouterr()
    shown = " ".join(out.replace("\N{BOX DRAWINGS LIGHT VERTICAL}", " ").split())
    assert " ".join(f"Example: {example(ALL[name])}".split()) in shown
    assert err == ""
    assert example(ALL[name]).startswith(f"amctl {name.split()[0]}")


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commands are read to the last word, and not carried out; who was reached."""
    reached: list[str] = []
    load = LazyGroup._load

    def harmless(group: Any, name: str) -> Any:
        command = load(group, name)
        for path, one in [(name, command), *leaves(command, (name,))]:
            one.callback = lambda *_, path=path, **__: reached.append(path)
        return command

    monkeypatch.setattr(LazyGroup, "_load", harmless)
    return reached


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_example_is_understood(name: str, parsed: list[str]) -> None:
    words = shlex.split(example(ALL[name]))
    assert run(words[1:]) == 0
    assert parsed[-1] == name or (name not in SINGLE and parsed[-1].startswith(name))


@pytest.mark.parametrize("name", sorted(REAL))
def test_the_example_works(name: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(example(ALL[name]))
    assert run(words[1:]) == SAYS_NO.get(name, 0), capsys.readouterr().err
    assert "Traceback" not in capsys.readouterr().err


# -- documents


@pytest.mark.parametrize("name", [name for name, words in JSON.items() if words is not None])
def test_json_is_one_document_and_nothing_else(
    name: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(JSON[name] or "")
    run([*name.split(), *words, "--json"])
    json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", EMPTY)
def test_json_of_nothing_is_a_document_too(
    name: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*name.split(), *shlex.split(EMPTY[name]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == [] or [] in found.values()


# -- speed

LIGHT = {"amctl", "amctl.machine", "amctl.cli"}
"""Rooms that the list of commands may load; of `cli` only what stands in LIGHT_CLI."""
LIGHT_CLI = {"main", "errors", "exitcodes", "lazy", "options"}
HEAVY = ("prompt_toolkit", "starlette", "uvicorn", "websockets", "sqlite3", "opentelemetry", "yaml")


@pytest.mark.slow
@pytest.mark.realtime
def test_the_list_of_commands_loads_no_command() -> None:
    program = "import sys; from amctl.cli.main import run; run(['--help']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.splitlines()[-1].split()
    ours = [name.split(".") for name in loaded if name.partition(".")[0] in ("amctl", "nodes")]
    assert {".".join(parts[:2]) for parts in ours} <= LIGHT
    assert {parts[2] for parts in ours if parts[1:2] == ["cli"] and parts[2:]} <= LIGHT_CLI
    assert [name for name in HEAVY if name in loaded] == []


def test_hidden_commands_are_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--help"])
    rows = [
        line.replace("\N{BOX DRAWINGS LIGHT VERTICAL}", " ").split()
        for line in capsys.readouterr().out.splitlines()
    ]
    assert [name for name in HIDDEN if [name] in [row[:1] for row in rows]] == []
