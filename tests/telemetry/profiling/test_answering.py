"""The question `profile`, as a peer asks it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine
from amctl.rpc.asking import answer
from amctl.rpc.errors import QuestionError
from amctl.rpc.wire.codes import Code
from amctl.telemetry.profiling import answering
from amctl.telemetry.profiling.answering import ProfileDesk, offer
from amctl.telemetry.profiling.samplers import SignalSampler
from tests.telemetry.profiling.timeline import FakeTimeline

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.realtime


@pytest.fixture
def machine() -> Machine:
    return Machine("m", {"A": {}})


def ask(desk: ProfileDesk, machine: Machine, **params: Any) -> Mapping[str, Any]:
    return desk.answer(machine, params)


async def test_it_tells_who_it_is(machine: Machine) -> None:
    info = ask(ProfileDesk(), machine, do="info")
    assert info["pid"] > 0
    assert (info["machine"], info["running"]) == ("m", False)
    assert info["how"] == ["signal"] * SignalSampler.is_possible() + ["thread", "calls"]
    assert info["thread"] == ""
    assert ask(ProfileDesk(FakeTimeline()), machine)["thread"] == "worker-7"


@pytest.mark.parametrize("how", ["thread", "calls"])
async def test_it_is_started_and_stopped(machine: Machine, how: str) -> None:
    desk = ProfileDesk()
    assert ask(desk, machine, do="start", hz=1000, how=how)["running"] is True
    for _ in range(50):
        sum(range(20_000))
        await asyncio.sleep(0)
    found = ask(desk, machine, do="stop")
    assert found["taken"] == how
    assert found["running"] is False
    assert found["seconds"] > 0
    assert {"frames", "stacks", "idle", "left_out"} <= set(found)


async def test_one_at_a_time(machine: Machine) -> None:
    desk = ProfileDesk()
    ask(desk, machine, do="start", how="calls")
    with pytest.raises(QuestionError) as caught:
        ask(desk, machine, do="start")
    assert caught.value.code == Code.BUSY
    assert "it ends within 60 s" in str(caught.value)
    ask(desk, machine, do="stop")
    with pytest.raises(QuestionError, match="no profile was started"):
        ask(desk, machine, do="stop")


async def test_one_that_nobody_stops_ends_by_itself_and_is_kept(machine: Machine) -> None:
    desk = ProfileDesk()
    ask(desk, machine, do="start", how="calls", seconds=0.01)
    while ask(desk, machine, do="info")["running"]:  # noqa: ASYNC110 - a timer of its own
        await asyncio.sleep(0.005)
    assert ask(desk, machine, do="stop")["taken"] == "calls"


@pytest.mark.parametrize(
    "params",
    [
        {"do": "dance"},
        {"do": "start", "hz": 0},
        {"do": "start", "hz": 10**9},
        {"do": "start", "hz": True},
        {"do": "start", "seconds": "long"},
        {"do": "start", "how": "magic"},
    ],
    ids=str,
)
async def test_odd_wishes_are_refused(machine: Machine, params: dict[str, Any]) -> None:
    with pytest.raises(QuestionError) as caught:
        ask(ProfileDesk(), machine, **params)
    assert caught.value.code == Code.ARGS


async def test_handlers_are_marked_meanwhile(machine: Machine) -> None:
    timeline = FakeTimeline()
    desk = ProfileDesk(timeline)

    class Handlers:
        def AState(self, e: Any) -> None:
            pass

    machine.bind(Handlers())
    ask(desk, machine, do="start", how="calls")
    machine.add("A")
    found = ask(desk, machine, do="stop")
    machine.remove("A")
    machine.add("A")
    assert [name for name, _, _ in timeline.told] == ["m AState"]
    assert found["spans"]["names"] == ["m AState"]
    assert found["spans"]["left_out"] == 0


async def test_an_answer_always_fits(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MAX_ANSWER", 4096 + 20_000)
    desk = ProfileDesk()
    ask(desk, machine, do="start", how="calls")
    assert desk._sampler is not None
    for number in range(1000):
        desk._sampler.stacks.add([(f"f{number}", "a.py", 1)] * 20, 0.001 * number)
    found = ask(desk, machine, do="stop")
    assert 0 < len(json.dumps(found["stacks"])) < 20_000
    assert found["left_out"] > 0


async def test_it_is_offered_as_a_question(machine: Machine) -> None:
    offer()
    code, text = answer(machine, {"q": "profile", "do": "info"}, lambda op, states: None)
    assert code == Code.OK
    assert '"machine": "m"' in text or '"machine":"m"' in text
    code, text = answer(machine, {"q": "profile", "dance": 1}, lambda op, states: None)
    assert code == Code.ARGS
