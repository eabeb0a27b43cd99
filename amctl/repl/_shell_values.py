"""Candidates of completion, by what a word is: commands, machines, states, arguments, files."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.repl.command import Kind
from amctl.repl.errors import ReplError
from amctl.repl.selecting import find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from amctl.machine import StateDef
    from amctl.repl.command import Command, Param
    from amctl.repl.peer import Fleet, Peer
    from amctl.rpc.answers import About

__all__ = [
    "Candidate",
    "arg_names",
    "arg_values",
    "chosen",
    "commands",
    "files",
    "flag",
    "ids",
    "negations",
    "patterns",
    "states",
    "tags",
]

_MOST_FILES = 200
_ERRORS = ("Exception", "Err")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that may stand at the cursor."""

    text: str
    """What is typed for it."""
    help: str = ""
    group: str = ""
    """The heading that it stands under; empty for none."""
    label: str = ""
    """What the menu shows; empty is the text."""
    is_open: bool = False
    """Whether more of the same word follows: no blank is put behind it."""

    def behind(self, head: str) -> Candidate:
        """The same, with something in front that was typed already."""
        return replace(self, text=head + self.text, label=self.label or self.text) if head else self

    def as_typed(self, text: str) -> Candidate:
        """The same with its quotes."""
        return self if text == self.text else replace(self, text=text, label=self.label)

    @property
    def shown(self) -> str:
        """What the menu shows."""
        return self.label or self.text


# -- commands and options


def commands(registry: Mapping[str, Command]) -> Iterator[Candidate]:
    """All commands, group by group in the order in which the groups first appear."""
    groups = dict.fromkeys(command.group for command in registry.values())
    for group in groups:
        for command in registry.values():
            if command.group == group:
                yield Candidate(command.name, command.summary, f"{group} commands")


def flag(param: Param) -> Candidate:
    """An option by its long name."""
    name = next((f for f in param.flags if f.startswith("--")), param.flags[0])
    if param.kind is Kind.SWITCH and param.default is True:
        name = f"--no-{name.removeprefix('--')}"
    return Candidate(name, param.help, "options")


def negations(param: Param) -> list[Candidate]:
    """The `--no-` names of a switch."""
    names = [f"--no-{f.removeprefix('--')}" for f in param.flags if f.startswith("--")]
    return [Candidate(name, f"not: {param.help}", "options") for name in names]


# -- machines


def ids(peers: Sequence[Peer]) -> list[Candidate]:
    """Machines that there ever was a handshake with."""
    found: dict[str, Candidate] = {}
    for peer in peers:
        if peer.was_ready and peer.id:
            found.setdefault(peer.id, Candidate(peer.id, _state_of(peer), "machines"))
    return list(found.values())


def _state_of(peer: Peer) -> str:
    how = "connected" if peer.is_ready else f"not connected: {peer.problem or 'gone'}"
    return f"t{peer.net.time_sum} {how}"


def tags(peers: Sequence[Peer]) -> Iterator[Candidate]:
    """The tags of all machines."""
    for tag in sorted({tag for peer in peers if peer.was_ready for tag in peer.tags}):
        users = sum(1 for peer in peers if tag in peer.tags)
        yield Candidate(tag, f"{users} machine{'s' * (users != 1)}", "tags")


def patterns(peers: Sequence[Peer], word: str) -> tuple[Candidate, ...]:
    """Machines and `.`; the words of patterns where no machine fits; the last part of a list."""
    before, comma, part = word.rpartition(",")
    head = before + comma
    if part.startswith("!"):
        head, part = head + "!", part[1:]
    kind, colon, value = part.partition(":")
    if colon and kind in _BY:
        found = _by(kind, peers)
        head, part = f"{head}{kind}:", value
    else:
        found = [*ids(peers), *_first(peers)]
    fit = _beginning(found, part)
    if not fit and part and not (colon and kind in _BY):
        words = [Candidate(name, help, "patterns", is_open=name != "all") for name, help in _WORDS]
        fit = _beginning(words, part)
    return tuple(one.behind(head) for one in fit)


def _beginning(candidates: Iterable[Candidate], word: str) -> list[Candidate]:
    small = word.lower()
    return [one for one in candidates if one.text.lower().startswith(small)]


_WORDS = (
    ("all", "every machine"),
    ("tag:", "machines with a tag"),
    ("parent:", "children of a machine"),
    ("state:", "machines where a state is active"),
    ("re:", "ids that fit a regular expression"),
)
_BY = ("tag", "parent", "state")


def _first(peers: Sequence[Peer]) -> list[Candidate]:
    first = next((peer for peer in peers if peer.is_ready), None)
    if first is not None:
        return [Candidate(".", f"the first connected one: {first.id}", "machines")]
    return [Candidate(".", "the first connected one", "machines")]


