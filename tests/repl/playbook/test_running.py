"""Runs of playbooks: order, conditions, loops, failures, batches, interrupts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import TaskSet
from amctl.repl.errors import NothingMatchedError, UnreachableError
from amctl.repl.outcome import Verdict
from amctl.repl.playbook.live import LiveWorld
from amctl.repl.playbook.loading import load
from amctl.repl.playbook.options import RunOptions
from amctl.repl.playbook.plan import Tagged
from amctl.repl.playbook.results import Status
from amctl.repl.playbook.running import Runner
from tests.repl.playbook.staged import Noted, play, stage, write
from tests.support.fake_fleet import context

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from amctl.repl.playbook.results import PlayReport
    from tests.support.fake_fleet import FakeFleet


def found(report: PlayReport) -> list[str]:
    """Task, machine and status of all results."""
    return [f"{one.task} {one.machine} {one.status}" for one in report.results]


async def tasks(folder: Path, text: str, fleet: FakeFleet | None = None, **how: Any) -> PlayReport:
    """Run one play on w0, whose tasks are these lines."""
    lines = "\n".join(f"    {line}" for line in text.strip().splitlines())
    return await play(
        fleet or stage("w0"), write(folder, f"- machines: all\n  tasks:\n{lines}\n"), **how
    )


async def test_changed_is_that_a_clock_moved(tmp_path: Path) -> None:
    text = """
