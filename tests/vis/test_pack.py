from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from amctl.vis.layout import Layout, Line, Point, Rect
from amctl.vis.pack import GAP, packed


def block(name: str, width: float, height: float) -> Layout:
    return Layout({name: Rect(5, 5, 5 + width, 5 + height)})


def blocks(sizes: list[tuple[int, int]], prefix: str) -> list[Layout]:
    return [block(f"{prefix}{i}", *size) for i, size in enumerate(sizes)]


def apart(one: Rect, other: Rect) -> float:
    """The gap between two rects; negative if they overlap."""
    wide = max(one.left, other.left) - min(one.right, other.right)
    high = max(one.bottom, other.bottom) - min(one.top, other.top)
    return max(wide, high)


SIZES = st.lists(st.tuples(st.integers(1, 900), st.integers(1, 900)), max_size=12)


@given(SIZES, SIZES)
def test_nothing_overlaps_and_nothing_is_lost(
    networks: list[tuple[int, int]], small: list[tuple[int, int]]
) -> None:
    layout = packed(blocks(networks, "n"), blocks(small, "s"))
    assert len(layout.nodes) == len(networks) + len(small)
    for one, other in combinations(layout.nodes.values(), 2):
        assert apart(one, other) >= GAP / 2


def test_equal_networks_fill_a_wide_page() -> None:
    """Graphviz would stack them: 1,000 x 6,000."""
    bounds = packed(blocks([(1000, 600)] * 10, "n"), []).bounds
    assert 1.2 < bounds.width / bounds.height < 3.6
    assert bounds.width * bounds.height < 1.35 * 10 * 1000 * 600


def test_a_hole_in_a_network_is_filled() -> None:
    """The line runs along the bottom and the right; the legend fits above it."""
    corner = Line((Point(20, 20), Point(500, 0), Point(700, 200), Point(700, 480)))
    network = Layout({"a": Rect(0, 0, 40, 40), "b": Rect(680, 460, 720, 500)}, lines={"e1": corner})
    layout = packed([network], [block("legend", 200, 150)])
    assert layout.bounds == Rect(0, -500, 720, 0)
    assert layout.nodes["legend"].top == 0
    assert layout.nodes["legend"].left == 0


def test_the_page_grows_for_what_fits_nowhere() -> None:
    layout = packed([block("a", 400, 300)], [block("legend", 200, 300)])
    assert layout.nodes["legend"].left >= layout.nodes["a"].right + GAP / 2
    layout = packed([block("a", 800, 300)], [block("legend", 200, 100)])
    assert layout.nodes["legend"].top <= layout.nodes["a"].bottom - GAP / 2


def test_many_single_machines_fill_a_wide_page() -> None:
    bounds = packed([], blocks([(200, 100 + i % 7 * 20) for i in range(60)], "s")).bounds
    assert 1.0 < bounds.width / bounds.height < 3.6


def test_single_machines_stand_in_their_order() -> None:
    """By rows, as one reads."""
    layout = packed([], blocks([(100, 40)] * 20, "s"))
    names = sorted(layout.nodes, key=lambda n: (-layout.nodes[n].top, layout.nodes[n].left))
    assert names == [f"s{i}" for i in range(20)]


def test_an_empty_page_is_empty() -> None:
    assert packed([], []) == Layout()
