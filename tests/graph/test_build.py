"""From recordings to graphs: pipes by records and by lines, RPC edges, moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from amctl.dump.errors import UnknownTransitionError
from amctl.dump.gob import read_gob
from amctl.dump.memory import MemoryDump
from amctl.graph.build import build_graph
from amctl.graph.errors import UnknownMachineError
from amctl.graph.listing import as_json
from amctl.graph.machurl import parse_machurl
from amctl.graph.moments import Moment, moment_at
from amctl.machine import StateDef
from amctl.machine.steps import ACTIVATE, CALLED, DEACTIVATE, Step
from amctl.telemetry.messages import GoneMsg, PipeMsg, SchemaMsg, TxMsg
from tests.graph.made import GOLDEN, lines, pipes_of
from tests.support.house import ROOT
from tests.support.recordings import BEGAN, recording, schema, tx
from tests.support.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from amctl.graph.model import Graph
    from amctl.telemetry.messages import Message

MS = 1_000_000


def graph_of(*messages: Message, at: str | Moment | None = None, format: str = "memory") -> Graph:
    dump = MemoryDump("test", format=format, messages=messages)
    return build_graph(dump, parse_machurl(at) if isinstance(at, str) else at)


def ticks(graph: Graph, machine: str) -> dict[str, int]:
    return {state.name: state.tick for state in graph.machines[machine].states}


# -- golden


@needs_shared
@pytest.mark.slow
def test_the_originals_recording_gives_its_graph_and_nothing_more() -> None:
    graph = build_graph(read_gob(SHARED / "data" / "wasm-workflow.gob.br"))
    assert [m for m in graph.machines.values() if not m.known] == []
    states = {id: sorted(s.name for s in m.states) for id, m in graph.machines.items()}
    assert states == {m["id"]: m["states"] for m in GOLDEN["machines"]}
    assert sorted(map(list, graph.parents)) == sorted(GOLDEN["parents"])
    assert sorted(map(list, graph.rpc)) == sorted(GOLDEN["rpc_edges"])
    pipes = [[p.source, p.kind, p.source_state, p.target, p.target_state] for p in graph.pipes]
    assert sorted(pipes) == sorted(GOLDEN["pipes"])
    assert (len(states), len(graph.parents), len(graph.rpc), len(pipes)) == (27, 22, 4, 132)


@needs_shared
@pytest.mark.slow
def test_an_old_layout_gives_its_machines() -> None:
    graph = build_graph(read_gob(SHARED / "data" / "am-dbg-sim.gob.br"))
    assert len(graph.machines) == 107
    assert sum(len(m.states) for m in graph.machines.values()) == 1595
    assert (graph.parents, graph.rpc, graph.pipes) == ((), (), ())
    assert sum(m.time_sum for m in graph.machines.values()) == 8610
    assert list(graph.machines)[:3] == ["ps-0", "ps-0-disc", "ps-1"]


OWN = ROOT / "tests" / "cases" / "dumps" / "workflow.gob.br"
"""A whole run of `amctl start --nodes local --seed 1`, with its end."""


@pytest.mark.slow
def test_our_own_recording_gives_the_same_graph_but_for_what_we_do_otherwise() -> None:
    """Triggers have no remove pipes: what they began must not end with them."""
    graph = build_graph(read_gob(OWN))
    document = as_json(graph)
    states = {m["id"]: set(m["states"]) for m in document["machines"]}
    expected = {m["id"]: set(m["states"]) for m in GOLDEN["machines"]}
    expected["orchestrator"] |= {"Succeeded", "Failed"}
    assert states == expected
    assert document["parents"] == GOLDEN["parents"]
    assert document["rpc_edges"] == GOLDEN["rpc_edges"]
    missing = [pipe for pipe in GOLDEN["pipes"] if pipe not in document["pipes"]]
    assert sorted((pipe[1], pipe[2]) for pipe in missing) == [
        ("remove", "Browser3Retry"),
        ("remove", "Browser3Work"),
        ("remove", "Browser4Retry"),
        ("remove", "Browser4Work"),
    ]
    assert len(document["pipes"]) == len(GOLDEN["pipes"]) - len(missing) == 128


@pytest.mark.slow
def test_at_its_height_a_run_shows_more_than_at_its_end() -> None:
    dump = read_gob(OWN)
    height = build_graph(dump, moment_at(dump, "orchestrator:WorkDelivered"))
    active = {id for id, m in height.machines.items() if any(s.is_active for s in m.states)}
    assert active == set(height.machines)
    assert height.pipes == build_graph(dump).pipes
    early = build_graph(dump, parse_machurl("mach://orchestrator/t1"))
    assert set(early.machines) < set(height.machines)
    assert (early.rpc, len(height.rpc)) == ((), 4)


# -- machines


def test_a_child_that_comes_before_its_parent_has_its_edge() -> None:
    graph = graph_of(schema("kid", ["A"], parent="boss"), schema("boss", ["A"]))
    assert graph.parents == (("kid", "boss"),)
    assert list(graph.machines) == ["boss", "kid"]


def test_states_come_with_ticks_relations_and_origin() -> None:
    states = {"A": StateDef(auto=True, require=("B",), after=("B",)), "B": StateDef(multi=True)}
    graph = graph_of(schema("m", states, tags=("x:1",)), tx("m", 1, (1, 2)), tx("m", 2, (2, 3)))
    machine = graph.machines["m"]
    assert (machine.time_sum, machine.tags, machine.time_ns) == (5, ("x:1",), BEGAN + 2 * MS)
    first, second = machine.states
    assert (first.auto, first.multi, first.require, first.after) == (True, False, ("B",), ("B",))
    assert (first.is_active, second.is_active, second.multi) == (False, True, True)


def test_a_short_vector_means_zeros() -> None:
    assert ticks(graph_of(schema("m", ["A", "B"]), tx("m", 1, (1,))), "m") == {"A": 1, "B": 0}


def test_a_new_schema_keeps_ticks_by_name() -> None:
    graph = graph_of(schema("m", ["A", "B"]), tx("m", 1, (1, 3)), schema("m", ["C", "B", "A"]))
    assert ticks(graph, "m") == {"C": 0, "B": 3, "A": 1}


def test_transitions_of_strangers_are_left_out() -> None:
    dump = recording(schema("m", ["A"]), tx("m", 1, (1,)))
    dump._all.append(tx("stranger", 1, (1,)))
    assert list(build_graph(dump).machines) == ["m"]


# -- pipes from lines


def two(*txs: TxMsg) -> list[str]:
    return pipes_of(graph_of(schema("a", ["A"]), schema("b", ["B"]), *txs))


def test_halves_are_joined_by_order_not_by_name() -> None:
    one = lines("[pipe-out:add] Ready to b", "[pipe-out:add] Start to b")
    other = lines("[pipe-in:add] Up from a", "[pipe-in:add] Ready from a")
    expected = ["a.Ready +> b.Up", "a.Start +> b.Ready"]
    assert two(tx("a", 1, (0,), logs=one), tx("b", 2, (0,), pre_logs=other)) == expected
    assert two(tx("b", 1, (0,), logs=other), tx("a", 2, (0,), logs=one)) == expected


def test_add_and_remove_are_paired_apart() -> None:
    one = lines("[pipe-out:remove] X to b", "[pipe-out:add] Y to b")
    other = lines("[pipe-in:add] P from a", "[pipe-in:remove] Q from a")
    assert two(tx("a", 1, (0,), logs=one), tx("b", 2, (0,), logs=other)) == [
        "a.X -> b.Q",
        "a.Y +> b.P",
    ]


def test_what_is_told_twice_counts_once() -> None:
    one = lines("[pipe-out:add] X to b", "[pipe-out:add] Y to b", "[pipe-out:add] X to b")
    other = lines("[pipe-in:add] P from a", "[pipe-in:add] Q from a")
    txs = tx("a", 1, (0,), logs=one), tx("b", 2, (0,), logs=other), tx("a", 3, (0,), logs=one)
    assert two(*txs) == ["a.X +> b.P", "a.Y +> b.Q"]


def test_an_end_that_never_reports_stays_empty() -> None:
    log = lines("[pipe-out:add] X to b", "[pipe-in:remove] Y from b")
    assert two(tx("a", 1, (0,), logs=log)) == ["a.X +> b.", "b. -> a.Y"]


def test_a_machine_that_others_speak_of_is_there_without_contents() -> None:
    graph = graph_of(schema("a", ["A"]), tx("a", 1, (0,), logs=lines("[pipe-out:add] X to c")))
    assert (graph.machines["c"].known, graph.machines["c"].states) == (False, ())


def test_gc_takes_the_pipes_and_nothing_else() -> None:
    log = lines("[pipe-out:add] X to b", "[pipe-in:add] Y from b", "[pipe-out:add] X to c")
    messages: tuple[Any, ...] = (
        schema("a", ["A"]),
        schema("b", ["B"], parent="a"),
        tx("a", 1, (0,), logs=log),
        tx("a", 2, (1,), pre_logs=lines("[pipe:gc] b")),
    )
    graph = graph_of(*messages)
    assert pipes_of(graph) == ["a.X +> c."]
    assert graph.parents == (("b", "a"),)
    assert ticks(graph, "b") == {"B": 0}


def test_an_id_that_was_cut_finds_its_machine() -> None:
    log = lines("[pipe-out:add] X to a-very-long-na...", "[pipe-out:add] X to ambi...")
    messages = [schema(id, ["A"]) for id in ("a", "a-very-long-name", "ambi1", "ambi2")]
    graph = graph_of(*messages, tx("a", 1, (0,), logs=log))
    assert pipes_of(graph) == [
        "a.X +> a-very-long-name.",
        "a.X +> ambi....".replace("....", "...."),
    ]
    assert not graph.machines["ambi..."].known


@pytest.mark.parametrize(
    "text",
    ["x [pipe-out:add] X to b", "[pipe-out:set] X to b", "[pipe-out:add] X from b", "[pipe] X"],
)
def test_other_lines_mean_nothing(text: str) -> None:
    assert two(tx("a", 1, (0,), logs=lines(text))) == []


# -- pipes from records

OURS = {"time_ns": BEGAN}
AB = PipeMsg("add", "a", "X", "b", "Y", time_ns=BEGAN + MS)
AB_GONE = PipeMsg("add", "a", "X", "b", "Y", gone=True, time_ns=BEGAN + 5 * MS)


def ours(*messages: Message, at: str | Moment | None = None, format: str = "memory") -> Graph:
    both = schema("a", ["A"], **OURS), schema("b", ["B"], **OURS)
    return graph_of(*both, *messages, at=at, format=format)


def test_records_need_no_pairing_and_repeat_without_harm() -> None:
    assert pipes_of(ours(AB, AB)) == ["a.X +> b.Y"]


def test_lines_of_our_own_stream_are_not_read() -> None:
    log = lines("[pipe-out:add] X to b", "[pipe-out:add] Z to b")
    assert pipes_of(ours(AB, tx("a", 1, (0,), logs=log))) == ["a.X +> b.Y"]


def test_lines_of_an_edge_that_records_tell_of_are_not_read() -> None:
    log = lines("[pipe-out:add] X to b", "[pipe-out:add] Z to b", "[pipe-out:add] Z to c")
    both = schema("a", ["A"]), schema("b", ["B"])
    graph = graph_of(*both, AB, tx("a", 1, (0,), logs=log))
    assert pipes_of(graph) == ["a.X +> b.Y", "a.Z +> c."]


def test_a_pipe_that_was_taken_away_is_gone() -> None:
    assert pipes_of(ours(AB, AB_GONE)) == []
    assert pipes_of(ours(AB, AB_GONE, AB)) == ["a.X +> b.Y"]


def test_a_pipe_stays_as_its_machine_does_that_was_disposed_of() -> None:
    assert pipes_of(ours(AB, AB_GONE, GoneMsg("b", BEGAN + 6 * MS))) == ["a.X +> b.Y"]
    late = GoneMsg("b", BEGAN + 60_000 * MS)
    assert pipes_of(ours(AB, AB_GONE, late)) == []


def test_a_half_record_is_part_of_a_whole_one() -> None:
    half = PipeMsg("add", "a", "X", "b", "")
    other = PipeMsg("add", "a", "Z", "b", "")
    assert pipes_of(ours(half, AB, other)) == ["a.X +> b.Y", "a.Z +> b."]


# -- RPC edges


def server(*txs: TxMsg, tags: tuple[str, ...] = ("rpc-server",), more: Any = None) -> Graph:
    machine = SchemaMsg(
        "rs",
        ("Start", "HandshakeDone"),
        {"Start": StateDef(), "HandshakeDone": StateDef()},
        tags=tags,
        **(more or {}),
    )
    clients = [schema(id, ["A"]) for id in ("rc-client-number-one", "rc-x", "rc-client-of-two")]
    return graph_of(machine, *clients, *txs)


def test_arguments_name_the_client() -> None:
    shake = tx("rs", 2, (1, 1), called=(1,), args={"id": "rc-x"})
    assert server(tx("rs", 1, (1, 0)), shake).rpc == (("rc-x", "rs"),)


def test_the_very_first_message_counts_too() -> None:
    log = lines("[state] +HandshakeDone", "[add] HandshakeDone (id=rc-x n=1)")
    assert server(tx("rs", 1, (1, 1), logs=log)).rpc == (("rc-x", "rs"),)


def test_an_id_that_the_log_has_cut_is_made_whole() -> None:
    log = lines("[add] HandshakeDone (id=rc-client-number...)\n")
    assert server(tx("rs", 1, (1, 1), logs=log)).rpc == (("rc-client-number-one", "rs"),)


def test_an_id_that_may_mean_several_stays_as_it_is() -> None:
    graph = server(tx("rs", 1, (1, 1), logs=lines("[add] HandshakeDone (id=rc-client...)")))
    assert graph.rpc == (("rc-client...", "rs"),)
    assert not graph.machines["rc-client..."].known


def test_no_edge_without_a_new_handshake() -> None:
    log = lines("[add] HandshakeDone (id=rc-x)")
    active = tx("rs", 1, (1, 1))
    assert server(active, tx("rs", 2, (3, 1), logs=log)).rpc == ()
    assert server(active, tx("rs", 2, (2, 2), logs=log)).rpc == ()
    assert server(tx("rs", 1, (1, 1), logs=log, is_queued=True)).rpc == ()
    assert server(tx("rs", 1, (1, 1), logs=log), tags=("relay",)).rpc == ()


def test_a_handshake_between_two_messages_is_new() -> None:
    log = lines("[add] HandshakeDone (id=rc-x)")
    assert server(tx("rs", 1, (1, 1)), tx("rs", 2, (1, 3), logs=log)).rpc == (("rc-x", "rs"),)


def test_a_pair_with_another_edge_has_its_rpc_edge_too() -> None:
    log = lines("[add] HandshakeDone (id=rc-x)", "[pipe-in:add] Start from rc-x")
    graph = server(tx("rs", 1, (1, 1), logs=log))
    assert graph.rpc == (("rc-x", "rs"),)
    assert pipes_of(graph) == ["rc-x. +> rs.Start"]


@pytest.mark.parametrize("text", ["[add] HandshakeDone", "[add] HandshakeDone (x=1)", "[add] A ("])
def test_a_line_without_an_id_names_nobody(text: str) -> None:
    assert server(tx("rs", 1, (1, 1), logs=lines(text))).rpc == ()


# -- moments

STEPS = (Step(CALLED, target=0), Step(ACTIVATE, target=0), Step(DEACTIVATE, target=1))
STORY: tuple[Message, ...] = (
    schema("m", ["A", "B"], time_ns=BEGAN),
    schema("other", ["X"], time_ns=BEGAN),
    tx("m", 1, (1, 0)),
    tx("other", 2, (1,)),
    tx("m", 3, (1, 1), queue_tick=5),
    PipeMsg("add", "m", "A", "other", "X", time_ns=BEGAN + 4 * MS),
    tx("other", 6, (2,)),  # arrives before, but is later than the next
    tx("m", 5, (2, 2), queue_tick=7, steps=STEPS),
    schema("m", ["A", "B", "C"], time_ns=BEGAN + 7 * MS),
    tx("m", 8, (3, 2, 1), steps=STEPS[:2]),
    schema("late", ["L"], time_ns=BEGAN + 9 * MS),
)


@pytest.mark.parametrize("format", ["memory", "sqlite"])
@pytest.mark.parametrize(
    ("at", "m", "other"),
    [
        (None, (3, 2, 1), 2),
        ("mach://m", (3, 2, 1), 2),
        (f"mach://m/{1:016x}", (1, 0), 0),
        (f"mach://m/{3:016x}", (1, 1), 1),
        ("mach://m/t2", (1, 1), 1),
        ("mach://m?q=5", (1, 1), 1),
        ("mach://m?q=6", (2, 2), 1),
        ("mach://m?q=99", (3, 2, 1), 2),
        ("mach://m?t=77", (1, 0), 0),
        (f"mach://other/{2:016x}", (1, 0), 1),
        (f"mach://m/{5:016x}", (2, 2), 1),
        (f"mach://m/{5:016x}/1", (2, 2), 1),
        (f"mach://m/{5:016x}/2", (3, 2), 1),
        (f"mach://m/{1:016x}/9", (1, 0), 0),
        (f"mach://m/{3:016x}/2", (3, 1), 1),
        (f"mach://m/{3:016x}/3", (3, 2), 1),
        (f"mach://m/{8:016x}/3", (3, 2, 1), 2),
        (Moment(BEGAN + 7 * MS), (2, 2, 0), 2),
        (Moment(BEGAN), (0, 0), 0),
    ],
)
def test_clocks_are_replayed_up_to_a_moment(
    at: str | Moment | None, m: tuple[int, ...], other: int, format: str
) -> None:
    graph = graph_of(*STORY, at=at, format=format)
    assert tuple(ticks(graph, "m").values()) == m
    assert ticks(graph, "other") == {"X": other}


def test_pipes_and_machines_come_when_they_come() -> None:
    early = graph_of(*STORY, at=f"mach://m/{3:016x}")
    late = graph_of(*STORY)
    assert (pipes_of(early), pipes_of(late)) == ([], ["m.A +> other.X"])
    assert (list(early.machines), list(late.machines)) == (["m", "other"], ["late", "m", "other"])


def test_a_wall_time_is_the_first_transition_at_or_after_it() -> None:
    graph = graph_of(*STORY, at="mach://m?ht=2023-11-14T22:13:20.126Z")
    assert tuple(ticks(graph, "m").values()) == (1, 1)


def test_without_times_the_order_of_arrival_decides() -> None:
    def timeless(id: str, number: int, clocks: tuple[int, ...], **more: Any) -> TxMsg:
        return tx(id, number, clocks, time_ns=0, **more)

    messages: tuple[Message, ...] = (
        schema("m", ["A"]),
        schema("other", ["X"]),
        timeless("other", 1, (1,)),
        timeless("m", 2, (1,)),
        timeless("other", 3, (2,)),
        timeless("m", 4, (2,), steps=STEPS),
    )
    graph = graph_of(*messages, at=f"mach://m/{2:016x}/2")
    assert (ticks(graph, "m"), ticks(graph, "other")) == ({"A": 3}, {"X": 1})
    graph = graph_of(*messages[:2], at="mach://m?t=5")
    assert (ticks(graph, "m"), ticks(graph, "other")) == ({"A": 0}, {"X": 0})


def test_handshakes_count_only_up_to_the_moment() -> None:
    messages: list[Message] = [
        SchemaMsg("rs", ("HandshakeDone",), {}, tags=("rpc-server",), time_ns=1),
        schema("rc", ["A"], time_ns=1),
        tx("rs", 1, (0,)),
        tx("rs", 2, (1,), called=(0,), args={"id": "rc"}),
    ]
    for format in ("memory", "sqlite"):
        assert graph_of(*messages, format=format).rpc == (("rc", "rs"),)
        assert graph_of(*messages, at=f"mach://rs/{1:016x}", format=format).rpc == ()


def test_an_unknown_place_is_an_error() -> None:
    with pytest.raises(UnknownTransitionError):
        graph_of(*STORY, at="mach://m/nowhere")
    with pytest.raises(UnknownMachineError, match="there is no machine 'x'"):
        graph_of(*STORY, at=Moment(1, "x"))


# -- size


class Flood(MemoryDump):
    """Transitions without end, made one by one."""

    def transitions(self, machine: Any = None, start: int = 0, stop: int | None = None) -> Any:
        return (tx("m", n, (n, 0)) for n in range(50_000))


@pytest.mark.slow
def test_memory_is_flat() -> None:
    import tracemalloc

    dump = Flood("flood", messages=[schema("m", ["A", "B"])])
    tracemalloc.start()
    try:
        graph = build_graph(dump)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert graph.machines["m"].time_sum == 49_999
    assert peak < 500_000
