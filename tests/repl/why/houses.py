"""Machines that are served over memory connections, and a fleet that reaches them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.machine import Machine, State
from amctl.repl.finding import Found, Target
from amctl.repl.fleet import Outside, open_fleet
from amctl.repl.why.following import follow
from amctl.repl.why.live import LiveWorld
from amctl.repl.why.report import report_of
from amctl.rpc.client import Client
from amctl.rpc.endpoints import AttachEndpoint
from amctl.rpc.server import Server
from amctl.rpc.states import SourceStates
from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from amctl.states.basic import BasicStates
from tests.rpc.world import turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from amctl.machine import States
    from amctl.repl.addresses import Address
    from amctl.repl.fleet import LiveFleet
    from amctl.repl.why.report import Report
    from amctl.rpc.transports.base import Connection

__all__ = ["House", "One", "Two", "house"]

TOKEN = "secret"


class Two(BasicStates, SourceStates):
    """The far machine: C needs D."""

    C = State(require=["D"])
    D = State()
    E = State(remove=["C"])


class One(BasicStates, SourceStates):
    """The near one: A needs B, which is fed by a pipe."""

    A = State(require=["B"])
    B = State()
    F = State()
    G = State(remove=["F"])


@dataclass
class House:
    """Servers, clients between machines, and how to reach them."""

    servers: dict[str, Server] = field(default_factory=dict)
    clients: list[Client] = field(default_factory=list)
    wires: dict[str, list[MemoryConnection]] = field(default_factory=dict)
    """The connections to each machine, the newest last."""
    machines: list[Machine] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    """Who can't be dialled."""

    def serve(self, id: str, states: type[States], handlers: object = None) -> Machine:
        """A machine that can be reached."""
        return self.adopt(Machine(id, states, handlers=handlers))

    def adopt(self, machine: Machine) -> Machine:
        """Let a machine be reached."""
        self.machines.append(machine)
        for name in (f"repl-{machine.id}", f"for-{machine.id}"):
            server = Server(machine, name, AttachEndpoint(), token=TOKEN, parent=machine)
            server.start()
            self.servers[name] = server
        return machine

    def dialler(self, name: str) -> object:
        """Dials one server."""

        async def dial() -> Connection:
            return self.connect(name)

        return dial

    def connect(self, name: str) -> MemoryConnection:
        """A connection to a server, or none."""
        if name in self.away:
            raise ConnectionRefusedError("nobody there")
        near, far = memory_pair()
        self.servers[name].accept(far)
        self.wires.setdefault(name, []).append(near)
        return near

    async def mirror(self, of: str, parent: Machine, states: type[States]) -> Client:
        """A client inside of another machine's process, which dials; its mirror is live."""
        client = Client(
            f"{parent.id}-{of}",
            states,
            token=TOKEN,
            dial=self.dialler(f"for-{of}"),  # type: ignore[arg-type]  # that is what it is
            parent=parent,
            addr=f"{of}:1",
        )
        client.start()
        self.clients.append(client)
        await client.machine.when("Ready", timeout=5)
        await turn()
        return client

    @contextlib.asynccontextmanager
    async def fleet(self, *ids: str) -> AsyncIterator[LiveFleet]:
        """A fleet of these machines, or of all."""
        known = [name for name in self.servers if name.startswith("repl-")]
        names = [f"repl-{id}" for id in ids] or known
        found = [Found(f"{name}.addr", f"127.0.0.1:{at}") for at, name in enumerate(names, 1)]

        async def find(_: Target) -> list[Found]:
            return found

        async def dial(address: Address, token: str) -> Connection:
            return self.connect(names[address.port - 1])

        target = Target.parse(None, default_dir=Path("nowhere"))
        outside = Outside(dial=dial, find=find)
        async with open_fleet(target, token=TOKEN, outside=outside) as fleet:
            await turn()
            yield fleet

    async def why(self, machine: str, state: str, op: str = "add", *ids: str) -> Report:
        """The report."""
        async with self.fleet(*ids) as fleet:
            world = LiveWorld(fleet)
            return report_of(await follow(world, await world.find(machine), state, op))


@contextlib.asynccontextmanager
async def house() -> AsyncIterator[House]:
    """Everything is stopped at the end."""
    made = House()
    try:
        yield made
    finally:
        for client in made.clients:
            await client.stop()
        for server in made.servers.values():
            await server.stop()
        for machine in made.machines:
            machine.dispose_force()  # all live in one process here, so tests must leave none
        await turn()
