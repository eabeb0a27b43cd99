"""Between what a dump's stream holds (dicts by field name) and our messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from amctl.dump.gob.decoder import Iface
from amctl.dump.gob.encoder import GobValueError
from amctl.dump.gob.notes import plain
from amctl.dump.gob.times import time_from_bytes, time_to_bytes
from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.steps import Step
from amctl.telemetry.messages import SchemaMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amctl.dump.gob.layout import Layout

__all__ = ["Reader", "schema_from_fields", "schema_to_fields", "tx_to_fields"]

_T = TypeVar("_T")
_TYPES = range(4)
"""Types of mutations."""


class Reader:
    """Turns one machine's part of a dump into messages. `layout_of` has approved the types.

    Indexes that are beyond the machine's states are dropped (or, in steps, mean no state), so
    nobody has to look at them again.

    Args:
        layout: Of the stream.
        schema: The machine's, as `schema_from_fields` made it.
    """

    def __init__(self, layout: Layout, schema: SchemaMsg) -> None:
        self.schema = schema
        self._id = self.schema.machine_id
        self._layout = layout
        self._count = len(self.schema.names)
        self._index = {name: i for i, name in reversed([*enumerate(self.schema.names)])}

    def transition(self, raw: dict[str, Any]) -> TxMsg:
        """One element of `MsgTxs`.

        Raises:
            ValueError: Its time or its type of mutation is none.
        """
        get = raw.get
        kind = get("Type", 0)
        if kind not in _TYPES:
            raise ValueError(f"a transition of machine {self._id!r} has the type {kind}")
        time_ns = time_from_bytes(raw["Time"]) if "Time" in raw else 0
        return TxMsg(
            self._id,
            get("ID", ""),
            tuple(get("Clocks", ())),
            type=kind,
            called=self._called(raw),
            is_auto=get("IsAuto", False),
            accepted=get("Accepted", False),
            is_check=get("IsCheck", False),
            is_queued=get("IsQueued", False),
            queue_tick=get("QueueTick", 0),
            mut_queue_tick=get("MutQueueTick", 0),
            mut_queue_token=get("MutQueueToken", 0),
            queue=get("Queue", 0),
            time_ns=time_ns,
            received_ns=time_ns,
            steps=tuple([self._step(step) for step in get("Steps", ())]),
            logs=self._lines(get("LogEntries", ())),
            pre_logs=self._lines(get("PreLogEntries", ())),
            args=get("Args", {}),
            stack=get("StackTrace", ""),
        )

    def _called(self, raw: dict[str, Any]) -> tuple[int, ...]:
        """Names win over indexes that say something else; older streams have nothing but names."""
        indexes = tuple([i for i in raw.get("CalledStatesIdxs", ()) if 0 <= i < self._count])
        names = raw.get("CalledStates")
        if names is None or names == [self.schema.names[i] for i in indexes]:
            return indexes
        return tuple([self._index[name] for name in names if name in self._index])

    def _lines(self, raw: Iterable[dict[str, Any]]) -> tuple[LogLine, ...]:
        added = self._layout.added_level
        return tuple([LogLine(line.get("Level", 0) + added, line.get("Text", "")) for line in raw])

    def _step(self, raw: dict[str, Any]) -> Step:
        get = raw.get
        data = get("Data")
        value = data.value if isinstance(data, Iface) else None
        relation = get("RelType", 0)
        if not relation and isinstance(value, int):
            relation = value  # older dumps tell it by a value of the type Relation
        return Step(
            get("Type", 0),
            self._side(get("FromState"), get("FromStateIdx")),
            self._side(get("ToState"), get("ToStateIdx")),
            int(relation),
            get("IsFinal", False),
            get("IsSelf", False),
            get("IsEnter", False),
            value if isinstance(value, str) else "",
        )

    def _side(self, name: str | None, index: int | None) -> int:
        if name:
            return self._index.get(name, -1)
        if index is None:
            index = self._layout.default_side
        return index if 0 <= index < self._count else -1


def schema_from_fields(raw: dict[str, Any]) -> SchemaMsg:
    """A `MsgStruct`. Its states are exactly those that have an index; without any, all by name."""
    states: dict[str, dict[str, Any]] = raw.get("States", {})
    names = tuple(raw.get("StatesIndex", ())) or tuple(sorted(states))
    groups: dict[str, list[int]] = raw.get("Groups", {})
    return SchemaMsg(
        raw.get("ID", ""),
        names,
        {name: _state(states.get(name, {})) for name in names},
        parent=raw.get("Parent", ""),
        tags=tuple(raw.get("Tags", ())),
        groups={
            name: tuple([i for i in members if 0 <= i < len(names)])
            for name, members in groups.items()
        },
        groups_order=tuple(raw.get("GroupsOrder", ())),
    )


def _state(raw: dict[str, Any]) -> StateDef:
    return StateDef(
        auto=raw.get("Auto", False),
        multi=raw.get("Multi", False),
        require=tuple(raw.get("Require", ())),
        add=tuple(raw.get("Add", ())),
        remove=tuple(raw.get("Remove", ())),
        after=tuple(raw.get("After", ())),
        tags=tuple(raw.get("Tags", ())),
    )


def schema_to_fields(schema: SchemaMsg) -> dict[str, Any]:
    """The other way round: what the encoder takes for a `MsgStruct`.

    Maps are ordered, so that equal schemas make equal bytes.
    """
    names = schema.names
    return {
        "ID": schema.machine_id,
        "StatesIndex": names,
        "States": {
            plain(name): _state_to_fields(schema.states.get(name, StateDef())) for name in names
        },
        "Groups": {
            name: [i for i in members if 0 <= i < len(names)]
            for name, members in _ordered(schema.groups).items()
        },
        "GroupsOrder": schema.groups_order,
        "Parent": schema.parent,
        "Tags": schema.tags,
    }


def _ordered(mapping: Mapping[str, _T]) -> dict[str, _T]:
    """By what the file will have as keys."""
    found = {plain(key): value for key, value in mapping.items()}
    return {key: found[key] for key in sorted(found)}


def _state_to_fields(state: StateDef) -> dict[str, Any]:
    return {
        "Auto": state.auto,
        "Multi": state.multi,
        "Require": state.require,
        "Add": state.add,
        "Remove": state.remove,
        "After": state.after,
        "Tags": state.tags,
    }


def tx_to_fields(tx: TxMsg, names: Sequence[str]) -> dict[str, Any]:
    """What the encoder takes for an element of `MsgTxs`.

    The called states are there in both forms, as in dumps of the original. Indexes beyond the
    names are left out, as by the reader.

    Raises:
        GobValueError: A type of mutation that there isn't.
    """
    if tx.type not in _TYPES:
        raise GobValueError(f"{tx.type} where a type of mutation should be")
    count = len(names)
    called = [i for i in tx.called if 0 <= i < count]
    time_ns = tx.time_ns or tx.received_ns
    return {
        "MachineID": tx.machine_id,
        "ID": tx.id,
        "Clocks": tx.clocks,
        "QueueTick": tx.queue_tick,
        "MutQueueToken": tx.mut_queue_token,
        "MutQueueTick": tx.mut_queue_tick,
        "Type": tx.type,
        "CalledStates": [names[i] for i in called],
        "CalledStatesIdxs": called,
        "Steps": [_step_to_fields(step, count) for step in tx.steps],
        "LogEntries": _lines_to_fields(tx.logs),
        "PreLogEntries": _lines_to_fields(tx.pre_logs),
        "Queue": tx.queue,
        "Time": time_to_bytes(time_ns) if time_ns else None,
        "IsAuto": tx.is_auto,
        "Accepted": tx.accepted,
        "IsCheck": tx.is_check,
        "IsQueued": tx.is_queued,
        "Args": _ordered(tx.args),
        "StackTrace": tx.stack,
    }


def _lines_to_fields(lines: Iterable[LogLine]) -> list[dict[str, Any]]:
    return [{"Level": line.level, "Text": line.text} for line in lines]


def _step_to_fields(step: Step, count: int) -> dict[str, Any]:
    return {
        "Type": step.type,
        "RelType": step.relation,
        "IsFinal": step.is_final,
        "IsSelf": step.is_self,
        "IsEnter": step.is_enter,
        "FromStateIdx": step.source if 0 <= step.source < count else -1,
        "ToStateIdx": step.target if 0 <= step.target < count else -1,
        "Data": Iface("string", step.data) if step.data else None,
    }
