"""`amctl repl` without a prompt: as a process beside three machines, and its own flags."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from amctl.cli.main import run
from amctl.repl.addresses import parse_address
from amctl.rpc.repl import address_file
from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.realtime]

TOKEN = "the-token-of-this-test"
ENV = {
    **{name: value for name, value in os.environ.items() if name != "AMCTL_TOKEN"},
    "PYTHONPATH": str(ROOT),
    "NO_COLOR": "1",
}


@dataclass
class Machines:
    """Three machines with endpoints, in a process of their own."""

    folder: Path
    process: subprocess.Popen[str]

    def begin(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start `amctl repl` with these words."""
        return subprocess.Popen(
            [sys.executable, "-m", "amctl.cli.main", "repl", *words],
            stdin=options.get("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENV,
            cwd=self.folder,
            # a test run in the background ignores Ctrl-C, and so would what it starts
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def repl(self, *words: str, stdin: str | None = None) -> tuple[int, str, str]:
        """Run `amctl repl -d FOLDER` with these words: exit code, stdout, stderr."""
        kind = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        process = self.begin("-d", str(self.folder), *words, stdin=kind)
        out, err = process.communicate(stdin, timeout=60)
        return process.returncode, out, err

    def do(self, line: str) -> tuple[int, str, str]:
        """Run one command."""
        return self.repl("--", *line.split())


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    folder = tmp_path_factory.mktemp("run")
    (folder / "token").write_text(TOKEN, encoding="ascii")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.three_machines", str(folder), TOKEN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENV,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield Machines(folder, process)
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.fixture
def clean(machines: Machines) -> Machines:
    """The machines, nothing of theirs being active that tests look at."""
    assert machines.do("remove all Start Needy Foo Bar Baz Slow")[0] == 0
    return machines


# -- one command


def test_list_inspect_add_and_their_output(clean: Machines) -> None:
    code, out, err = clean.do("add . Foo")
    assert (code, out, err) == (0, "executed\n", "")
    code, out, err = clean.do("list")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].startswith("1. worker0 t")
    assert lines[1].startswith("   C: (Foo:")
    assert lines[2].startswith("2. worker1 t")
    code, out, _ = clean.do("inspect worker2")
    assert code == 0
    assert out.startswith("mach://worker2\n\n0 Exception\n")


def test_typed_arguments_reach_the_handler(machines: Machines) -> None:
    """Test 5 of the spec, over real sockets."""
    words = ["add", ".", "Event", "--args-json", '{"Working.count": 3}', "--diff"]
    code, out, _ = machines.repl("--", *words)
    assert code == 0
    assert out.startswith("executed\n   Got ")
    code, _, err = machines.do("add . Event --arg Working.cuont --val 3")
    assert code == 2
    assert err.splitlines()[1] == "hint: did you mean 'Working.count'?"


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        ("remove . Start", 0, "executed\n", ""),
        ("add . Vetoed", 5, "canceled\n", "error: machine 'worker0' canceled it: VetoedEnter"),
        ("can add . Vetoed", 5, "no\n", "error: machine 'worker0' would cancel it: VetoedEnter"),
        ("add worker9 Foo", 3, "", "error: no machine matches 'worker9'\nhint: did you mean"),
        ("add . Fooo", 2, "", "error: machine 'worker0' has no state 'Fooo'\nhint: did you mean"),
        ("when . Vetoed --timeout 9ms", 6, "timed out\n", "error: machine 'worker0': waited for"),
    ],
)
def test_exit_codes(machines: Machines, line: str, code: int, out: str, err: str) -> None:
    """Section 7's table, with the codes of the command line."""
    found = machines.do(line)
    assert found[:2] == (code, out)
    assert found[2].startswith(err)


def test_groups_and_patterns(clean: Machines) -> None:
    assert clean.do("group-add Foo -s 1")[1] == "Executed 1\nQueued 0\nCanceled 0\n"
    code, out, _ = clean.do("group-remove Foo -a Foo")
    assert (code, out) == (0, "Executed 1\nQueued 0\nCanceled 0\n")
    code, out, _ = clean.do("add worker* Bar")
    assert out == "worker0: executed\nworker1: executed\nworker2: executed\n"


def test_a_wait_ends_with_a_change_of_the_machine(clean: Machines) -> None:
    """Test 10 of the spec: Slow makes Foo active in the end."""
    waiting = clean.begin("-d", str(clean.folder), "--", "when", "worker2", "Foo")
    assert clean.do("add worker2 Slow")[0] == 0
    out, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, err) == (0, "")
    assert int(out) % 2 == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_wait(machines: Machines, number: signal.Signals) -> None:
    """X3."""
    waiting = machines.begin("-d", str(machines.folder), "--script", "-", stdin=subprocess.PIPE)
    assert waiting.stdin is not None
    assert waiting.stdout is not None
    waiting.stdin.write("time . --sum\nwhen . Slow\n")
    waiting.stdin.flush()
    assert waiting.stdout.readline().strip().isdecimal()  # it is connected, and begins to wait
    waiting.send_signal(number)
    out, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, out, err) == (130, "", "")


# -- JSON


