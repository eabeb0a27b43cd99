"""Rules of the predefined sets and of pipes (sections 22, 23), seen from the engine."""

from __future__ import annotations

import asyncio

from amctl.machine import Machine, Schema
from amctl.states import pipes
from amctl.states.basic import BasicStates
from amctl.states.connected import ConnectedStates
from amctl.states.disposed import ARegisterDisposal, DisposedHandlers, DisposedStates
from nodes.states import orchestrator_schema
from tests.machine.tools import Recorder, mach
from tests.nodes.system import FOUR


class _Alone(BasicStates, DisposedStates):
    """With the states that it refers to."""


async def test_f_27_the_disposed_flow() -> None:
    m, told, ran = Machine("m", _Alone, handlers=DisposedHandlers()), Recorder(), []
    m.bind_tracer(told)
    m.on_dispose(lambda _: ran.append("on_dispose"))
    m.add("Start")
    m.add_err(ValueError("x"))
    m.add("RegisterDisposal", [ARegisterDisposal(lambda: ran.append("callback"))])
    m.add("Disposing")
    assert (m.is_("Disposing"), m.is_("Start"), m.is_err()) == (True, False, False)
    await m.when_disposed()
    assert ran == ["callback", "on_dispose"]
    assert m.add("Start").canceled
    ended = [str(tx.mutation) for tx in told.ended]
    assert "[add] Disposed" in ended


def test_scm_1_a_mixin_needs_what_it_is_merged_into() -> None:
    alone = Machine("alone", ConnectedStates)
    assert alone.add("Connecting").canceled  # no Start to require
    basic = Machine("basic", BasicStates.schema().merge(ConnectedStates.schema()))
    assert basic.add(["Start", "Connecting"]).executed


def test_scm_3_a_states_own_name_in_a_group_of_removals_is_dropped() -> None:
    raw = ConnectedStates.schema()
    assert "Connected" in raw["Connected"].remove
    assert "Connected" not in raw.effective[0]["Connected"].remove
    assert len(raw.effective[0]["Connected"].remove) == 3


def test_scm_4_a_mixin_that_is_merged_later_wins_but_not_over_prefixed_copies() -> None:
    worker = Schema({"Start": {"require": ["RpcReady"]}, "RpcReady": {}})
    merged = worker.prefix("Browser3").merge(worker, BasicStates.schema())
    assert merged["Start"].require == ()
    assert merged["Browser3Start"].require == ("Browser3RpcReady",)


def test_scm_5_prefixed_copies_are_ordinary_states() -> None:
    m = Machine("m", BasicStates.schema().prefix("X"), names=None)
    m.add("XException")
    assert (m.is_err(), m.is_("XException")) == (False, True)
    m.add_err(ValueError("x"))
    assert m.is_err()
    assert m.tick("XException") == 1
    assert not m.add("XHealthcheck").canceled


def test_scm_6_both_leaves_hang_on_the_second_browsers_connection() -> None:
    schema = orchestrator_schema(FOUR)
    for name in ("Browser3Ready", "Browser4Ready", "Browser3Working", "Browser4Working"):
        assert "Browser2Conn" in schema[name].require


async def test_pip_2_pipes_deliver_in_order_in_the_next_turn() -> None:
    source, target, told = mach("A B", "s"), mach("A B", "t"), Recorder()
    pipes.bind_many(source, target, ["B", "A"])
    target.bind_tracer(told)
    source.add(["A", "B"])
    assert told.ended == []
    await asyncio.sleep(0)
    assert [str(tx.mutation) for tx in told.ended] == ["[add] A", "[add] B"]


async def test_pip_3_there_are_no_flat_pipes_as_repeats_move_nothing() -> None:
    """differs from Go: what a target is already costs one transition that moves no clock."""
    source, target = mach("A", "s"), mach("A", "t")
    pipes.bind(source, target, [("A", "A")])
    target.add("A")
    before = target.time()
    source.add("A")
    await asyncio.sleep(0)
    assert target.time() == before


async def test_pip_5_a_target_that_rejects_does_not_touch_the_source() -> None:
    source, target = mach("A", "s"), mach("A", "t", A="require:Nope")
    pipes.bind(source, target, [("A", "A")])
    assert source.add("A").executed
    await asyncio.sleep(0)
    assert (source.is_("A"), target.is_("A"), source.err) == (True, False, None)
