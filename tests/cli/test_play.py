"""`amctl play`: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from amctl.cli import _play_run as room
from amctl.cli.exitcodes import ExitCode
from amctl.cli.main import run
from amctl.repl.errors import NothingRunsError
from amctl.repl.playbook.jsonschema import schema_text
from tests.repl.playbook.staged import stage, write
from tests.support.fake_fleet import context
from tests.support.house import ROOT
from tests.support.virtual_loop import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from amctl.cli._operating import Reach
    from amctl.cli.options import GlobalOptions
    from amctl.repl.command import Context

    Printed = Callable[..., tuple[int, str, str]]


class World:
    """Machines in reach of the command."""

    def __init__(self) -> None:
        self.fleet = stage("w0", "w1")
        self.error: Exception | None = None
        self.reach: Reach | None = None
        self.later: list[tuple[float, Callable[[], object]]] = []
        """Seconds after the beginning, and what happens then."""

    @contextlib.asynccontextmanager
    async def reaching(self, options: GlobalOptions, reach: Reach) -> AsyncIterator[Context]:
        self.reach = reach
        if self.error is not None:
            raise self.error
        for delay, call in self.later:
            asyncio.get_running_loop().call_later(delay, call)
        yield context(self.fleet)


def run_virtually(main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(room, "reaching", made.reaching)
    monkeypatch.setattr(asyncio, "run", run_virtually)
    return made


@pytest.fixture
def amctl(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Printed:
    """Write a playbook of these lines, run it; exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(text: str, *words: str) -> tuple[int, str, str]:
        write(tmp_path, text)
        code = run(["play", "book.yml", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


GOOD = """
- name: good
  machines: all
  tasks:
    - {name: go, add: [Foo]}
    - {name: again, add: [Foo]}
    - {assert: {active: [Foo]}, if: machine == 'w0'}
"""


def test_lines_for_each_task_and_the_recap(amctl: Printed) -> None:
    code, out, err = amctl(GOOD, "--diff")
    assert (code, err) == (0, "")
    assert (
        out
        == """\
PLAY  good  w0, w1
TASK  go
  changed      w0  0 -> 1
      + Foo  0 -> 1
  changed      w1  0 -> 1
      + Foo  0 -> 1
TASK  again
  ok           w0
  ok           w1
TASK  assert
  ok           w0
  skipped      w1  its condition is false

RECAP             ok  changed  canceled  timeout  unreachable  failed   time
w0                 2        1         0        0            0       0   0 -> 1
w1                 1        1         0        0            0       0   0 -> 1
"""
    )


def test_check_says_first_and_last_that_nothing_is_sent(world: World, amctl: Printed) -> None:
    code, out, err = amctl(GOOD + "    - {when: Bar}\n", "--check", "--diff")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "CHECK  nothing is sent: tasks are simulated on copies of the machines"
    assert lines[-1] == "CHECK  nothing was sent; 2 results can't be known"
    assert "  unknown      w0  it waits for what only others can do" in lines
    assert lines[-4].endswith("failed  unknown   time")
    assert [peer.net.time_sum for peer in world.fleet.peers] == [0, 0]
    asked = {question for peer in world.fleet.peers for question in peer.asked}
    assert asked == {"about", "inspect"}


def test_json_is_one_document_and_the_same_in_a_file(amctl: Printed, tmp_path: Path) -> None:
    code, out, err = amctl(GOOD, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert (document["ok"], document["verdict"], document["changed"]) == (True, "done", True)
    assert document["files"] == ["book.yml"]
    first = document["results"][0]
    assert (first["task"], first["place"], first["moved"]) == (
        "go",
        "book.yml:5:7",
        {"Foo": [0, 1]},
    )
    assert document["recap"][1]["machine"] == "w1"
    assert amctl(GOOD, "--json", "-o", "out.json")[:2] == (0, "")
    assert json.loads((tmp_path / "out.json").read_text())["changed"] is False


def test_text_in_a_file(amctl: Printed, tmp_path: Path) -> None:
    assert amctl(GOOD, "-o", "out.txt") == (0, "", "")
    assert (tmp_path / "out.txt").read_text().startswith("PLAY  good")


def test_junit_is_written_beside(amctl: Printed, tmp_path: Path) -> None:
    assert amctl(GOOD, "--junit", "j.xml")[0] == 0
    root = ElementTree.parse(tmp_path / "j.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("6", "0", "1")


@pytest.mark.parametrize("words", [["-o", "no/x"], ["--junit", "no/x"]])
def test_a_file_that_cannot_be_written_ends_it_before_anything_ran(
    words: list[str], world: World, amctl: Printed
) -> None:
    code, out, err = amctl(GOOD, *words)
    assert (code, out) == (ExitCode.USAGE, "")
    assert err.startswith("error: no/x can't be written: No such file or directory")
    assert world.fleet.peers[0].net.time_sum == 0


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        (GOOD, ["--detailed-exitcode"], 10),
        (GOOD, ["--detailed-exitcode", "--check"], 10),
        ("- {machines: w0, tasks: [{assert: {inactive: Foo}}]}", ["--detailed-exitcode"], 0),
        ("- {machines: w0, tasks: [{add: Needy}]}", ["--detailed-exitcode"], 5),
        (
            "- {machines: w0, tasks: [{when: Foo, timeout: 0}]}",
            ["--detailed-exitcode", "--check"],
            10,
        ),
    ],
)
def test_detailed_exit_codes(text: str, words: list[str], code: int, amctl: Printed) -> None:
    assert amctl(text, *words)[0] == code


@pytest.mark.parametrize(
    ("task", "code", "line"),
    [
        ("{add: Needy}", 5, "add Needy on w0: canceled: Needy requires Start"),
        ("{name: late, when: Foo, timeout: 3s}", 6, "late on w0: timeout: waited for 3 s: Foo"),
        ("{assert: {active: Foo}}", 1, "assert on w0: failed: Foo is inactive"),
        ("{run: add . Needy}", 5, "run add . Needy on w0: canceled: machine 'w0' canceled it"),
        ("{pause: {prompt: 'sure?'}}", 1, "pause on w0: failed: there is no terminal to ask"),
    ],
)
def test_broken_on_purpose_has_place_reason_and_exit_code(
    task: str, code: int, line: str, amctl: Printed
) -> None:
    text = f"- machines: w0\n  tasks:\n    - {task}\n    - {{add: Foo}}\n"
    found, out, err = amctl(text)
    assert found == code
    assert err.startswith(f"error: book.yml:3:7: {line}")
    assert "RECAP" in out
    assert "add Foo" not in out
    document = json.loads(amctl(text, "--json")[1])
    assert document["ok"] is False


def test_a_typo_is_7_with_its_line_and_a_mark_below_it(world: World, amctl: Printed) -> None:
    code, out, err = amctl("- machines: w0\n  tasks:\n    - {add: Foo, timeot: 3s}\n")
    assert (code, out) == (ExitCode.BAD_INPUT, "")
    assert (
        err
        == """\
error: book.yml:3:18: unknown field 'timeot'
      - {add: Foo, timeot: 3s}
                   ^
hint: did you mean 'timeout'?
"""
    )
    assert world.reach is None, "machines were dialled"


def test_a_state_that_no_machine_has_is_7_before_anything_ran(world: World, amctl: Printed) -> None:
    code, out, err = amctl("- {machines: all, tasks: [add: Foo, add: Fooo]}")
    assert (code, out) == (ExitCode.BAD_INPUT, "")
    assert "error: book.yml:1:42: machine 'w0' has no state 'Fooo'" in err
    assert "hint: did you mean 'Foo'?" in err
    assert world.fleet.peers[0].net.time_sum == 0


def test_an_undefined_variable_is_7(amctl: Printed) -> None:
    text = "- {machines: '{{ who }}', tasks: [add: Foo]}"
    code, _, err = amctl(text)
    assert code == ExitCode.BAD_INPUT
    assert "book.yml:1:18: undefined variable 'who'" in err
    assert amctl(text, "-e", "who=w0")[0] == 0
    assert amctl(text, "-e", "who")[0] == ExitCode.USAGE


def test_a_machine_that_is_not_connected_is_4_before_anything_ran(
    world: World, amctl: Printed
) -> None:
    world.fleet.peers[1].is_ready, world.fleet.peers[1].problem = False, "nobody listens"
    text = "- {machines: w0, tasks: [add: Foo]}\n- {machines: w1, tasks: [add: Foo]}"
    code, out, err = amctl(text)
    assert (code, out) == (ExitCode.UNREACHABLE, "")
    assert err.startswith("error: machine 'w1' is not connected: nobody listens")
    assert world.fleet.peers[0].net.time_sum == 0


def test_a_machine_that_goes_away_is_4_with_its_place(world: World, amctl: Printed) -> None:
    def lose() -> None:
        world.fleet.peers[1].is_ready, world.fleet.peers[1].problem = False, "it went"

    world.later.append((0.5, lose))
    code, out, err = amctl("- {machines: all, tasks: [pause: 1, add: Foo]}")
    assert code == ExitCode.UNREACHABLE
    assert err == "error: book.yml:1:37: add Foo on w1: unreachable: it went\n"
    assert out.splitlines()[-1].split()[:7] == ["w1", "1", "0", "0", "0", "1", "0"]


def test_nothing_running_is_4_and_no_match_is_3(world: World, amctl: Printed) -> None:
    code, out, err = amctl("- {machines: x*, tasks: [add: Foo]}")
    assert (code, out) == (ExitCode.NOTHING_MATCHED, "")
    assert err.startswith("error: no machine matches 'x*'")
    code, _, err = amctl(GOOD, "-l", "nobody")
    assert code == ExitCode.NOTHING_MATCHED
    assert "error: the limit 'nobody' leaves no machine to any play" in err
    world.error = NothingRunsError("tmp", "no .addr file is there")
    code, out, err = amctl(GOOD)
    assert (code, out) == (ExitCode.UNREACHABLE, "")
    assert err.endswith("hint: start something: amctl start --stay\n")


def test_ctrl_c_is_130_and_the_recap_is_still_there(world: World, amctl: Printed) -> None:
    world.later.append((5, lambda: os.kill(os.getpid(), signal.SIGINT)))
    code, out, err = amctl("- {machines: w0, tasks: [add: Foo, when: Bar, add: Baz]}")
    assert code == ExitCode.INTERRUPTED
    assert out.splitlines()[-1].split() == ["w0", *"010000", "0", "->", "1"]
    assert err == "interrupted: what was under way is given up, what was sent stays sent\n"
    assert not world.fleet.peers[0].net.is_watched


def test_lists_run_nothing(world: World, amctl: Printed) -> None:
    assert amctl(GOOD, "--list-tasks") == (
        0,
        "PLAY  good  all\n  go  book.yml:5:7\n  again  book.yml:6:7\n  assert  book.yml:7:7\n",
        "",
    )
    assert world.reach is None
    assert json.loads(amctl(GOOD, "--list-tasks", "--json")[1])[0]["tasks"][0]["action"] == "add"
    assert amctl(GOOD, "--list-machines", "-l", "w1")[1] == "PLAY  good  all\n  w1\n"
    assert json.loads(amctl(GOOD, "--list-machines", "--json")[1])[0]["machines"] == ["w0", "w1"]
    assert world.fleet.peers[0].net.time_sum == 0


def test_tags_by_words_and_commas(amctl: Printed) -> None:
    text = "- {machines: w0, tasks: [{add: Foo, tags: a}, {add: Bar, tags: b}, {add: Baz}]}"

    def tasks(*words: str) -> list[str]:
        out = amctl(text, *words)[1]
        return [line.split()[-1] for line in out.splitlines() if line.startswith("TASK")]

    assert tasks("-t", "a,b") == ["Foo", "Bar"]
    assert tasks("-t", "a", "--tags", "b", "--skip-tags", "b") == ["Foo"]


def test_tags_that_leave_nothing_match_nothing(amctl: Printed) -> None:
    text = "- {machines: w0, tasks: [{add: Foo, tags: abc}]}"
    code, out, err = amctl(text, "-t", "abd")
    assert (code, out) == (3, "")
    assert err == "error: no task is left by --tags abd\nhint: did you mean 'abc'?\n"


def test_a_variable_that_nobody_uses_is_told(amctl: Printed) -> None:
    text = "- {machines: w0, vars: {rounds: 1}, tasks: [{add: Event, loop: '{{ rounds }}'}]}"
    code, _, err = amctl(text, "-e", "rnds=3")
    assert (code, err) == (0, "note: --extra-vars rnds: no playbook uses it\n")
    code, _, err = amctl(text, "-e", "rounds=2")
    assert (code, err) == (0, "")


def test_yes_answers_prompts(amctl: Printed) -> None:
    assert amctl("- {machines: w0, tasks: [{pause: {prompt: 'sure?'}}]}", "--yes")[0] == 0


def test_step_needs_a_terminal(amctl: Printed) -> None:
    code, _, err = amctl(GOOD, "--step")
    assert code == ExitCode.USAGE
    assert "--step asks on a terminal" in err


def test_quiet_shows_the_recap_alone(amctl: Printed) -> None:
    out = amctl(GOOD, "-q")[1].split("\n")
    assert out[1].startswith("RECAP")
    assert "TASK" not in " ".join(out)


def test_where_machines_are(world: World, amctl: Printed) -> None:
    assert amctl(GOOD, "-d", "folder", "--req-all")[0] == 0
    assert world.reach is not None
    assert (world.reach.target, world.reach.dir, world.reach.all) == ("folder", True, True)
    assert amctl(GOOD, "--addr", "localhost:1")[0] == 0
    assert (world.reach.target, world.reach.dir, world.reach.file) == ("localhost:1", False, False)
    code, _, err = amctl(GOOD, "-d", "a", "-f", "b")
    assert code == ExitCode.USAGE
    assert "--dir and --file exclude each other" in err


def test_the_schema(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["play", "--schema"]) == 0
    assert capsys.readouterr().out == schema_text()
    assert run(["play", "--schema", "-o", str(tmp_path / "s.json")]) == 0
    assert (tmp_path / "s.json").read_text() == schema_text()
    assert run(["play", "--schema", "-o", str(tmp_path / "no" / "s.json")]) == ExitCode.USAGE


def test_no_file_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["play"]) == ExitCode.USAGE
    assert "hint: as in: amctl play docs/playbooks/restart.yml" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["restart.yml", "drain.yml", "soak.yml"])
def test_tasks_of_the_examples_can_be_listed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["play", str(ROOT / "docs" / "playbooks" / name), "--list-tasks"]) == 0
    assert capsys.readouterr().out.startswith("PLAY  ")
