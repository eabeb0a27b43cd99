"""Markdown byte for byte, XML that any parser reads, JSON as the golden file."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from amctl.graph.assemble import as_graph
from amctl.graph.listing import as_json, as_markdown, as_xml
from amctl.graph.model import Graph, GraphMachine, GraphState, Pipe
from tests.graph.made import GOLDEN, golden_graph, small
from tests.support.recordings import HOSTILE

KID = """# am-vis inspect-dump

## kid
Time: t7
Parent: boss

### States
- Exception
- Ready
- Start

### RPC
- kid-srv

### Pipes

#### boss
- [add] Ready -> KidReady
- [remove] Ready -> KidReady

-----

"""


def kid() -> Graph:
    """The listing of the specification, whose other machines are but names."""
    states = GraphState("Start", 3, multi=True), GraphState("Ready", 4, auto=True)
    pipes = [Pipe("kid", kind, "Ready", "boss", "KidReady") for kind in ("remove", "add")]
    machine = GraphMachine("kid", (*states, GraphState("Exception")), "boss", ("a:b",))
    return as_graph([machine], pipes, [("kid", "kid-srv")])


def test_markdown_is_as_the_specification_shows_it() -> None:
    assert as_markdown(kid()) == KID


def test_the_originals_listing_is_rebuilt_to_the_byte() -> None:
    text = as_markdown(golden_graph(), times=False)
    assert len(text.encode()) == 15_530
    assert text.count("\n-----\n\n") == 27


def test_without_a_parent_an_empty_line_follows_the_time() -> None:
    text = as_markdown(small({"a": "S", "b": ""}, ["a.S +> b.", "a.Q +> b.T", "a.S -> c.S"]))
    assert text == (
        "# am-vis inspect-dump\n\n## a\nTime: t0\n\n### States\n- S\n\n### Pipes\n\n"
        "#### b\n- [add] Q -> T\n- [add] S -> \n\n#### c\n- [remove] S -> S\n\n-----\n\n"
        "## b\nTime: t0\n\n-----\n\n"
    )


def test_ids_are_sorted_as_text() -> None:
    text = as_markdown(small({"m2": "", "m10": ""}))
    assert text.index("m10") < text.index("m2\n")


def test_a_name_cannot_break_out_of_its_line() -> None:
    text = as_markdown(small({"a": "", "b\n## c": ""}))
    assert text.count("\n## ") == 2


def test_xml_is_as_the_specification_says() -> None:
    assert as_xml(kid()) == (
        "<graph>\n"
        '    <machine id="kid" time="7">\n'
        "        <state>Exception</state>\n"
        '        <state tick="4" auto="1">Ready</state>\n'
        '        <state tick="3" active="1" multi="1">Start</state>\n'
        "        <rpc>kid-srv</rpc>\n"
        '        <pipe to="boss" add="1" as="Ready">KidReady</pipe>\n'
        '        <pipe to="boss" add="0" as="Ready">KidReady</pipe>\n'
        "        <tag>a:b</tag>\n"
        "    </machine>\n"
        "</graph>\n"
    )


def test_relations_stand_in_their_state() -> None:
    state = GraphState("A", require=("C", "B"), add=("D",), remove=("E",), after=("F",))
    assert as_xml(as_graph([GraphMachine("m", (state,))], [], [])).splitlines()[2:-2] == [
        "        <state>",
        "            A",
        "            <require>B</require>",
        "            <require>C</require>",
        "            <add>D</add>",
        "            <remove>E</remove>",
        "            <after>F</after>",
        "        </state>",
    ]


def test_children_are_nested_and_strangers_children_are_roots() -> None:
    graph = small({"root": "", "kid": "^root", "grandkid": "^kid", "orphan": "^nobody"})
    tree = ElementTree.fromstring(as_xml(graph))
    assert [m.get("id") for m in tree] == ["orphan", "root"]
    assert [m.get("id") for m in tree.iter("machine")] == ["orphan", "root", "kid", "grandkid"]


def test_the_ends_of_half_pipes() -> None:
    graph = small({"a": "S"}, ["a.S +> b.", "a. -> b.T"])
    pipes = list(ElementTree.fromstring(as_xml(graph)).iter("pipe"))
    assert [(p.get("as"), p.text) for p in pipes] == [("S", "S"), (None, "T")]


def test_parents_in_a_circle_and_deep_nests_end() -> None:
    circle = small({"a": "^b", "b": "^a", "c": "^c"})
    tree = ElementTree.fromstring(as_xml(circle))
    assert sorted(str(m.get("id")) for m in tree.iter("machine")) == ["a", "b", "c"]
    deep = small({f"m{n}": f"^m{n - 1}" for n in range(1000)})
    assert as_xml(deep).count("</machine>") == 1000


def test_what_breaks_xml_is_escaped() -> None:
    machine = GraphMachine(HOSTILE, (GraphState(HOSTILE, require=(HOSTILE,)),), tags=(HOSTILE,))
    graph = as_graph([machine], [Pipe(HOSTILE, "add", HOSTILE, "b", HOSTILE)], [(HOSTILE, "b")])
    machine_element = ElementTree.fromstring(as_xml(graph))[0]
    assert [one.tag for one in machine_element] == ["state", "rpc", "pipe", "tag"]
    assert str(machine_element.get("id")).startswith("<script>alert('&\"')</script>\ufffd")


def test_json_is_as_the_golden_file() -> None:
    document = as_json(golden_graph())
    for machine in document["machines"]:
        assert machine.pop("tags") == []
    assert document["machines"] == GOLDEN["machines"]
    assert document["parents"] == GOLDEN["parents"]
    assert document["rpc_edges"] == GOLDEN["rpc_edges"]
    assert sorted(document["pipes"]) == sorted(GOLDEN["pipes"])


def test_json_names_no_strangers_among_the_machines() -> None:
    graph = small({"a": "S"}, ["a.S +> b."])
    assert [m["id"] for m in as_json(graph)["machines"]] == ["a"]
    assert as_json(graph)["pipes"] == [["a", "add", "S", "b", ""]]
    assert as_json(replace(graph, machines={}))["machines"] == []
