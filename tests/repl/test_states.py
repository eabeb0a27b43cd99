"""States of the REPL's machine: relations, guards, and what follows from the clients'."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from amctl.machine import Machine, Source
from amctl.repl._pool import PoolHandlers
from amctl.repl.states import AAddresses, AClient, ConnPoolStates, ReplStates
from tests.repl.world import net, settle

POOL = ("Connecting", "Connected", "ConnectedFully", "Disconnecting", "Disconnected")
CLIENT = Source("rc-x")


@dataclass
class FakePool:
    """Clients are numbers."""

    may_start: bool = True
    ready: int = 0
    usable: int = 3
    dialling: int = 0
    told: list[object] = field(default_factory=list)

    def connect_all(self) -> None:
        self.told.append("connect")
        self.dialling = self.usable - self.ready

    def apply(self, change: AAddresses) -> None:
        self.told.append(change)

    async def stop_all(self) -> None:
        self.told.append("stop")
        self.ready = self.dialling = 0


class World:
    """A machine over a fake pool."""

    def __init__(self) -> None:
        self.pool = FakePool()
        self.machine = Machine("repl-x", ReplStates, handlers=PoolHandlers(self.pool))

    @property
    def active(self) -> str:
        return " ".join(name for name in POOL if self.machine.is_(name))

    def come(self) -> None:
        self.pool.ready += 1
        self.pool.dialling = max(0, self.pool.dialling - 1)
        self.machine.add("RpcConn", AClient("rc-x", "x"), source=CLIENT)

    def go(self) -> None:
        self.pool.ready -= 1
        self.machine.add("RpcDisconn", AClient("rc-x", "x"), source=CLIENT)

    def fail(self) -> None:
        self.pool.dialling -= 1
        self.machine.remove("Connecting", source=CLIENT)
        self.machine.add(("Exception", "ErrNetwork"), source=CLIENT)


def test_the_pools_relations_are_those_of_the_specification() -> None:
    schema = ConnPoolStates.schema()

    def relations(name: str) -> tuple[set[str], set[str]]:
        state = schema[name]
        return set(state.require), set(state.remove)

    assert relations("Connecting") == ({"Start"}, {"Disconnecting", "Disconnected"})
    assert relations("Connected") == ({"Start"}, {"Disconnected"})
    assert relations("ConnectedFully") == ({"Connected"}, {"Disconnected"})
    assert relations("Disconnecting") == (set(), {"ConnectedFully", "Connected", "Connecting"})
    assert relations("Disconnected") == (
        set(),
        {"Connecting", "Connected", "ConnectedFully", "Disconnecting"},
    )
    assert relations("ErrConnecting") == ({"Exception"}, set())


def test_the_repls_own_states_are_those_of_the_specification() -> None:
    schema = ReplStates.schema()
    commands = [name for name in schema.names if name.startswith("Cmd")]
    assert commands == [
        *("CmdAdd", "CmdRemove", "CmdGroupAdd", "CmdGroupRemove", "CmdList", "CmdScript"),
        *("CmdWhen", "CmdWhenNot", "CmdWhenTime", "CmdInspect", "CmdStatus"),
    ]
    for name in commands:
        assert schema[name].multi
        assert schema[name].require == ("Connected",)
    for name in ("ListMachines", "AddrChanged"):
        assert schema[name].multi
        assert schema[name].require == ("Start",)
    for name in ("RpcConn", "RpcDisconn"):
        assert schema[name].multi
    assert not schema["ReplMode"].multi
    assert schema["ErrSyntax"].require == ("Exception",)
    error = schema["ErrNetwork"]
    assert (error.multi, error.require, error.remove) == (
        True,
        ("Exception",),
        ("ConnectedFully",),
    )
    assert {"Start", "Ready", "Healthcheck", "Disposing", "Disposed", "RegisterDisposal"} <= set(
        schema.names
    )


def test_m1_it_starts_only_if_there_is_an_address_or_one_may_come() -> None:
    w = World()
    w.pool.may_start = False
    assert w.machine.add("Start").canceled
    w.pool.may_start = True
    assert w.machine.add("Start").executed
    assert w.pool.told == ["connect"]
    assert w.active == "Connecting"


def test_m2_connecting_ends_with_the_last_client_that_dials() -> None:
    w = World()
    w.machine.add("Start")
    assert w.machine.remove("Connecting").canceled
    w.come()
    assert w.active == "Connecting Connected"
    w.fail()
    assert w.active == "Connecting Connected"
    w.fail()
    assert w.active == "Connected"


def test_m2_connecting_again_dials_again() -> None:
    w = World()
    w.machine.add("Start")
    for _ in range(3):
        w.fail()
    assert w.active == "Disconnected"
    w.machine.add("Connecting")
    assert w.active == "Connecting"
    assert w.pool.told == ["connect", "connect"]


def test_with_nobody_to_dial_it_is_disconnected_at_once() -> None:
    w = World()
    w.pool.usable = 0
    w.machine.add("Start")
    assert w.active == "Disconnected"


def test_m3_m4_it_is_fully_connected_when_all_are_ready() -> None:
    w = World()
    w.machine.add("Start")
    assert w.machine.add("Connected").canceled
    w.come()
    w.come()
    assert w.active == "Connecting Connected"
    assert w.machine.add("ConnectedFully").canceled
    w.come()
    assert w.active == "Connected ConnectedFully"
    assert w.machine.not_(("RpcConn", "Exception"))


def test_m3_only_clients_tell_of_connections() -> None:
    w = World()
    w.machine.add("Start")
    w.pool.ready = 3
    assert w.machine.add("RpcConn").canceled
    assert w.machine.add("RpcDisconn").canceled
    assert w.active == "Connecting"


def test_m5_it_is_connected_as_long_as_one_is_ready() -> None:
    w = World()
    w.machine.add("Start")
    for _ in range(3):
        w.come()
    w.go()
    w.go()
    assert w.active == "Connected"
    assert w.machine.remove("Connected").canceled
    w.go()
    assert w.active == "Disconnected"


def test_m6_losing_one_of_many_clears_fully() -> None:
    w = World()
    w.machine.add("Start")
    for _ in range(3):
        w.come()
    w.go()
    assert w.active == "Connected"
    w.come()
    assert w.active == "Connected ConnectedFully"


async def test_m7_disconnecting_stops_all_and_ends_in_disconnected() -> None:
    w = World()
    w.machine.add("Start")
    w.come()
    assert w.machine.add("Disconnecting").executed
    assert w.active == "Disconnecting"
    await settle()
    assert w.active == "Disconnected"
    assert w.pool.told == ["connect", "stop"]


def test_an_error_of_a_client_is_an_event_and_takes_fully_away_only_if_one_is_gone() -> None:
    w = World()
    w.machine.add("Start")
    for _ in range(3):
        w.come()
    w.machine.add(("Exception", "ErrNetwork"), source=CLIENT)
    assert w.active == "Connected ConnectedFully"
    assert w.machine.tick("ConnectedFully") == 3
    assert w.machine.not_(("Exception", "ErrNetwork"))
    assert w.machine.tick("ErrNetwork") == 2


def test_dropping_start_drops_the_rest() -> None:
    w = World()
    w.machine.add("Start")
    w.come()
    assert w.machine.remove("Start").executed
    assert w.active == ""


@pytest.mark.parametrize("state", ["AddrChanged", "ListMachines", "CmdAdd"])
def test_without_start_nothing_is_done(state: str) -> None:
    w = World()
    assert w.machine.add(state).canceled


def test_new_addresses_are_handed_over_once() -> None:
    w = World()
    w.machine.add("Start")
    change = AAddresses(touched=frozenset({"x"}))
    w.machine.add("AddrChanged", change)
    assert w.pool.told == ["connect", change]
    assert w.machine.not_("AddrChanged")


def test_dialling_new_addresses_is_connecting_too() -> None:
    w = World()
    w.pool.usable = 0
    w.machine.add("Start")
    assert w.active == "Disconnected"
    w.pool.usable = w.pool.dialling = 1
    w.machine.add("AddrChanged", AAddresses())
    assert w.active == "Connecting"
    w.come()
    assert w.active == "Connected ConnectedFully"


async def test_m4_an_address_that_cannot_be_dialled_does_not_count_but_a_dead_one_does() -> None:
    async with net("boss", "kid") as n:
        n.files["bad.addr"] = "nonsense"
        async with n.fleet() as fleet:
            assert fleet.machine.is_("ConnectedFully")
        n.files["dead.addr"] = "localhost:9"
        async with n.fleet() as fleet:
            assert fleet.machine.is_("Connected")
            assert fleet.machine.not_("ConnectedFully")
            counts = fleet.counts
            assert (counts.connected, counts.disconnected, counts.total) == (2, 2, 4)


async def test_errors_of_clients_are_piped() -> None:
    async with net("boss") as n:
        n.files["dead.addr"] = "localhost:9"
        async with n.fleet() as fleet:
            await settle()
            assert fleet.machine.tick("ErrNetwork") >= 1
            assert fleet.machine.not_("Exception")
