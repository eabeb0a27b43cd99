"""`amctl relay wasm` as a program of its own, and peers that use it."""

from __future__ import annotations

import asyncio
import re
import signal
from typing import TYPE_CHECKING

import httpx
import pytest

from amctl.cli.main import run
from amctl.rpc.exposure import client_tls
from amctl.rpc.transports.websocket import dial_websocket
from tests.cli.test_collect import ended, running, said
from tests.support.house import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CERT = ROOT / "tests" / "cases" / "tls" / "cert.pem"
KEY = ROOT / "tests" / "cases" / "tls" / "key.pem"


@pytest.mark.slow
@pytest.mark.realtime
async def test_it_serves_files_and_tunnels_until_it_is_told_to_end(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "index.html").write_text("a page")
    words = ("relay", "wasm", "-l", "localhost:0", "-n", "one", "--json")
    folders = ("-s", str(tmp_path / "web"), "-r", str(tmp_path))
    async with running(*words, *folders) as process:
        url = re.search(r"http://\S+", await said(process, "relay at"))
        assert url is not None
        token = (tmp_path / "relay.token").read_text()
        bearer = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=url[0], headers=bearer) as http:
            assert (await http.get("/")).text == "a page"
        tunnel = f"{url[0].replace('http', 'ws')}/listen/repl-x/localhost:0"
        conn = await dial_websocket(tunnel, headers=bearer)
        got: asyncio.Queue[bytes] = asyncio.Queue()
        conn.start(got.put_nowait, lambda error: None, lambda: None)
        async with asyncio.timeout(10):
            while not (tmp_path / "repl-x.addr").is_file():  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(0.01)
        port = int((tmp_path / "repl-x.addr").read_text().rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"to the page")
        assert await got.get() == b"to the page"
        conn.write(b"and back")
        assert await reader.readexactly(8) == b"and back"
        writer.close()
        process.send_signal(signal.SIGINT)
        done = await ended(process)
    assert done == {"url": url[0], "tunnels": 1, "dials": 0, "error": None}
    assert not (tmp_path / "relay.token").exists()
    assert not (tmp_path / "repl-x.addr").exists()


@pytest.mark.slow
@pytest.mark.realtime
async def test_it_speaks_tls(tmp_path: Path) -> None:
    words = ("relay", "wasm", "-l", "localhost:0", "--json")
    files = ("--tls-cert", str(CERT), "--tls-key", str(KEY))
    async with running(*words, *files, AMCTL_TOKEN="chosen") as process:
        url = re.search(r"https://\S+", await said(process, "relay at"))
        assert url is not None
        async with httpx.AsyncClient(base_url=url[0], verify=client_tls(CERT)) as http:
            assert (await http.get("/")).status_code == 401
            bearer = {"Authorization": "Bearer chosen"}
            assert (await http.get("/x", headers=bearer)).status_code == 404
        process.send_signal(signal.SIGTERM)
        await ended(process)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-l", "0.0.0.0:0"], "--allow-plain"),
        (["--tls-cert", "x.pem"], "belong together"),
        (["--tls-cert", "x.pem", "--tls-key", "y.pem"], "can't be used"),
        (["-s", "not/there"], "isn't there"),
        (["-l", "12733"], "12733"),
    ],
)
def test_flags_that_make_no_relay_are_usage_errors(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["relay", "wasm", "-r", str(tmp_path), *words]) == 2
    assert says in " ".join(capsys.readouterr().err.split())


@pytest.mark.realtime
async def test_rel_c3_a_taken_port_ends_it_with_an_error(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    words = ("relay", "wasm", "-l", f"127.0.0.1:{port}", "-r", str(tmp_path))
    async with running(*words) as process:
        assert "in use" in await said(process, "error: ")
        assert await process.wait() == 1
    server.close()


def test_without_a_command_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["relay"]) != 0
    told = capsys.readouterr()
    assert "Missing command" in told.err
