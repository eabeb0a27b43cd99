"""Questions to served machines, over a connection: answers, refusals, and what may go wrong."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amctl.machine import Machine
from amctl.rpc import asking
from amctl.rpc.client import Client
from amctl.rpc.errors import (
    AnswerError,
    CallRefusedError,
    NotConnectedError,
    QuestionError,
    UnknownOutcomeError,
)
from amctl.rpc.repl import repl_endpoint
from amctl.rpc.server import Server
from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from amctl.rpc.transports.tcp import dial_tcp
from amctl.rpc.wire import codec
from amctl.rpc.wire.codes import Code, Op
from nodes.plan import NodePlan
from tests.nodes.rig import rig
from tests.rpc.asked import AJob, Busy, answering, permitted, refusal
from tests.rpc.world import TOKEN, TRANSPORTS, Plain, Rel, turn, world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from amctl.machine import Event, MachineView
    from amctl.rpc.transports.base import Connection
    from tests.rpc.world import World

every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


# ---- questions of others


async def test_who_registers_answers_and_may_replace() -> None:
    def sizes(source: MachineView, params: Any) -> Any:
        return {"id": source.id, "twice": 2 * params["n"]}

    async with world() as w:
        _, net = await w.ready()
        with answering("sizes", sizes, params=["n"]):
            assert await net.ask("sizes", n=4) == {"id": "src", "twice": 8}
            assert (await refusal(net, "sizes", m=4))[1] == (
                "question 'sizes' has no parameter 'm'; there is n"
            )
            asking.register("sizes", lambda source, params: {*"ba"})
            assert await net.ask("sizes", anything=1) == ["a", "b"]
        assert (await refusal(net, "sizes"))[0] == Code.UNSUPPORTED


async def test_an_unknown_question_is_refused_with_a_near_match() -> None:
    async with world() as w:
        _, net = await w.ready()
        code, text = await refusal(net, "abuot")
        assert (code, text) == (Code.UNSUPPORTED, "no question 'abuot'; did you mean 'about'?")


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (ValueError("wrong"), Code.INTERNAL),
        (QuestionError(Code.BUSY, "later"), Code.BUSY),
        (asyncio.CancelledError(), Code.INTERNAL),
        (RecursionError(), Code.INTERNAL),
        (object(), Code.INTERNAL),
        (float("nan"), Code.INTERNAL),
        ({(1, 2): 3}, Code.INTERNAL),
        ("x" * (512 << 10), Code.TOO_BIG),
    ],
)
async def test_a_question_that_fails_is_answered_and_harms_nothing(made: Any, code: Code) -> None:
    def fails(source: MachineView, params: Any) -> Any:
        if isinstance(made, BaseException):
            raise made
        return made

    async with world() as w:
        client, net = await w.ready()
        connection = w.connections[-1]
        with answering("fails", fails):
            assert (await refusal(net, "fails"))[0] == code
        assert (await net.ask("about"))["id"] == "src"
        assert client.is_connected
        assert w.connections[-1] is connection


@every_transport
async def test_the_longest_answer_gets_through(transport: str) -> None:
    text = "ä" * ((asking.MAX_ANSWER - 2) // 6)
    async with world(transport) as w:
        _, net = await w.ready()
        with answering("long", lambda source, params: text):
            for _ in range(8):
                assert await net.ask("long") == text
        assert len(w.connections) == 1


@every_transport
async def test_more_than_a_client_reads_is_refused_and_nothing_is_lost(transport: str) -> None:
    text = "x" * (400 << 10)
    async with world(transport) as w:
        client, net = await w.ready()
        with answering("long", lambda source, params: text):
            asked = [net.ask("long") for _ in range(40)]
            adds = [net.add("B") for _ in range(40)]
            both = await asyncio.gather(*asked, *adds, return_exceptions=True)
        answers, refused = both[:40], [one for one in both[:40] if one != text]
        assert answers[0] == text
        assert all(isinstance(e, CallRefusedError) and e.code == Code.BUSY for e in refused)
        if transport == "memory":  # all arrive at once
            assert 0 < len(answers) - len(refused) <= 8
        assert w.source.tick("B") == 79
        assert client.is_connected
        assert len(w.connections) == 1


async def test_a_session_forgets_the_size_of_what_was_read() -> None:
    async with world() as w:
        _, net = await w.ready()
        with answering("long", lambda source, params: "x" * (400 << 10)):
            for _ in range(12):
                await net.ask("long")
        await net.sync()
        (session,) = w.server._host._served
        for _ in range(40):
            await net.add("B")
        assert (session.long_bytes, len(session.long)) == (0, 0)


async def test_answers_that_are_none_are_an_error_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world() as w:
        _, net = await w.ready()
        for text in ("", "{", "[" * 200_000):
            monkeypatch.setattr(asking, "answer", lambda *_, text=text: (Code.OK, text))
            with pytest.raises(AnswerError, match="the answer to ask about can't be read"):
                await net.ask("about")


# ---- permissions


async def test_a_question_needs_the_permission_of_what_it_does() -> None:
    asked: list[tuple[int, list[str]]] = []

    def allow(client: str, op: int, states: Sequence[str]) -> Code | None:
        asked.append((op, list(states)))
        return None if op in (Op.ASK, Op.REMOVE, Op.NOP) else Code.DENIED

    async with world(allow=allow) as w:
        _, net = await w.ready()
        assert (await net.ask("about"))["id"] == "src"
        denied = (Code.DENIED, "not permitted")
        assert await refusal(net, "mutate", op="add", states=["D"]) == denied
        assert await refusal(net, "can", op="add", states=["D"]) == denied
        assert (await net.ask("can", op="remove", states=["D"]))["result"] == "executed"
        assert w.source.not_("D")
        assert asked == [
            (Op.ASK, []),
            (Op.ADD, ["D"]),
            (Op.ADD, ["D"]),
            (Op.REMOVE, ["D"]),
        ]


async def test_reading_can_be_refused_too() -> None:
    async with world(allow=lambda client, op, states: Code.DENIED) as w:
        _, net = await w.ready()
        assert await refusal(net, "machines") == (Code.DENIED, "not permitted")


async def test_a_question_of_others_names_what_it_needs() -> None:
    def allow(client: str, op: int, states: Sequence[str]) -> Code | None:
        return None if list(states) == ["C"] else Code.DENIED

    async with world(allow=allow) as w:
        _, net = await w.ready()
        needs = {"needs": lambda params: (Op.ADD, [params["state"]])}
        with answering("poke", lambda source, params: 1, **needs):
            assert await net.ask("poke", state="C") == 1
            assert (await refusal(net, "poke", state="D"))[0] == Code.DENIED
            assert (await refusal(net, "poke"))[0] == Code.INTERNAL


# ---- connections that break


@every_transport
async def test_a_mutation_by_question_never_runs_twice(transport: str) -> None:
    class Counts:
        def __init__(self) -> None:
            self.ran: list[Any] = []

        def BState(self, e: Event) -> None:
            self.ran.append(e.raw["n"])

    counts = Counts()
    async with world(transport, Plain, counts) as w:
        client, net = await w.ready(states=Plain)
        asked = []
        for n in range(30):
            ask = net.ask("mutate", op="add", states=["B"], args={"n": n})
            asked.append(asyncio.ensure_future(ask))
            if n % 10 == 9:
                await turn(n % 7)
                w.cut()
                await client.machine.when("Ready", timeout=5)
        done = await asyncio.gather(*asked)
        assert counts.ran == list(range(30))
        at = w.source.index("B")
        assert [one["before"][at] for one in done] == [max(0, 2 * n - 1) for n in range(30)]
        assert [one["after"][at] for one in done] == [2 * n + 1 for n in range(30)]


async def test_an_answer_lost_with_the_connection_comes_again() -> None:
    ran: list[str] = []

    def counted(source: MachineView, params: Any) -> Any:
        ran.append(source.id)
        return len(ran)

    async with world() as w:
        _, net = await w.ready()
        with answering("counted", counted):
            w.connections[-1]._other.hold()
            asked = asyncio.ensure_future(net.ask("counted"))
            await turn()
            assert ran == ["src"]
            assert not asked.done()
            w.cut()
            assert await asked == 1
        assert ran == ["src"]


async def test_a_session_that_is_lost_leaves_the_outcome_unknown() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        w.connections[-1]._other.hold()
        asked = asyncio.ensure_future(net.ask("mutate", op="add", states=["B"]))
        await turn()
        w.server._source_gone = lambda: None  # type: ignore[method-assign]  # no goodbye: it dies
        fresh = Server(w.source, "s2", token=TOKEN)
        fresh.start()
        await fresh.machine.when("RpcReady")
        w.server, old = fresh, w.server
        w.cut()
        with pytest.raises(UnknownOutcomeError, match="ask mutate"):
            await asked
        assert w.source.tick("B") == 1
        await old.stop()


async def test_a_question_that_can_not_be_sent_fails() -> None:
    async with world() as w:
        client, net = await w.ready()
        w.refusing = True
        w.cut()
        await client.machine.when_not("Ready")
        with pytest.raises(NotConnectedError, match="ask about was not sent"):
            await net.ask("about")
        await client.stop()
        with pytest.raises(NotConnectedError, match="ask about was not sent"):
            await net.ask("about")


async def test_a_note_is_answered_with_nothing() -> None:
    async with world() as w:
        client, net = await w.ready()
        asked = {"q": "mutate", "op": "add", "states": ["D"]}
        client._core.call(Op.ASK, [], asked, wants=False)
        client._core.call(Op.ASK, [], {"q": "nothing"}, wants=False)
        await net.sync()
        assert net.is_("D")
        assert client.is_connected


async def test_a_question_in_a_batch_is_refused() -> None:
    async with world() as w:
        client, net = await w.ready()
        done: list[int] = []
        client._core.batch([(Op.ASK, [], {"q": "about"})])
        client.calls.failed = lambda cid, code, text: done.append(code)  # type: ignore[method-assign]
        await net.sync()
        assert done == [Code.UNSUPPORTED]


# ---- sources that are mirrors themselves


@contextlib.asynccontextmanager
async def chained(**options: Any) -> AsyncIterator[tuple[World, Client, Client]]:
    """A world, its client, and a client of a server of that client's mirror."""
    async with world(handlers=Busy()) as w:
        near, net = await w.ready()
        server = Server(net, "second", token=TOKEN, **options)
        server.start()
        await server.machine.when("RpcReady")

        async def dial() -> Connection:
            ends: tuple[MemoryConnection, MemoryConnection] = memory_pair()
            server.accept(ends[1])
            return ends[0]

        far = Client("far", None, token=TOKEN, dial=dial)
        far.start()
        await far.machine.when("Ready")
        try:
            yield w, near, far
        finally:
            await far.stop()
            await server.stop()


