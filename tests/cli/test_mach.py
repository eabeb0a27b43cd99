"""`amctl mach`: what it prints and how it ends, on machines without a network."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from amctl.cli import _mach_run as room
from amctl.cli import _mach_watch as watching
from amctl.cli._mach_flags import Call, Shown
from amctl.cli._operating import Reach
from amctl.cli.exitcodes import ExitCode
from amctl.cli.main import run
from amctl.cli.options import GlobalOptions
from amctl.repl.command import Context
from amctl.repl.errors import NothingRunsError
from amctl.repl.registry import registry
from tests.support.fake_fleet import FakeFleet, fleet_of
from tests.support.virtual_loop import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from amctl.repl.outcome import Outcome

Printed = Callable[..., tuple[int, str, str]]


class World:
    """Three workers in reach, and how they were asked for."""

    def __init__(self) -> None:
        self.fleet = fleet_of()
        self.error: Exception | None = None
        self.reach = Reach()

    def operate(
        self,
        options: GlobalOptions,
        reach: Reach,
        work: Callable[[Context], Awaitable[Outcome]],
    ) -> Outcome:
        self.reach = reach
        if self.error:
            raise self.error

        async def main() -> Outcome:
            return await work(Context(self.fleet))

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(main())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(room, "operate", made.operate)
    return made


@pytest.fixture
def mach(world: World, capsys: pytest.CaptureFixture[str]) -> Printed:
    """Run `amctl mach WORDS`; exit code, stdout, stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(["mach", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


# -- looking


def test_list_is_a_line_for_each_machine(world: World, mach: Printed) -> None:
    world.fleet.peers[1].net.add("Start")
    code, out, err = mach("list")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "machine  is  time  active states",
        "worker0  C     t0",
        "worker1  CS    t1  Start:1",
        "worker2  C     t0",
    ]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["*,!worker1"], ["worker0", "worker2"]),
        (["re:[12]$"], ["worker1", "worker2"]),
        (["state:Foo"], ["worker2"]),
        (["tag:test", "--limit", "2"], ["worker0", "worker1"]),
        (["!worker0", "--limit", "1"], ["worker1"]),
        (["--active", "Foo"], ["worker2"]),
        (["--inactive", "Foo", "--id-suffix", "1"], ["worker1"]),
        (["--mtime-min", "1"], ["worker2"]),
        (["--from", "2"], ["worker2"]),
    ],
)
def test_list_takes_patterns_and_filters(
    world: World, mach: Printed, words: list[str], ids: list[str]
) -> None:
    world.fleet.peers[2].net.add("Foo")
    code, out, _ = mach("list", *words, "--json")
    assert code == 0
    assert [row["id"] for row in json.loads(out)] == ids


def test_list_shows_all_states_or_none(world: World, mach: Printed) -> None:
    world.fleet.peers[0].net.add("Foo")
    _, out, _ = mach("list", "worker0", "--states-all")
    assert "Foo:1 [" in out
    assert "Baz:0" in out
    _, out, _ = mach("list", "worker0", "--states=false")
    assert out == "machine  is  time\nworker0  C     t1\n"


@pytest.mark.parametrize("words", [["list", "nope"], ["show", "nope"], ["add", "nope", "Foo"]])
def test_nothing_matched_is_3_unless_that_is_allowed(mach: Printed, words: list[str]) -> None:
    code, out, err = mach(*words)
    assert (code, out) == (ExitCode.NOTHING_MATCHED, "")
    assert err.splitlines() == [
        "error: no machine matches 'nope'",
        "hint: list them: amctl mach list",
    ]
    assert mach(*words, "--json")[:2] == (ExitCode.NOTHING_MATCHED, "[]\n")
    assert mach(*words, "--json", "--allow-empty") == (0, "[]\n", "")


def test_filters_that_fit_none_are_3_too(mach: Printed) -> None:
    for words in (["list"], ["list", "worker0"], ["list", "worker*"]):
        code, _, err = mach(*words, "--active", "Foo")
        assert code == ExitCode.NOTHING_MATCHED
        assert err == "error: no machine passes these filters\nhint: leave some of them out\n"


def test_nothing_running_is_4(world: World, mach: Printed) -> None:
    world.error = NothingRunsError("tmp", "there are no .addr files")
    code, out, err = mach("list", "--json", "--allow-empty")
    assert (code, out) == (ExitCode.UNREACHABLE, "[]\n")
    assert "hint: start something: amctl start --stay" in err


