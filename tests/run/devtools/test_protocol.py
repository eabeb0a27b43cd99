"""The DevTools protocol: calls, refusals, and browsers that go."""

from __future__ import annotations

from typing import Any

import pytest

from amctl.run.devtools.protocol import open_devtools
from amctl.run.errors import DevToolsError
from tests.run.devtools.browser import fake_browser

pytestmark = pytest.mark.realtime


async def test_calls_are_answered_and_events_told() -> None:
    told: list[tuple[str, dict[str, Any], str]] = []
    async with (
        fake_browser() as browser,
        open_devtools(browser.address, lambda *event: told.append(event)) as tools,
    ):
        assert await tools.call("Profiler.stop", session="w1") == {"profile": {"nodes": [1]}}
        await tools.call("Target.setAutoAttach", {"autoAttach": True}, session="p")
        assert browser.calls == [("Profiler.stop", "w1"), ("Target.setAutoAttach", "p")]
    ((method, params, session),) = told
    assert (method, params["sessionId"], session) == ("Target.attachedToTarget", "w1", "p")


async def test_a_refusal_says_why() -> None:
    async with fake_browser() as browser, open_devtools(browser.address, print) as tools:
        browser.answers["X.y"] = ValueError("'X.y' wasn't found")
        with pytest.raises(DevToolsError, match=r"'X\.y' wasn't found") as caught:
            await tools.call("X.y")
    assert "--cpu-profile" in caught.value.hint


async def test_a_browser_that_goes_ends_all_calls() -> None:
    async with fake_browser() as browser, open_devtools(browser.address, print) as tools:
        browser.leaves_at = "X.y"
        for _ in range(2):
            with pytest.raises(DevToolsError, match="gone"):
                await tools.call("X.y")


async def test_no_answer_is_not_waited_for_for_ever() -> None:
    async with fake_browser() as browser, open_devtools(browser.address, print) as tools:
        browser.silent_at = "X.y"
        with pytest.raises(DevToolsError, match=r"no answer within 0.01 s"):
            await tools.call("X.y", patience=0.01)


async def test_nobody_there_is_told() -> None:
    with pytest.raises(DevToolsError, match="nobody answers"):
        async with open_devtools("ws://127.0.0.1:9/devtools/browser/x", print):
            pass
