"""Pipes between local machines; those to network machines stand in tests/rpc/test_pipes.py."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import (
    EXECUTED,
    Args,
    Machine,
    MachineError,
    PipeRegistry,
    State,
    States,
    UnknownStateError,
)
from amctl.states import pipes
from amctl.states._inlet import Binding, Pair, inlet_of
from amctl.states.basic import BasicStates
from amctl.states.connected import ConnectedStates

if TYPE_CHECKING:
    from amctl.machine import BatchOp, Event, Result


class Src(BasicStates):
    A = State()
    B = State()
    M = State(multi=True)
    X = State(remove=["A", "B"])


class Tgt(BasicStates):
    A = State()
    B = State()
    TA = State()
    TB = State(require=["TA"])
    ErrA = State(require=["Exception"])
    Own = State()


@dataclass(frozen=True)
class AA(Args):
    n: int = 0


class Seen:
    """Remembers every event of a target."""

    def __init__(self) -> None:
        self.events: list[tuple[str, int, str, str]] = []

    def AnyState(self, e: Event) -> None:
        who = e.source.machine_id if e.source else ""
        verb = str(e.mutation.type)
        self.events.append((verb, e.args(AA).n, who, " ".join(e.mutation.called_states)))


def two() -> tuple[Machine, Machine, Seen]:
    seen = Seen()
    return Machine("src", Src), Machine("tgt", Tgt, handlers=seen), seen


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_pip_1_the_target_follows_with_arguments_and_source() -> None:
    src, tgt, seen = two()
    pipes.bind(src, tgt, [("A", "TA")])
    src.add("A", AA(3))
    assert tgt.not_("TA")  # PIP-2: in the next turn of the loop
    await settle()
    assert tgt.is_("TA")
    src.remove("A")
    await settle()
    assert tgt.not_("TA")
    assert seen.events == [("add", 3, "src", "TA"), ("remove", 0, "src", "TA")]


async def test_all_deliveries_of_one_transition_are_one_batch_in_order() -> None:
    src, tgt, seen = two()
    pipes.bind(src, tgt, [("A", "TA")])
    pipes.bind(src, tgt, [("B", "TB")], id="second")
    src.add(["A", "B"])
    src.add("X")
    await settle()
    states = [(verb, name) for verb, _, _, name in seen.events]
    assert states[:2] == [("add", "TA"), ("add", "TB")]
    assert sorted(states[2:]) == [("remove", "TA"), ("remove", "TB")]


async def test_the_targets_own_states_are_left_alone() -> None:
    src, tgt, _ = two()
    tgt.add("Own")
    pipes.bind_many(src, tgt, ["A", "B"])
    src.add(["A", "B"])
    await settle()
    assert tgt.is_(["Own", "A", "B"])


async def test_pip_1_an_error_state_comes_with_exception() -> None:
    src, tgt, _ = two()
    pipes.bind(src, tgt, [("Exception", "ErrA")])
    src.add_err(ValueError("no"))
    await settle()
    assert tgt.is_(["ErrA", "Exception"])
    src.remove("Exception")
    await settle()
    assert tgt.not_("ErrA")
    assert tgt.is_("Exception")


async def test_pip_5_bind_err_has_no_removal_and_sets_no_error() -> None:
    src, tgt, _ = two()
    assert pipes.bind_err(src, tgt, "ErrA") == "BindErr-tgt"
    src.add_err(ValueError("no"))
    src.remove("Exception")
    await settle()
    assert tgt.is_(["ErrA", "Exception"])
    assert tgt.err is None


async def test_add_only_pipes_write_no_remove_record_and_remove_nothing() -> None:
    src, tgt, _ = two()
    pipes.bind(src, tgt, [("M", "TA")], remove=False)
    src.add("M")
    src.remove("M")
    await settle()
    assert tgt.is_("TA")
    assert [record.op for record in src.pipes.out] == ["add"]


async def test_pip_4_records_stand_on_both_ends() -> None:
    src, tgt, _ = two()
    pipes.bind(src, tgt, [("A", "TA"), ("B", "TB")])
    told = [(r.op, r.source_id, r.source_state, r.target_id, r.target_state) for r in src.pipes.out]
    assert told == [
        ("add", "src", "A", "tgt", "TA"),
        ("remove", "src", "A", "tgt", "TA"),
        ("add", "src", "B", "tgt", "TB"),
        ("remove", "src", "B", "tgt", "TB"),
    ]
    assert tgt.pipes.into == src.pipes.out
    assert src.pipes.into == tgt.pipes.out == ()


async def test_dsp_7_disposal_of_the_source_removes_the_records_of_the_target() -> None:
    src, tgt, _ = two()
    pipes.bind(src, tgt, [("A", "TA")])
    src.dispose()
    assert tgt.pipes.into == ()


async def test_dsp_7_disposal_of_the_target_removes_records_and_binding_of_the_source() -> None:
    src, tgt, _ = two()
    id = pipes.bind(src, tgt, [("A", "TA")])
    tgt.dispose()
    assert src.pipes.out == ()
    src.add("A")
    await settle()
    with pytest.raises(MachineError):
        src.detach(id)


@pytest.mark.parametrize(
    ("bind", "id"),
    [
        (lambda s, t: pipes.bind(s, t, [("A", "TA")]), "Bind-A-tgt"),
        (lambda s, t: pipes.bind(s, t, [("A", "TA"), ("B", "TB")]), "BindMany-2-tgt"),
        (lambda s, t: pipes.bind_many(s, t, ["A"], ["TA"]), "Bind-A-tgt"),
        (lambda s, t: pipes.bind_ready(s, t, "A"), "BindReady-tgt"),
        (lambda s, t: pipes.bind_start(s, t, "A", "B"), "BindStart-tgt"),
        (lambda s, t: pipes.bind_err(s, t), "BindErr-tgt"),
    ],
)
async def test_bindings_have_the_originals_ids(bind: Any, id: str) -> None:
    src, tgt, _ = two()
    assert bind(src, tgt) == id


async def test_bind_start_may_remove_another_state_than_it_adds() -> None:
    src, tgt, _ = two()
    tgt.add("B")
    pipes.bind_start(src, tgt, "A", "B")
    src.add("Start")
    await settle()
    src.remove("Start")
    await settle()
    assert tgt.is_("A")
    assert tgt.not_("B")


async def test_pip_6_empty_names_are_skipped() -> None:
    class Linked(BasicStates, ConnectedStates):
        pass

    src, tgt = Machine("src", Linked), Machine("tgt", Tgt)
    pipes.bind_connected(src, tgt, connected="A")
    src.add("Start")
    src.add("Connected")
    await settle()
    assert tgt.is_("A")
    src.add("Disconnected")
    await settle()
    assert tgt.not_("A")


async def test_pip_7_bind_any_writes_records_on_the_right_ends_and_follows_everything() -> None:
    class Same(States):
        A = State()
        B = State()

    src, tgt = Machine("src", Same), Machine("tgt", Tgt)
    pipes.bind_any(src, tgt)
    src.add(["A", "B"])
    await settle()
    assert tgt.is_(["A", "B"])
    assert len(src.pipes.out) == len(tgt.pipes.into) == 6


async def test_unknown_states_are_refused_and_nothing_is_bound() -> None:
    src, tgt, _ = two()
    with pytest.raises(UnknownStateError):
        pipes.bind(src, tgt, [("A", "TA"), ("B", "Nope")])
    with pytest.raises(UnknownStateError):
        pipes.bind(src, tgt, [("Nope", "TA")])
    with pytest.raises(UnknownStateError):
        pipes.bind_any(src, tgt)
    assert src.pipes.out == ()


async def test_lists_of_different_lengths_are_refused() -> None:
    src, tgt, _ = two()
    with pytest.raises(ValueError, match="shorter"):
        pipes.bind_many(src, tgt, ["A", "B"], ["TA"])


async def test_a_rejected_delivery_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    src, tgt, _ = two()
    pipes.bind(src, tgt, [("B", "TB")])
    with caplog.at_level(logging.INFO, "amctl.states.pipes"):
        src.add("B")
        await settle()
    assert tgt.not_("TB")
    assert "tgt rejected a pipe: add TB" in caplog.text


async def test_pip_8_sync_adds_what_is_active_and_removes_the_rest() -> None:
    src, tgt, seen = two()
    src.add("A", AA(5))
    tgt.add(["TA", "B", "Own"])
    seen.events.clear()
    await pipes.sync(src, tgt, [("A", "A"), ("B", "B"), ("Exception", "ErrA")])
    assert tgt.is_(["A", "TA", "Own"])
    assert tgt.not_(["B", "ErrA"])
    assert [(verb, n) for verb, n, _, _ in seen.events] == [("add", 0), ("remove", 0)]


async def test_sync_adds_one_by_one_what_can_not_be_added_together() -> None:
    class Split(States):
        A = State(remove=["B"])
        B = State(remove=["A"])
        C = State(require=["D"])
        D = State()

    src, tgt = Machine("src", Src), Machine("tgt", Split)
    src.add(["A", "B"])
    results = await pipes.sync(src, tgt, [("A", "C"), ("B", "D")])
    assert [r.executed for r in results] == [True]
    tgt2 = Machine("tgt2", Split)
    await pipes.sync(src, tgt2, [("A", "C"), ("B", "A")])
    assert tgt2.is_("A")


async def test_sync_does_not_tick_an_active_multi_state() -> None:
    src, tgt, _ = two()
    src.add_err(ValueError())
    tgt.add_err(ValueError())
    await pipes.sync(src, tgt, [("Exception", "Exception")])
    assert tgt.tick("Exception") == 1


async def test_sync_waits_its_turn_behind_pipes() -> None:
    src, tgt, seen = two()
    pipes.bind(src, tgt, [("A", "TA")])
    src.add("A")
    await pipes.sync(src, tgt, [("B", "B"), ("A", "A")])
    assert [name for _, _, _, name in seen.events][:2] == ["TA", "A"]


async def test_the_end_of_ready_alone_can_be_piped() -> None:
    src, tgt, _ = two()
    pipes.bind_ready(src, tgt, "", "Own")
    tgt.add("Own")
    src.add(["Start", "Ready"])
    await settle()
    assert tgt.is_("Own")
    src.remove("Ready")
    await settle()
    assert tgt.not_("Own")
    assert [record.op for record in src.pipes.out] == ["remove"]


async def test_what_waits_for_a_target_that_goes_is_forgotten() -> None:
    src, tgt, seen = two()
    pipes.bind(src, tgt, [("A", "TA")])
    src.add("A")
    tgt.dispose_force()
    await settle()
    assert seen.events == []


@pytest.mark.parametrize("first", ["src", "tgt"])
async def test_dsp_7_both_ends_may_go_in_any_order(first: str) -> None:
    src, tgt, _ = two()
    pipes.bind(src, tgt, [("A", "TA")])
    one, other = (src, tgt) if first == "src" else (tgt, src)
    one.dispose()
    other.dispose()
    assert (src.is_disposed, tgt.is_disposed) == (True, True)
    assert other.pipes.out == other.pipes.into == ()


async def test_an_end_that_nobody_holds_takes_its_records_along() -> None:
    src, tgt, _ = two()
    pipes.bind(src, tgt, [("A", "TA")])
    gone = weakref.ref(tgt)
    del tgt
    gc.collect()
    assert gone() is None
    src.add("A")
    await settle()
    src.dispose()
    assert src.is_disposed


class Far:
    """As much of a network machine as pipes need."""

    is_local = False
    is_known = False
    is_disposed = False
    id = "far"

    def __init__(self) -> None:
        self.schema = Machine("far", Tgt).schema
        self.pipes = PipeRegistry()
        self.got: list[str] = []
        self.ends: list[Any] = []

    def on_connected(self, fn: Any) -> None:
        self.connect = fn

    def on_dispose(self, fn: Any) -> None:
        self.ends.append(fn)

    def is_(self, state: str) -> bool:
        return state == "A"

    async def batch(self, ops: list[BatchOp]) -> list[Result]:
        self.got += [f"{op.op} {' '.join(op.states)}" for op in ops]
        self.is_disposed = "remove TB" in self.got
        return [EXECUTED] * len(ops)


async def test_a_network_target_that_is_disposed_of_gets_nothing_more() -> None:
    src, far = Machine("src", Src), Far()
    pipes.bind(src, far, [("A", "TA"), ("B", "TB")])  # type: ignore[arg-type]  # it is enough
    src.add("B")
    src.remove("B")
    src.add("A")
    await settle()
    assert far.got == ["add TB", "remove TB"]


async def test_a_handshake_makes_good_nothing_when_there_is_nothing_to_make_good() -> None:
    src, far = Machine("src", Src), Far()
    inlet = inlet_of(far)  # type: ignore[arg-type]
    pipes.bind(src, far, [("A", "TA")], remove=False)  # type: ignore[arg-type]
    src.add("A")
    await settle()
    far.got.clear()
    far.connect(False)
    await settle()
    assert far.got == []
    pair = Pair("M", "M", "M")
    inlet.follow(Binding(src, inlet, [pair, Pair("B", "", "TB")]))
    src.add(["M", "B"])
    far.connect(False)
    await settle()
    assert far.got == ["add M"]  # of B only the end is piped
    src.dispose()
    far.got.clear()
    far.connect(False)
    await settle()
    assert far.got == []


def test_without_a_loop_deliveries_are_made_at_once() -> None:
    src, tgt, _ = two()
    pipes.bind(src, tgt, [("A", "TA")])
    src.add("A")
    assert tgt.is_("TA")
