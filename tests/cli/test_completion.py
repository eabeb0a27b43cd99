"""Completion in shells: what is proposed where, the three scripts, and where they go."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from amctl.cli import _completion_live as running
from amctl.cli import _completion_values as values
from amctl.cli import completion as room
from amctl.cli._completion_scripts import homes, needs
from amctl.cli._completion_tree import Candidate, Place, locate
from amctl.cli.completion import Shell, answer, split_line
from amctl.cli.exitcodes import ExitCode
from amctl.cli.main import COMMANDS, app, run
from amctl.run.settings import KEYS
from tests.support.fake_fleet import FakeFleet, fleet_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from amctl.repl.finding import Target

BREAKS = " \t\n\"'><=;|&(:"
"""What bash breaks words at unless it is told otherwise."""
PROGRAMS = Path(sys.executable).parent


def proposed(line: str) -> list[str]:
    """What is proposed at the end of a line, the program's name left out."""
    *before, current = line.split(" ")
    reply = values.complete(typer.main.get_command(app), before, current)
    return [one.value for one in reply.candidates]


def kind(line: str) -> str:
    *before, current = line.split(" ")
    return values.complete(typer.main.get_command(app), before, current).kind


# -- what is proposed


def test_commands_are_proposed_in_order_but_no_hidden_ones() -> None:
    assert proposed("") == list(COMMANDS)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sta", ["start"]),
        ("STA", ["start"]),
        ("dump v", ["verify"]),
        ("-v dump v", ["verify"]),
        ("-c file dump v", ["verify"]),
        ("start --nodes ", ["browser", "local"]),
        ("start --nodes l", ["local"]),
        ("start --nodes=l", ["--nodes=local"]),
        ("deps list b", ["browser"]),
        ("vis render-dump --format p", ["png", "pdf"]),
        ("vis --bird render-dump --theme=da", ["--theme=dark"]),
        ("start --no-st", ["--no-stay"]),
        ("start --timeout 3 --tim", []),
        ("start --set A=1 --se", ["--seed", "--set"]),
        ("completion f", ["fish"]),
        ("start --seed ", []),
        ("nonsense ", list(COMMANDS)),
    ],
)
def test_words_are_proposed_by_place(line: str, words: list[str]) -> None:
    assert proposed(line) == words


def test_the_roots_options_are_proposed_behind_a_command() -> None:
    assert {"--stay", "--config", "--help"} <= set(proposed("start --"))


def test_options_are_proposed_where_no_word_is_taken() -> None:
    assert "--stay" in proposed("start ")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-c ", values.FILES),
        ("dump list ", values.DUMPS),
        ("dump diff one ", values.DUMPS),
        ("dump merge one two ", values.DUMPS),
        ("dump export -o ", values.FILES),
        ("dump export -qo ", values.FILES),
        ("dump export -onew.sqlite ", values.DUMPS),
        ("collect --dir=", values.DIRS),
        ("relay rotate-dbg -d ", values.DIRS),
    ],
)
def test_files_are_left_to_the_shell(line: str, expected: str) -> None:
    assert kind(line) == expected
    assert proposed(line) == []


def test_settings_are_proposed_with_their_values() -> None:
    assert set(proposed("start --set ")) == {f"{key}=" for key in KEYS}
    assert proposed("start --set AM_DBG_ADDR=") == ["AM_DBG_ADDR=1", "AM_DBG_ADDR=0"]
    assert proposed("start --set=MAX_ROUNDS=") == ["--set=MAX_ROUNDS=50"]
    assert proposed("start --set NO_SUCH=") == []


def test_values_come_from_the_metavars_source(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Place] = []

    def machines(place: Place) -> list[Candidate]:
        seen.append(place)
        return [Candidate("orchestrator", "ready"), Candidate("browser1")]

    monkeypatch.setitem(values._SOURCES, "PAT", machines)
    assert proposed("vis live --watch --interval 3 --output-filename x o") == ["orchestrator"]
    (place,) = seen
    assert place.path == ("vis", "live")
    assert place.given == {"watch": [""], "interval": ["3"], "output": ["x"]}


def test_behind_two_dashes_nothing_is_proposed_but_to_the_repl() -> None:
    assert proposed("start -- --st") == []


# -- what is running


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeFleet:
    """Three workers in reach."""
    made = fleet_of()
    monkeypatch.setenv("REPL_DIR", str(tmp_path))

    @contextlib.asynccontextmanager
    async def opened(target: Target, **_: object) -> AsyncIterator[FakeFleet]:
        yield made

    monkeypatch.setattr(running, "open_fleet", opened)
    return made


