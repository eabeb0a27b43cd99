from __future__ import annotations

import pytest

from amctl.rpc.wire import Limits, valid_id


@pytest.mark.parametrize("good", ["a", "rc-orchestrator_1.x", "A" * 64, "0"])
def test_ids_are_letters_digits_and_three_signs(good: str) -> None:
    assert valid_id(good)


@pytest.mark.parametrize("bad", ["", "A" * 65, "a/b", "a b", "é", "a\0", "a\n"])
def test_other_ids_are_refused(bad: str) -> None:
    assert not valid_id(bad)


def test_defaults_are_those_of_version_1() -> None:
    lim = Limits()
    assert (lim.hello, lim.frame, lim.chunk, lim.message) == (16 << 10, 1 << 20, 16 << 10, 16 << 20)
    assert (lim.window_bytes, lim.window_frames) == (256 << 10, 1024)
    assert (lim.queue_bytes, lim.queue_items, lim.steps) == (32 << 20, 4096, 1024)
    assert (lim.ping, lim.pong, lim.hello_timeout, lim.resume) == (10, 5, 3, 120)
    assert (lim.sessions, lim.resyncs, lim.schemas, lim.subscriptions) == (256, 5, 16, 1024)