async def test_a_mirrored_source_passes_questions_on() -> None:
    async with chained() as (w, _, far):
        told = await far.net.ask("about")
        assert (told["id"], told["is_local"]) == ("src", True)
        done = await far.net.ask("mutate", op="add", states=["D"], args={"n": 1})
        assert done["result"] == "executed"
        assert done["after"] == w.source.time()
        assert far.net.is_("D")
        done = await far.net.ask("mutate", op="add", states=["A"])
        assert done["reason"]["handler"] == "AEnter"
        code, text = await refusal(far.net, "abuot")
        assert (code, text) == (Code.UNSUPPORTED, "no question 'abuot'; did you mean 'about'?")
        assert (await refusal(far.net, "mutate", op="up", states=[]))[0] == Code.ARGS
        assert (await refusal(far.net, "mutate", op="add", states=["X"]))[0] == Code.STATE


async def test_a_mirrored_source_asks_for_permission_before_it_passes_on() -> None:
    def allow(client: str, op: int, states: Sequence[str]) -> Code | None:
        return Code.DENIED if op == Op.ADD else None

    async with chained(allow=allow) as (w, _, far):
        denied = (Code.DENIED, "not permitted")
        assert await refusal(far.net, "mutate", op="add", states=["D"]) == denied
        assert w.source.not_("D")
        assert (await far.net.ask("about"))["id"] == "src"


