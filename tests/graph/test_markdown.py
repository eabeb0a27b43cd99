"""Listings of both forms are read back."""

from __future__ import annotations

import pytest

from amctl.graph.errors import ListingError
from amctl.graph.listing import as_markdown
from amctl.graph.markdown import parse_markdown
from tests.graph.made import golden_graph, small


@pytest.mark.parametrize("times", [True, False])
def test_what_was_written_reads_back(times: bool) -> None:
    text = as_markdown(golden_graph(), times=times)
    graph = parse_markdown(text)
    assert as_markdown(graph, times=times) == text
    assert (graph.pipes, graph.rpc) == (golden_graph().pipes, golden_graph().rpc)
    assert graph.machines["orchestrator"].state("Start").inherited  # type: ignore[union-attr]


def test_half_pipes_read_back() -> None:
    graph = small({"a": "S"}, ["a.S +> b.", "a. -> b.T"])
    assert parse_markdown(as_markdown(graph)).pipes == graph.pipes


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("# something else", 1),
        ("# am-vis inspect-dump\n- A", 2),
        ("# am-vis inspect-dump\n\n## m\n- A", 4),
        ("# am-vis inspect-dump\n\n## m\n### Pipes\n- [add] A -> B", 5),
        ("# am-vis inspect-dump\n\n## m\n### Pipes\n#### b\n- [set] A -> B", 6),
        ("# am-vis inspect-dump\n### States", 2),
        ("# am-vis inspect-dump\n## m\n### States\nA", 4),
        ("# am-vis inspect-dump\n## m\n### RPC\nA", 4),
    ],
)
def test_a_bad_line_is_told(text: str, line: int) -> None:
    with pytest.raises(ListingError) as caught:
        parse_markdown(text)
    assert caught.value.line == line
