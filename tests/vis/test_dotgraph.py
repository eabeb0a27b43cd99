from __future__ import annotations

from amctl.vis.dotgraph import Box, DotGraph, Edge, Html, Node, attributes, quoted


def family() -> DotGraph:
    graph = DotGraph("g", {"rankdir": "LR"})
    for name in ("a", "b", "c", "d", "e", "f"):
        graph.add(Node(name, {"label": Html(f"<B>{name}</B>")}))
    graph.edges.append(Edge("a", "b", {"id": "e1"}, "p:e", ":w", note="4"))
    graph.boxes.append(Box("cluster#c", {"id": "c|c"}, ["c"], [Box("cluster#d", {}, ["d"])]))
    return graph


def test_a_graph_is_written_as_dot() -> None:
    assert family().write() == (
        'digraph "g" {\n'
        '  graph [rankdir="LR"];\n'
        "  node [];\n"
        "  edge [];\n"
        '  "a" [label=<<B>a</B>>];\n'
        '  "b" [label=<<B>b</B>>];\n'
        '  "e" [label=<<B>e</B>>];\n'
        '  "f" [label=<<B>f</B>>];\n'
        '  subgraph "cluster#c" {\n'
        '    graph [id="c|c"];\n'
        '    "c" [label=<<B>c</B>>];\n'
        '    subgraph "cluster#d" {\n'
        "      graph [];\n"
        '      "d" [label=<<B>d</B>>];\n'
        "    }\n"
        "  }\n"
        '  "a":"p":e -> "b":w [id="e1" label="4"];\n'
        "}\n"
    )


def test_places_are_further_attributes() -> None:
    places = {"a": {"pos": "1,2"}, "e1": {"pos": "0,0"}, "cluster#d": {"bb": "0,0,1,1"}}
    text = family().write(places, notes=False)
    assert '"a" [label=<<B>a</B>> pos="1,2"];' in text
    assert '[id="e1" pos="0,0"];' in text
    assert 'graph [bb="0,0,1,1"];' in text


def test_strings_hold_quotes_and_backslashes() -> None:
    assert quoted('a"b\\') == '"a\\"b\\\\"'
    assert attributes({"a": "1", "b": Html("<I/>")}) == 'a="1" b=<<I/>>'


def test_nodes_hang_together_by_lines_and_boxes() -> None:
    assert family().components() == [["a", "b"], ["c", "d"], ["e"], ["f"]]


def test_a_part_has_only_what_lies_in_it() -> None:
    graph = family()
    part = graph.part(["a", "b", "e"])
    assert list(part.nodes) == ["a", "b", "e"]
    assert [edge.id for edge in part.edges] == ["e1"]
    assert not part.boxes
    assert [box.name for box in graph.part(["c", "d"]).boxes] == ["cluster#c"]