- {name: first, add: Foo}
- {name: second, add: Foo}
- {name: multi, add: Event}
- {name: again, add: Event}
- {name: gone, remove: Foo}
- {name: set, set: [Bar]}
- {name: over, toggle: Bar}
"""
    report = await tasks(tmp_path, text)
    assert [one.split()[-1] for one in found(report)] == [
        "changed", "ok", "changed", "changed", "changed", "changed", "changed",
    ]  # fmt: skip
    assert report.verdict is Verdict.DONE
    assert report.has_changes


async def test_the_second_run_of_an_idempotent_playbook_changes_nothing(tmp_path: Path) -> None:
    fleet, text = stage("w0"), "- {add: [Start, Foo]}\n- {assert: {active: Foo}}"
    assert (await tasks(tmp_path, text, fleet)).has_changes
    again = await tasks(tmp_path, text, fleet)
    assert not again.has_changes
    assert again.recaps[0].as_data()["time"] == [2, 2]


async def test_a_wait_is_ok_whoever_moved_clocks_meanwhile(tmp_path: Path) -> None:
    fleet = stage("w0")
    machine = fleet.peers[0].net
    asyncio.get_running_loop().call_later(5, machine.add, "Foo")
    report = await tasks(tmp_path, "- {when: Foo, timeout: 1m}", fleet)
    assert found(report) == ["when Foo w0 ok"]
    assert report.recaps[0].as_data()["time"] == [0, 1]


@pytest.mark.parametrize(
    ("task", "status", "verdict", "reason"),
    [
        ("{add: Needy}", "canceled", Verdict.CANCELED, "Needy requires Start"),
        ("{when: Foo, timeout: 3s}", "timeout", Verdict.TIMED_OUT, "3 s: Foo is not active"),
        ("{when_time: {Foo: 7}, timeout: 3s}", "timeout", Verdict.TIMED_OUT, "3 s"),
        ("{assert: {active: [Foo, Bar]}}", "failed", Verdict.FAILED, "Bar is inactive"),
        ("{assert: {inactive: Start}}", "failed", Verdict.FAILED, "Start is active"),
        ("{assert: {ticks: {Start: '>= 3'}}}", "failed", Verdict.FAILED, "is 1, not >= 3"),
        ("{assert: {ticks: {Start: 3}}}", "failed", Verdict.FAILED, "is 1, not 3"),
        ("{pause: {prompt: 'sure?'}}", "failed", Verdict.FAILED, "--yes"),
        ("{run: add . Needy}", "canceled", Verdict.CANCELED, "requires Start"),
        ("{run: when . Foo, timeout: 2}", "timeout", Verdict.TIMED_OUT, "within 2 s"),
        ("{add: Foo, if: Start == 'a' or Start > 'b'}", "failed", Verdict.FAILED, "compared"),
    ],
)
async def test_what_goes_wrong_says_how_and_why(
    task: str, status: str, verdict: Verdict, reason: str, tmp_path: Path
) -> None:
    fleet = stage("w0")
    before = "add Bar" if "Needy" in task else "add Start"
    op, state = before.split()
    text = f"- {{name: before, {op}: {state}}}\n- {task}\n- {{name: never, add: Event}}"
    report = await tasks(tmp_path, text, fleet)
    assert [one.task for one in report.results][:1] == ["before"]
    result = report.results[-1]
    assert (result.status, report.verdict) == (status, verdict)
    assert reason in result.did.reason
    assert result.place.line == 4
    assert report.recaps[0].failed_at == str(result.place)


async def test_a_lost_machine_is_unreachable_and_the_others_go_on(tmp_path: Path) -> None:
    fleet = stage("w0", "w1")
    path = write(tmp_path, "- {machines: all, tasks: [{pause: 1}, {add: Foo}, {add: Bar}]}")

    def lose() -> None:
        fleet.peers[1].is_ready, fleet.peers[1].problem = False, "the connection was lost"

    asyncio.get_running_loop().call_later(0.5, lose)
    report = await play(fleet, path)
    assert found(report)[2:] == [
        "add Foo w0 changed",
        "add Foo w1 unreachable",
        "add Bar w0 changed",
    ]
    assert report.verdict is Verdict.UNREACHABLE
    assert "the connection was lost" in report.results[3].did.reason


async def test_a_wait_for_a_machine_that_went_away_is_unreachable(tmp_path: Path) -> None:
    fleet = stage("w0")
    fleet_gone = asyncio.get_running_loop().call_later(
        1, setattr, fleet.peers[0], "is_ready", False
    )
    report = await tasks(tmp_path, "- {when: Foo, timeout: 5s}", fleet)
    assert found(report) == ["when Foo w0 unreachable"]
    assert fleet_gone.when() == 1


async def test_a_named_machine_that_is_not_connected_ends_it_before_anything_ran(
    tmp_path: Path,
) -> None:
    fleet = stage("w0", "w1")
    fleet.peers[1].is_ready, fleet.peers[1].problem = False, "refused"
    path = write(
        tmp_path, "- {machines: w0, tasks: [add: Foo]}\n- {machines: w1, tasks: [add: Foo]}"
    )
    with pytest.raises(UnreachableError, match="'w1' is not connected: refused"):
        await play(fleet, path)
    assert fleet.peers[0].net.time_sum == 0


async def test_no_machine_ends_it_before_anything_ran(tmp_path: Path) -> None:
    fleet = stage("w0")
    path = write(
        tmp_path, "- {machines: w0, tasks: [add: Foo]}\n- {machines: x*, tasks: [add: Foo]}"
    )
    with pytest.raises(NothingMatchedError, match="x\\*"):
        await play(fleet, path)
    assert fleet.peers[0].net.time_sum == 0


async def test_limit_leaves_plays_out_and_says_when_nothing_is_left(tmp_path: Path) -> None:
    fleet, noted = stage(), Noted()
    text = "- {machines: w0, tasks: [add: Foo]}\n- {machines: 'w*', tasks: [add: Bar]}"
    path = write(tmp_path, text)
    report = await play(fleet, path, limit="w1,w2", observer=noted)
    assert found(report) == ["add Bar w1 changed", "add Bar w2 changed"]
    assert noted.lines[0] == "play w0: "
    nothing = await play(fleet, path, limit="nobody")
    assert isinstance(nothing.error, NothingMatchedError)
    assert str(nothing.error) == "the limit 'nobody' leaves no machine to any play"
    assert nothing.verdict is Verdict.NO_MATCH


# -- conditions, variables, loops


async def test_conditions_see_states_variables_and_results(tmp_path: Path) -> None:
    text = """
