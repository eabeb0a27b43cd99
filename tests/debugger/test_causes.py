"""Causes and effects across machines: sources, autos, pipes, mirrors, circles, what is missing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amctl.debugger.causes import Via, cause_of, effects, effects_of, last_move, root_of, walk
from amctl.debugger.index import Place
from amctl.debugger.store import Store
from amctl.dump.memory import MemoryDump
from amctl.telemetry.messages import PipeMsg, SourceRef
from tests.debugger.histories import SECOND, history, lines, machine, recorded, tx
from tests.support.shared import SHARED, needs_shared


def whole(dump: MemoryDump) -> Store:
    store = Store(dump)
    store.work_all()
    return store


def ref(machine: str, number: int, time: int = 0) -> SourceRef:
    return SourceRef(machine, f"{number:016x}", time)


def family() -> MemoryDump:
    """A worker behind a connection, its mirror at the head, and the head that it pipes into."""
    dump = MemoryDump("by hand")
    dump.write(machine("head"))
    dump.write(machine("client", parent="head"))
    dump.write(machine("mirror", parent="client", tags=("rpc-netmach", "src-id:worker")))
    dump.write(machine("worker"))
    dump.write(PipeMsg("add", "mirror", "Working", "head", "Ready"))
    return dump


def test_a_source_of_its_own() -> None:
    store = whole(history(tx("a", 1, (1,)), tx("a", 2, (2,), source=ref("a", 1))))
    cause = cause_of(store, Place("a", 2))
    assert (cause.via, cause.place, cause.text) == (Via.OWN, Place("a", 1), "by itself")


def test_an_auto_transition_follows_the_one_before_it() -> None:
    dump = history(
        tx("a", 1, (1,), called=(0,)),
        tx("a", 2, (1,), is_queued=True),
        tx("a", 3, (1,), is_check=True),
        tx("a", 4, (1, 1), is_auto=True),
    )
    store = whole(dump)
    assert cause_of(store, Place("a", 4)).place == Place("a", 1)
    assert [one.place for one in effects_of(store, Place("a", 1))] == [Place("a", 4)]


def test_the_walk_goes_through_pipes_and_mirrors_to_the_first_cause() -> None:
    dump = family()
    dump.write(tx("worker", 1, (0, 0, 1, 0), called=(2,)))
    dump.write(tx("mirror", 2, (0, 0, 1, 0), called=(2,)))  # says no source: its time tells
    dump.write(tx("head", 3, (0, 1, 0, 0), called=(1,), source=ref("mirror", 2)))
    dump.write(tx("head", 4, (0, 1, 0, 1), is_auto=True))
    store = whole(dump)
    found = walk(store, Place("head", 2))
    assert [(one.via, one.place) for one in found] == [
        (Via.AUTO, Place("head", 1)),
        (Via.PIPE, Place("mirror", 1)),
        (Via.MIRROR, Place("worker", 1)),
        (Via.ROOT, None),
    ]
    assert found[1].text == "pipe Working -> Ready from mirror"
    assert found[2].crosses == "worker -> head"
    assert found[-1].is_end
    forward, more = effects(store, Place("worker", 1))
    assert [(one.place, one.via, one.depth) for one in forward] == [
        (Place("mirror", 1), Via.MIRROR, 1),
        (Place("head", 1), Via.PIPE, 2),
        (Place("head", 2), Via.AUTO, 3),
    ]
    assert not more
    assert effects(store, Place("worker", 1), most=1)[1]


def test_other_machines_are_called_or_reached_by_a_connection() -> None:
    dump = family()
    dump.write(tx("client", 1, (1, 0, 0, 0)))
    dump.write(tx("head", 2, (1, 0, 0, 0), called=(0,), source=ref("client", 1)))
    dump.write(tx("worker", 3, (1, 0, 0, 0), called=(0,), source=ref("head", 2)))
    store = whole(dump)
    assert [one.via for one in walk(store, Place("worker", 1))] == [Via.RPC, Via.CALL, Via.ROOT]
    assert cause_of(store, Place("worker", 1)).text == "over a connection, from head"


def test_what_the_recording_lacks_is_said() -> None:
    dump = history(
        tx("a", 1, (1,), source=ref("b", 9)),
        tx("a", 2, (2,), source=ref("a", 77)),
        tx("a", 3, (3,), source=SourceRef("a")),
        tx("a", 4, (4,), source=SourceRef("a", "", 2)),
    )
    store = whole(dump)
    texts = [cause_of(store, Place("a", at)).text for at in (1, 2, 3)]
    assert texts == [
        "its source is b, of which the recording holds nothing",
        f"its source, {77:016x} of a, is not in the recording",
        "its source is a, which transition is not told",
    ]
    assert cause_of(store, Place("a", 4)).place == Place("a", 2)  # by its machine time
    assert cause_of(store, Place("a", 0)).text == "nothing was before"
    assert cause_of(store, Place("a", 9)).via is Via.MISSING


def test_circles_are_cut() -> None:
    dump = history(
        tx("a", 1, (1,), source=ref("b", 2)),
        tx("b", 2, (1,), source=ref("a", 1)),
        machines=("a", "b"),
    )
    store = whole(dump)
    found = walk(store, Place("a", 1))
    assert [one.place for one in found] == [Place("b", 1), None]
    assert found[-1].text == "it goes in a circle: a, its transition 1"
    assert [one.place for one in effects(store, Place("a", 1))[0]] == [Place("b", 1)]


def test_long_walks_are_cut() -> None:
    dump = history(*[tx("a", n, (n,), source=ref("a", n - 1) if n else None) for n in range(30)])
    found = walk(whole(dump), Place("a", 30), depth=5)
    assert len(found) == 6
    assert found[-1].text == "only 5 links are followed"


def test_a_queued_mutation_has_the_cause_of_its_execution() -> None:
    dump = history(
        tx("a", 1, (1,)),
        tx("a", 2, (1,), is_queued=True, mut_queue_tick=4),
        tx("a", 3, (2,), queue_tick=4, source=ref("a", 1)),
    )
    assert cause_of(whole(dump), Place("a", 2)).place == Place("a", 1)


@pytest.mark.parametrize("by_record", [True, False])
def test_a_pipe_whose_source_tells_no_transition_goes_by_time(by_record: bool) -> None:
    """The original's mirrors pipe in the name of the machine that they show."""
    dump = family()
    if not by_record:
        dump = MemoryDump("by lines", messages=map(dump.schema, dump.machines()))
    pre = () if by_record else lines("[pipe-in:add] Ready from mirror", level=3)
    dump.write(tx("mirror", 1, (0, 0, 1, 0), time_ns=5 * SECOND))
    source = SourceRef("worker")
    dump.write(
        tx("head", 2, (0, 1, 0, 0), called=(1,), source=source, pre_logs=pre, time_ns=6 * SECOND)
    )
    cause = cause_of(whole(dump), Place("head", 1))
    assert (cause.via, cause.place) == (Via.PIPE, Place("mirror", 1))
    assert "its transition is not told" in cause.text


