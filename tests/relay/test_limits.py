from __future__ import annotations

import dataclasses

from amctl.relay import Limits, Policy


def test_every_limit_limits_something() -> None:
    assert all(value > 0 for value in dataclasses.asdict(Limits()).values())


def test_stop_fits_into_a_second() -> None:
    assert Limits().stop_timeout < 1


def test_nobody_beside_loopback_is_trusted_by_default() -> None:
    assert Policy() == Policy(hosts=(), origins=(), dial=(), tunnel_ids=None)
