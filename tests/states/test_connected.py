from __future__ import annotations

from amctl.machine import Machine
from amctl.states.basic import BasicStates
from amctl.states.connected import ConnectedStates
from tests.states.sets import check_set


class Linked(BasicStates, ConnectedStates):
    """Both, as a client has them."""


def test_it_equals_the_original() -> None:
    check_set(ConnectedStates, "connected")


def test_scm_2_disconnected_comes_back_when_none_of_the_others_is_active() -> None:
    machine = Machine("m", Linked)
    machine.add("Start")
    machine.add("Connecting")
    assert machine.not_("Disconnected")
    machine.remove("Connecting")
    assert machine.is_("Disconnected")


def test_the_four_states_exclude_each_other() -> None:
    machine = Machine("m", Linked)
    machine.add("Start")
    for state in ConnectedStates.groups["Connected"]:
        machine.add(state)
        active = [name for name in ConnectedStates.groups["Connected"] if machine.is_(name)]
        assert active == [state]
