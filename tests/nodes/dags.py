"""Random DAGs that can be run."""

from __future__ import annotations

from hypothesis import strategies as st

from nodes.dag import UI, WORKER, Dag, DagNode

__all__ = ["dags"]


@st.composite
def dags(draw: st.DrawFn, most: int = 9) -> Dag:
    """Two to `most` nodes, in any order, with any legal dependencies and hosts."""
    count = draw(st.integers(2, most))
    ids = [f"node{index}" for index in range(count)]
    roots = draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))
    ui = draw(st.sampled_from([None, *roots]))
    nodes = []
    for index, id in enumerate(ids):
        deps = (
            draw(st.lists(st.sampled_from(ids[:index]), unique=True, max_size=3)) if index else []
        )
        host = WORKER if id in roots else draw(st.sampled_from(roots))
        seed = None if deps else draw(st.text("abc", min_size=1, max_size=4))
        nodes.append(DagNode(id, tuple(deps), seed, UI if id == ui else host))
    return Dag("random", tuple(draw(st.permutations(nodes))))
