"""Connecting to machines, and keeping up with those that come and go."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from websockets.server import ServerProtocol

from amctl.machine import Machine
from amctl.repl._dialling import why
from amctl.repl.errors import NothingRunsError, UsageError
from amctl.repl.finding import Target
from amctl.repl.fleet import open_fleet, repl_id
from amctl.repl.outcome import Verdict
from amctl.rpc.endpoints import ListenEndpoint
from amctl.rpc.errors import NotConnectedError, RefusedByServerError
from amctl.rpc.mux import Mux
from amctl.rpc.repl import repl_endpoint
from amctl.rpc.transports.tcp import TcpListener
from amctl.rpc.transports.websocket import WebSocketConnection
from amctl.rpc.wire.codes import Code
from amctl.telemetry.messages import GoneMsg, PipeMsg, SchemaMsg
from tests.repl.world import DEBUGGER, FOLDER, TOKEN, Worker, net, settle
from tests.support.house import ROOT

if TYPE_CHECKING:
    from amctl.repl.fleet import LiveFleet
    from amctl.rpc.endpoints import Accept


def ids(fleet: LiveFleet) -> list[str]:
    return [peer.id for peer in fleet.peers]


def ready(fleet: LiveFleet) -> list[str]:
    return [peer.name for peer in fleet.peers if peer.is_ready]


# -- connecting


async def test_s1_ids_come_from_handshakes_and_names_from_files_until_then() -> None:
    async with net("boss", "kid") as n:
        n.files["other-repl.addr"] = "localhost:9"
        n.files["repl-tunnel.addr"] = "localhost:10"
        async with n.fleet() as fleet:
            assert ids(fleet) == ["boss", "kid", "", ""]
            assert [peer.name for peer in fleet.peers] == ["boss", "kid", "other", "tunnel"]
            assert [peer.index for peer in fleet.peers] == [0, 1, 2, 3]
            assert fleet.peers[0].net.names[:4] == ("Exception", "A", "B", "C")


async def test_m1_one_client_for_each_address_as_a_child_of_the_repl() -> None:
    async with net("boss", "kid") as n, n.fleet() as fleet:
        assert fleet.machine.id == repl_id()
        assert fleet.machine.tags == ("arpc-repl",)
        for number, peer in enumerate(fleet.peers):
            machine = peer.client.machine
            assert machine.parent_id == fleet.machine.id
            assert machine.id.startswith(f"rc-{fleet.machine.id[5:]}-")
            assert machine.id.endswith(f"-{number}")


def test_the_machines_id_is_that_of_its_folder() -> None:
    assert repl_id(Path("/home/me/project")) == "repl-7eb7c5"
    assert repl_id(Path("/")) == "repl-6666cd"


async def test_several_repls_on_the_same_addresses_have_clients_of_different_ids() -> None:
    async with net("boss") as n, n.fleet() as one, n.fleet() as two, n.fleet() as three:
        fleets = [one, two, three]
        assert [ready(fleet) for fleet in fleets] == [["boss"]] * 3
        assert len({fleet.peers[0].client.machine.id for fleet in fleets}) == 3
        await one.peers[0].net.add("A")
        for fleet in fleets:
            await fleet.peers[0].net.when("A")


async def test_about_is_asked_after_the_handshake_and_again_after_the_next() -> None:
    async with net() as n:
        await n.listen("localhost:1", "kid", parent_id="boss", tags=("red", "size:3"))
        n.files["kid.addr"] = "localhost:1"
        async with n.fleet() as fleet:
            (peer,) = fleet.peers
            assert peer.parent_id == "boss"
            assert peer.tags == ("red", "size:3")
            about = await peer.about()
            assert await peer.about() is about
            assert await peer.about(fresh=True) is not about
            n.cut("localhost:1")
            await settle()
            await peer.client.machine.when("Ready")
            assert await peer.about() is not about
            n.kill("localhost:1")
            await settle()
            assert (peer.id, peer.parent_id) == ("kid", "boss")
            asking = asyncio.ensure_future(peer.about(fresh=True))
            await settle()
            asking.cancel()


async def test_opening_waits_for_those_who_are_slow_no_longer_than_its_patience() -> None:
    async with net("boss") as n:
        n.files["mute.addr"] = "localhost:9"
        n.silent.add("localhost:9")
        began = asyncio.get_running_loop().time()
        async with n.fleet(patience=2.5) as fleet:
            assert asyncio.get_running_loop().time() == began + 2.5
            assert ready(fleet) == ["boss"]
            assert fleet.peers[1].problem == ""
            assert (fleet.counts.connecting, fleet.counts.total) == (1, 2)
            assert fleet.machine.is_("Connecting")
            await asyncio.sleep(1)
            assert fleet.peers[1].problem == "no answer from localhost:9 in time"
            assert fleet.machine.not_("Connecting")


async def test_opening_does_not_wait_for_addresses_where_nobody_listens() -> None:
    async with net("boss") as n:
        n.files["dead.addr"] = "localhost:9"
        began = asyncio.get_running_loop().time()
        async with n.fleet(patience=100) as fleet:
            assert asyncio.get_running_loop().time() == began
            assert fleet.peers[1].problem == "nobody listens at localhost:9"


async def test_closing_says_goodbye_to_all_and_leaves_them_alone() -> None:
    async with net("boss", "kid") as n:
        async with n.fleet() as fleet:
            machines = [fleet.machine, *(peer.client.machine for peer in fleet.peers)]
            machines += [peer.net for peer in fleet.peers]
        assert all(machine.is_disposed for machine in machines)
        await settle()
        assert [mux.sessions for mux in n.muxes.values()] == [0, 0]
        assert not any(mux.source.is_disposed for mux in n.muxes.values())


async def test_a_shell_may_end_it_by_disposing_of_the_machine() -> None:
    async with net("boss") as n, n.fleet() as fleet:
        fleet.machine.add("Disposing")
        await fleet.machine.when_disposed()
        assert fleet.peers[0].client.machine.is_disposed


async def test_m7_a_client_that_does_not_end_holds_up_nobody_for_more_than_2_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with net("boss", "kid") as n:
        async with n.fleet() as fleet:
            monkeypatch.setattr(fleet.peers[0], "stop", asyncio.Event().wait)
            kid = fleet.peers[1].client.machine
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() == began + 2
        assert kid.is_disposed


# -- what goes wrong


async def test_no_address_file_is_an_error() -> None:
    async with net() as n:
        with pytest.raises(NothingRunsError, match=r"at /run: there are no \.addr files") as caught:
            async with n.fleet():
                pass
        assert caught.value.verdict is Verdict.UNREACHABLE
        assert caught.value.hint == "start something: amctl start --stay"


async def test_a_repl_may_wait_for_the_first_one() -> None:
    async with net() as n, n.fleet(watch=True, allow_empty=True) as fleet:
        assert fleet.machine.is_(("Start", "Disconnected"))
        await n.listen("localhost:1", "boss")
        await n.write(boss="localhost:1")
        assert ready(fleet) == ["boss"]
        assert fleet.machine.is_(("Connected", "ConnectedFully"))


async def test_nobody_answering_is_an_error_that_tells_each_problem() -> None:
    async with net() as n:
        for number in range(1, 6):
            n.files[f"m{number}-repl.addr"] = f"localhost:{number}"
        with pytest.raises(NothingRunsError) as caught:
            async with n.fleet():
                pass
        assert str(caught.value) == (
            "nothing is running at /run: m1: nobody listens at localhost:1; "
            "m2: nobody listens at localhost:2; m3: nobody listens at localhost:3; and 2 more"
        )


async def test_an_error_in_the_block_is_not_changed_and_all_is_closed() -> None:
    async with net("boss") as n:
        with pytest.raises(KeyError):
            async with n.fleet() as fleet:
                raise KeyError("mine")
        assert fleet.machine.is_disposed


async def test_a_folder_that_cannot_be_read_is_an_error() -> None:
    async with net("boss") as n:
        n.unreadable = True
        with pytest.raises(UsageError, match="/run can't be read: Permission denied"):
            async with n.fleet():
                pass


async def test_a_wrong_token_is_told_with_what_to_do() -> None:
    async with net("boss", "kid") as n:
        n.tokens["/run/token"] = "old"
        with pytest.raises(NothingRunsError) as caught:
            async with n.fleet():
                pass
        assert str(caught.value) == (
            "nothing can be reached at /run: refused: auth; is the token file of that run "
            "readable? It was looked for at /run/token"
        )
        assert "AMCTL_TOKEN" in caught.value.hint


async def test_a_given_token_counts_for_all() -> None:
    async with net("boss") as n:
        n.tokens.clear()
        async with n.fleet(token=TOKEN) as fleet:
            assert ready(fleet) == ["boss"]
        with pytest.raises(NothingRunsError, match="is AMCTL_TOKEN that of the run"):
            async with n.fleet(token="wrong"):
                pass


async def test_addresses_of_other_machines_are_refused_unless_allowed() -> None:
    async with net("boss") as n:
        await n.listen("10.0.0.7:1", "far")
        n.files["far.addr"] = "10.0.0.7:1"
        async with n.fleet() as fleet:
            assert ready(fleet) == ["boss"]
            assert "--allow-remote" in fleet.peers[1].problem
            assert ("10.0.0.7:1", TOKEN) not in n.dials
            fleet.reconnect()
            await settle()
            assert fleet.counts.disconnected == 1
            assert fleet.machine.is_("ConnectedFully")
        async with n.fleet(allow_remote=True) as fleet:
            assert ready(fleet) == ["boss", "far"]


async def test_a_plain_address_elsewhere_is_a_usage_error_unless_allowed() -> None:
    async with net() as n:
        await n.listen("10.0.0.7:1", "far")
        target = Target.parse("10.0.0.7:1", default_dir=FOLDER)
        with pytest.raises(UsageError, match=r"10\.0\.0\.7 is not this machine") as caught:
            async with n.fleet(target):
                pass
        assert "--allow-remote" in caught.value.hint
        with pytest.raises(NothingRunsError, match="refused: auth"):
            async with n.fleet(target, allow_remote=True):
                pass  # this project's token isn't sent abroad
        async with n.fleet(target, allow_remote=True, token=TOKEN) as fleet:
            assert ready(fleet) == ["far"]
        assert [token for _, token in n.dials] == ["", TOKEN]


async def test_a_file_without_an_address_is_told_and_counts_as_disconnected() -> None:
    async with net("boss") as n:
        n.files["bad.addr"] = "nonsense"
        async with n.fleet() as fleet:
            bad = fleet.peers[1]
            assert bad.problem == "address 'nonsense' can't be read"
            assert (bad.is_ready, bad.was_ready, bad.id, bad.name) == (False, False, "", "bad")
            assert (fleet.counts.connected, fleet.counts.disconnected) == (1, 1)
            with pytest.raises(NotConnectedError):
                await bad.ask("about")


# -- coming and going


async def test_a_machine_that_stops_for_good_is_disconnected_and_is_not_dialled_again() -> None:
    async with net("boss", "kid") as n, n.fleet() as fleet:
        await n.stop("localhost:2")
        await settle()
        dials = len(n.dials)
        kid = fleet.peers[1]
        assert (kid.is_ready, kid.was_ready, kid.id) == (False, True, "kid")
        assert kid.problem.startswith("stopped: ")
        assert fleet.machine.is_("Connected")
        assert fleet.machine.not_("ConnectedFully")
        await asyncio.sleep(3600)
        assert len(n.dials) == dials


async def test_a_machine_that_was_killed_is_dialled_ever_more_slowly_until_it_is_back() -> None:
    async with net("boss") as n, n.fleet() as fleet:
        machine = n.muxes["localhost:1"].source
        n.kill("localhost:1")
        await settle()
        assert fleet.machine.is_("Disconnected")
        await asyncio.sleep(3600)
        assert 350 < len(n.dials) < 800
        assert fleet.peers[0].problem == "nobody listens at localhost:1"
        machine.dispose()
        await n.listen("localhost:1", "boss")
        await asyncio.sleep(11)
        assert ready(fleet) == ["boss"]
        assert fleet.machine.is_("ConnectedFully")


async def test_connect_dials_at_once_what_is_not_connected() -> None:
    async with net("boss", "kid") as n, n.fleet() as fleet:
        await n.stop("localhost:2")
        n.kill("localhost:1")
        await asyncio.sleep(600)
        await n.listen("localhost:1", "boss")
        await n.listen("localhost:2", "kid")
        fleet.reconnect()
        assert fleet.counts.connecting == 2
        await settle()
        assert ready(fleet) == ["boss", "kid"]
        assert [mux.sessions for mux in n.muxes.values()] == [1, 1]


async def test_connect_again_while_connecting_starts_those_that_are_not() -> None:
    async with net("boss") as n:
        n.files["mute.addr"] = "localhost:9"
        n.silent.add("localhost:9")
        async with n.fleet(patience=0.5) as fleet:
            await settle()
            await n.stop("localhost:1")
            await settle()
            assert fleet.machine.is_("Connecting")
            await n.listen("localhost:1", "boss")
            fleet.reconnect()
            await settle()
            assert ready(fleet) == ["boss"]


def test_problems_are_told_for_people() -> None:
    told = why(RefusedByServerError("rc", Code.BUSY, "taken"), "a:1", [])
    assert told.startswith("busy: ")
    assert why(RefusedByServerError("rc", Code.DENIED, "no"), "a:1", []) == "refused: denied, no"
    assert why(RefusedByServerError("rc", 99, "no"), "a:1", []) == "refused: code 99, no"
    assert why(OSError("odd"), "a:1", []) == "a:1: odd"
    assert why(OSError(), "a:1", []) == "a:1: OSError"


# -- telemetry and the log


async def test_errors_of_clients_alarm_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with net("boss") as n:
        n.files["dead.addr"] = "localhost:9"
        async with n.fleet():
            await asyncio.sleep(100)
    assert [r for r in caplog.records if r.levelname in ("WARNING", "ERROR")] == []


async def test_m8_the_repls_machine_and_its_clients_are_recorded_to_the_end() -> None:
    async with net("boss", "kid") as n:
        async with n.fleet(dbg_addr=DEBUGGER) as fleet:
            recorded = [fleet.machine.id, *(peer.client.machine.id for peer in fleet.peers)]
            await fleet.peers[0].net.add("A")
        kept = n.debugger.kept
        assert n.debugger.names == [fleet.machine.id]
        schemas = [m.machine_id for m in kept.messages if isinstance(m, SchemaMsg)]
        assert sorted(set(schemas)) == sorted(recorded)
        gone = [m.machine_id for m in kept.messages if isinstance(m, GoneMsg)]
        assert sorted(gone) == sorted(recorded)
        lines = [line for tx in kept.txs for line in (*tx.pre_logs, *tx.logs)]
        assert any("connected: boss" in line.text for line in lines)
        pipes = [m for m in kept.messages if isinstance(m, PipeMsg) and not m.gone]
        assert {(m.source_state, m.target_state) for m in pipes} == {("Exception", "ErrNetwork")}


async def test_log_lines_are_sent_up_to_the_level_that_was_asked_for() -> None:
    async with net("boss") as n:
        async with n.fleet(dbg_addr=DEBUGGER, log_level=0):
            pass
        assert not any(tx.logs or tx.pre_logs for tx in n.debugger.kept.txs)
    async with net("boss") as n:
        async with n.fleet(dbg_addr=DEBUGGER, log_level=5):
            pass
        levels = {line.level for tx in n.debugger.kept.txs for line in tx.logs}
        assert max(levels) <= 3


async def test_a_debugger_that_is_not_there_holds_nothing_up_for_long() -> None:
    async with net("boss") as n:
        n.debugger.is_up = False
        async with n.fleet(dbg_addr=DEBUGGER) as fleet:
            assert ready(fleet) == ["boss"]
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 0.5


async def test_a_debugger_elsewhere_is_refused_unless_allowed() -> None:
    async with net("boss") as n:
        with pytest.raises(UsageError, match=r"debugger '10\.0\.0\.7:1' is not this machine"):
            async with n.fleet(dbg_addr="10.0.0.7:1"):
                pass
        async with n.fleet(dbg_addr="10.0.0.7:1", allow_remote=True):
            await settle()
            assert ("10.0.0.7:1", "") in n.dials  # without this project's token


@pytest.mark.realtime
async def test_on_real_sockets_and_files(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    target = Target.parse(str(tmp_path), default_dir=Path("nowhere"))
    machines = [Machine(f"m{n}", Worker) for n in range(3)]
    muxes = [repl_endpoint(m, addr_dir=tmp_path / "deep", token=TOKEN) for m in machines]
    await muxes[0].start()
    await muxes[1].start()
    async with open_fleet(target, watch=True, patience=30) as fleet:
        assert ids(fleet) == ["m0", "m1"]
        await fleet.peers[1].net.add("A")
        assert machines[1].is_("A")
        await muxes[2].start()
        await fleet.machine.when_query(lambda _: len(ready(fleet)) == 3).wait(30)
        await muxes[0].stop()
        await fleet.machine.when_query(lambda _: len(fleet.peers) == 2).wait(30)
        assert ready(fleet) == ["m1", "m2"]
    for mux in muxes:
        await mux.stop()


@pytest.mark.realtime
async def test_f3_a_websocket_with_a_path_on_a_real_socket(tmp_path: Path) -> None:
    paths: list[str] = []

    async def listen(accept: Accept, port: int) -> TcpListener:
        def made() -> WebSocketConnection:
            def opened(conn: WebSocketConnection, path: str) -> None:
                paths.append(path)
                accept(conn)

            return WebSocketConnection(ServerProtocol(), accept=opened)

        loop = asyncio.get_running_loop()
        return TcpListener(await loop.create_server(made, "127.0.0.1", port))

    machine = Machine("boss", Worker)
    mux = Mux(machine, "repl-boss", ListenEndpoint(listen), token=TOKEN, parent=machine)
    await mux.start()
    for path in ("/", "/deep/er?x=1"):
        (tmp_path / "boss.addr").write_text(f"{mux.addr}{path}\n")
        target = Target.parse(str(tmp_path), default_dir=tmp_path)
        async with open_fleet(target, token=TOKEN, patience=30) as fleet:
            assert ids(fleet) == ["boss"]
            assert (await fleet.peers[0].net.add("A")).executed
    assert paths == ["/", "/deep/er?x=1"]
    await mux.stop()


@pytest.mark.realtime
async def test_a_peer_that_speaks_something_else_is_told(tmp_path: Path) -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-Rude\r\n" * 100)
        writer.close()

    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    for path in ("", "/ws"):
        target = Target.parse(f"{host}:{port}{path}", default_dir=tmp_path)
        with pytest.raises(NothingRunsError) as caught:
            async with open_fleet(target, patience=30):
                pass
        assert caught.value.problem
    target = Target.parse("no-such-host.invalid:1", default_dir=tmp_path)
    with pytest.raises(NothingRunsError):
        async with open_fleet(target, patience=30, allow_remote=True):
            pass
    server.close()
    await server.wait_closed()


@pytest.mark.slow
@pytest.mark.realtime
def test_what_records_is_loaded_only_for_those_who_record() -> None:
    program = "import sys, amctl.repl.fleet; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert "amctl.repl.fleet" in done.stdout.split()
    assert [name for name in done.stdout.split() if name.startswith("amctl.telemetry.dbg")] == []
