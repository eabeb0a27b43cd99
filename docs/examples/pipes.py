"""Pipes: a service that follows its database, without either of them knowing the other.

Run it: python docs/examples/pipes.py
"""

from __future__ import annotations

import asyncio
import logging

from amctl import Event, Machine, State
from amctl.states import pipes
from amctl.states.basic import BasicStates


class DatabaseStates(BasicStates):
    """Ready comes and goes with the database."""


class ServiceStates(BasicStates):
    """What it can do depends on a database, wherever that runs."""

    DbReady = State()
    """Follows Ready of the database."""

    ErrDb = State(require=["Exception"])
    """Follows Exception of the database."""

    Serving = State(auto=True, require=["Start", "DbReady"])
    """Comes by itself as soon as it can, and goes when it can't."""


class Service:
    """Tells what it does, and who made it do so."""

    def ServingState(self, event: Event) -> None:
        print("service: serving")

    def ServingEnd(self, event: Event) -> None:
        print("service: not serving any more")

    def DbReadyState(self, event: Event) -> None:
        """A pipe carries the source along: which machine, and which of its transitions."""
        assert event.source is not None
        print(f"service: the database is ready, says {event.source.machine_id}")

    def ErrDbState(self, event: Event) -> None:
        print("service: the database has failed")


async def main() -> None:
    logging.getLogger("amctl").setLevel(logging.CRITICAL)  # the failure below is wanted
    database = Machine("database", DatabaseStates)
    service = Machine("service", ServiceStates, handlers=Service())

    # the target may be a mirror of a machine elsewhere (NetworkMachine) as well
    pipes.bind_ready(database, service, "DbReady")
    pipes.bind_err(database, service, "ErrDb")

    service.add("Start")
    print("before:", service)
    database.add(["Start", "Ready"])
    await service.when("Serving", timeout=5)  # pipes deliver in the next turn of the loop

    database.remove("Ready")
    await service.when_not("Serving", timeout=5)

    database.add_err(OSError("disk full"))
    await service.when("ErrDb", timeout=5)
    print("piped:", *(f"{one.source_state}->{one.target_state}" for one in service.pipes.into))

    database.dispose()
    await database.when_disposed()
    print("pipes left:", len(service.pipes.into))
    service.dispose()
    await service.when_disposed()


if __name__ == "__main__":
    asyncio.run(main())
