"""list, mach, time, inspect, status, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.repl.outcome import Verdict
from amctl.repl.registry import run_line
from tests.support.fake_fleet import FakeFleet, context, fleet_of

if TYPE_CHECKING:
    from amctl.repl.outcome import Outcome


@pytest.fixture
def fleet() -> FakeFleet:
    fleet = fleet_of()
    fleet.peers[0].net.add(("Start", "Foo"))
    fleet.peers[1].net.add("Bar")
    fleet.peers[1].net.remove("Bar")
    return fleet


async def run(fleet: FakeFleet, line: str) -> Outcome:
    return await run_line(context(fleet), line)


async def test_s62_list(fleet: FakeFleet) -> None:
    """Test 9 of the spec."""
    fleet.peers[1].is_ready = False
    assert (await run(fleet, "list")).lines == (
        "1. worker0 t2",
        "   CS: (Foo:1 Start:1)",
        "2. worker1 t2",
        "   D: ()",
        "3. worker2 t0",
        "   C: ()",
    )
    assert (await run(fleet, "list --disconn=false -z=false")).lines == (
        "1. worker0 t2",
        "   CS",
        "2. worker2 t0",
        "   C",
    )
    assert (await run(fleet, "list -Z -l 1")).lines[1].startswith("   CS: (Foo:1 Start:1) [")


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("", [0, 1, 2]),
        ("-a Foo", [0]),
        ("-a Foo -a Start", [0]),
        ("-a Foo -a Bar", []),
        ("-i Foo", [1, 2]),
        ("-i Foo -i Bar --limit 1", [1]),
        ("-t 1", [0, 1]),
        ("-T 1", [2]),
        ("-t 2 -m Bar", [1]),
        ("-r '[12]$'", [1, 2]),
        ("-I rker1", [1]),
        ("-p work -s 2", [2]),
        ("-p other", []),
        ("-f 1", [1, 2]),
        ("-f 1 -l 1", [1]),
        ("-P someone", []),
    ],
)
async def test_filters_alone_and_together(fleet: FakeFleet, words: str, numbers: list[int]) -> None:
    """Test 7 of the spec."""
    outcome = await run(fleet, f"list {words}")
    assert outcome.verdict is (Verdict.DONE if numbers else Verdict.NO_MATCH)
    assert [row["index"] for row in outcome.data] == numbers


async def test_a_list_of_nothing_is_a_list(fleet: FakeFleet) -> None:
    outcome = await run(fleet, "list -p other --json")
    assert outcome.lines == ("[]",)


async def test_a_list_of_nothing_says_so(fleet: FakeFleet) -> None:
    outcome = await run(fleet, "list -p other")
    assert outcome.problems == ("no machine passes these filters",)
    assert outcome.hint
    nobody = await run(FakeFleet([]), "list")
    assert nobody.verdict is Verdict.UNREACHABLE
    assert "amctl start" in nobody.hint


async def test_mach(fleet: FakeFleet) -> None:
    assert (await run(fleet, "mach .")).lines == ("(Foo:1 Start:1)",)
    assert (await run(fleet, "mach . --all")).lines[0].startswith("(Foo:1 Start:1) [Exception:0")
    assert (await run(fleet, "mach worker1,worker2")).lines == ("worker1: ()", "worker2: ()")


async def test_time(fleet: FakeFleet) -> None:
    net = fleet.peers[0].net
    assert (await run(fleet, "time .")).lines == (" ".join(map(str, net.time())),)
    assert (await run(fleet, "time . --sum")).lines == ("2",)
    assert (await run(fleet, "time all --sum")).lines[1] == "worker1: 2"
    row = (await run(fleet, "time .")).data[0]
    assert (row["id"], row["sum"], row["ticks"]["Foo"]) == ("worker0", 2, 1)


async def test_inspect(fleet: FakeFleet) -> None:
    lines = (await run(fleet, "inspect .")).lines
    assert lines[:2] == ("mach://worker0", "")
    assert "1 Foo" in lines
    several = (await run(fleet, "inspect all")).lines
    assert [line for line in several if line.startswith("mach://")] == [
        "mach://worker0",
        "mach://worker1",
        "mach://worker2",
    ]
    assert (await run(fleet, "inspect .")).data[0]["states"]["Needy"]["require"] == ["Start"]


async def test_status_counts_and_says_who_is_missing(fleet: FakeFleet) -> None:
    """Test 8 of the spec."""
    dead = fleet.peers[1]
    dead.is_ready, dead.was_ready, dead.problem = False, False, "nobody listens"
    fleet.peers[2].is_ready = False
    outcome = await run(fleet, "status")
    assert outcome.ok
    assert outcome.lines == (
        "Connected      1",
        "Connecting     0",
        "Disconnected   2",
        "Total          3",
        "   127.0.0.1:7001: nobody listens",
        "   worker2 (127.0.0.1:7002): not connected yet",
    )
    assert outcome.data["total"] == 3
    assert outcome.data["machines"][1]["problem"] == "nobody listens"


async def test_why_names_the_blame(fleet: FakeFleet) -> None:
    outcome = await run(fleet, "why worker1 Needy")
    assert outcome.ok
    assert "Needy" in outcome.lines[0]
    assert outcome.data["machine"] == "worker1"


@pytest.mark.parametrize("command", ["mach", "time", "inspect", "why worker7"])
async def test_an_unknown_machine_has_a_near_one(fleet: FakeFleet, command: str) -> None:
    line = f"{command} Foo" if " " in command else f"{command} worker7"
    outcome = await run(fleet, line)
    assert outcome.verdict is Verdict.NO_MATCH
    assert "worker7" in outcome.problems[0]
    assert "did you mean" in outcome.hint
