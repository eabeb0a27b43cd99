"""The workflow as data: which jobs there are, what they wait for, and in which thread each runs.

A DAG is a JSON file, or a module with a `DAG`, of this form:

    {"name": "demo", "nodes": [
        {"id": "left", "deps": [], "seed": "some text", "host": "ui"},
        {"id": "right", "deps": ["left"], "seed": null, "host": "worker"}]}

`host` is `ui` (the page's own thread), `worker` (a thread that dials the relay itself), or the id
of a node of one of these kinds, which forks the thread and forwards for it. A node without
dependencies hashes its seed, another one the results of its dependencies, joined in their order.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

__all__ = ["UI", "WORKER", "Dag", "DagError", "DagNode", "load_dag"]

UI = "ui"
WORKER = "worker"
MAX_NODES = 64
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_RESERVED = (UI, WORKER, "orchestrator", "relay", "page")
_NODE_KEYS = ("id", "deps", "seed", "host")


class DagError(ValueError):
    """A DAG can't be run.

    ValueError
     +-- DagError
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)
        self.where, self.what = where, what

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class DagNode:
    """One job."""

    id: str
    deps: tuple[str, ...] = ()
    """Whose results it hashes, in this order."""
    seed: str | None = None
    """What a node without dependencies hashes, as UTF-8."""
    host: str = WORKER
    """`ui`, `worker`, or the id of the node that forks this one's thread."""


@dataclass(frozen=True)
class Dag:
    """A checked DAG.

    Args:
        name: The relay is called after it.
        nodes: In the order in which states, lists and pictures show them.
        where: What errors name as their place, such as a path.
        lines: Line of each node in `where`, if it has lines.

    Raises:
        DagError: An id is illegal or used twice, a dependency or host is unknown, dependencies
            form a cycle, or a node has neither dependencies nor a seed, or both.
    """

    name: str
    nodes: tuple[DagNode, ...]
    where: str = "DAG"
    lines: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise DagError(self.where, f"name {self.name!r} isn't like my-workflow")
        if not self.nodes:
            raise DagError(self.where, "it has no nodes")
        if len(self.nodes) > MAX_NODES:
            raise DagError(self.where, f"{len(self.nodes)} nodes are more than {MAX_NODES}")
        self._check_ids()
        for index, node in enumerate(self.nodes):
            what = self._flaw_of_inputs(node) or self._flaw_of_host(node)
            if what:
                raise DagError(self._place(index), what)
        if len(uis := [n.id for n in self.nodes if n.host == UI]) > 1:
            second = self._place(self._index(uis[1]))
            raise DagError(second, f"node {uis[1]!r} can't have the ui thread, {uis[0]!r} has it")
        self._check_cycles()

    # --- reading

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """All node ids, in order."""
        return tuple(node.id for node in self.nodes)

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """The nodes that dial the relay themselves."""
        return tuple(node.id for node in self.nodes if node.host in (UI, WORKER))

    @cached_property
    def dispatchers(self) -> tuple[str, ...]:
        """The nodes that fork others."""
        return tuple(id for id in self.roots if self.leaves_of(id))

    @cached_property
    def sinks(self) -> tuple[str, ...]:
        """The nodes whose results nobody waits for: with them the work is delivered."""
        used = {dep for node in self.nodes for dep in node.deps}
        return tuple(id for id in self.ids if id not in used)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All ids, each after what it depends on."""
        done: dict[str, None] = {}
        while len(done) < len(self.nodes):
            for node in self.nodes:
                if node.id not in done and all(dep in done for dep in node.deps):
                    done[node.id] = None
        return tuple(done)

    def __getitem__(self, id: str) -> DagNode:
        """The node of an id; KeyError if there is none."""
        return self._by_id[id]

    def __contains__(self, id: object) -> bool:
        return id in self._by_id

    def leaves_of(self, id: str) -> tuple[str, ...]:
        """The nodes that `id` forks."""
        return tuple(node.id for node in self.nodes if node.host == id)

    def root_of(self, id: str) -> str:
        """The node over whose connection `id` is reached: its dispatcher, or itself."""
        host = self[id].host
        return id if host in (UI, WORKER) else host

    def dependents(self, id: str) -> tuple[str, ...]:
        """The nodes that wait for the result of `id`."""
        return tuple(node.id for node in self.nodes if id in node.deps)

    def number(self, id: str) -> int:
        """The node's place, counted from 1: the n of its settings BROWSER_n_*."""
        return self._index(id) + 1

    def payload(self, id: str, results: Mapping[str, bytes]) -> bytes:
        """What a node hashes; KeyError if the result of a dependency is missing."""
        node = self[id]
        if node.seed is not None:
            return node.seed.encode()
        return b"".join(results[dep] for dep in node.deps)

    def to_json(self) -> dict[str, Any]:
        """The plain form that `from_json` reads."""
        nodes = [
            {"id": n.id, "deps": list(n.deps), "seed": n.seed, "host": n.host} for n in self.nodes
        ]
        return {"name": self.name, "nodes": nodes}

    @classmethod
    def from_json(cls, raw: object, where: str = "DAG", lines: Sequence[int] = ()) -> Dag:
        """A DAG from plain data.

        Raises:
            DagError: If it isn't of that form, or can't be run.
        """
        if not isinstance(raw, Mapping) or not isinstance(raw.get("nodes"), list):
            raise DagError(where, 'it isn\'t like {"name": .., "nodes": [..]}')
        if unknown := sorted(map(str, raw.keys() - {"name", "nodes"})):
            raise DagError(where, f"unknown key {unknown[0]!r}; there are name, nodes")
        name = raw.get("name")
        if not isinstance(name, str):
            raise DagError(where, f"name {name!r} isn't text")
        nodes = []
        for index, item in enumerate(raw["nodes"]):
            place = f"{where}:{lines[index]}" if index < len(lines) else where
            nodes.append(_node(item, place, index))
        return cls(name, tuple(nodes), where, tuple(lines))

    # --- checks

    @cached_property
    def _by_id(self) -> dict[str, DagNode]:
        return {node.id: node for node in self.nodes}

    def _index(self, id: str) -> int:
        return next(index for index, node in enumerate(self.nodes) if node.id == id)

    def _place(self, index: int) -> str:
        return f"{self.where}:{self.lines[index]}" if index < len(self.lines) else self.where

    def _check_ids(self) -> None:
        first: dict[str, str] = {}
        for index, node in enumerate(self.nodes):
            place = self._place(index)
            if not _ID.fullmatch(node.id):
                what = "isn't a letter and up to 31 letters, digits, underscores"
                raise DagError(place, f"node id {node.id!r} {what}")
            if node.id in _RESERVED:
                raise DagError(place, f"node id {node.id!r} has a meaning of its own")
            # States are called after the capitalised id, address files may ignore case altogether.
            other = first.setdefault(node.id.lower(), node.id)
            if node.id in (n.id for n in self.nodes[:index]):
                raise DagError(place, f"node id {node.id!r} is used twice")
            if other != node.id:
                raise DagError(place, f"node ids {other!r} and {node.id!r} differ in case only")

    def _flaw_of_inputs(self, node: DagNode) -> str:
        who = f"node {node.id!r}"
        for dep in node.deps:
            if dep not in self:
                return f"{who} depends on {dep!r}, which isn't a node"
        if len(set(node.deps)) < len(node.deps):
            return f"{who} has a dependency twice"
        if node.deps and node.seed is not None:
            return f"{who} has dependencies, so its seed must be null"
        if not node.deps and not node.seed:
            return f"{who} needs a seed, since it depends on nothing"
        return ""

    def _flaw_of_host(self, node: DagNode) -> str:
        if node.host in (UI, WORKER):
            return ""
        who = f"host {node.host!r} of node {node.id!r}"
        if node.host not in self:
            return f"{who} is neither ui, nor worker, nor a node"
        if node.host == node.id or self[node.host].host not in (UI, WORKER):
            return f"{who} must be a node whose own host is ui or worker"
        return ""

    def _check_cycles(self) -> None:
        """Walk down from every node; one that is met again on its own path closes a cycle."""
        done: set[str] = set()

        def walk(id: str, path: tuple[str, ...]) -> None:
            if id in path:
                ring = " -> ".join((*path[path.index(id) :], id))
                raise DagError(self._place(self._index(id)), f"cycle: {ring}")
            if id in done:
                return
            for dep in self[id].deps:
                walk(dep, (*path, id))
            done.add(id)

        for id in self.ids:
            walk(id, ())