def test_a_list_of_one_that_never_was_connected_is_4(world: World, mach: Printed) -> None:
    peer = world.fleet.peers[2]
    peer.is_ready = peer.was_ready = False
    peer.problem = "nobody listens"
    code, _, err = mach("list", "worker2")
    assert code == ExitCode.UNREACHABLE
    assert err == "error: machine 'worker2' is not connected: nobody listens\n"


def test_a_machine_that_is_named_and_gone_is_4(world: World, mach: Printed) -> None:
    world.fleet.peers[1].is_ready = False
    world.fleet.peers[1].problem = "nobody listens"
    code, _, err = mach("show", "worker1")
    assert code == ExitCode.UNREACHABLE
    assert err.startswith("error: machine 'worker1' is not connected: nobody listens")


def test_jsonl_is_a_document_for_each(mach: Printed) -> None:
    _, out, _ = mach("list", "--jsonl")
    assert [json.loads(line)["id"] for line in out.splitlines()] == [
        "worker0",
        "worker1",
        "worker2",
    ]
    assert mach("list", "nope", "--jsonl", "--allow-empty") == (0, "", "")


def test_two_kinds_of_json_exclude_each_other(mach: Printed) -> None:
    for other in ("--jsonl", "--watch"):
        code, out, err = mach("list", "--json", other)
        assert (code, out) == (ExitCode.USAGE, "")
        assert other in err


def test_show_tells_what_a_machine_is(world: World, mach: Printed) -> None:
    world.fleet.peers[0].net.add("Foo")
    code, out, err = mach("show", "worker0")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "worker0  t1  C  127.0.0.1:7000 (worker0-repl.addr)"
    assert "active     Foo:1" in lines[1]
    assert any("arguments  Working(name: str = ''" in line for line in lines)


def test_show_tells_what_can_not_be_asked(world: World, mach: Printed) -> None:
    from amctl.rpc.errors import CallTimeoutError

    world.fleet.peers[0].canned["about"] = CallTimeoutError("rc-0", "about", 1.0)
    code, out, _ = mach("show", "worker0", "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert row["about"] is None
    assert row["problem"]


def test_inspect_lists_all_states(mach: Printed) -> None:
    code, out, _ = mach("inspect", "worker0")
    assert code == 0
    assert "Needy" in out
    assert "require Start" in out
    (row,) = json.loads(mach("inspect", "worker0", "--json")[1])
    assert row["states"]["Foo"]["remove"] == ["Bar", "Baz"]


def test_time_is_bare_numbers_for_scripts(world: World, mach: Printed) -> None:
    world.fleet.peers[0].net.add("Foo")
    assert mach("time", "worker0", "--sum") == (0, "1\n", "")
    assert mach("time", "worker0,worker1", "--sum")[1] == "worker0: 1\nworker1: 0\n"


# -- every machine of a process

PROCESS = [
    {"id": "worker0", "parent_id": "", "tags": [], "active": ["Start"], "time_sum": 3},
    {"id": "rc-1", "parent_id": "worker0", "tags": ["rpc-client"], "active": [], "time_sum": 2},
    {"id": "rnm-1", "parent_id": "rc-1", "tags": [], "active": ["Ready"], "time_sum": 1},
]


def process() -> list[dict[str, Any]]:
    rows = [{**row, "is_local": True, "remote_id": ""} for row in PROCESS]
    rows[2] |= {"is_local": False, "remote_id": "worker1"}
    return rows


@pytest.fixture
def inner(world: World) -> World:
    world.fleet = fleet_of("worker0")
    world.fleet.peers[0].canned["machines"] = process()
    return world


def test_all_lists_the_machines_of_each_process_as_a_tree(inner: World, mach: Printed) -> None:
    code, out, _ = mach("list", "--all")
    assert code == 0
    assert out.splitlines() == [
        "machine    of               time  active states",
        "worker0                       t3  Start",
        "  rc-1     rpc-client         t2",
        "    rnm-1  mirrors worker1    t1  Ready",
    ]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["tag:rpc-client"], ["rc-1"]),
        (["parent:rc-1"], ["rnm-1"]),
        (["--active", "Ready"], ["rnm-1"]),
        (["--mtime-min", "2", "--inactive", "Start"], ["rc-1"]),
        (["--parent", "worker0"], ["rc-1"]),
        (["--id-regexp", "^r", "--limit", "1"], ["rc-1"]),
    ],
)
def test_patterns_and_filters_hold_within_processes(
    inner: World, mach: Printed, words: list[str], ids: list[str]
) -> None:
    assert [row["id"] for row in json.loads(mach("list", "--all", "--json", *words)[1])] == ids


