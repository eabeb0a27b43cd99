"""The types of a dump and of calls, as the original's code has them now; what older streams lack.

Ids, names and the order of definitions are those that Go's encoder gives them, so that a dump of
ours looks like one of the original's to the byte. (Only a reader that knows nothing would care.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from amctl.dump.gob.types import (
    BASIC,
    BOOL,
    INT,
    INTERFACE,
    STRING,
    UINT,
    Field,
    TypeDef,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CALL_TYPES",
    "DUMP",
    "EMPTY",
    "REQUEST",
    "RESPONSE",
    "SCHEMA",
    "SCHEMA_FORWARD",
    "TX",
    "TX_FORWARD",
    "TYPES",
    "Layout",
    "LayoutError",
    "layout_of",
]

(
    _EXPORTABLE, SCHEMA, _NAMES, _STATE, _STRINGS, _STATES, _INTS, _GROUPS, TX,
    _CLOCKS, _STEP, _STEPS, _LINE, _LINES, _TIME, _ARGS, _TXS, DUMP,
) = range(65, 83)  # fmt: skip
REQUEST, RESPONSE, EMPTY, SCHEMA_FORWARD, TX_FORWARD = range(84, 89)
"""What a call begins with, what an answer begins with, what stands behind one that is an error,
and messages that another debugger passes on."""


def _struct(id_: int, name: str, **fields: int) -> TypeDef:
    return TypeDef(id_, "struct", name, fields=tuple(Field(k, v) for k, v in fields.items()))


TYPES: Final[Mapping[int, TypeDef]] = {
    one.id: one
    for one in (
        TypeDef(DUMP, "slice", elem=_EXPORTABLE),
        _struct(_EXPORTABLE, "", MsgStruct=SCHEMA, MsgTxs=_TXS, Version=STRING),
        _struct(
            SCHEMA,
            "DbgMsgStruct",
            ID=STRING,
            StatesIndex=_NAMES,
            States=_STATES,
            Groups=_GROUPS,
            GroupsOrder=_STRINGS,
            Parent=STRING,
            Tags=_STRINGS,
        ),
        TypeDef(_NAMES, "slice", "S", elem=STRING),
        TypeDef(_STATES, "map", "map[string]machine.State", key=STRING, elem=_STATE),
        _struct(
            _STATE,
            "",
            Auto=BOOL,
            Multi=BOOL,
            Require=_NAMES,
            Add=_NAMES,
            Remove=_NAMES,
            After=_NAMES,
            Tags=_STRINGS,
        ),
        TypeDef(_STRINGS, "slice", "[]string", elem=STRING),
        TypeDef(_GROUPS, "map", "map[string][]int", key=STRING, elem=_INTS),
        TypeDef(_INTS, "slice", elem=INT),
        TypeDef(_TXS, "slice", "[]*dbg.DbgMsgTx", elem=TX),
        _struct(
            TX,
            "",
            MachineID=STRING,
            ID=STRING,
            Clocks=_CLOCKS,
            QueueTick=UINT,
            MutQueueToken=UINT,
            MutQueueTick=UINT,
            Type=INT,
            CalledStates=_STRINGS,
            CalledStatesIdxs=_INTS,
            Steps=_STEPS,
            LogEntries=_LINES,
            PreLogEntries=_LINES,
            Queue=INT,
            Time=_TIME,
            IsAuto=BOOL,
            Accepted=BOOL,
            IsCheck=BOOL,
            IsQueued=BOOL,
            Args=_ARGS,
            QueueDump=_STRINGS,
            StackTrace=STRING,
        ),
        TypeDef(_CLOCKS, "slice", "Time", elem=UINT),
        TypeDef(_STEPS, "slice", "[]*machine.Step", elem=_STEP),
        _struct(
            _STEP,
            "",
            Type=INT,
            RelType=INT,
            IsFinal=BOOL,
            IsSelf=BOOL,
            IsEnter=BOOL,
            FromState=STRING,
            FromStateIdx=INT,
            ToState=STRING,
            ToStateIdx=INT,
            Data=INTERFACE,
        ),
        TypeDef(_LINES, "slice", "[]*machine.LogEntry", elem=_LINE),
        _struct(_LINE, "", Level=INT, Text=STRING),
        TypeDef(_TIME, "opaque", codec="GobEncoderT", inner_id=DUMP + 1),
        TypeDef(_ARGS, "map", "map[string]string", key=STRING, elem=STRING),
    )
}
"""The types by id, in the order in which they are defined: each one before its parts."""

CALL_TYPES: Final[Mapping[int, TypeDef]] = {
    one.id: one
    for one in (
        _struct(REQUEST, "Request", ServiceMethod=STRING, Seq=UINT),
        _struct(RESPONSE, "Response", ServiceMethod=STRING, Seq=UINT, Error=STRING),
        _struct(EMPTY, ""),
        _struct(SCHEMA_FORWARD, "DbgMsgSchemaFwd", MsgStruct=SCHEMA, ConnId=STRING),
        _struct(TX_FORWARD, "DbgMsgTxFwd", MsgTx=TX, ConnId=STRING),
        *TYPES.values(),
    )
}
"""Those of calls, and of the messages that they carry."""

_NEEDED: Final = {
    _EXPORTABLE: ("MsgStruct",),
    SCHEMA: ("ID",),
    TX: ("ID", "Clocks"),
    _STEP: ("Type",),
    REQUEST: ("ServiceMethod", "Seq"),
    RESPONSE: ("ServiceMethod", "Seq", "Error"),
    SCHEMA_FORWARD: ("MsgStruct", "ConnId"),
    TX_FORWARD: ("MsgTx", "ConnId"),
}
"""Fields that make a struct what we take it for."""


_WHAT: Final = {
    SCHEMA: "schema",
    TX: "transition",
    REQUEST: "request",
    RESPONSE: "response",
    SCHEMA_FORWARD: "schema",
    TX_FORWARD: "transition",
}


class LayoutError(ValueError):
    """What a stream holds isn't what it should be, a dump say."""