WORKERS = ["worker0", "worker1", "worker2"]


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mach show w", WORKERS),
        ("mach list WORKER1", ["worker1"]),
        ("mach list !worker0,work", ["!worker0,worker0", "!worker0,worker1", "!worker0,worker2"]),
        ("mach list --parent w", WORKERS),
        ("mach list tag:", ["tag:test"]),
        ("mach add worker0 F", ["Foo"]),
        ("mach add worker1 F", []),
        ("mach remove worker1 F", ["Foo"]),
        ("mach remove worker0 F", []),
        ("mach when . Foo Ba", ["Bar", "Baz"]),
        ("mach when-time . -s Fo", ["Foo"]),
        ("mach when-time . --state=Fo", ["--state=Foo"]),
        ("mach list --active Fo", ["Foo"]),
        ("mach can r", ["remove"]),
        ("mach can add work", WORKERS),
        ("mach can add . Fo", ["Foo"]),
        ("mach add . Event --arg Working.f", ["Working.fast"]),
        ("mach add . Event --arg Working.fast --val t", ["true"]),
        ("why wor", WORKERS),
        ("why worker0 Fo", ["Foo"]),
        ("why --dump x worker0 Fo", []),
        ("repl -- sta", ["status"]),
        ("repl -- add worker0 Fo", ["Foo"]),
        ("vis live wor", WORKERS),
        ("dump export -m wor", []),
    ],
)
def test_machines_states_and_arguments_are_proposed(
    fleet: FakeFleet, line: str, words: list[str]
) -> None:
    fleet.peers[1].net.add("Foo")
    assert proposed(line) == words


@pytest.mark.realtime
def test_who_does_not_answer_in_time_is_known_by_its_file(
    fleet: FakeFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "orchestrator-repl.addr").write_text("127.0.0.1:1")

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(running, "_ask", hang)
    monkeypatch.setattr(running, "BUDGET", 0.01)
    assert proposed("mach show o") == ["orchestrator"]
    assert proposed("mach add orchestrator S") == []


@pytest.mark.realtime
def test_where_nothing_runs_nothing_is_proposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPL_DIR", str(tmp_path))
    assert proposed("mach show w") == []


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("mach show -d x", "x"),
        ("mach -d x show", "x"),
        ("mach show --addr h:1", "h:1"),
        ("mach show -f x.addr", "x.addr"),
        ("repl x.addr", "x.addr"),
        ("repl -d x", "x"),
        ("mach show", "runs"),
    ],
)
def test_the_line_says_where_machines_are(
    line: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPL_DIR", "runs")
    place = locate(typer.main.get_command(app), line.split(), "")
    assert str(running.target_of(place)).endswith(target)


# -- the question of a shell


@pytest.mark.parametrize(
    ("line", "words", "kept"),
    [
        ("amctl ", [""], 0),
        ("amctl st", ["st"], 0),
        ("amctl start --nodes=lo", ["start", "--nodes=lo"], 8),
        ("AM_LOG=1 amctl st", ["st"], 0),
        ("amctl why 'a b", ["why", "a b"], 0),
        ('amctl why "tag:x', ["why", "tag:x"], 0),
        ("amctl why tag:x", ["why", "tag:x"], 4),
        ("amctl why a\\ ", ["why", "a "], 0),
        ("amctl why # ", ["why", "#", ""], 0),
    ],
)
def test_a_line_of_bash_is_split_as_bash_does(line: str, words: list[str], kept: int) -> None:
    assert split_line(line, BREAKS) == (words, kept)


def test_bash_gets_only_what_it_replaces() -> None:
    assert answer(Shell.bash, [BREAKS, "amctl start --nodes=lo"]) == ["words", "local\t"]
    assert answer(Shell.bash, [" ", "amctl start --nodes=lo"]) == ["words", "--nodes=local\t"]


def test_others_get_whole_words_with_their_help() -> None:
    assert answer(Shell.fish, ["start", "--see"]) == [
        "words",
        "--seed\tThe same faults each time: FAULT_SEED=N.",
    ]


def test_a_failure_is_no_proposal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> list[str]:
        raise ZeroDivisionError

    monkeypatch.setattr(room, "answer", fail)
    assert run(["complete", "zsh", "--", "st"]) == ExitCode.DONE
    assert capsys.readouterr() == ("words\n", "")


# -- the command


@pytest.mark.parametrize("shell", [*Shell])
def test_the_script_is_printed(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell.value]) == 0
    out, err = capsys.readouterr()
    assert f"complete {shell.value} -- " in out
    assert err == ""