async def test_a_mirrored_source_without_its_connection_is_away() -> None:
    async with chained() as (w, near, far):
        w.refusing = True
        w.cut()
        await near.machine.when_not("Ready")
        code, text = await refusal(far.net, "about")
        assert code == Code.AWAY
        assert "ask about was not sent" in text
        assert far.is_connected
        w.refusing = False
        await near.machine.when("Ready")
        assert (await far.net.ask("about"))["id"] == "src"


# ---- whatever a peer sends


@pytest.fixture(params=["pure", "msgspec"])
def raw_codec(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ends speak by this codec."""
    before = codec._codec
    wanted = codec.pure_codec() if request.param == "pure" else codec.native_codec()
    assert wanted is not None
    codec._use(wanted)
    yield
    codec._use(before)


@pytest.mark.usefixtures("raw_codec")
async def test_both_codecs_carry_questions() -> None:
    async with world(handlers=Busy()) as w:
        w.source.accept_args(AJob)
        _, net = await w.ready()
        assert (await net.ask("about"))["id"] == "src"
        job = {"Job.payload": b"\0\xff", "text": "\ud7ff\U0001f600", "n": 1.5}
        done = await net.ask("mutate", op="add", states=["B"], args=job)
        assert done["result"] == "executed"
        with answering("echo", lambda source, params: dict(params)):
            sent = {"s": "\ud7ff\U0001f600\0", "n": [1, None, {"x": 1.5}], "big": (1 << 64) - 1}
            assert await net.ask("echo", **sent) == sent
        assert (await refusal(net, "ä"))[0] == Code.UNSUPPORTED


NUMBERS = st.integers(-(1 << 63), (1 << 64) - 1)
WORDS = st.sampled_from(
    ["about", "mutate", "can", "add", "remove", "set", "A", "B", "D", "src", "Job.round", "op"]
)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | st.text() | st.binary() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | WORDS | NUMBERS, inner, max_size=4)
    ),
    max_leaves=10,
)
NAMES = st.sampled_from(sorted(asking._questions))
PARAMS = st.dictionaries(
    st.sampled_from(["machine", "op", "states", "args"]) | st.text(max_size=5), PLAIN
)
ASKED = PLAIN | st.builds(lambda q, params: {**params, "q": q}, NAMES | PLAIN, PARAMS)


def _probed() -> Machine:
    machine = Machine("src", Rel, handlers=Busy())
    machine.accept_args(AJob)
    return machine


@pytest.mark.slow
@given(asked=ASKED)
def test_whatever_is_asked_has_an_answer(asked: Any) -> None:
    machine = _probed()
    code, text = asking.answer(machine, asked, permitted)
    assert code in (Code.OK, Code.ARGS, Code.STATE, Code.UNSUPPORTED)
    assert len(text) <= asking.MAX_ANSWER
    assert not machine.is_busy
    assert machine.tracers == ()
    machine.dispose_force()


@given(
    op=st.sampled_from(["add", "remove", "set", "toggle"]),
    states=st.lists(st.sampled_from(Rel.names()), max_size=3),
    args=PLAIN,
)
def test_arguments_of_all_kinds_harm_no_machine(op: str, states: list[str], args: Any) -> None:
    machine = _probed()
    for question in ("mutate", "can"):
        asked = {"q": question, "op": op, "states": states, "args": args}
        code, _ = asking.answer(machine, asked, permitted)
        assert code in (Code.OK, Code.ARGS)
    machine.dispose_force()


@pytest.mark.slow
@given(asked=st.lists(ASKED, max_size=4))
@settings(max_examples=30)
def test_whatever_is_sent_leaves_the_connection_alone(asked: list[Any]) -> None:
    async def run() -> None:
        async with world(handlers=Busy()) as w:
            client, net = await w.ready()
            for one in asked:
                client._core.call(Op.ASK, [], one)
                client._core.call(Op.ASK, [], one, wants=False)
            assert (await net.ask("about"))["id"] == "src"
            assert client.is_connected
            assert len(w.connections) == 1

    asyncio.run(run())


# ---- the doors of the product


@pytest.mark.realtime
async def test_repl_endpoints_answer() -> None:
    machine = Machine("node", Plain)
    mux = repl_endpoint(machine, token=TOKEN)
    await mux.start()
    host, port = mux.addr.split(":")
    clients = [
        Client(f"repl-{n}", None, token=TOKEN, dial=lambda: dial_tcp(host, int(port)))
        for n in range(2)
    ]
    for client in clients:
        client.start()
        await client.machine.when("Ready", timeout=5)
        done = await client.net.ask("mutate", op="add", states=["B"])
        assert done["result"] == "executed"
        assert mux.machine.id in (await client.net.ask("about"))["children"]
    assert machine.tick("B") == 3
    for client in clients:
        await client.stop()
    await mux.stop()


@pytest.mark.parametrize("role", ["worker", "dispatcher"])
async def test_nodes_answer_and_say_what_they_take(role: str) -> None:
    leaves = ("a",) if role == "dispatcher" else ()
    plan = NodePlan("browser3", role=role, leaves=leaves, token="t")
    async with rig(plan) as it:
        net = it.client.net
        told = await net.ask("about")
        fields = [f"{a['name']}.{f['name']}" for a in told["args"] for f in a["fields"]]
        assert {"Start.trace_id", "Working.payload", "Completed.result"} <= set(fields)
        assert ("Payload.data" in fields) == (role == "dispatcher")
        refused = await net.ask("mutate", op="add", states=["Start"])
        assert refused["reason"]["handler"] == "StartEnter"
        args = {"Start.trace_id": "0" * 31 + "1", "Start.span_id": "0" * 15 + "1"}
        assert (await net.ask("can", op="add", states=["Start"], args=args))["reason"] is None
        done = await net.ask("mutate", op="add", states=["Start"], args=args)
        assert done["result"] == "executed"
        assert it.node.handlers.boot.span_id == "0" * 15 + "1"