- {add: Foo, register: go}
- {name: a, add: Event, if: Foo and not Bar}
- {name: b, add: Event, if: go.changed and go.result == 'executed'}
- {name: c, add: Event, if: "go.status in ['ok', 'failed']"}
- {name: d, add: Event, if: tick(Foo) >= 2 or inactive(Bar) and machine == 'w0'}
- {name: e, add: Event, if: check}
- {name: f, add: Event, if: skipped.skipped}
"""
    text += "- {name: g, add: Event, if: tick('Event') == 3 and go.after.Foo == 1}"
    text = text.replace(
        "- {name: f", "- {name: e2, add: Event, if: false, register: skipped}\n- {name: f"
    )
    report = await tasks(tmp_path, text)
    went = {one.split()[0]: one.split()[-1] for one in found(report)[1:]}
    assert went == {
        "a": "changed", "b": "changed", "c": "skipped", "d": "changed", "e": "skipped",
        "e2": "skipped", "f": "changed", "g": "skipped",
    }  # fmt: skip


async def test_a_registered_result_is_each_machines_own_or_else_the_last_one(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path,
        """
- machines: w0
  tasks: [{add: Foo, register: one}]
- machines: w*
  tasks:
    - {name: seen, add: Event, if: one.machine == 'w0'}
    - {name: own, add: Foo, register: one}
    - {name: again, add: Event, if: one.changed}
""",
    )
    report = await play(stage("w0", "w1"), path)
    assert found(report)[1:] == [
        "seen w0 changed", "seen w1 changed", "own w0 ok", "own w1 changed",
        "again w0 skipped", "again w1 changed",
    ]  # fmt: skip


async def test_variables_of_all_layers(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
- name: "of {{ who }}"
  machines: "{{ who }}"
  vars: {a: Foo, b: "{{ a }}", c: Bar, wait: 2}
  tasks:
    - {add: "{{ b }}", vars: {a: Baz}}
    - {add: ["{{ c }}"], vars: {c: Baz}}
    - {name: "{{ item.n }}", add: "{{ item.s }}", loop: [{n: 1, s: Foo}, {n: 2, s: "{{ c }}"}]}
    - {pause: "{{ wait }}"}
    - {pause: "{{ wait }}s"}
""",
    )
    report = await play(stage(), path, options=RunOptions({"who": "w1", "c": "Event"}))
    moved = [[*one.did.moved] for one in report.results]
    assert moved == [["Foo"], ["Event"], [], ["Event"], [], []]
    assert [one.task for one in report.results[2:4]] == ["1", "2"]
    assert [one.item for one in report.results[2:4]] == [
        {"n": 1, "s": "Foo"},
        {"n": 2, "s": "Event"},
    ]
    assert {one.play for one in report.results} == {"of w1"}


async def test_a_loop_ends_at_the_first_failure_unless_errors_are_ignored(tmp_path: Path) -> None:
    text = (
        "- {name: l, add: '{{ item }}', loop: [Foo, Needy, Bar], register: r%s}\n"
        "- {add: Event, if: r.results}"
    )
    stopped = await tasks(tmp_path, text % "")
    assert [one.item for one in stopped.results] == ["Foo", "Needy"]
    ignored = await tasks(tmp_path, text % ", ignore_errors: true")
    assert [one.item for one in ignored.results] == ["Foo", "Needy", None]
    assert ignored.verdict is Verdict.DONE
    nothing = await tasks(
        tmp_path, "- {add: Foo, loop: 0, register: r}\n- {add: Bar, if: r.skipped}"
    )
    assert found(nothing) == ["add Bar w0 changed"]


async def test_an_include_goes_round_for_all_its_tasks(tmp_path: Path) -> None:
    write(
        tmp_path,
        "- {name: on, add: '{{ s }}'}\n- {name: off, remove: '{{ s }}', if: item > 1}",
        "i.yml",
    )
    text = """
- {include: i.yml, loop: 3, vars: {s: Foo}, tags: round}
- {include: i.yml, if: Foo and Bar, vars: {s: Bar, item: 1}}
- {name: end, add: Event}
"""
    report = await tasks(tmp_path, text)
    assert [one.rpartition(" w0 ")[::2] for one in found(report)] == [
        ("on", "changed"), ("off", "skipped"), ("on", "ok"), ("off", "changed"),
        ("on", "changed"), ("off", "changed"), ("include i.yml", "skipped"), ("end", "changed"),
    ]  # fmt: skip


