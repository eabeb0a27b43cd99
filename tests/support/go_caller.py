"""A `net/rpc` client of the original's kind, written from spec/dbg.md alone: nothing of ours in it.

It sends what a Go program sends: each type is defined once, fields that are zero are left out, and
after each call it waits for the answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["GoCaller", "definitions", "message", "value_of"]

NAMES = "bool", "int", "uint", "float", "bytes", "string", "complex", "any"
"""Basic types; the first one has id 1."""

STATE = "Auto bool, Multi bool, Require strings, Add strings, Remove strings, After strings"
TYPES: dict[str, tuple[str, str]] = {
    "Request": ("struct", "ServiceMethod string, Seq uint"),
    "strings": ("slice", "string"),
    "ints": ("slice", "int"),
    "clocks": ("slice", "uint"),
    "groups": ("map", "string ints"),
    "args": ("map", "string string"),
    "time": ("opaque", ""),
    "State": ("struct", f"{STATE}, Tags strings"),
    "states": ("map", "string State"),
    "DbgMsgStruct": (
        "struct",
        "ID string, StatesIndex strings, States states, Groups groups, GroupsOrder strings, "
        "Parent string, Tags strings",
    ),
    "Step": (
        "struct",
        "Type int, RelType int, IsFinal bool, IsSelf bool, IsEnter bool, FromState string, "
        "FromStateIdx int, ToState string, ToStateIdx int, Data any",
    ),
    "steps": ("slice", "Step"),
    "Line": ("struct", "Level int, Text string"),
    "lines": ("slice", "Line"),
    "DbgMsgTx": (
        "struct",
        "MachineID string, ID string, Clocks clocks, QueueTick uint, MutQueueToken uint, "
        "MutQueueTick uint, Type int, CalledStates strings, CalledStatesIdxs ints, Steps steps, "
        "LogEntries lines, PreLogEntries lines, Queue int, Time time, IsAuto bool, Accepted bool, "
        "IsCheck bool, IsQueued bool, Args args, QueueDump strings, StackTrace string",
    ),
    "DbgMsgSchemaFwd": ("struct", "MsgStruct DbgMsgStruct, ConnId string"),
    "DbgMsgTxFwd": ("struct", "MsgTx DbgMsgTx, ConnId string"),
}
"""Types of section 2, those of section 3, and what they consist of."""
IDS = {name: number for number, name in enumerate(NAMES, 1)} | {
    name: number for number, name in enumerate(TYPES, 65)
}
BODIES = {
    "DbgMsgSchema": "DbgMsgStruct",
    "DbgMsgTx": "DbgMsgTx",
    "DbgMsgSchemaFwd": "DbgMsgSchemaFwd",
    "DbgMsgTxFwd": "DbgMsgTxFwd",
}


def uint(n: int) -> bytes:
    if n < 128:
        return bytes((n,))
    raw = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes((256 - len(raw),)) + raw


def integer(n: int) -> bytes:
    return uint(2 * n if n >= 0 else 2 * (-n - 1) + 1)


def text(s: str | bytes) -> bytes:
    raw = s.encode() if isinstance(s, str) else s
    return uint(len(raw)) + raw


def message(payload: bytes) -> bytes:
    return uint(len(payload)) + payload


def fields(names: str) -> list[tuple[str, str]]:
    return [(part.split()[0], part.split()[1]) for part in names.split(", ")]


def common(name: str) -> bytes:
    """Field 0 of every definition: CommonType with an empty name, and the id."""
    return b"\x01" + b"\x02" + integer(IDS[name]) + b"\0"


def definition(name: str) -> bytes:
    kind, of = TYPES[name]
    if kind == "struct":
        parts = [
            b"\x01" + text(field) + b"\x01" + integer(IDS[type_]) + b"\0"
            for field, type_ in fields(of)
        ]
        body = b"\x03" + common(name) + b"\x01" + uint(len(parts)) + b"".join(parts)
    elif kind == "map":
        key, elem = of.split()
        body = b"\x04" + common(name) + b"\x01" + integer(IDS[key]) + b"\x01" + integer(IDS[elem])
    elif kind == "slice":
        body = b"\x02" + common(name) + b"\x01" + integer(IDS[of])
    else:
        body = b"\x05" + common(name)
    return message(integer(-IDS[name]) + body + b"\0" + b"\0")


def definitions(names: Iterable[str] = TYPES) -> bytes:
    return b"".join(definition(name) for name in names)


def value_of(type_: str, value: Any) -> bytes:
    """A value inside of another one."""
    match type_:
        case "bool":
            return uint(1 if value else 0)
        case "int":
            return integer(value)
        case "uint":
            return uint(value)
        case "string" | "time":
            return text(value)
        case "any":
            if value is None:
                return b"\0"
            inner = b"\0" + (text(value) if isinstance(value, str) else integer(value))
            basic = 6 if isinstance(value, str) else 2
            name = "string" if isinstance(value, str) else "machine.Relation"
            return text(name) + integer(basic) + uint(len(inner)) + inner
    kind, of = TYPES[type_]
    if kind == "slice":
        return uint(len(value)) + b"".join(value_of(of, each) for each in value)
    if kind == "map":
        key, elem = of.split()
        pairs = [value_of(key, k) + value_of(elem, v) for k, v in value.items()]
        return uint(len(pairs)) + b"".join(pairs)
    out, last = b"", -1
    for number, (name, each) in enumerate(fields(of)):
        found = value.get(name)
        if found or (found == {} and TYPES.get(each, ("",))[0] == "struct"):
            out += uint(number - last) + value_of(each, found)
            last = number
    return out + b"\0"


class GoCaller:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._seq = 0
        self._is_new = True

    @classmethod
    async def dial(cls, address: tuple[str, int]) -> GoCaller:
        return cls(*await asyncio.open_connection(*address))

    def bytes_of(self, method: str, body: dict[str, Any]) -> bytes:
        """The next call."""
        request = {"ServiceMethod": f"RPCServer.{method}", "Seq": self._seq}
        self._seq += 1
        out = b""
        if self._is_new:
            self._is_new, out = False, definitions()
        type_ = BODIES.get(method, "DbgMsgTx")
        for name, value in (("Request", request), (type_, body)):
            out += message(integer(IDS[name]) + value_of(name, value))
        return out

    async def call(self, method: str, body: dict[str, Any]) -> str:
        """Call, wait for the answer, and give its error."""
        seq = self._seq
        self.writer.write(self.bytes_of(method, body))
        await self.writer.drain()
        told, answered, error = await self.answer()
        assert (told, answered) == (f"RPCServer.{method}", seq)
        return error

    async def answer(self) -> tuple[str, int, str]:
        """Method, number and error of the next answer."""
        head = await self._value()
        response: dict[int, Any] = {}
        _, at = _int(head, 0)
        number = -1
        while head[at]:
            number += head[at]
            at += 1
            if number == 1:
                response[1], at = _uint(head, at)
            else:
                size, at = _uint(head, at)
                response[number], at = head[at : at + size].decode(), at + size
        body = await self._value()
        error = response.get(2, "")
        # 3: an empty string if all is well; else a value without fields
        assert body[-1:] == b"\0"
        assert error or body == b"\x0c\0\0"
        return response.get(0, ""), response.get(1, 0), error

    async def _value(self) -> bytes:
        """The payload of the next message that is no definition."""
        while True:
            first = (await self.reader.readexactly(1))[0]
            size = first
            if first >= 128:
                size = int.from_bytes(await self.reader.readexactly(256 - first), "big")
            payload = await self.reader.readexactly(size)
            if _int(payload, 0)[0] > 0:
                return payload

    def close(self) -> None:
        self.writer.close()


def _uint(data: bytes, at: int) -> tuple[int, int]:
    if data[at] < 128:
        return data[at], at + 1
    end = at + 1 + 256 - data[at]
    return int.from_bytes(data[at + 1 : end], "big"), end


def _int(data: bytes, at: int) -> tuple[int, int]:
    raw, at = _uint(data, at)
    return (-(raw >> 1) - 1 if raw & 1 else raw >> 1), at
