"""How values stand in the columns of a dump, both ways.

Numbers beyond a column's 64 signed bits stand there as digits in a blob. Transition ids are numbers
(16 hex digits), blobs (32) or text, with the N of `LASTTX-N` apart. Lists are JSON texts. Whatever
a transition has that most lack is one JSON object, packed by zstd if that pays.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

import msgspec

from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.machine.steps import Step
from amctl.telemetry.messages import SchemaMsg

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.telemetry.messages import TxMsg

__all__ = [
    "WIDE",
    "Extra",
    "Packer",
    "extra_of",
    "join_id",
    "narrow",
    "read_extra",
    "reason_of",
    "schema_of",
    "shape_of",
    "split_id",
    "take_extra",
]

WIDE: Final = 64
"""Flag of a transition some of whose numbers stand as digits."""
MAX_EXTRA: Final = 8 << 20
"""Bytes of an unpacked extra; nobody sends so much."""
_PACK_FROM: Final = 200
"""Bytes from which packing pays."""
_MASK: Final = (1 << 64) - 1
_ID: Final = re.compile(r"([0-9a-f]{16}|[0-9a-f]{32})(?:-(0|[1-9][0-9]{0,8}))?", re.ASCII)
_STEP_BITS: Final = tuple((bits & 1 != 0, bits & 2 != 0, bits & 4 != 0) for bits in range(8))

_Line = tuple[int, str]


class Extra(msgspec.Struct, omit_defaults=True):
    """What a transition may have besides; keys as on the debug wire."""

    mq: int = 0
    mt: int = 0
    st: list[int] = []
    sd: dict[int, str] = {}
    lo: list[_Line] = []
    pl: list[_Line] = []
    ar: dict[str, str] = {}
    re: tuple[str, str, list[str], str, str, str] | None = None
    sk: str = ""
    so: tuple[str, str, int] | None = None
    """A source whose machine has no number: there are too many."""

    def take_reason(self) -> str | None:
        """Its reason's list, which stands apart: the same few come again and again."""
        reason, self.re = self.re, None
        return None if reason is None else _encode(reason).decode()


class Packer:
    """Makes extras into values of their column."""

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._zstd = zstd.ZstdCompressor(level=1)

    def pack(self, extra: Extra) -> str | bytes | None:
        """Text, or zstd if that is shorter; None if it holds nothing."""
        data = self._encode(extra)
        if len(data) < _PACK_FROM:
            return data.decode() if len(data) > 2 else None
        packed = self._zstd.compress(data, mode=zstd.ZstdCompressor.FLUSH_FRAME)
        return packed if len(packed) < len(data) else data.decode()


_encode = msgspec.json.Encoder().encode
_decode_extra = msgspec.json.Decoder(Extra).decode


def read_extra(value: str | bytes) -> Extra:
    """The other way.

    Raises:
        ValueError: It is damaged, or unpacks to far too much.
    """
    if type(value) is bytes:
        unpacker = zstd.ZstdDecompressor()
        try:
            data = unpacker.decompress(value, MAX_EXTRA)
        except zstd.ZstdError as err:
            raise ValueError(str(err)) from None
        if not unpacker.eof:
            raise ValueError(f"cut off, or more than {MAX_EXTRA} bytes")
        return _decode_extra(data)
    return _decode_extra(value)


def extra_of(m: TxMsg) -> Extra | None:
    """What a message has besides, queue numbers and source aside."""
    if not (m.steps or m.logs or m.pre_logs or m.args or m.reason is not None or m.stack):
        return None
    flat: list[int] = []
    data: dict[int, str] = {}
    for i, s in enumerate(m.steps):
        bits = s.is_final | s.is_self << 1 | s.is_enter << 2
        flat += (s.type, s.source, s.target, s.relation, bits)
        if s.data:
            data[i] = s.data
    r = m.reason
    return Extra(
        st=flat,
        sd=data,
        lo=[(line.level, line.text) for line in m.logs],
        pl=[(line.level, line.text) for line in m.pre_logs],
        ar=dict(m.args),
        re=None if r is None else (r.kind, r.state, list(r.by), r.handler, r.binding, r.text),
        sk=m.stack,
    )


