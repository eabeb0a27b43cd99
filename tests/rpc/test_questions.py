"""What the built-in questions tell: about, queue, machines, inspect, mutate, can."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine
from amctl.rpc import asking
from amctl.rpc.errors import QuestionError
from amctl.rpc.wire.codes import Code
from amctl.states.pipes import bind
from tests.rpc.asked import AJob, Busy, permitted, refusal
from tests.rpc.world import TRANSPORTS, Plain, Rel, turn, world

if TYPE_CHECKING:
    from amctl.machine import Event

every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


# ---- reading


@every_transport
async def test_about_tells_what_no_mirror_holds(transport: str) -> None:
    async with world(transport, Rel, Busy()) as w:
        w.source.accept_args(AJob)
        other = Machine("other", {"X": {}}, parent=w.source, tags=["a", "b:1"])
        bind(w.source, other, [("D", "X")])
        _, net = await w.ready()
        told = await net.ask("about")
        assert (told["id"], told["parent_id"], told["is_local"]) == ("src", "", True)
        assert told["args"] == [
            {
                "name": "Job",
                "key": "am__Job",
                "fields": [
                    {"name": "payload", "type": "bytes", "default": "b''"},
                    {"name": "round", "type": "int", "default": "0"},
                ],
            }
        ]
        names = {name for one in told["bindings"] for name in one["handlers"]}
        assert {"AEnter", "BState", "DEnter", "DState"} <= names
        assert {"other", "rs-s1"} <= set(told["children"])
        pipe = {"source_id": "src", "source_state": "D", "target_id": "other", "target_state": "X"}
        assert {"op": "add", **pipe} in told["out"]
        assert told["into"] == []
        below = await net.ask("about", machine="other")
        assert (below["parent_id"], below["tags"]) == ("src", ["a", "b:1"])
        assert {"op": "add", **pipe} in below["into"]


async def test_about_a_mirror_tells_whose_it_is() -> None:
    async with world() as w:
        client, net = await w.ready()
        told = await net.ask("about", machine=client.net.id)
        assert (told["is_local"], told["remote_id"]) == (False, "src")
        assert told["parent_id"] == client.machine.id
        assert (await net.ask("queue", machine=client.net.id))["tick"] == client.net.queue_tick


async def test_groups_are_told() -> None:
    async with world() as w:
        w.source.set_groups({"Work": ["A", "B"]})
        _, net = await w.ready()
        assert ["Work", ["A", "B"]] in (await net.ask("about"))["groups"]


async def test_machines_come_parents_first() -> None:
    async with world() as w:
        _, net = await w.ready()
        family = {"child": "parent", "parent": "grandparent", "grandparent": "elsewhere"}
        circle = {"hen": "egg", "egg": "hen"}
        made = [Machine(a, {"X": {}}, parent_id=b) for a, b in (*family.items(), *circle.items())]
        made[0].add("X")
        told = await net.ask("machines")
        ids = [one["id"] for one in told if one["id"] in {**family, **circle}]
        assert ids == ["grandparent", "parent", "child", "hen", "egg"]
        at = {one["id"]: one for one in told}
        child = at["child"]
        assert (child["active"], child["time_sum"], child["parent_id"]) == (["X"], 1, "parent")
        assert (at[net.id]["is_local"], at[net.id]["remote_id"]) == (False, "src")
        for machine in made:
            machine.dispose()


async def test_inspect_shows_an_inner_machine() -> None:
    async with world() as w:
        _, net = await w.ready()
        inner = Machine("inner", {"X": {"multi": True}, "Y": {"require": ["X"]}})
        inner.add("X")
        told = await net.ask("inspect", machine="inner")
        assert told["names"] == list(inner.names)
        assert told["ticks"] == inner.time()
        assert told["active"] == ["X"]
        assert told["schema"] == inner.schema.to_dict()
        assert told["schema"]["Y"] == {"require": ["X"]}
        assert (await net.ask("inspect"))["names"] == list(w.source.names)


async def test_queue_tells_of_tasks() -> None:
    gone = asyncio.Event()

    class Slow:
        async def AState(self, e: Event) -> None:
            await gone.wait()

        async def CState(self, e: Event) -> None:
            await gone.wait()

    async with world(states=Plain, handlers=Slow()) as w:
        _, net = await w.ready(states=Plain)
        w.source.add("C")
        w.source.add("A")
        told = await net.ask("queue")
        assert told["tasks"] == ["CState", "AState"]
        assert told["waiting"] == []
        assert told["running"] is None
        assert told["handler"] == ""
        assert (told["tick"], told["limit"]) == (w.source.queue_tick, 1000)
        gone.set()
        await turn()
        assert (await net.ask("queue"))["tasks"] == []


def test_queue_within_a_handler_tells_what_runs_and_waits() -> None:
    m = Machine("m", Plain)
    told: list[Any] = []

    def look(e: Event) -> None:
        m.add("B", {"x": 1}, source=e)
        m.can_add("C")
        m.remove("D")
        queue = asking._questions["queue"].fn
        told.append(queue(m, {}))

    m.bind({"DState": look})
    m.add("D")
    m.bind({"CEnter": lambda e: told.append(asking._questions["queue"].fn(m, {}))})
    m.add("C")
    first, second = told
    assert (first.running.type, first.running.states) == ("add", ("D",))
    assert first.handler == "DState"
    assert second.handler == "CEnter"
    waiting = [(item.type, item.states, item.check) for item in first.waiting]
    assert waiting == [("add", ("C",), True), ("add", ("B",), False), ("remove", ("D",), False)]
    assert first.waiting[1].source_id == "m"
    assert len(first.waiting[1].source_tx) == 16
    assert first.waiting[1].tick == first.tick + 1


@pytest.mark.parametrize("question", ["about", "queue", "inspect"])
async def test_an_unknown_machine_is_refused_with_a_near_match(question: str) -> None:
    async with world() as w:
        _, net = await w.ready()
        code, text = await refusal(net, question, machine="srk")
        assert code == Code.ARGS
        assert text.startswith("no machine 'srk' lives in the process of 'src'; did you mean 'src'")
        code, text = await refusal(net, question, machine=7)
        assert (code, text) == (Code.ARGS, "machine is an id, not 7")


# ---- acting


@every_transport
async def test_mutate_tells_answer_and_clocks_with_everything_it_caused(transport: str) -> None:
    handlers = Busy()
    async with world(transport, Rel, handlers) as w:
        _, net = await w.ready()
        before = w.source.time()
        done = await net.ask("mutate", op="add", states=["D"])
        assert (done["result"], done["queue_tick"], done["reason"]) == ("executed", 0, None)
        assert done["before"] == before
        assert done["after"] == w.source.time()
        assert w.source.is_(["D", "C", "B"])  # C is implied, B was queued by a handler
        assert net.is_(["D", "C", "B"])  # the mirror shows it already


async def test_mutate_gives_the_reason_of_exactly_this_mutation() -> None:
    async with world(handlers=Busy()) as w:
        _, net = await w.ready()
        done = await net.ask("mutate", op="add", states=["D"], args={"no": True})
        assert (done["result"], done["before"]) == ("canceled", done["after"])
        reason = done["reason"]
        assert (reason["kind"], reason["state"], reason["handler"]) == ("veto", "D", "DEnter")
        assert reason["sentence"].startswith("DEnter of binding ")
        done = await net.ask("mutate", op="add", states=["A"])
        assert done["reason"]["sentence"] == "A requires C"
        assert done["reason"]["by"] == ["C"]
        assert w.source.tracers  # the server's own
        assert "asked" not in [tracer.id for tracer in w.source.tracers]


async def test_mutate_knows_all_four() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        for op, states, active in [
            ("add", ["A", "C"], ["A", "C"]),
            ("remove", ["A"], ["C"]),
            ("toggle", ["C"], []),
            ("toggle", "D", ["D"]),
            ("set", ["A"], ["A"]),
            ("set", [], []),
        ]:
            assert (await net.ask("mutate", op=op, states=states))["result"] == "executed"
            assert [s for s in w.source.active if s in "ACD"] == active


async def test_typed_arguments_reach_handlers() -> None:
    handlers = Busy()
    async with world(handlers=handlers) as w:
        w.source.accept_args(AJob)
        _, net = await w.ready()
        await net.ask("mutate", op="add", states=["B"], args={"Job.payload": "aGk=", "note": "5"})
        await net.ask("mutate", op="add", states=["B"], args={"Job.payload": b"\0", "Job.round": 7})
        await net.ask("mutate", op="add", states=["B"], args={"am__Job": {"round": "0x10"}})
        assert handlers.jobs == [AJob(b"hi"), AJob(b"\0", 7), AJob(round=16)]
        assert handlers.raws[0]["note"] == "5"


async def test_arguments_that_can_not_be_run_nothing() -> None:
    handlers = Busy()
    async with world(handlers=handlers) as w:
        w.source.accept_args(AJob)
        _, net = await w.ready()
        for question in ("mutate", "can"):
            ask = {"op": "add", "states": ["B"]}
            code, text = await refusal(net, question, **ask, args={"Job.round": "many"})
            assert code == Code.ARGS
            assert text == (
                "arguments 'Job': field 'round' can't be 'many': it should be a whole number"
            )
            code, text = await refusal(net, question, **ask, args={"Job.rond": "1"})
            assert text == "arguments 'Job': field 'rond' is unknown; did you mean 'round'?"
            code, text = await refusal(net, question, **ask, args={"Jobb.round": "1"})
            assert text == "arguments 'Jobb' are unknown (Jobb.round); did you mean 'Job'?"
            code, text = await refusal(net, question, **ask, args=[1])
            assert (code, text) == (Code.ARGS, "args is a map by name, not [1]")
            code, text = await refusal(net, question, **ask, args={1: 2})
            assert (code, text) == (Code.ARGS, "args is a map by name, not {1: 2}")
        assert handlers.jobs == []


async def test_the_origin_reaches_the_handlers() -> None:
    handlers = Busy()
    async with world(handlers=handlers) as w:
        client, net = await w.ready()
        cause = Machine("cause", {"X": {}})
        seen: list[asyncio.Future[Any]] = []

        def from_here(e: Event) -> None:
            ask = net.ask("mutate", op="add", states=["B"], source=e)
            seen.append(asyncio.ensure_future(ask))

        cause.bind({"XState": from_here})
        cause.add("X")
        await seen[0]
        await net.ask("mutate", op="add", states=["B"])
        assert handlers.sources == ["cause", client.machine.id]


@pytest.mark.parametrize(
    ("params", "code", "problem"),
    [
        ({}, Code.ARGS, "op is add or remove or set or toggle, not None"),
        ({"op": "ad", "states": []}, Code.ARGS, "op is add or remove or set or toggle, not 'ad'"),
        ({"op": 0, "states": []}, Code.ARGS, "op is add or remove or set or toggle, not 0"),
        ({"op": "add"}, Code.ARGS, "states is a list of names, not None"),
        ({"op": "add", "states": [1]}, Code.ARGS, "states is a list of names, not [1]"),
        ({"op": "add", "states": {"A": 1}}, Code.ARGS, "states is a list of names, not {'A': 1}"),
        (
            {"op": "add", "states": ["Redy"]},
            Code.STATE,
            "machine 'src' has no state 'Redy'; did you mean 'Ready'?",
        ),
        (
            {"op": "add", "states": [], "sates": []},
            Code.ARGS,
            "question 'mutate' has no parameter 'sates'; did you mean 'states'?",
        ),
        (
            {"op": "add", "states": ["A"], "machine": "src"},
            Code.ARGS,
            "question 'mutate' has no parameter 'machine'; there is args, op, states",
        ),
    ],
)
async def test_what_mutate_can_not_take_is_told(
    params: dict[str, Any], code: Code, problem: str
) -> None:
    async with world() as w:
        client, net = await w.ready()
        assert await refusal(net, "mutate", **params) == (code, problem)
        assert client.is_connected


async def test_can_asks_relations_and_handlers_and_changes_nothing() -> None:
    async with world(handlers=Busy()) as w:
        _, net = await w.ready()
        before = w.source.time()
        assert await net.ask("can", op="add", states=["D"]) == {
            "result": "executed",
            "reason": None,
        }
        told = await net.ask("can", op="add", states=["D"], args={"no": 1})
        assert (told["result"], told["reason"]["kind"]) == ("canceled", "veto")
        told = await net.ask("can", op="add", states=["A"])
        assert (told["result"], told["reason"]["sentence"]) == ("canceled", "A requires C")
        assert (await net.ask("can", op="remove", states=["A"]))["result"] == "executed"
        assert (await refusal(net, "can", op="set", states=["A"]))[0] == Code.ARGS
        assert w.source.time() == before


async def test_a_machine_that_takes_nothing_more_says_why() -> None:
    m = Machine("m", Plain)
    mutate = asking._questions["mutate"].fn
    inside: list[Any] = []

    def within(e: Event) -> None:
        inside.append(mutate(m, {"op": "add", "states": ["B"]}))
        inside.append(mutate(m, {"op": "add", "states": ["C"], "args": {"x": 1}}))
        with pytest.raises(QuestionError, match="in the middle of a transition"):
            asking._questions["can"].fn(m, {"op": "add", "states": ["B"]})

    m.queue_limit = 1
    m.bind({"DState": within})
    m.add("D")
    queued, full = inside
    assert (queued.result, queued.queue_tick, queued.reason) == ("queued", 3, None)
    assert queued.before == queued.after
    assert (full.result, full.reason["kind"]) == ("canceled", "full")
    m.dispose_force()
    gone = mutate(m, {"op": "add", "states": ["B"]})
    assert (gone.result, gone.reason["kind"]) == ("canceled", "disposed")


def test_a_mutation_that_disposes_of_the_machine_has_clocks_after_it() -> None:
    m = Machine("m", Plain)
    m.bind({"DState": lambda e: m.dispose_force()})
    done = asking._questions["mutate"].fn(m, {"op": "add", "states": ["D"]})
    assert done.result == "executed"
    assert done.after[m.names.index("D")] == 1
    assert not any(done.before)


def test_what_a_failed_handler_said_is_cut() -> None:
    m = Machine("m", Plain)

    def fails(e: Event) -> None:
        raise ValueError("x" * 1_000_000)

    m.bind({"DState": fails})
    code, text = asking.answer(m, {"q": "mutate", "op": "add", "states": ["D"]}, permitted)
    assert code == Code.OK
    assert '"kind":"error"' in text
    assert len(text) < 20_000


def test_a_machine_with_too_many_states_to_tell_is_not_mutated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("amctl.rpc._questions_mutate.MAX_ANSWER", 129 << 10)
    m = Machine("m", {f"S{n}": {} for n in range(200)})
    code, text = asking.answer(m, {"q": "mutate", "op": "add", "states": ["S1"]}, permitted)
    assert (code, m.is_("S1")) == (Code.TOO_BIG, False)
    assert text == (
        "machine 'm' has 201 states, too many to tell their clocks; mutate it by a plain call"
    )