def test_a_mirror_of_what_is_not_recorded() -> None:
    dump = MemoryDump("x", messages=[machine("mirror", tags=("src-id:worker",))])
    dump.write(tx("mirror", 1, (1, 0, 0, 0)))
    assert cause_of(whole(dump), Place("mirror", 1)).text == (
        "it shows worker, of which the recording holds nothing"
    )


def test_parents_in_a_circle_have_a_root() -> None:
    dump = MemoryDump("x", messages=[machine("a", parent="b"), machine("b", parent="a")])
    assert root_of(Store(dump), "a") in ("a", "b")


def test_what_moved_a_state_last() -> None:
    store = whole(history(*[tx("a", n, (n // 3, 0, 0, 0)) for n in range(9)]))
    assert [last_move(store, "a", "Start", at) for at in (0, 3, 4, 6, 9)] == [0, 0, 4, 4, 7]
    assert last_move(store, "a", "Nope", 9) == 0
    assert last_move(store, "nope", "Start", 9) == 0


@st.composite
def webs(draw: st.DrawFn) -> MemoryDump:
    """Sources at random, also of what never was, and of what comes later."""
    dump = history(machines=("a", "b"))
    for number in range(draw(st.integers(1, 12))):
        source = draw(st.none() | st.builds(ref, st.sampled_from("abc"), st.integers(0, 14)))
        id = draw(st.sampled_from("ab"))
        more = {"source": source, "is_auto": draw(st.booleans()), "is_queued": draw(st.booleans())}
        dump.write(tx(id, number, (number, 0, 0, 0), **more))
    return dump


@pytest.mark.slow
@settings(max_examples=60)
@given(webs())
def test_every_walk_ends_and_effects_are_the_causes_reversed(dump: MemoryDump) -> None:
    store = whole(dump)
    for id in store.machines:
        for cursor in range(1, store.size(id) + 1):
            place = Place(id, cursor)
            assert walk(store, place)[-1].is_end
            found, more = effects(store, place)
            assert not more
            assert len({one.place for one in found}) == len(found)
            record = store.record(id, cursor)
            source = record.tx.source if record else None
            cause = cause_of(store, place)
            if source is not None and cause.place is not None:
                assert place in [one.place for one in effects_of(store, cause.place)]


@pytest.mark.slow
def test_the_recorded_run_leads_from_the_result_to_a_browser_thread() -> None:
    store = Store(recorded())
    store.work_all()
    held = store.held("orchestrator")
    assert held is not None
    at = last_move(store, "orchestrator", "Browser3Completed", held.size)
    found = walk(store, Place("orchestrator", at))
    assert found[0].via in (Via.PIPE, Via.OWN, Via.CALL)
    machines = [one.place.machine for one in found if one.place is not None]
    assert "browser3" in machines or "browser2" in machines
    assert any(one.crosses for one in found)
    assert store.health.text == ""


@needs_shared
@pytest.mark.slow
def test_the_originals_recording_is_walked_too() -> None:
    store = Store.open(SHARED / "data" / "wasm-workflow.gob.br")
    store.work_all()
    vias = set()
    for id in store.machines:
        for cursor in range(1, store.size(id) + 1):
            found = walk(store, Place(id, cursor))
            assert found[-1].is_end
            vias |= {one.via for one in found}
    assert vias >= {Via.OWN, Via.AUTO, Via.MIRROR, Via.CALL, Via.RPC, Via.ROOT, Via.PIPE}
    store.close()
