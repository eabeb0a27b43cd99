"""Finds places for everything: by `dot`, part by part, then pushed together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from amctl.vis.frame import LEGEND
from amctl.vis.layout import Layout
from amctl.vis.pack import packed
from amctl.vis.routes import calmed, noted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.vis.dotgraph import DotGraph

__all__ = ["placed"]

_OWN = 6
"""Nodes of a part that `dot` is asked for alone; smaller ones share a run."""
_THREADS = 4


def placed(graph: DotGraph, lay_out: Callable[[DotGraph], Layout]) -> Layout:
    """The layout of a graph, all parts of it.

    Args:
        graph: What is drawn.
        lay_out: Asks `dot`; called from several threads at once.
    """
    parts = graph.components()
    runs = [names for names in parts if len(names) >= _OWN]
    shared = [names for names in parts if len(names) < _OWN]
    if shared:
        runs.append([name for names in shared for name in names])
    graphs = [graph.part(names) for names in runs]
    with ThreadPoolExecutor(_THREADS) as pool:
        layouts = list(pool.map(lay_out, graphs))
    layouts = [calmed(layout, part) for layout, part in zip(layouts, graphs, strict=True)]
    if shared:
        layouts[-1:] = [_only(layouts[-1], graph.part(names)) for names in shared]
        runs[-1:] = shared
    return noted(_packed(graph, runs, layouts), graph)


def _only(layout: Layout, part: DotGraph) -> Layout:
    """What a layout says about a part of its graph."""
    boxes, todo = set(), list(part.boxes)
    while todo:
        box = todo.pop()
        boxes.add(box.name)
        todo += box.boxes
    lines = {edge.id for edge in part.edges}
    return Layout(
        {name: rect for name, rect in layout.nodes.items() if name in part.nodes},
        {name: rect for name, rect in layout.boxes.items() if name in boxes},
        {name: line for name, line in layout.lines.items() if name in lines},
        {name: point for name, point in layout.labels.items() if name in lines},
    )


def _packed(graph: DotGraph, runs: Sequence[Sequence[str]], layouts: Sequence[Layout]) -> Layout:
    """The legend first, then machines alone by height and in their order."""
    networks, alone = [], []
    order = {name: i for i, name in enumerate(graph.nodes)}
    for names, layout in zip(runs, layouts, strict=True):
        if len(names) > 1:
            networks.append(layout)
        else:
            rank = (names[0] != LEGEND, -round(layout.bounds.height), order[names[0]])
            alone.append((rank, layout))
    alone.sort(key=lambda pair: pair[0])
    return packed(networks, [layout for _, layout in alone])