def take_extra(m: TxMsg, extra: Extra) -> None:
    """Give a message what it has besides."""
    if extra.st:
        m.steps = _steps(extra.st, extra.sd)
    if extra.lo:
        m.logs = tuple(LogLine(level, text) for level, text in extra.lo)
    if extra.pl:
        m.pre_logs = tuple(LogLine(level, text) for level, text in extra.pl)
    if extra.ar:
        m.args = extra.ar
    m.stack = extra.sk


_decode_reason = msgspec.json.Decoder(tuple[str, str, tuple[str, ...], str, str, str]).decode


def reason_of(items: str) -> Reason:
    """A reason from its list.

    Raises:
        ValueError: It is damaged.
    """
    return Reason(*_decode_reason(items))


def _steps(flat: list[int], data: dict[int, str]) -> tuple[Step, ...]:
    if len(flat) % 5:
        raise ValueError(f"{len(flat)} numbers of steps")
    fives = zip(flat[::5], flat[1::5], flat[2::5], flat[3::5], flat[4::5], strict=True)
    return tuple(
        Step(kind, source, target, relation, *_STEP_BITS[bits & 7], data.get(i, ""))
        for i, (kind, source, target, relation, bits) in enumerate(fives)
    )


def narrow(value: int) -> int | bytes:
    """A number as its column takes it; `int` undoes it."""
    return value if -1 << 63 <= value < 1 << 63 else b"%d" % value


def split_id(text: str) -> tuple[int | bytes | str, int | None]:
    """A transition's id as its two columns take it."""
    match = _ID.fullmatch(text)
    if match is None:
        return text, None
    digits, n = match.groups()
    number = None if n is None else int(n)
    if len(digits) == 32:
        return bytes.fromhex(digits), number
    value = int(digits, 16)
    return value if value < 1 << 63 else value - (1 << 64), number


def join_id(id: int | bytes | str | None, n: int | None) -> str:
    """The other way; None is an empty one."""
    if type(id) is int:
        text = f"{id & _MASK:016x}"
    elif type(id) is bytes:
        text = id.hex()
    else:
        text = str(id or "")
    return text if n is None else f"{text}-{n}"


def shape_of(m: SchemaMsg) -> str:
    """All of a schema but whose and when it is."""
    shape = {
        "names": m.names,
        "states": {name: state.to_dict() for name, state in m.states.items()},
        "parent": m.parent,
        "tags": m.tags,
        "groups": m.groups,
        "groups_order": m.groups_order,
    }
    return msgspec.json.encode(shape).decode()


class _State(msgspec.Struct):
    auto: bool = False
    multi: bool = False
    require: list[str] = []
    add: list[str] = []
    remove: list[str] = []
    after: list[str] = []
    tags: list[str] = []


class _Shape(msgspec.Struct):
    names: list[str]
    states: dict[str, _State]
    parent: str
    tags: list[str]
    groups: dict[str, list[int]]
    groups_order: list[str]


_decode_shape = msgspec.json.Decoder(_Shape).decode


def schema_of(machine_id: str, body: str, time_ns: int | bytes) -> SchemaMsg:
    """The other way.

    Raises:
        ValueError: It is damaged.
    """
    shape = _decode_shape(body)
    return SchemaMsg(
        machine_id,
        tuple(shape.names),
        {name: _state(one) for name, one in shape.states.items()},
        shape.parent,
        tuple(shape.tags),
        {name: tuple(states) for name, states in shape.groups.items()},
        tuple(shape.groups_order),
        int(time_ns),
    )


def _state(s: _State) -> StateDef:
    lists: list[Sequence[str]] = [s.require, s.add, s.remove, s.after, s.tags]
    return StateDef(s.auto, s.multi, *map(tuple, lists))
