from __future__ import annotations

from amctl.states.basic import BasicStates
from tests.states.sets import check_set


def test_it_equals_the_original() -> None:
    check_set(BasicStates, "basic")
