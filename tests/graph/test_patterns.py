"""Which machines a person means."""

from __future__ import annotations

import pytest

from amctl.graph.assemble import as_graph
from amctl.graph.errors import NothingMatchedError, PatternError
from amctl.graph.model import GraphMachine, GraphState
from amctl.graph.patterns import matching

GRAPH = as_graph(
    [
        GraphMachine("boss", (GraphState("Ready", 1), GraphState("Start"))),
        GraphMachine("kid-1", (GraphState("Ready", 2),), "boss", ("rpc-server", "addr:x")),
        GraphMachine("kid-2", (GraphState("Start", 1),), "boss", ("rpc-client",)),
        GraphMachine("kid-10", (), "kid-1", ("rpc-server:x",)),
    ],
    [],
    [("stranger", "boss")],
)


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        ("boss", "boss"),
        ("kid-?", "kid-1 kid-2"),
        ("kid-*,!kid-1", "kid-2 kid-10"),
        ("!kid-*", "boss"),
        ("!kid-1, !boss", "kid-2 kid-10"),
        ("all", "boss kid-1 kid-2 kid-10"),
        (".", "boss"),
        ("parent:boss", "kid-1 kid-2"),
        ("parent:", "boss"),
        ("tag:rpc-server", "kid-1 kid-10"),
        ("tag:addr:x", "kid-1"),
        ("state:Ready", "boss"),
        ("state:Ready,state:Start", "boss kid-2"),
        (r"re:^kid-\d{1,1}$", "kid-1 kid-2"),
        (r"boss,!re:x,y", "boss"),
        (r"all,!re:\d,?$", "boss"),
    ],
)
def test_patterns(pattern: str, ids: str) -> None:
    assert matching(GRAPH, pattern) == ids.split()


@pytest.mark.parametrize("pattern", ["nobody", "", "boss,!boss", "stranger", "BOSS"])
def test_nothing_that_fits_is_an_error(pattern: str) -> None:
    with pytest.raises(NothingMatchedError):
        matching(GRAPH, pattern)


def test_a_bad_expression_is_told() -> None:
    with pytest.raises(PatternError, match="bad regular expression"):
        matching(GRAPH, "re:(")
