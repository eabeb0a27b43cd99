"""Sorted, nothing twice, and only what is asked for."""

from __future__ import annotations

from amctl.graph.assemble import restricted
from tests.graph.made import pipes_of, small

MACHINES = {"m10": "A ^m2", "m2": "A", "m1": "A ^m2", "x": "A ^nobody"}
PIPES = ["m2.A +> m10.A", "m2.A +> m1.A", "m2.A -> m1.A", "m2.A +> m1.", "m2. +> m1.Z"]


def test_everything_is_in_natural_order() -> None:
    graph = small(MACHINES, PIPES, ["m10 x", "m2 x"])
    assert list(graph.machines) == ["m1", "m2", "m10", "x"]
    assert pipes_of(graph) == ["m2. +> m1.Z", "m2.A +> m1.A", "m2.A -> m1.A", "m2.A +> m10.A"]
    assert graph.rpc == (("m2", "x"), ("m10", "x"))
    assert graph.parents == (("m1", "m2"), ("m10", "m2"))


def test_a_part_keeps_what_touches_it() -> None:
    part = restricted(small(MACHINES, PIPES, ["m10 x", "m2 x"]), ["m10"])
    assert {m.id for m in part.machines.values() if m.known} == {"m10"}
    assert pipes_of(part) == ["m2.A +> m10.A"]
    assert part.rpc == (("m10", "x"),)
    assert part.parents == (("m10", "m2"),)