def test_what_is_not_told_of_inner_machines_is_refused(inner: World, mach: Printed) -> None:
    assert mach("list", "--all", "--mtime-states", "Start")[0] == ExitCode.USAGE
    code, _, err = mach("list", "--all", "re:(")
    assert code == ExitCode.USAGE
    assert "hint: quote it" in err


def test_another_address_of_a_process_tells_nothing_new(world: World, mach: Printed) -> None:
    both = [*process(), {**process()[0], "id": "worker1"}]
    for peer in world.fleet.peers[:2]:
        peer.canned["machines"] = both
    world.fleet.peers.pop()
    rows = json.loads(mach("list", "--all", "--json")[1])
    assert [row["id"] for row in rows] == ["worker0", "rc-1", "rnm-1", "worker1"]


# -- acting


def test_one_machine_answers_a_word(world: World, mach: Printed) -> None:
    assert mach("add", ".", "Foo") == (0, "executed\n", "")
    assert world.fleet.peers[0].net.is_("Foo")


def test_several_get_a_line_each_and_a_summary(world: World, mach: Printed) -> None:
    world.fleet.peers[1].net.add("Start")
    code, out, err = mach("add", "all", "Needy", "--diff")
    assert code == ExitCode.CANCELED
    assert out.splitlines() == [
        "worker0  canceled",
        "   no clock moved",
        "worker1  executed",
        "   Needy 0 -> 1",
        "worker2  canceled",
        "   no clock moved",
    ]
    assert "error: machine 'worker0' canceled it: Needy requires Start" in err
    assert err.splitlines()[-1] == "3 machines: 2 canceled, 1 executed"


def test_the_gravest_result_decides_the_exit_code(world: World, mach: Printed) -> None:
    from amctl.rpc.errors import NotConnectedError

    world.fleet.peers[1].canned["mutate"] = NotConnectedError("rc-1", "mutate")
    code, out, _ = mach("add", "all", "Vetoed", "--json")
    assert code == ExitCode.UNREACHABLE
    assert [row["result"] for row in json.loads(out)] == ["canceled", "unreachable", "canceled"]


def test_set_and_toggle_and_remove(world: World, mach: Printed) -> None:
    net = world.fleet.peers[0].net
    for words, active in (
        (["set", ".", "Foo", "Start"], {"Foo", "Start"}),
        (["toggle", ".", "Foo"], {"Start"}),
        (["remove", ".", "Start"], set()),
    ):
        assert mach(*words)[0] == 0
        assert set(net.active) == active


def test_check_changes_nothing(world: World, mach: Printed) -> None:
    code, out, _ = mach("add", ".", "Foo", "--check", "--diff")
    assert code == 0
    assert out.splitlines() == ["would be executed", "   Foo 0 -> 1"]
    assert world.fleet.peers[0].net.time_sum == 0
    assert mach("add", ".", "Vetoed", "--check")[:2] == (5, "would be canceled\n")


def test_can_says_yes_or_no(mach: Printed) -> None:
    assert mach("can", "add", ".", "Foo") == (0, "yes\n", "")
    code, out, err = mach("can", "add", ".", "Needy")
    assert (code, out) == (ExitCode.CANCELED, "no\n")
    assert "requires Start" in err
    assert mach("can", "paint", ".", "Foo")[0] == ExitCode.USAGE