@pytest.mark.parametrize(
    ("shell", "places"),
    [
        (
            "bash",
            {
                ".local/share/bash-completion/completions/amctl",
                ".local/share/bash-completion/completions/amctlw",
            },
        ),
        ("zsh", {".zfunc/_amctl"}),
        (
            "fish",
            {".config/fish/completions/amctl.fish", ".config/fish/completions/amctlw.fish"},
        ),
    ],
)
def test_install_writes_it_where_the_shell_looks_and_says_so(
    shell: str,
    places: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("ZDOTDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "BASH_COMPLETION_USER_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run(["completion", shell, "--install"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert found == places
    assert all(place in err for place in places)
    assert run(["completion", shell, "--install", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["installed"] == sorted(str(tmp_path / place) for place in places)


@pytest.mark.parametrize(
    ("shell", "environ", "first"),
    [
        ("zsh", {"HOME": "/h", "ZDOTDIR": "/z"}, "/z/.zfunc/_amctl"),
        ("fish", {"HOME": "/h", "XDG_CONFIG_HOME": "/c"}, "/c/fish/completions/amctl.fish"),
        ("bash", {"HOME": "/h", "XDG_DATA_HOME": "/d"}, "/d/bash-completion/completions/amctl"),
        ("bash", {"HOME": "/h", "BASH_COMPLETION_USER_DIR": "/b"}, "/b/completions/amctl"),
    ],
)
def test_the_shells_own_variables_decide(
    shell: str, environ: Mapping[str, str], first: str
) -> None:
    assert str(next(iter(homes(shell, environ)))) == first


def test_zsh_is_told_where_to_look_unless_it_knows(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    path = tmp_path / ".zfunc" / "_amctl"
    assert ".zshrc: fpath+=(" in needs("zsh", environ, path)
    (tmp_path / ".zshrc").write_text("fpath+=(~/.zfunc)\n")
    assert needs("zsh", environ, path) == ""


def test_where_nothing_can_be_written_the_path_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".zfunc").write_text("a file")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ZDOTDIR", raising=False)
    assert run(["completion", "zsh", "--install"]) == ExitCode.FAILED
    assert str(tmp_path / ".zfunc") in capsys.readouterr().err


def test_without_a_home_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HOME")
    assert run(["completion", "bash", "--install"]) == ExitCode.FAILED
    assert "HOME isn't set" in capsys.readouterr().err


# -- the real shells


def shell_says(program: list[str], script: str) -> list[str]:
    """Run a shell's script with `amctl` on its path; its lines."""
    environ = {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [*program, "-c", script], capture_output=True, text=True, check=True, env=environ
    )
    return done.stdout.splitlines()


BASH_CASES = [
    ("amctl st", ["amctl", "st"], ["start"]),
    ("amctl start --nodes=", ["amctl", "start", "--nodes", "="], ["browser", "local"]),
    (
        "amctl start --set AM_DBG_A",
        ["amctl", "start", "--set", "AM_DBG_A"],
        ["AM_DBG_ADDR="],
    ),
    ("amctl dump list d", ["amctl", "dump", "list", "d"], ["d.sqlite", "deep"]),
    ("amctl collect -d de", ["amctl", "collect", "-d", "de"], []),  # readline lists folders
]


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash isn't installed")
def test_bash_completes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "d.sqlite").touch()
    (tmp_path / "d.txt").touch()
    lines = ["source <(amctl completion bash)"]
    for line, words, _ in BASH_CASES:
        quoted = " ".join(f"'{word}'" for word in words)
        lines += [
            f"COMP_LINE='{line}' COMP_POINT={len(line)} COMP_CWORD={len(words) - 1}",
            f'COMP_WORDS=({quoted}); _amctl; echo "${{COMPREPLY[*]}}"',
        ]
    found = shell_says(["bash", "--norc", "--noprofile"], "\n".join(lines))
    assert [sorted(line.split()) for line in found] == [expected for *_, expected in BASH_CASES]


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh isn't installed")
def test_zsh_completes() -> None:
    lines = [
        "compdef() { : }; compset() { : }",
        "_describe() { print -l -- ${(P)2} }; _files() { print -- files $@ }",
        "source <(amctl completion zsh)",
        "words=(amctl start --no); CURRENT=3 PREFIX=--nod; _amctl",
        "words=(amctl start --set AM_DBG_A); CURRENT=4 PREFIX=AM_DBG_A; _amctl",
        "words=(amctl dump list x); CURRENT=4 PREFIX=x; _amctl",
        "words=(amctl collect -d x); CURRENT=4 PREFIX=x; _amctl",
    ]
    assert shell_says(["zsh", "-f"], "\n".join(lines)) == [
        "--nodes:local: all nodes in this process, no browser.",
        "AM_DBG_ADDR=:record the run; host:port also gets it",
        "files -g (*.sqlite|*.gob.br|*.jsonl|*.jsonl.zst)",
        "files -/",
    ]


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.skipif(shutil.which("fish") is None, reason="fish isn't installed")
def test_fish_completes() -> None:
    lines = [
        "amctl completion fish | source",
        *(f"complete -C '{line}'" for line in ("amctl st", "amctl start --nodes=l")),
    ]
    assert shell_says(["fish", "--no-config"], "\n".join(lines)) == [
        "start\tRun the whole workflow, and watch it until it is verified.",
        "--nodes=local",
    ]
