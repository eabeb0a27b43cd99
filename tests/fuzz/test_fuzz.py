"""A slice of each fuzzer, and that each sees what it is there for.

AMCTL_FUZZ_SECONDS makes the slices longer: 30, say, before a release.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from amctl.relay import security
from amctl.relay.guard import Guard
from amctl.relay.tunnels import Tunnels
from amctl.rpc.wire.hub import Conn
from amctl.rpc.wire.link import Link
from tests.fuzz.__main__ import FUZZERS, main

pytestmark = pytest.mark.realtime

CASES = {"frames": 1200, "urls": 40, "http": 40}
SEED = 7


def found(what: str, cases: int = 0) -> list[str]:
    """What a fuzzer has to say after some cases."""
    fuzzer = FUZZERS[what](SEED)
    seconds = float(os.environ.get("AMCTL_FUZZ_SECONDS", "0"))
    try:
        if seconds and not cases:
            fuzzer.run_for(seconds)
        else:
            fuzzer.run(cases or CASES[what])
    finally:
        fuzzer.close()
    return [f"{text}: {data.hex()[:2000]}" for text, data in fuzzer.problems]


@pytest.mark.slow
@pytest.mark.parametrize("what", CASES)
def test_nothing_is_found(what: str) -> None:
    assert found(what) == []


def test_a_decoder_that_raises_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(self: Link, one: bytes) -> None:
        raise KeyError(one)

    monkeypatch.setattr(Link, "_on_ping", raises)
    assert any("KeyError" in text for text in found("frames", 600))


def test_a_stranger_without_a_limit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Conn.__init__

    def boundless(self: Conn, *args: Any) -> None:
        whole(self, *args)
        self.framer.cap = 1 << 28

    monkeypatch.setattr(Conn, "__init__", boundless)
    assert any("beyond the limit" in text for text in found("frames", 2000))


def test_a_door_that_is_open_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "check", lambda self, conn: None)
    assert any("a stranger was served" in text for text in found("http", 20))


def test_a_target_outside_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "dial_allowed", lambda target, extra: True)
    assert any(text.startswith("dial ") for text in found("urls", 10))


def test_a_file_outside_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "valid_id", lambda text: True)
    monkeypatch.setattr(Tunnels, "_check_listen", lambda *_: None)
    assert any("was written" in text for text in found("urls", 25))


def test_the_program_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frames", "--seconds", "0.1", "--seed", "5"]) == 0
    assert "frames, seed 5: " in capsys.readouterr().out
