"""A graph as text: Markdown and XML as am-vis writes them (vis.md 5), and JSON.

Names are sorted as plain text here, not by the numbers in them, as in the original's files.
Machines that only others speak of are not listed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amctl.graph.model import Graph, GraphMachine, GraphState, Pipe

__all__ = ["TITLE", "as_json", "as_markdown", "as_xml"]

TITLE = "# am-vis inspect-dump"
_RULE = "-----"
_INDENT = "    "
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML can't hold."""
_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")


def _known(graph: Graph) -> list[GraphMachine]:
    return sorted((m for m in graph.machines.values() if m.known), key=lambda m: m.id)


def _targets(graph: Graph) -> tuple[dict[str, list[str]], dict[str, list[Pipe]]]:
    """RPC servers and pipes by the machine that they leave."""
    rpc: dict[str, list[str]] = {}
    pipes: dict[str, list[Pipe]] = {}
    for client, server in sorted(graph.rpc):
        rpc.setdefault(client, []).append(server)
    for pipe in sorted(graph.pipes, key=lambda p: (p.target, _pipe_line(p))):
        pipes.setdefault(pipe.source, []).append(pipe)
    return rpc, pipes


def _pipe_line(pipe: Pipe) -> str:
    return f"- [{pipe.kind}] {pipe.source_state} -> {pipe.target_state}"


# -- Markdown


def as_markdown(graph: Graph, *, times: bool = True) -> str:
    """The listing of `inspect-dump`.

    Args:
        graph: What to list.
        times: Write the line with a machine's time; older versions of the original wrote none.
    """
    rpc, pipes = _targets(graph)
    parents = dict(graph.parents)
    lines = [TITLE, ""]
    for machine in _known(graph):
        lines.append(f"## {machine.id}")
        lines += [f"Time: t{machine.time_sum}"] if times else []
        lines += [f"Parent: {parents[machine.id]}"] if machine.id in parents else []
        lines.append("")
        lines += _section("States", (f"- {s}" for s in sorted(s.name for s in machine.states)))
        lines += _section("RPC", (f"- {server}" for server in rpc.get(machine.id, ())))
        lines += _pipe_section(pipes.get(machine.id, ()))
        lines += [_RULE, ""]
    return "".join(f"{_BREAKS.sub(' ', line)}\n" for line in lines)


def _section(title: str, items: Iterable[str]) -> list[str]:
    lines = list(items)
    return [f"### {title}", *lines, ""] if lines else []


def _pipe_section(pipes: Iterable[Pipe]) -> Iterator[str]:
    target: str | None = None
    for pipe in pipes:
        if target is None:
            yield from ("### Pipes", "")
        if pipe.target != target:
            yield from ([] if target is None else [""])
            target = pipe.target
            yield f"#### {target}"
        yield _pipe_line(pipe)
    if target is not None:
        yield ""


# -- XML


def as_xml(graph: Graph) -> str:
    """Machines nested in their parents, with ticks, relations, pipes and tags.

    # differs from Go: values are escaped, ticks stand at their own states, and a machine whose
    # parent is unknown stands at the top.
    """
    children: dict[str, list[GraphMachine]] = {}
    known = _known(graph)
    listed = {machine.id for machine in known}
    for machine in known:
        parent = machine.parent if machine.parent in listed else ""
        children.setdefault(parent, []).append(machine)
    writer = _Xml(graph, children)
    writer.nest(children.get("", []))
    for machine in known:  # parents in a circle
        if machine.id not in writer.written:
            writer.nest([machine])
    return "".join(f"{line}\n" for line in ["<graph>", *writer.lines, "</graph>"])


class _Xml:
    def __init__(self, graph: Graph, children: dict[str, list[GraphMachine]]) -> None:
        self.lines: list[str] = []
        self.written: set[str] = set()
        self._children = children
        self._rpc, self._pipes = _targets(graph)

    def nest(self, machines: list[GraphMachine]) -> None:
        """Machines and all that is in them; without recursion, nesting may be deep."""
        open_levels = [iter(machines)]
        while open_levels:
            machine = next(open_levels[-1], None)
            if machine is None:
                open_levels.pop()
                if open_levels:
                    self.lines.append(f"{_INDENT * len(open_levels)}</machine>")
            elif machine.id not in self.written:
                self.written.add(machine.id)
                pad = _INDENT * len(open_levels)
                attrs = f"id={_quoted(machine.id)} time={_quoted(machine.time_sum)}"
                self.lines.append(f"{pad}<machine {attrs}>")
                self.lines += [f"{pad}{_INDENT}{line}" for line in self._content(machine)]
                open_levels.append(iter(self._children.get(machine.id, [])))

    def _content(self, machine: GraphMachine) -> Iterator[str]:
        for state in sorted(machine.states, key=lambda s: s.name):
            yield from _state_lines(state)
        for server in self._rpc.get(machine.id, ()):
            yield f"<rpc>{_text(server)}</rpc>"
        for pipe in self._pipes.get(machine.id, ()):
            start = f" as={_quoted(pipe.source_state)}" if pipe.source_state else ""
            attrs = f'to={_quoted(pipe.target)} add="{int(pipe.kind == "add")}"{start}'
            yield f"<pipe {attrs}>{_text(pipe.target_state or pipe.source_state)}</pipe>"
        for tag in machine.tags:
            yield f"<tag>{_text(tag)}</tag>"


def _state_lines(state: GraphState) -> Iterator[str]:
    marks = ("active", state.is_active), ("auto", state.auto), ("multi", state.multi)
    attrs = f' tick="{state.tick}"' if state.tick else ""
    attrs += "".join(f' {name}="1"' for name, holds in marks if holds)
    inner = [
        f"{_INDENT}<{kind}>{_text(name)}</{kind}>"
        for kind in ("require", "add", "remove", "after")
        for name in sorted(getattr(state, kind))
    ]
    if not inner:
        yield f"<state{attrs}>{_text(state.name)}</state>"
        return
    yield f"<state{attrs}>"
    yield f"{_INDENT}{_text(state.name)}"
    yield from inner
    yield "</state>"


def _text(value: object) -> str:
    return escape(_UNPRINTABLE.sub("\ufffd", str(value)))


def _quoted(value: object) -> str:
    return quoteattr(_UNPRINTABLE.sub("\ufffd", str(value)))


# -- JSON


def as_json(graph: Graph) -> dict[str, Any]:
    """The document of `inspect-dump --json`; parent is null at the top."""
    return {
        "machines": [
            {
                "id": machine.id,
                "parent": machine.parent or None,
                "tags": list(machine.tags),
                "states": sorted(state.name for state in machine.states),
            }
            for machine in _known(graph)
        ],
        "parents": [list(pair) for pair in sorted(graph.parents)],
        "rpc_edges": [list(edge) for edge in sorted(graph.rpc)],
        "pipes": [
            [p.source, p.kind, p.source_state, p.target, p.target_state]
            for machine_pipes in sorted(_targets(graph)[1].items())
            for p in machine_pipes[1]
        ],
    }
