"""Files of command lines."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest

from amctl.repl.errors import ScriptFileError, UsageError
from amctl.repl.outcome import Outcome, Verdict
from amctl.repl.registry import registry
from amctl.repl.scripts import MAX_BYTES, MAX_DEPTH, run_script
from tests.support.fake_fleet import FakeFleet, context, fleet_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fleet() -> FakeFleet:
    return fleet_of()


def write(folder: Path, name: str, *lines: str) -> str:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


async def run(fleet: FakeFleet, name: str, *, keep_going: bool = False, **rest: Any) -> Outcome:
    return await run_script(context(fleet, **rest), registry, name, keep_going=keep_going)


async def test_lines_are_commands(fleet: FakeFleet, tmp_path: Path) -> None:
    name = write(
        tmp_path,
        "a",
        "# begin",
        "",
        "add worker0 Foo",
        "  time worker0 --sum  # now",
        "mach worker0",
    )
    outcome = await run(fleet, name)
    assert outcome.ok
    assert outcome.lines == ("executed", "1", "(Foo:1)")
    assert [row["where"] for row in outcome.data] == [f"{name}:{n}" for n in (3, 4, 5)]
    assert outcome.data[0]["line"] == "add worker0 Foo"


async def test_a_script_stops_at_its_first_error(fleet: FakeFleet, tmp_path: Path) -> None:
    """Test 16 of the spec."""
    name = write(tmp_path, "a", "add . Foo", "ad . Bar", "add . Baz")
    outcome = await run(fleet, name)
    assert outcome.verdict is Verdict.USAGE
    assert outcome.lines == ("executed",)
    assert outcome.problems == (f"{name}:2: there is no command 'ad'",)
    assert outcome.hint == "did you mean 'add'?"
    assert fleet.peers[0].net.active == ["Foo"]


async def test_a_canceled_mutation_is_an_error(fleet: FakeFleet, tmp_path: Path) -> None:
    name = write(tmp_path, "a", "add . Needy", "add . Foo")
    outcome = await run(fleet, name)
    assert outcome.verdict is Verdict.CANCELED
    problem = f"{name}:1: machine 'worker0' canceled it: Needy requires Start"
    assert outcome.problems == (problem,)
    assert fleet.peers[0].net.active == []


async def test_it_may_go_on_and_the_gravest_counts(fleet: FakeFleet, tmp_path: Path) -> None:
    name = write(tmp_path, "a", "add . Needy", "nope", "add . Foo")
    outcome = await run(fleet, name, keep_going=True)
    assert outcome.verdict is Verdict.USAGE
    assert [problem.split(": ")[0] for problem in outcome.problems] == [f"{name}:1", f"{name}:2"]
    assert fleet.peers[0].net.active == ["Foo"]


async def test_scripts_within_scripts_start_from_their_own_folder(
    fleet: FakeFleet, tmp_path: Path
) -> None:
    name = write(tmp_path, "a", "script sub/b", "add . Foo")
    write(tmp_path, "sub/b", "script c")
    write(tmp_path, "sub/c", "add . Start", "add . Fooo")
    outcome = await run(fleet, name)
    assert outcome.problems == (f"{name}:1: sub/b:1: c:2: machine 'worker0' has no state 'Fooo'",)
    assert outcome.lines == ("executed",)


async def test_a_script_cant_run_itself(fleet: FakeFleet, tmp_path: Path) -> None:
    name = write(tmp_path, "a", "script b")
    write(tmp_path, "b", "script ./../" + tmp_path.name + "/a")
    outcome = await run(fleet, name)
    assert outcome.verdict is Verdict.USAGE
    assert "would run itself: a -> b -> a" in outcome.problems[0]


async def test_scripts_are_nested_to_a_depth(fleet: FakeFleet, tmp_path: Path) -> None:
    for number in range(MAX_DEPTH + 1):
        write(tmp_path, f"s{number}", f"script s{number + 1}")
    outcome = await run(fleet, str(tmp_path / "s0"))
    assert f"nested deeper than {MAX_DEPTH}" in outcome.problems[0]


async def test_exit_ends_all_scripts(fleet: FakeFleet, tmp_path: Path) -> None:
    left: list[bool] = []
    name = write(tmp_path, "a", "script b", "add . Foo")
    write(tmp_path, "b", "exit", "add . Foo")
    outcome = await run(fleet, name, extra={"exit": lambda: left.append(True)})
    assert outcome.ok
    assert left == [True]
    assert fleet.peers[0].net.active == []
    assert (await run(fleet, name)).ok  # also where there is no prompt to leave


async def test_each_answer_may_be_shown_at_once(fleet: FakeFleet, tmp_path: Path) -> None:
    name = write(tmp_path, "a", "script b", "add . Foo")
    write(tmp_path, "b", "add . Start", "add . Vetoed")
    shown: list[Outcome] = []
    outcome = await run(fleet, name, keep_going=True, show=shown.append)
    lines = [line for one in shown for line in one.lines]
    problems = [problem for one in shown for problem in one.problems]
    assert lines == ["executed", "canceled", "executed"]
    assert len(problems) == 1
    assert problems[0].startswith(f"{name}:1: b:2: machine 'worker0' canceled it")
    assert outcome.lines == outcome.problems == ()
    assert outcome.verdict is Verdict.CANCELED


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "can't be read: no such file or directory"),
        (b"add \xff", "is no UTF-8 text: byte 4"),
        (b"#" * (MAX_BYTES + 1), f"is larger than {MAX_BYTES} bytes"),
    ],
)
async def test_a_file_that_is_no_script(
    fleet: FakeFleet, tmp_path: Path, data: bytes | None, problem: str
) -> None:
    path = tmp_path / "a"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ScriptFileError) as caught:
        await run(fleet, str(path))
    assert str(caught.value) == f"script {str(path)!r} {problem}"


async def test_names_start_from_the_working_folder_that_was_given(
    fleet: FakeFleet, tmp_path: Path
) -> None:
    write(tmp_path, "a", "add . Foo")
    assert (await run(fleet, "a", cwd=tmp_path)).ok


# -- standard input


class Descriptor:
    """Stands for sys.stdin."""

    def __init__(self, number: int) -> None:
        self.number = number

    def fileno(self) -> int:
        return self.number


@pytest.mark.realtime
async def test_standard_input_is_run_line_by_line(
    fleet: FakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    monkeypatch.setattr("sys.stdin", Descriptor(reader))
    shown: asyncio.Queue[Outcome] = asyncio.Queue()
    task = asyncio.ensure_future(run(fleet, "-", show=shown.put_nowait))
    os.write(writer, b"add . Foo\nmach ")
    assert (await shown.get()).lines == ("executed",)
    os.write(writer, b".\nadd . Fooo")
    assert (await shown.get()).lines == ("(Foo:1)",)
    os.close(writer)
    assert (await task).verdict is Verdict.USAGE
    assert (await shown.get()).problems == ("-:3: machine 'worker0' has no state 'Fooo'",)
    os.close(reader)


async def test_at_a_prompt_standard_input_is_taken(fleet: FakeFleet) -> None:
    with pytest.raises(UsageError, match="standard input is this terminal"):
        await run(fleet, "-", extra={"exit": lambda: None})
