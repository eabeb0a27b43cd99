"""Filters and groups; the goldens of debugger_ui.md 8 where the recording is at hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amctl.debugger.filters import (
    NAMES,
    Auto,
    Filters,
    Shown,
    group_states,
    groups_of,
    is_shown,
)
from amctl.debugger.index import DumpIndex, Place
from amctl.debugger.jumps import Jump
from amctl.debugger.session import Session
from tests.debugger.histories import history, machine, tx
from tests.support.shared import SHARED, needs_shared

NONE = Filters.none()


def visible(filters: Filters) -> list[int]:
    """Of eight transitions, one of each kind."""
    dump = history()
    dump.write(machine("a", ("Start", "Healthcheck", "Heartbeat", "Ready")))
    for number, more in enumerate(
        (
            {"clocks": (1, 0, 0, 0), "called": (0,)},
            {"clocks": (1, 0, 0, 0), "called": (0,), "accepted": False},
            {"clocks": (1, 0, 0, 0), "called": (3,), "is_queued": True, "mut_queue_tick": 5},
            {"clocks": (1, 2, 0, 0), "called": (1,)},
            {"clocks": (1, 2, 0, 0), "called": (3,)},
            {"clocks": (1, 2, 0, 0), "called": (3,), "is_check": True},
            {"clocks": (1, 2, 0, 1), "called": (3,), "is_auto": True},
            {"clocks": (1, 2, 0, 1), "called": (3,), "is_auto": True, "accepted": False},
        )
    ):
        dump.write(tx("a", number, **more))  # type: ignore[arg-type]
    index = DumpIndex(dump)
    index.grow()
    held = index.machines["a"]
    bits = filters.visible(held, held.size)
    return [at for at in range(1, held.end) if bits >> at & 1]


@pytest.mark.parametrize(
    ("filters", "hidden"),
    [
        (NONE, set()),
        (replace(NONE, canceled=True), {2, 8}),
        (replace(NONE, queued=True), {3}),
        (replace(NONE, health=True), {4}),
        (replace(NONE, empty=True), {5, 6}),
        (replace(NONE, checks=True), {6}),
        (replace(NONE, auto=Auto.HIDE), {7, 8}),
        (replace(NONE, auto=Auto.HIDE_CANCELED), {8}),
        (Filters(), {4, 6, 8}),
    ],
)
def test_each_filter_hides_its_kind(filters: Filters, hidden: set[int]) -> None:
    assert visible(filters) == [at for at in range(1, 9) if at not in hidden]


def test_what_is_not_indexed_is_shown() -> None:
    assert Filters().visible(None, 3) == 0b1110


def test_toggling() -> None:
    shown = replace(NONE, canceled=True, empty=True).toggled("canceled")
    assert shown == NONE  # showing canceled ones shows empty ones, too
    assert [NONE.toggled("auto").auto, NONE.toggled("auto").toggled("auto").auto] == [
        Auto.HIDE_CANCELED,
        Auto.HIDE,
    ]
    for name in NAMES:
        assert NONE.toggled(name) != NONE
    with pytest.raises(KeyError):
        NONE.toggled("nope")


def test_the_line_is_never_silent() -> None:
    assert str(Shown(3, 5, 2)) == "showing 3 of 5, 2 dropped"
    assert str(Shown(3, 5, 0, 0.25)) == "showing 3 of 5, 0 dropped (25% looked at)"


def test_machines_are_hidden_when_gone_or_of_connections() -> None:
    schema = machine("a", tags=("rpc-client", "addr:x"))
    assert is_shown(schema, is_gone=True, filters=NONE)
    assert not is_shown(schema, is_gone=True, filters=replace(NONE, disconn=True))
    assert not is_shown(schema, is_gone=False, filters=replace(NONE, rpc=True))
    assert is_shown(machine("b"), is_gone=False, filters=replace(NONE, rpc=True, disconn=True))


def test_s13_groups_have_the_labels_of_the_original() -> None:
    schema = machine(
        "a",
        groups={"self": (0,), "BasicStatesDef": (1, 2), "Empty": (), "More": (3, 99)},
        groups_order=("self", "BasicStatesDef"),
    )
    assert groups_of(schema) == {
        "all": ("Start", "Ready", "Working", "Exception"),
        "- self": ("Start",),
        "- Basic": ("Ready", "Working"),
        "- More": ("Exception",),
    }
    for name in ("Basic", "BasicStatesDef", "- Basic:2"):
        assert group_states(schema, name) == ("Ready", "Working")
    for name in ("all", "", "nope"):
        assert group_states(schema, name) is None


@needs_shared
@pytest.mark.slow
def test_the_goldens_of_the_recorded_sim() -> None:
    session = Session.open(SHARED / "data" / "am-dbg-sim.gob.br", filters=NONE, follow=False)
    session.work_all()
    session.go_to("mach://ps-2/a59d994dd6efb726a1cd3ef1b7f384fd")
    assert (session.cursor, session.store.size("ps-2")) == (20, 84)
    assert session.record is not None
    assert session.record.called == ("PeersPending",)
    assert session.record.time_sum == 20
    session.select_state("PublishMessage")
    found = []
    while session.jump(Jump.TOUCHED).ok:
        found.append(session.cursor)
    assert found == [82, 83, 84]
    for id, filters, count in (
        ("sim", NONE, 219),
        ("sim", replace(NONE, canceled=True), 152),
        ("sim", replace(NONE, health=True), 171),
        ("sim-p0", NONE, 17),
        ("sim-p0", replace(NONE, auto=Auto.HIDE), 15),
    ):
        session.select_machine(id)
        session.set_filters(filters)
        assert session.shown.visible == count
    session.set_filters(Filters())
    session.go(Place("sim", 20))
    assert session.record.mutation == "-JoinRandomTopic"
    assert session.record.time_sum == 17
    session.move()
    assert session.cursor == 21
    assert sum(h.time_sum(h.size) for h in session.store.index.machines.values()) == 8610
    session.close()
