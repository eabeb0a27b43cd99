"""What was found out, for people and for programs: one sentence of blame, one of help, a tree."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from amctl.machine.explanation import Kind
from amctl.repl.why.model import Far, Via

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.machine.explanation import Explanation
    from amctl.repl.why.model import Node

__all__ = ["Report", "report_of"]

_GRAVITY: tuple[str, ...] = (
    Kind.DISPOSED,
    Far.DEAD_PEER,
    Far.HELD_UP,
    Kind.BACKOFF,
    Kind.ERROR,
    Kind.TIMEOUT,
    Kind.QUEUED,
    Kind.RUNNING,
    Kind.FULL,
    Kind.VETO,
    Far.PIPE,
    Kind.RELATIONS,
    Kind.REQUIRE,
    Kind.REMOVE,
    Kind.AUTO,
    Kind.IMPLIED,
    Kind.ACTIVE,
    Kind.ENDED,
    Kind.NEVER_ASKED,
    Kind.INACTIVE,
    Far.CAUSE,
    Far.MIRROR,
    Far.OUT_OF_REACH,
)
"""Of several ends of the tree the first of these is to blame."""
_ENDS = (Kind.ERROR, Far.DEAD_PEER)
_CALLS = {Kind.NEVER_ASKED: "add", Kind.ENDED: "add"}


@dataclass(frozen=True, slots=True)
class Report:
    """The answer."""

    root: Node
    culprit: Node
    """The end of the chain."""
    blame: str
    """Who is to blame, in one sentence."""
    remedy: str
    """What would let it through, in one sentence; empty if there is nothing to do."""
    others: int = 0
    """How many other ends there are."""
    hint: str = ""
    """A command that tells more."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Blame, remedy, and the chain as a tree."""
        root = self.root
        where = f"{root.machine} {root.state}"
        head = [f"{where}: {'active' if root.active else 'not active'}", f"  blame: {self.blame}"]
        if self.remedy:
            head.append(f"  remedy: {self.remedy}")
        if self.hint:
            head.append(f"  history: {self.hint}")
        return (*head, *_tree(root, 1))

    @property
    def data(self) -> dict[str, Any]:
        """Everything, as plain JSON."""
        return {
            "machine": self.root.machine,
            "state": self.root.state,
            "active": self.root.active,
            "blame": {
                "machine": self.culprit.machine,
                "state": self.culprit.state,
                "kind": str(self.culprit.kind),
                "sentence": self.blame,
                "others": self.others,
            },
            "remedy": self.remedy,
            "hint": self.hint,
            "chain": _data(self.root),
        }


def report_of(root: Node) -> Report:
    """Find the end of the chain that is to blame, and say so."""
    ends = [(above, node) for above, node in root.walk() if not node.because]
    # what something more is behind may be the end of the chain all the same
    ends += [(a, n) for a, n in root.walk() if n.because and n.kind in _ENDS]
    above, culprit = min(ends, key=lambda end: _rank(end[1]))
    others = len({(n.machine, n.state) for _, n in ends} - {(culprit.machine, culprit.state)})
    blame, hint = _blame(root, culprit, above), _hint(culprit)
    return Report(root, culprit, blame, _remedy(culprit), others, hint)


def _rank(node: Node) -> int:
    return _GRAVITY.index(node.kind) if node.kind in _GRAVITY else len(_GRAVITY)


def _blame(root: Node, culprit: Node, above: Node | None) -> str:
    end = f" ({culprit.end})" if culprit.end else ""
    if culprit is root:
        return f"{culprit.sentence}{end}"
    who = f"{culprit.state} of {culprit.machine}"
    if culprit.kind == Kind.ACTIVE and culprit.via is Via.REMOVED_BY and above is not None:
        return f"{who}, which keeps {above.state} out: {culprit.sentence}{end}"
    if root.active:
        return f"it goes back to {who}: {culprit.sentence}{end}"
    return f"{who}: {culprit.sentence}{end}"


def _remedy(culprit: Node) -> str:
    text, call = culprit.remedy, ""
    if culprit.kind == Kind.ACTIVE and culprit.via is Via.REMOVED_BY:
        text, call = f"remove {culprit.state}", "remove"
    elif culprit.kind in _CALLS:
        call = "add"
    if call and culprit.reachable:
        text += f" (amctl mach {call} {culprit.machine} {culprit.state})"
    return text


def _hint(culprit: Node) -> str:
    """What a machine has forgotten, a recording may know."""
    if not culprit.reachable or culprit.kind not in (Kind.ACTIVE, Kind.ENDED):
        return ""
    return f"amctl why --dump {culprit.machine} {culprit.state}"


# -- the tree


def _tree(node: Node, depth: int) -> Iterator[str]:
    pad = "  " * depth
    how = f"because it {node.via} {node.state} of {node.machine}: " if node.via else "because "
    yield f"{pad}{how}{node.sentence}"
    for line in node.details:
        yield f"{pad}  {line}"
    if node.end:
        yield f"{pad}  not followed further: {node.end}"
    for below in node.because:
        yield from _tree(below, depth + 1)


def _data(node: Node) -> dict[str, Any]:
    return {
        "machine": node.machine,
        "state": node.state,
        "via": str(node.via),
        "kind": str(node.kind),
        "active": node.active,
        "sentence": node.sentence,
        "remedy": node.remedy,
        "details": list(node.details),
        "end": node.end,
        "link": asdict(node.link) if node.link is not None else None,
        "explanation": _plain(node.explanation) if node.explanation is not None else None,
        "because": [_data(below) for below in node.because],
    }


def _plain(found: Explanation) -> dict[str, Any]:
    data = asdict(found)
    if found.last is not None and found.last.source is not None:
        del data["last"]["source"]["trace"]
    return data
