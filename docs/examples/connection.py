"""A connection's life: connecting, failing, trying again, being lost, and an orderly end.

Run it: python docs/examples/connection.py
"""

from __future__ import annotations

import asyncio
import logging

from amctl import Event, Machine, State
from amctl.states.basic import BasicStates
from amctl.states.connected import ConnectedStates


class ClientStates(ConnectedStates, BasicStates):
    """Disconnected, Connecting, Connected and Disconnecting exclude each other; one is active."""

    Retrying = State(require=["Start"], remove=["Connecting", "Connected"])
    """Waiting before the next try."""


class Server:
    """The other side: it refuses twice, then it takes the call."""

    def __init__(self) -> None:
        self.refuses = 2

    async def dial(self) -> None:
        await asyncio.sleep(0.01)
        if self.refuses:
            self.refuses -= 1
            raise ConnectionRefusedError("nobody listens")


class Client:
    """Each handler does one thing; what it started ends with its state."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def StartState(self, event: Event) -> None:
        event.machine.add("Connecting", source=event)

    async def ConnectingState(self, event: Event) -> None:
        try:
            await self.server.dial()
        except OSError as error:
            event.machine.add_err_state("ErrConnecting", error, source=event)
            event.machine.add("Retrying", source=event)  # this ends Connecting, and so this task
            return
        event.machine.add("Connected", source=event)

    async def RetryingState(self, event: Event) -> None:
        await asyncio.sleep(0.01)
        event.machine.remove(["Retrying", "Exception"])  # error states end with Exception
        event.machine.add("Connecting", source=event)

    def AnyState(self, event: Event) -> None:
        """Handlers of all kinds may be missing; this one sees every transition."""
        active = [name for name in ClientStates.groups["Connected"] if event.machine.is_(name)]
        error = " after an error" if event.machine.is_("ErrConnecting") else ""
        print(f"{event.mutation}: {' '.join(active) or 'none'}{error}")


async def main() -> None:
    logging.getLogger("amctl").setLevel(logging.CRITICAL)  # the refusals above are wanted
    client = Machine("client", ClientStates, handlers=Client(Server()))
    client.add("Start")
    await client.when("Connected", timeout=5)
    print("connected, try number", (client.tick("Connecting") + 1) // 2)

    client.remove("Connected")  # the link is lost: Disconnected, an auto state, comes by itself
    client.remove("Start")  # and without Start nothing may connect again
    print("without Start:", client.add("Connecting"))
    client.dispose()
    await client.when_disposed()


if __name__ == "__main__":
    asyncio.run(main())