# -- attempts


async def test_until_tries_again_with_a_delay(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    text = "- {name: t, add: Event, until: tick(Event) >= 5, delay: 10, retries: 9, register: r}"
    report = await tasks(tmp_path, text)
    (result,) = report.results
    assert (result.attempts, result.status) == (3, Status.CHANGED)
    assert result.did.moved == {"Event": (0, 5)}
    assert loop.time() == 20


async def test_until_that_stays_false_fails_after_its_retries(tmp_path: Path) -> None:
    report = await tasks(tmp_path, "- {add: Foo, until: this.attempts > 9}")
    (result,) = report.results
    assert (result.attempts, result.status) == (4, Status.FAILED)
    assert "`until` is still false" in result.did.reason


async def test_a_failure_is_retried(tmp_path: Path) -> None:
    fleet = stage("w0")
    asyncio.get_running_loop().call_later(2.5, fleet.peers[0].net.add, "Start")
    report = await tasks(tmp_path, "- {add: Needy, retries: 5, delay: 1s}", fleet)
    assert (report.results[0].attempts, report.results[0].status) == (4, Status.CHANGED)


# -- failures


async def test_on_failure_of_task_then_of_play_then_no_further_task(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
- machines: w0,w1
  on_failure:
    - {name: play says, add: Event, if: failure.status == 'canceled'}
  tasks:
    - {name: fails, add: Needy, if: machine == 'w1', on_failure: [{name: task says, add: Baz}]}
    - {name: next, add: Foo}
- machines: w0,w1
  tasks: [{name: later, add: Event}]
""",
    )
    report = await play(stage(), path)
    assert found(report) == [
        "fails w0 skipped", "fails w1 canceled", "task says w1 changed", "play says w1 changed",
        "next w0 changed", "later w0 changed",
    ]  # fmt: skip
    assert report.verdict is Verdict.CANCELED


async def test_ignored_errors_run_on_failure_and_go_on(tmp_path: Path) -> None:
    text = (
        "- {name: f, add: Needy, ignore_errors: true, on_failure: [{add: Start}]}\n- {add: Needy}"
    )
    report = await tasks(tmp_path, text)
    assert found(report) == ["f w0 canceled", "add Start w0 changed", "add Needy w0 changed"]
    assert report.verdict is Verdict.DONE
    assert report.results[0].ignored


async def test_a_failing_clean_up_counts_too(tmp_path: Path) -> None:
    text = "- {add: Needy, on_failure: [{assert: {active: Foo}}, {name: never, add: Foo}]}"
    report = await tasks(tmp_path, text)
    assert found(report) == ["add Needy w0 canceled", "assert w0 failed"]
    assert report.verdict is Verdict.FAILED


async def test_any_errors_fatal_ends_everything(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
- machines: all
  any_errors_fatal: true
  tasks:
    - {name: f, add: Needy, if: machine == 'w1'}
    - {name: never, add: Foo}
- {machines: all, tasks: [{name: never, add: Foo}]}
""",
    )
    assert [one.split()[0] for one in found(await play(stage(), path))] == ["f", "f", "f"]


@pytest.mark.parametrize(
    ("serial", "batches"),
    [("2", ["w0 w1", "w2 w3", "w4"]), ("'50%'", ["w0 w1", "w2 w3", "w4"]), ("'1%'", [*"01234"])],
)
async def test_serial_works_on_so_many_at_a_time(
    serial: str, batches: Sequence[str], tmp_path: Path
) -> None:
    noted = Noted()
    path = write(tmp_path, f"- {{machines: all, serial: {serial}, tasks: [add: Foo, add: Bar]}}")
    await play(stage(*(f"w{i}" for i in range(5))), path, observer=noted)
    plays = [line.partition(": ")[2] for line in noted.lines if line.startswith("play")]
    assert plays == [b if "w" in b else f"w{b}" for b in batches]


async def test_a_batch_that_fails_as_a_whole_ends_the_play(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "- {machines: all, serial: 1, tasks: [add: Needy]}\n- {machines: all, tasks: [add: Foo]}",
    )
    assert found(await play(stage("w0", "w1"), path)) == [
        "add Needy w0 canceled", "add Foo w1 changed",
    ]  # fmt: skip


async def test_a_task_can_have_machines_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, "- {machines: w0, tasks: [{add: Foo}, {add: Bar, machines: [w1, w2]}]}")
    report = await play(stage(), path)
    assert found(report) == ["add Foo w0 changed", "add Bar w1 changed", "add Bar w2 changed"]
    assert [one.machine for one in report.recaps] == ["w0", "w1", "w2"]


