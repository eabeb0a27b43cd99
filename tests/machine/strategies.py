"""Random schemas and calls."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from amctl.machine import Schema

__all__ = ["calls", "schemas"]


@st.composite
def schemas(draw: st.DrawFn, health: bool = False) -> Schema:
    """Up to nine states with random relations, some of them to unknown states."""
    names = [f"S{i}" for i in range(draw(st.integers(2, 9)))]
    if health:
        names.append("Healthcheck")
    some = st.lists(st.sampled_from([*names, "Nope", "Exception"]), max_size=3, unique=True)
    flag = st.integers(0, 4).map(lambda n: n == 0)
    states: dict[str, Any] = {
        name: {
            "auto": draw(flag),
            "multi": draw(flag),
            "add": draw(some),
            "remove": draw(some),
            "after": draw(some),
            "require": draw(some) if draw(flag) else [],
        }
        for name in names
    }
    return Schema(states, [*names, "Exception"])


def calls(schema: Schema) -> st.SearchStrategy[tuple[str, tuple[str, ...]]]:
    """A mutation of some states."""
    kinds = st.sampled_from(["add", "add", "remove", "set", "toggle", "can_add", "can_remove"])
    states = st.lists(st.sampled_from(schema.names), max_size=3).map(tuple)
    return st.tuples(kinds, states)
