"""One tracer for a root machine and everything under it: clients, servers and mirrors too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.machine import Machine, Transition
from amctl.machine.lines import LineWriter
from amctl.machine.reasons import reason_of
from amctl.machine.steps import StepRecorder, step_text, steps_of
from amctl.states.pipes import bind
from tests.machine.tools import mach
from tests.rpc.world import Plain, turn, world

if TYPE_CHECKING:
    import pytest

    from amctl.machine import MachineView, Schema


class Follower(StepRecorder, LineWriter):
    """Binds itself to every descendant."""

    def __init__(self) -> None:
        super().__init__(id="follower")
        self.met: list[str] = []
        self.begun: list[str] = []
        self.renamed: list[tuple[str, int]] = []
        self.ended: dict[str, list[Transition]] = {}
        self.lines: dict[str, list[str]] = {}
        self.gone: list[str] = []

    def new_submachine(self, parent: MachineView, child: MachineView) -> None:
        self.met.append(f"{parent.id} > {child.id}")
        child.bind_tracer(self)

    def machine_init(self, machine: MachineView) -> None:
        super().machine_init(machine)
        self.begun.append(machine.id)

    def schema_change(self, machine: MachineView, old: Schema) -> None:
        self.renamed.append((machine.id, len(machine.names)))

    def handler_start(self, tx: Transition, binding: str, name: str) -> None:
        StepRecorder.handler_start(self, tx, binding, name)
        LineWriter.handler_start(self, tx, binding, name)

    def transition_end(self, tx: Transition) -> None:
        super().transition_end(tx)
        pre, logs = self.take(tx)
        self.lines.setdefault(tx.machine.id, []).extend(line.text for line in (*pre, *logs))
        self.ended.setdefault(tx.machine.id, []).append(tx)
        assert reason_of(tx) is None or not tx.is_accepted

    def machine_dispose(self, machine_id: str) -> None:
        super().machine_dispose(machine_id)
        self.gone.append(machine_id)


async def test_one_tracer_follows_clients_and_their_mirrors() -> None:
    follower = Follower()
    root = mach("A", id="root", tracers=[follower])
    async with world(states=Plain) as w:
        client, net = await w.ready(states=None, parent=root)
        assert follower.met == ["root > rc-c1", "rc-c1 > rnm-c1"]
        assert follower.begun == ["root", "rc-c1", "rnm-c1"]
        assert ("rnm-c1", len(w.source.names)) in follower.renamed
        bind(net, root, [("B", "A")])
        await net.add("B")
        await turn()
        tx = follower.ended["rnm-c1"][-1]
        assert [step_text(s, net.names) for s in steps_of(tx)][-2:] == [
            "activate **B**",
            "handler **B**State",
        ]
        assert root.is_("A")
        assert follower.lines["rnm-c1"][-4:] == [
            "[pipe-out:add] B to root",
            "[pipe-out:remove] B to root",
            "[state] +B",
            "[handler:0] BState",
        ]
        net.log("from %s", "here")
        await net.add("C")
        assert "[exter] from here" in follower.lines["rnm-c1"]
        assert "[pipe-in:add] A from rnm-c1" in follower.lines["root"]
        assert "Ready" in " ".join(follower.lines["rc-c1"])
        client.machine.dispose()
        await client.machine.when_disposed()
    await turn()
    assert {"rc-c1", "rnm-c1"} <= {*follower.gone}


async def test_servers_are_followed_as_well() -> None:
    follower = Follower()
    async with world(states=Plain) as w:
        w.source.bind_tracer(follower)
        child = Machine("child", Plain, parent=w.source)
        child.add("A")
        assert follower.met == ["src > child"]
        assert "[state] +A" in follower.lines["child"]


async def test_a_tracer_that_fails_does_not_stop_a_mirror(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Bad(LineWriter):
        def transition_end(self, tx: Any) -> None:
            raise ValueError("boom")

    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        net.bind_tracer(Bad())
        await net.add("D")
        assert net.is_("D")
    assert "tracer lines failed" in caplog.text
