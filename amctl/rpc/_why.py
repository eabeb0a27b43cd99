"""The question `why`: what holds a state, what feeds it, and what becomes of its source's link."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from amctl.machine import Machine, registry
from amctl.rpc._questions import Question, target
from amctl.rpc.answers import Why, WhyFeed, WhyLink
from amctl.rpc.errors import QuestionError
from amctl.rpc.states import ClientStates
from amctl.rpc.wire.codes import Code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.machine import MachineView
    from amctl.machine.explanation import Explanation
    from amctl.rpc.network_machine import NetworkMachine

__all__ = ["WHY", "why_of"]

_CLIENT = "rpc-client"
_TEXT = 4096
_MOST = 64
"""Pipes into one state that are told of."""


def why_of(machine: MachineView, state: str, op: str = "add") -> Why:
    """Everything that this process knows of why a state is as it is.

    Raises:
        UnknownStateError: The machine has no such state.
        ValueError: `op` is neither `add` nor `remove`.
    """
    feeds = _feeds(machine, state)
    if isinstance(machine, Machine):
        mirror = _mirror_of(machine)
        remote = getattr(mirror, "remote_id", "")
        link = _link(mirror) if mirror is not None else None
        return Why(machine.explain(state, op), machine._now(), feeds, remote_id=remote, link=link)
    from amctl.machine.explain import explain_by_relations  # heavy, and not needed to run

    schema = machine.schema.compiled()
    found = explain_by_relations(machine.id, schema, machine.time(), state)
    remote = getattr(machine, "remote_id", "")
    return Why(found, 0.0, feeds, is_local=False, remote_id=remote, link=_link(machine))


def _feeds(machine: MachineView, state: str) -> tuple[WhyFeed, ...]:
    ops: dict[tuple[str, str], list[str]] = {}
    for record in machine.pipes.into:
        if record.target_state == state:
            ops.setdefault((record.source_id, record.source_state), []).append(record.op)
    return tuple(_feed(*end, tuple(dict.fromkeys(ops[end]))) for end in list(ops)[:_MOST])


def _feed(source_id: str, state: str, ops: tuple[str, ...]) -> WhyFeed:
    source = registry.find(source_id)
    if source is None or not source.has(state):
        return WhyFeed(ops, source_id, state)
    remote = getattr(source, "remote_id", "")
    tick = source.tick(state)
    return WhyFeed(ops, source_id, state, source.is_(state), tick, remote, _link(source))


def _mirror_of(machine: MachineView) -> MachineView | None:
    """The mirror that a client's machine keeps."""
    if _CLIENT not in machine.tags:
        return None
    below = (m for m in registry.live() if m.parent_id == machine.id)
    return next((m for m in below if not m.is_local), None)


def _link(machine: MachineView) -> WhyLink | None:
    """The connection of a mirror; None for others."""
    if machine.is_local or not hasattr(machine, "link"):
        return None
    client = cast("NetworkMachine", machine).link
    states = client.machine
    connected, error = client.is_connected, states.err
    told = "" if connected or error is None else f"{type(error).__name__}: {error}"[:_TEXT]
    return WhyLink(
        states.id,
        connected,
        tuple(states.active),
        client.lost_for,
        states.tick(ClientStates.HandshakeDone) > 0,
        client.dial is not None,
        told,
        next((tag.removeprefix("addr:") for tag in states.tags if tag.startswith("addr:")), ""),
        tuple(machine.active),
    )


def _why(source: MachineView, params: Mapping[str, Any]) -> dict[str, Any]:
    state, op = params.get("state"), params.get("op", "add")
    if not isinstance(state, str):
        raise QuestionError(Code.ARGS, f"state is the name of one, not {state!r:.60}")
    if op not in ("add", "remove"):
        raise QuestionError(Code.ARGS, f"op is add or remove, not {op!r:.60}")
    answer = why_of(target(source, params), state, op)
    return {**_shallow(answer), "explanation": _explanation(answer.explanation)}


def _shallow(answer: Why) -> dict[str, Any]:
    return {
        "now": answer.now,
        "feeds": answer.feeds,
        "is_local": answer.is_local,
        "remote_id": answer.remote_id,
        "link": answer.link,
    }


def _explanation(found: Explanation) -> dict[str, Any]:
    """As plain data; what is no matter of JSON, or too long, is left out."""
    data = asdict(found)
    if found.reason is not None:
        data["reason"]["sentence"] = str(found.reason)[:_TEXT]
    if found.last is not None:
        data["last"]["reason"]["sentence"] = str(found.last.reason)[:_TEXT]
        if data["last"]["source"] is not None:
            del data["last"]["source"]["trace"]
    return cast("dict[str, Any]", _cut(data))


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _TEXT else f"{value[:_TEXT]}..."
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(item) for item in value]
    return value


WHY = {"why": Question(_why, frozenset(("state", "op", "machine")))}
