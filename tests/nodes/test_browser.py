"""What the browser's entry makes of a page; its real life is in tests/e2e."""

from __future__ import annotations

import asyncio
import json
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from amctl.rpc.transports import _js
from nodes import browser
from nodes.plan import NodePlan
from tests.rpc.transports.fake_js import FakeJs, FakeSocket, channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Host(SimpleNamespace):
    """What a thread's JavaScript offers."""

    def __init__(self, **more: Any) -> None:
        super().__init__(base="ws://host", tab="tab-1", ports={}, uplink=None, **more)
        self.reports: list[tuple[str, str]] = []
        self.refusals: list[int] = []
        self.replacers: list[Any] = []
        self.report = lambda *said: self.reports.append(said)
        self.refused = self.refusals.append
        self.onReplaced = self.replacers.append


@pytest.fixture
def js(monkeypatch: pytest.MonkeyPatch) -> FakeJs:
    fake = FakeJs()
    monkeypatch.setattr(_js, "load", lambda: fake)
    monkeypatch.setattr(browser, "load", lambda: fake)
    return fake


@pytest.fixture
async def after() -> AsyncIterator[None]:
    """Stops what the test started, and gives the root logger back."""
    handlers = logging.getLogger().handlers[:]
    yield
    for node in browser.running.values():
        await node.stop()
    browser.running.clear()
    logging.getLogger().handlers[:] = handlers


async def socket_to(js: FakeJs, part: str) -> FakeSocket:
    """The socket that the node opens to a path of the relay."""
    async with asyncio.timeout(60):
        while not (found := [s for s in js.sockets if part in s.url]):  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.1)
    return found[-1]


def plan(**fields: Any) -> str:
    return json.dumps(NodePlan(**fields).to_json())


async def test_a_root_dials_the_relay_in_the_name_of_its_tab(js: FakeJs, after: None) -> None:
    listen = "/listen/browser1/localhost:14010"
    repl = "/listen/repl-browser1/localhost:0"
    await browser.start(plan(id="browser1", listen=listen, repl=repl), Host())
    assert (await socket_to(js, "/browser1/")).url == f"ws://host{listen}?tab=tab-1"
    assert (await socket_to(js, "/repl-browser1/")).url == f"ws://host{repl}?tab=tab-1"
    assert browser.running["browser1"].machine.id == "browser1"


async def test_a_second_tab_is_told_to_the_page(js: FakeJs, after: None) -> None:
    host = Host()
    repl = "/listen/repl-browser1/localhost:0"
    await browser.start(plan(id="browser1", listen="/listen/browser1/localhost:1", repl=repl), host)
    socket = await socket_to(js, "/browser1/")
    socket.happens("open")
    socket.happens("close", code=4409, reason="another tab")
    await asyncio.sleep(0)
    assert host.refusals == [409]
    assert any("another tab" in text for _, text in host.reports)


async def test_a_dispatcher_takes_new_ports_to_its_leaves(js: FakeJs, after: None) -> None:
    host = Host()
    mine, _theirs = channel()
    host.ports = {"browser3": mine}
    listen, repl = "/listen/browser2/localhost:1", "/listen/repl-browser2/localhost:0"
    fields = {"role": "dispatcher", "leaves": ("browser3",), "listen": listen, "repl": repl}
    await browser.start(plan(id="browser2", **fields), host)
    await asyncio.sleep(1)
    assert mine.onmessage is not None
    assert mine.posted  # its client says hello
    fresh, _ = channel()
    (replaced,) = host.replacers
    replaced.function("browser3", fresh)
    await asyncio.sleep(1)
    assert fresh.posted
    assert mine.is_closed
