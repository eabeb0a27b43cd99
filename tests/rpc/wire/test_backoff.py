from __future__ import annotations

import random

import pytest

from amctl.rpc.wire import Backoff, Code


class Fixed:
    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


def test_wir_31_waits_double_from_a_tenth_of_a_second_to_ten() -> None:
    backoff = Backoff(Fixed(0.0))
    waits = [backoff.delay() for _ in range(9)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    backoff.reset()
    assert backoff.delay() == 0.1


def test_wir_31_waits_are_spread() -> None:
    backoff = Backoff(random.Random(1), first=1.0, most=1.0)
    waits = {backoff.delay() or 0.0 for _ in range(100)}
    assert len(waits) == 100
    assert min(waits) >= 0.5
    assert max(waits) <= 1.0


@pytest.mark.parametrize("code", [Code.OK, Code.AUTH, Code.STOPPED, 31])
def test_wir_31_there_is_no_dial_after_a_terminal_code(code: int) -> None:
    assert Backoff(Fixed(0.5)).delay(code) is None


def test_wir_31_a_wait_that_the_peer_asked_for_is_never_shortened() -> None:
    assert Backoff(Fixed(0.9)).delay(Code.AWAY, after=7.0) == 7.0
