from __future__ import annotations

from typing import get_args

from amctl.rpc.wire import events


def test_every_event_is_part_of_the_union_and_immutable() -> None:
    named = {getattr(events, name) for name in events.__all__ if name != "Event"}
    assert set(get_args(events.Event)) == named
    assert all(issubclass(kind, tuple) for kind in named)


def test_an_event_matches_by_its_class() -> None:
    event: events.Event = events.Closed(33, "back soon", True, 2.0)
    match event:
        case events.Closed(code=code, after=after):
            assert (code, after) == (33, 2.0)
        case _:
            raise AssertionError