def load_dag(source: str, home: Path) -> Dag:
    """The DAG that a setting names.

    Args:
        source: A JSON file (`dags/mine.json`), or a module, with or without an attribute
            (`mine.dags:DAG`), that holds a Dag or plain data.
        home: Relative paths start here; what isn't there is looked for beside this package.

    Raises:
        DagError: If there is no such file or module, or its DAG is bad.
    """
    if source.endswith(".json") or "/" in source:
        return _from_file(source, home)
    name, _, attribute = source.partition(":")
    try:
        found = getattr(importlib.import_module(name), attribute or "DAG")
    except (ImportError, AttributeError, ValueError) as err:
        raise DagError(source, f"it can't be loaded: {err}") from err
    return found if isinstance(found, Dag) else Dag.from_json(found, source)


def _from_file(source: str, home: Path) -> Dag:
    path = home / source
    if not path.is_file():
        own = Path(__file__).resolve().parent.parent / source
        path = own if own.is_file() else path
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as err:
        why = getattr(err, "strerror", None) or str(err)
        raise DagError(source, f"it can't be read: {why.lower()}") from err
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as err:
        raise DagError(f"{source}:{err.lineno}", f"it isn't JSON: {err.msg.lower()}") from err
    except RecursionError as err:
        raise DagError(source, "it is nested too deeply") from err
    return Dag.from_json(raw, source, tuple(_lines(text)))


def _lines(text: str) -> Iterable[int]:
    """The line on which each node of a JSON text begins, in a text known to be JSON."""
    found = re.search(r'"nodes"\s*:\s*\[', text)
    at, decoder = found.end() if found else len(text), json.JSONDecoder()
    while at < len(text):
        if text[at] in ", \t\r\n":
            at += 1
        elif text[at] == "{":
            yield text.count("\n", 0, at) + 1
            at = decoder.raw_decode(text, at)[1]
        else:
            return


def _node(raw: object, where: str, index: int) -> DagNode:
    who = f"node {index + 1}"
    if not isinstance(raw, Mapping):
        raise DagError(where, f"{who} isn't an object")
    if unknown := sorted(map(str, raw.keys() - set(_NODE_KEYS))):
        raise DagError(where, f"{who}: unknown key {unknown[0]!r}; there are id, deps, seed, host")
    id, deps, seed = raw.get("id"), raw.get("deps", []), raw.get("seed")
    host = raw.get("host", WORKER)
    if not isinstance(id, str):
        raise DagError(where, f"{who}: id {id!r} isn't text")
    if not isinstance(deps, list) or not all(isinstance(dep, str) for dep in deps):
        raise DagError(where, f"{who}: deps {deps!r} isn't a list of ids")
    if seed is not None and not isinstance(seed, str):
        raise DagError(where, f"{who}: seed {seed!r} is neither text nor null")
    if not isinstance(host, str):
        raise DagError(where, f"{who}: host {host!r} isn't text")
    return DagNode(id, tuple(deps), seed, host)
