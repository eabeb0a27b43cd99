from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from amctl.machine import Machine
from amctl.states.basic import BasicStates
from amctl.states.disposed import ARegisterDisposal, DisposedHandlers, DisposedStates
from tests.states.sets import check_set

if TYPE_CHECKING:
    import pytest

    from amctl.machine import Event


class Both(BasicStates, DisposedStates):
    """A machine that can be disposed of in order."""


def machine() -> Machine:
    return Machine("m", Both, handlers=DisposedHandlers())


def test_it_equals_the_original() -> None:
    check_set(DisposedStates, "disposed")


async def test_dsp_6_callbacks_run_in_order_then_the_machine_goes() -> None:
    m, seen = machine(), []

    async def slow() -> None:
        await asyncio.sleep(1)
        seen.append("slow")

    m.add("Start")
    m.add("RegisterDisposal", ARegisterDisposal(slow))
    m.add("RegisterDisposal", ARegisterDisposal(lambda: seen.append("fast")))
    m.add("Disposing")
    assert m.not_("Start")
    await m.when_disposed()
    assert seen == ["slow", "fast"]
    assert m.is_disposed


async def test_dsp_6_a_registration_without_a_callback_is_rejected_and_an_error() -> None:
    m = machine()
    assert m.add("RegisterDisposal").canceled
    assert isinstance(m.err, TypeError)


async def test_dsp_6_asking_whether_it_could_register_raises_no_error() -> None:
    m = machine()
    assert m.can_add("RegisterDisposal").canceled
    assert m.err is None


async def test_a_failing_callback_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    m, seen = machine(), []
    m.add("RegisterDisposal", ARegisterDisposal(lambda: 1 // 0))  # type: ignore[arg-type, return-value]  # raises before it answers
    m.add("RegisterDisposal", ARegisterDisposal(lambda: seen.append(1)))
    with caplog.at_level(logging.CRITICAL, "amctl.states.disposed"):
        m.add("Disposing")
        await m.when_disposed()
    assert seen == [1]


async def test_an_overriding_handler_can_work_first() -> None:
    seen: list[str] = []

    class Own(DisposedHandlers):
        async def DisposingState(self, e: Event) -> None:
            await asyncio.sleep(1)
            seen.append("own")
            await super().DisposingState(e)

    m = Machine("m", Both, handlers=Own())
    m.add("RegisterDisposal", ARegisterDisposal(lambda: seen.append("callback")))
    m.add("Disposing")
    await m.when_disposed()
    assert seen == ["own", "callback"]


async def test_dsp_4_disposal_of_the_parent_disposes_in_order() -> None:
    parent, seen = Machine("p", Both, handlers=DisposedHandlers()), []
    m = Machine("m", Both, handlers=DisposedHandlers(), parent=parent)
    m.add("RegisterDisposal", ARegisterDisposal(lambda: seen.append(1)))
    parent.add("Disposing")
    await m.when_disposed()
    assert seen == [1]
