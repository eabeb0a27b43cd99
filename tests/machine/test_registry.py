"""All live machines."""

from __future__ import annotations

import gc

from amctl.machine import registry
from tests.machine.tools import mach


def test_live_machines_are_found_oldest_first() -> None:
    one, two = mach("A", id="registry-1"), mach("A", id="registry-2")
    mine = [m for m in registry.live() if m in (one, two)]
    assert mine == [one, two]
    assert registry.find("registry-2") is two
    assert registry.find("registry-3") is None


def test_the_newest_of_an_id_is_found() -> None:
    old = mach("A", id="registry-same")
    new = mach("A", id="registry-same")
    assert registry.find("registry-same") is new
    new.dispose()
    assert registry.find("registry-same") is old


def test_disposed_and_forgotten_machines_are_not_live() -> None:
    disposed = mach("A", id="registry-disposed")
    disposed.dispose()
    assert disposed not in registry.live()
    mach("A", id="registry-forgotten")
    gc.collect()
    assert registry.find("registry-forgotten") is None
