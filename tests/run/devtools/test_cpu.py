"""Chromium's own profile of a page's thread, of a worker, and of a worker's worker."""

from __future__ import annotations

import pytest

from amctl.run.devtools.cpu import cpu_profile
from amctl.run.errors import DevToolsError
from tests.run.devtools.browser import fake_browser

pytestmark = pytest.mark.realtime


@pytest.mark.parametrize(("name", "session"), [("", "p"), ("browser2", "w1"), ("browser3", "w2")])
async def test_the_thread_is_found_and_profiled(name: str, session: str) -> None:
    async with fake_browser() as browser, cpu_profile(browser.address, name) as taking:
        assert browser.calls[-1] == ("Profiler.start", session)
        assert await taking.stop() == {"nodes": [1]}
        assert browser.calls[-1] == ("Profiler.stop", session)


async def test_no_other_thread_is_taken_for_it() -> None:
    async with fake_browser() as browser:
        with pytest.raises(DevToolsError, match="it has no worker 'browser9'"):
            async with cpu_profile(browser.address, "browser9"):
                pass
        assert not [method for method, _ in browser.calls if method.startswith("Profiler")]