class Layout:
    """What the streams of different times have in common, and how this one differs.

    Fields are found by name, whatever types are called. Fields that we don't know are read and
    left alone; ones that the stream lacks are zero, but for two that would be misread then.
    """

    __slots__ = ("added_level", "default_side", "name")

    def __init__(self, *, has_indexes: bool, has_called_indexes: bool) -> None:
        self.default_side = 0 if has_indexes else -1
        """What an absent index of a step means: state 0, or that there were no indexes yet."""
        self.added_level = 0 if has_called_indexes else 1
        """Log levels were one lower when messages had no indexes of called states."""
        self.name = "current" if has_called_indexes else "2024"


def layout_of(types: Mapping[int, TypeDef], top: int, ours: int = DUMP) -> Layout:
    """Make sure that the type `top` is a dump, or another one of our types.

    What is decoded by these types then needs no further look: each field that we know is absent
    or of the type that it should be.

    Raises:
        LayoutError: It isn't one.
    """
    pairs: set[tuple[int, int]] = set()
    _match(types, top, ours, "the value", pairs)
    return Layout(
        has_indexes=_all_have(types, pairs, _STEP, "FromStateIdx"),
        has_called_indexes=_all_have(types, pairs, TX, "CalledStatesIdxs"),
    )


def _all_have(
    types: Mapping[int, TypeDef], pairs: set[tuple[int, int]], ours: int, name: str
) -> bool:
    structs = [types[theirs] for theirs, mine in pairs if mine == ours]
    return all(any(field.name == name for field in of.fields) for of in structs)


def _match(
    types: Mapping[int, TypeDef],
    theirs: int,
    ours: int,
    place: str,
    pairs: set[tuple[int, int]],
) -> None:
    """Compare two types in depth; ours don't refer to themselves, so it ends."""
    if ours in BASIC or theirs in BASIC:
        if ours != theirs:
            raise LayoutError(
                f"{place} is {_word(types, theirs)} instead of {_word(CALL_TYPES, ours)}"
            )
        return
    mine, other = CALL_TYPES[ours], types.get(theirs)
    if other is None or other.kind != mine.kind or (mine.key and other.key != mine.key):
        raise _other(types, theirs, ours, place)
    if (theirs, ours) in pairs:
        return
    pairs.add((theirs, ours))
    if mine.elem:
        _match(types, other.elem, mine.elem, f"an element of {place}", pairs)
    if mine.kind == "struct":
        _match_fields(types, other, mine, place, pairs)


def _other(types: Mapping[int, TypeDef], theirs: int, ours: int, place: str) -> LayoutError:
    found, wanted = _word(types, theirs), _word(CALL_TYPES, ours)
    return LayoutError(f"{place} is {found} instead of {wanted}")


def _match_fields(
    types: Mapping[int, TypeDef],
    other: TypeDef,
    mine: TypeDef,
    place: str,
    pairs: set[tuple[int, int]],
) -> None:
    known = {field.name: field.type for field in other.fields}
    for name in _NEEDED.get(mine.id, ()):
        if name not in known:
            raise LayoutError(f"{place} has no {name}, so this is no {_WHAT.get(mine.id, 'dump')}")
    for field in mine.fields:
        if field.name in known:
            _match(types, known[field.name], field.type, field.name, pairs)


def _word(types: Mapping[int, TypeDef], type_id: int) -> str:
    if type_id in BASIC:
        return f"a {BASIC[type_id]}"
    found = types.get(type_id)
    return f"a {found.kind}" if found else f"of type {type_id}, which isn't defined"