def test_arguments_reach_the_handler(world: World, mach: Printed) -> None:
    words = ["--arg", "Working.count", "--val", "3", "--arg", "note", "--val=x"]
    code, _, _ = mach("add", ".", "Event", *words, "--args-json", '{"Working.fast": true}')
    assert code == 0
    ((typed, plain),) = world.fleet.peers[0].handlers.got
    assert (typed.count, typed.fast, plain["note"]) == (3, True, "x")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["Fooo"], "did you mean 'Foo'?"),
        (["Foo", "--arg", "Working.cont", "--val", "3"], "did you mean 'Working.count'?"),
        (["Foo", "--arg", "Working.count", "--val", "many"], "is int, not 'many'"),
        (["Foo", "--arg", "Working.count"], "1 --arg and 0 --val"),
        (["Foo", "--args-json", "[1]"], "no JSON object"),
        (["Foo", "--timeout", "soon"], "'soon' is no duration"),
        ([], "STATE"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_sent(
    world: World, mach: Printed, words: list[str], told: str
) -> None:
    code, out, err = mach("add", "all", *words)
    assert (code, out) == (ExitCode.USAGE, "")
    assert told in err
    assert len(err.splitlines()) == 2
    assert "mutate" not in [q for peer in world.fleet.peers for q in peer.asked]


def test_when_prints_ticks_and_ends_with_6_if_it_is_too_late(world: World, mach: Printed) -> None:
    world.fleet.peers[0].net.add("Foo")
    assert mach("when", ".", "Foo") == (0, "1\n", "")
    assert mach("when-not", ".", "Bar", "Baz")[:2] == (0, "0 0\n")
    assert mach("when-time", ".", "-s", "Foo", "-t", "1")[:2] == (0, "1\n")
    code, out, err = mach("when", "all", "Foo", "--timeout", "5s")
    assert code == ExitCode.TIMED_OUT
    assert out.splitlines() == ["worker0  1", "worker1  timed out", "worker2  timed out"]
    assert "Foo" in err


def test_pairs_of_when_time_must_be_pairs(mach: Printed) -> None:
    code, _, err = mach("when-time", ".", "-s", "Foo", "-s", "Bar", "-t", "1")
    assert code == ExitCode.USAGE
    assert "2 states and 1 tick:" in err


# -- where machines are


@pytest.mark.parametrize(
    ("words", "reach"),
    [
        (["list"], Reach(watch=False)),
        (["list", "-d", "x"], Reach("x", dir=True, watch=False)),
        (["-d", "x", "list"], Reach("x", dir=True, watch=False)),
        (["-d", "x", "list", "--file", "y"], Reach("y", file=True, watch=False)),
        (["--addr", "h:1", "time"], Reach("h:1", watch=False)),
        (["--req-all", "time"], Reach(watch=False, all=True)),
        (["--req-all", "time", "--req-all=false"], Reach(watch=False)),
        (["time", "--allow-remote"], Reach(watch=False, allow_remote=True)),
    ],
)
def test_where_stands_before_or_behind_the_command(
    world: World, mach: Printed, words: list[str], reach: Reach
) -> None:
    assert mach(*words)[0] == 0
    assert world.reach == reach


@pytest.mark.parametrize("words", [["--addr", "h:1", "-d", "x"], ["-d", ""]])
def test_a_wrong_place_is_a_usage_error(mach: Printed, words: list[str]) -> None:
    code, _, err = mach("list", *words)
    assert code == ExitCode.USAGE
    assert "hint: " in err


def test_without_a_command_it_shows_its_help(mach: Printed) -> None:
    code, out, _ = mach()
    assert code == 0
    assert "when-time" in out


# -- going on


def call_of(name: str, **shown: bool) -> Call:
    values = {p.name: ([] if p.many else p.default) for p in registry[name].params}
    return Call(registry[name], values, {}, Reach(), Shown(watch=True, **shown))


async def test_watch_tells_each_machine_again_when_it_has_changed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fleet = fleet_of()
    job = room.list_job("all", inner=False)
    call = call_of("list", as_lines=True)
    task = asyncio.ensure_future(
        watching.watch(Context(fleet), call, job, GlobalOptions(color=False))
    )
    await asyncio.sleep(1)
    assert len(capsys.readouterr().out.splitlines()) == 3
    fleet.peers[1].net.add("Foo")
    await asyncio.sleep(1)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["active"] == ["Foo"]
    fleet.peers[1].is_ready = False
    await asyncio.sleep(1)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["flags"] == "D"
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_watch_in_a_pipe_has_one_head(capsys: pytest.CaptureFixture[str]) -> None:
    fleet = fleet_of("worker0")
    job = room.list_job("all", inner=False)
    task = asyncio.ensure_future(
        watching.watch(Context(fleet), call_of("list"), job, GlobalOptions())
    )
    await asyncio.sleep(1)
    fleet.peers[0].net.add("Foo")
    await asyncio.sleep(1)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["machine", "worker0", "worker0"]


def test_watch_connects_and_follows_files(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reaches: list[Reach] = []

    @contextlib.asynccontextmanager
    async def reaching(options: GlobalOptions, reach: Reach) -> AsyncIterator[Context]:
        reaches.append(reach)
        yield Context(FakeFleet([]))

    async def watch(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "reaching", reaching)
    monkeypatch.setattr(watching, "watch", watch)
    assert run(["mach", "list", "--watch"]) == ExitCode.INTERRUPTED
    assert reaches == [Reach(watch=True)]
    assert capsys.readouterr() == ("", "")