def _by(kind: str, peers: Sequence[Peer]) -> list[Candidate]:
    if kind == "tag":
        return list(tags(peers))
    if kind == "state":
        return states([peer for peer in peers if peer.was_ready], Kind.STATE)
    parents = dict.fromkeys(peer.parent_id for peer in peers if peer.was_ready and peer.parent_id)
    return [Candidate(parent, "", "machines") for parent in parents]


def chosen(fleet: Fleet, pattern: str) -> list[Peer]:
    """The machines that a pattern means, those that are gone by their exact id; maybe none."""
    known = [peer for peer in fleet.peers if peer.was_ready]
    ready = [peer for peer in known if peer.is_ready]
    try:
        return find(ready, pattern) or find(known, pattern)
    except ReplError:
        return []


# -- states


def states(peers: Sequence[Peer], kind: Kind) -> list[Candidate]:
    """States of these machines, in the order of their schemas, those of errors behind all others.

    To add: those that are inactive or multi at one of them; to remove: those that are active.
    """
    found: dict[str, Candidate] = {}
    for peer in peers:
        net = peer.net
        for name, state in net.schema.items():
            is_active = net.is_(name)
            useless = {
                Kind.TO_ADD: is_active and not state.multi,
                Kind.TO_REMOVE: not is_active,
            }.get(kind, False)
            if name not in found and not useless:
                help = _describe(state, is_active, net.tick(name))
                found[name] = Candidate(name, help, "states")
    return sorted(found.values(), key=lambda one: one.text.startswith(_ERRORS))


def _describe(state: StateDef, is_active: bool, tick: int) -> str:
    words = [f"{'active' if is_active else 'inactive'} t{tick}"]
    words += [key for key in ("auto", "multi") if getattr(state, key)]
    for key in ("require", "add", "remove", "after"):
        names = getattr(state, key)
        if names:
            words.append(f"{key} {_some(names)}")
    return "; ".join(words)


def _some(names: Sequence[str], most: int = 4) -> str:
    more = f" +{len(names) - most}" if len(names) > most else ""
    return " ".join(names[:most]) + more


# -- arguments


def arg_names(abouts: Iterable[About], states: Sequence[str]) -> Iterator[Candidate]:
    """`Type.field` of the typed arguments, those of the named states first."""
    types = {(kind.name, kind.fields): kind for about in abouts for kind in about.args}
    for kind in sorted(types.values(), key=lambda kind: kind.name not in states):
        for one in kind.fields:
            default = f" = {one.default}" if one.default else ""
            yield Candidate(f"{kind.name}.{one.name}", f"{one.type}{default}", "arguments")


def arg_values(abouts: Iterable[About], name: str) -> Iterator[Candidate]:
    """What a field may be, if its type tells: of `bool` and `Literal[...]`."""
    for about in abouts:
        for kind in about.args:
            for one in kind.fields:
                if f"{kind.name}.{one.name}" == name:
                    for value in _values_of(one.type):
                        help = "default" if one.default == repr(value) else ""
                        text = str(value).lower() if isinstance(value, bool) else str(value)
                        yield Candidate(text, help, one.type[:40])


def _values_of(annotation: str) -> list[Any]:
    """The values that an annotation lists."""
    try:
        tree = ast.parse(annotation, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return []
    return list(dict.fromkeys(_listed(tree)))


def _listed(node: ast.expr) -> Iterator[Any]:
    name = getattr(node, "attr", getattr(node, "id", ""))
    if name == "bool":
        yield from (True, False)
    elif isinstance(node, ast.BinOp):
        yield from (*_listed(node.left), *_listed(node.right))
    elif isinstance(node, ast.Subscript):
        inner = getattr(node.value, "attr", getattr(node.value, "id", ""))
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if inner == "Literal":
            yield from (part.value for part in parts if isinstance(part, ast.Constant))
        elif inner in ("Optional", "Union", "Annotated"):
            for part in parts:
                yield from _listed(part)


# -- files


def files(word: str, cwd: Path | None) -> tuple[Candidate, ...]:
    """Files and folders whose path begins with the word; hidden ones if it says so."""
    head, slash, name = word.rpartition("/")
    folder = Path(cwd or ".") / os.path.expanduser(head + slash)
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries)
    except (OSError, ValueError):
        return ()
    small = name.lower()
    fit = [
        (entry, is_dir)
        for entry, is_dir in found
        if entry.lower().startswith(small) and (name.startswith(".") or entry[0] != ".")
    ]
    return tuple(
        Candidate(entry + "/" * is_dir, "folder" * is_dir, "files", is_open=is_dir).behind(
            head + slash
        )
        for entry, is_dir in fit[:_MOST_FILES]
    )