# -- people


async def test_tags_choose_tasks(tmp_path: Path) -> None:
    write(tmp_path, "- {name: i1, add: Foo, tags: deep}\n- {name: i2, add: Bar}", "i.yml")
    text = """
- {name: a, add: Foo, tags: [x, y]}
- {name: b, add: Bar, tags: y}
- {name: c, add: Baz}
- {include: i.yml, tags: z}
"""

    async def names(only: set[str], skip: set[str]) -> list[str]:
        options = RunOptions(tagged=Tagged(frozenset(only), frozenset(skip)))
        report = await tasks(tmp_path, text, options=options)
        return [one.task for one in report.results]

    assert await names({"x"}, set()) == ["a"]
    assert await names({"y"}, {"x"}) == ["b"]
    assert await names(set(), {"y"}) == ["c", "i1", "i2"]
    assert await names({"z"}, {"deep"}) == ["i2"]
    assert await names({"deep"}, set()) == ["i1"]


async def test_stepping_asks_before_each_task_until_told_to_go_on(tmp_path: Path) -> None:
    answers, asked = iter(["y", "n", "c"]), []

    async def step(title: str) -> str:
        asked.append(title)
        return next(answers)

    text = """
- {add: Foo}
- {add: Bar, register: r}
- {add: Event}
- {name: last, add: Baz, if: r.skipped}
"""
    report = await tasks(tmp_path, text, options=RunOptions(step=step))
    assert asked == ["add Foo", "add Bar", "add Event"]
    assert found(report) == ["add Foo w0 changed", "add Event w0 changed", "last w0 changed"]


@pytest.mark.parametrize(("answer", "status"), [(True, "ok"), (False, "failed")])
async def test_a_prompt_is_asked_once_for_all_machines(
    answer: bool, status: str, tmp_path: Path
) -> None:
    asked = []

    async def prompt(text: str) -> bool:
        asked.append(text)
        return answer

    report = await tasks(
        tmp_path, "- {pause: {prompt: 'sure?'}}", stage(), options=RunOptions(prompt=prompt)
    )
    assert asked == ["sure?"]
    assert [one.status for one in report.results] == [status] * 3


async def test_an_interrupt_gives_waits_up_and_still_reports(tmp_path: Path) -> None:
    fleet = stage("w0")
    path = write(tmp_path, "- {machines: all, tasks: [{add: Foo}, {when: Bar}, {add: Baz}]}")
    runner = Runner(load([path]), LiveWorld(context(fleet)))
    group = TaskSet("test")
    running = group.spawn(runner.run(), name="run")
    asyncio.get_running_loop().call_later(7, runner.interrupt)
    report = await running
    assert (report.interrupted, report.verdict) == (True, Verdict.INTERRUPTED)
    assert found(report) == ["add Foo w0 changed"]
    assert report.recaps[0].as_data()["changed"] == 1
    assert not fleet.peers[0].net.is_watched
    await group.close()


async def test_an_interrupt_before_the_run_ends_it_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "- {machines: all, tasks: [add: Foo]}")
    runner = Runner(load([path]), LiveWorld(context(stage("w0"))))
    runner.interrupt()
    report = await runner.run()
    assert (report.results, report.verdict) == ((), Verdict.INTERRUPTED)


async def test_cancelling_a_run_cancels_its_waits(tmp_path: Path) -> None:
    fleet = stage("w0")
    path = write(tmp_path, "- {machines: all, tasks: [{when: Bar}]}")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await Runner(load([path]), LiveWorld(context(fleet))).run()
    assert "playbook" not in {task.get_name() for task in asyncio.all_tasks()}