def test_x5_json_is_one_document(machines: Machines) -> None:
    code, out, err = machines.repl("--json", "--", "list")
    assert (code, err) == (0, "")
    assert [row["id"] for row in json.loads(out)] == ["worker0", "worker1", "worker2"]
    assert machines.repl("--json", "--", "list", "-p", "none")[:2] == (3, "[]\n")
    lines = ["list", "mach .", "time .", "inspect .", "status", "add . Event", "why . Foo"]
    code, out, err = machines.repl(stdin="".join(f"{line} --json\n" for line in lines))
    assert (code, err) == (0, "")
    assert all(json.loads(line) for line in out.splitlines())
    assert len(out.splitlines()) == len(lines)


# -- scripts


def test_standard_input_is_a_script(clean: Machines) -> None:
    code, out, err = clean.repl(stdin="# go\nadd . Foo\nmach . --json # see\nadd . Fooo\nexit\n")
    assert code == 2
    lines = out.splitlines()
    assert lines[0] == "executed"
    assert "Foo" in json.loads(lines[1])[0]["active"]
    assert len(lines) == 2
    assert err == "error: -:4: machine 'worker0' has no state 'Fooo'\nhint: did you mean 'Foo'?\n"


def test_a_file_is_a_script(clean: Machines) -> None:
    (clean.folder / "a.amctl").write_text("script b.amctl -k\nadd . Bar\n", encoding="utf-8")
    (clean.folder / "b.amctl").write_text("add . Needy\nadd . Foo\n", encoding="utf-8")
    code, out, err = clean.repl("--script", str(clean.folder / "a.amctl"))
    assert (code, out) == (5, "canceled\nexecuted\n")
    assert "a.amctl:1: b.amctl:1: machine 'worker0' canceled it: Needy requires Start" in err
    code, out, _ = clean.repl("--json", "--", "script", str(clean.folder / "b.amctl"), "-k")
    assert code == 5
    rows = json.loads(out)
    assert [row["verdict"] for row in rows] == ["canceled", "done"]
    assert rows[0]["problems"][0].endswith("Needy requires Start")


# -- reaching


def test_one_address_or_file_will_do(machines: Machines) -> None:
    """A plain address finds no token beside it: AMCTL_TOKEN, or that of REPL_DIR."""
    path = address_file(machines.folder, "worker1")
    process = machines.begin("-f", str(path), "--", "mach", ".")
    out, err = process.communicate(timeout=60)
    assert (out[0], err) == ("(", "")
    assert process.returncode == 0
    assert parse_address(path.read_text(encoding="ascii").strip()).port > 0


def test_a_dead_address_is_told_and_the_rest_is_used(machines: Machines) -> None:
    dead = machines.folder / "x" / "dead-repl.addr"
    dead.parent.mkdir(exist_ok=True)
    dead.write_text("127.0.0.1:9", encoding="ascii")
    try:
        code, out, err = machines.do("status")
        assert code == 0
        assert out.splitlines()[0] == "Connected      3"
        assert err.startswith("note: 1 of 4 machines are not connected: ")
        code, out, err = machines.repl("--req-all", "--", "status")
        assert (code, out) == (4, "")
        assert "is not connected: nobody listens" in err
    finally:
        dead.unlink()


def test_a_wrong_token_is_unreachable(machines: Machines, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("another", encoding="ascii")
    source = address_file(machines.folder, "worker0")
    (tmp_path / source.name).write_bytes(source.read_bytes())
    process = machines.begin("-d", str(tmp_path), "--", "list")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (4, "")
    assert "auth" in err


def test_a_script_that_can_not_be_read_is_exit_code_7(machines: Machines) -> None:
    for words in (["--script", "nowhere"], ["--", "script", "nowhere"]):
        code, out, err = machines.repl(*words)
        assert (code, out) == (7, "")
        assert err.startswith("error: script 'nowhere' can't be read: no such file")


# -- without machines


def in_process(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["repl", *words])
    return code, *capfd.readouterr()


def test_nothing_running_says_how_to_start(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, err = in_process(capfd, "-d", str(tmp_path), "--", "list")
    assert (code, out) == (4, "")
    assert err.startswith(f"error: nothing is running at {tmp_path}: ")
    assert "hint: start something: amctl start" in err


def test_help_needs_no_machine(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for words in (["help"], ["help", "add"], ["cheatsheet"], ["add", "--help"]):
        code, out, err = in_process(capfd, "-d", str(tmp_path), "--", *words)
        assert (code, err) == (0, "")
        assert out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["-d", "-f", "x", "--", "list"], "--file and --dir exclude each other"),
        (["--", "lst"], "there is no command 'lst'"),
        (["--", "add", ".", "Foo", "--tiemout", "1"], "add has no option --tiemout"),
        (["--"], "there is no command behind --"),
        (["--script", "x", "--", "list"], "--script and a command exclude each other"),
        (["list"], "'list' is a command, no address"),
        (["tmp", "list"], "'list' is a word too many"),
        (
            ["nowhere", "--", "list"],
            "there is no file or folder 'nowhere', and an address has a port",
        ),
        (["192.0.2.1:80", "--", "list"], "192.0.2.1 is not this machine"),
        (["--log-level", "9"], "Invalid value for '--log-level'"),
    ],
)
def test_what_is_wrong_is_exit_code_2(
    words: list[str], problem: str, capfd: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    code, out, err = in_process(capfd, *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {problem}")
    assert "\nhint: " in err


def test_json_at_a_terminal_needs_a_command(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    code, _, err = in_process(capfd, "--json")
    assert code == 2
    assert err.startswith("error: --json needs a command or a script")
