"""Facts of a recording, in the form of the summary that stands beside the golden recording."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from amctl.machine.steps import (
    ACTIVATE,
    CALLED,
    CANCEL,
    DEACTIVATE,
    DEACTIVATE_PASSIVE,
    HANDLER,
    RELATION,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.dump.memory import MemoryDump
    from amctl.telemetry.messages import SchemaMsg, TxMsg

__all__ = ["changes", "counts", "cursors", "derived", "machine_facts", "step_types", "utc"]

_MUTATIONS = ("add", "remove", "set", "eval")
_STEPS = {
    RELATION: "relation",
    HANDLER: "handler",
    ACTIVATE: "activate",
    DEACTIVATE: "deactivate",
    DEACTIVATE_PASSIVE: "deactivate-passive",
    CALLED: "called",
    CANCEL: "cancel",
}


def utc(unix_ns: int) -> str:
    """As in the summary: all nine digits but trailing zeros."""
    seconds, nanos = divmod(unix_ns, 10**9)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{nanos:09d}".rstrip("0").rstrip(".") + "Z"


def counts(dump: MemoryDump) -> dict[str, int]:
    transitions = [*dump.transitions()]
    return {
        "machines": len(dump.machines()),
        "transitions": dump.count(),
        "states": sum(len(dump.schema(machine).names) for machine in dump.machines()),
        "steps": sum(len(tx.steps) for tx in transitions),
        "log_entries": sum(len(tx.logs) for tx in transitions),
        "pre_log_entries": sum(len(tx.pre_logs) for tx in transitions),
    }


def step_types(dump: MemoryDump) -> dict[str, int]:
    return Counter(_STEPS[step.type] for tx in dump.transitions() for step in tx.steps)


def machine_facts(dump: MemoryDump, machine: str) -> dict[str, Any]:
    schema, txs = dump.schema(machine), [*dump.transitions(machine)]
    return {
        "id": schema.machine_id,
        "version": dump.meta.get("version", ""),
        "parent": schema.parent,
        "tags": [*schema.tags],
        "states": [*schema.names],
        "schema": {
            name: {key.title(): value for key, value in schema.states[name].to_dict().items()}
            for name in sorted(schema.names)
        },
        "groups": {name: [*members] for name, members in schema.groups.items()},
        "groups_order": [*schema.groups_order],
        "transitions": len(txs),
        "executed": sum(not tx.is_queued and not tx.is_check for tx in txs),
        "queued": sum(tx.is_queued for tx in txs),
        "checks": sum(tx.is_check for tx in txs),
        "auto": sum(tx.is_auto for tx in txs),
        "accepted": sum(tx.accepted for tx in txs),
        "canceled": sum(not tx.accepted for tx in txs),
        "mutations": Counter(_MUTATIONS[tx.type] for tx in txs),
        "steps": sum(len(tx.steps) for tx in txs),
        "log_entries": sum(len(tx.logs) for tx in txs),
        "pre_log_entries": sum(len(tx.pre_logs) for tx in txs),
        "with_args": sum(bool(tx.args) for tx in txs),
        "with_stack_trace": sum(bool(tx.stack) for tx in txs),
        **_ends(schema, txs),
    }


def _ends(schema: SchemaMsg, txs: Sequence[TxMsg]) -> dict[str, Any]:
    if not txs:
        return {"first_tx": None, "last_tx": None, "active_at_end": []}
    first, last = txs[0], txs[-1]
    return {
        "first_tx": {"id": first.id, "time": utc(first.time_ns)},
        "last_tx": {
            "id": last.id,
            "time": utc(last.time_ns),
            "clocks": [*last.clocks],
            "time_sum": last.time_sum,
            "queue_tick": last.queue_tick,
        },
        "active_at_end": [name for i, name in enumerate(schema.names) if last.is_active(i)],
    }


def changes(before: TxMsg | None, tx: TxMsg) -> tuple[set[int], set[int]]:
    """States that it added (those that ticked again too), and that it removed."""
    old = before.clocks if before else (0,) * len(tx.clocks)
    pairs = [*enumerate(zip(old, tx.clocks, strict=True))]
    added = {i for i, (a, b) in pairs if a % 2 < b % 2 or (before and a % 2 == b % 2 and a != b)}
    return added, {i for i, (a, b) in pairs if a % 2 > b % 2}


def derived(dump: MemoryDump, machine: str) -> dict[str, Any]:
    schema, txs = dump.schema(machine), [*dump.transitions(machine)]
    beats = {i for i, name in enumerate(schema.names) if name in ("Healthcheck", "Heartbeat")}
    befores = [None, *txs[:-1]]
    diffs = [tx.time_sum - (b.time_sum if b else 0) for b, tx in zip(befores, txs, strict=True)]
    hidden = {
        "none": [False for _ in txs],
        "auto": [tx.is_auto for tx in txs],
        "auto_canceled": [tx.is_auto and not tx.accepted for tx in txs],
        "canceled": [not tx.accepted for tx in txs],
        "empty": [tx.accepted and not diff for tx, diff in zip(txs, diffs, strict=True)],
        "health": [len(tx.called) == 1 and tx.called[0] in beats for tx in txs],
    }
    hidden["start_defaults"] = [
        any(both) for both in zip(hidden["auto_canceled"], hidden["health"], strict=True)
    ]
    moves = [changes(b, tx) for b, tx in zip(befores, txs, strict=True)]
    return {
        "visible_with_filter": {name: flags.count(False) for name, flags in hidden.items()},
        "added_total": sum(len(added) for added, _ in moves),
        "removed_total": sum(len(removed) for _, removed in moves),
        "touched_total": sum(
            len({side for step in tx.steps for side in (step.source, step.target) if side >= 0})
            for tx in txs
        ),
        "empty_txs": diffs.count(0),
        "max_diff": max(diffs),
    }


def cursors(dump: MemoryDump, machine: str, state: str) -> list[int]:
    """Where a jump to a state stops; counted from 1."""
    index = dump.schema(machine).names.index(state)
    found: list[int] = []
    before: TxMsg | None = None
    for cursor, tx in enumerate(dump.transitions(machine), 1):
        added, removed = changes(before, tx)
        if index in (*added, *removed, *tx.called):
            found.append(cursor)
        before = tx
    return found
