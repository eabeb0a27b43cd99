"""Calls of the original's debugger: Go's `net/rpc` over gob, both sides of it, without a socket.

A connection has one gob stream in each direction. A call is two values, a `Request` and what it
carries; an answer is two, a `Response` and a reply, which is an empty string here, or an empty
struct behind an error. Calls are counted from 0. Who answers may run calls side by side, so a
caller whose calls have an order waits for each answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from amctl.dump.gob.decoder import GobError, Limits
from amctl.dump.gob.encoder import ValueWriter
from amctl.dump.gob.feeding import LIVE, FeedDecoder
from amctl.dump.gob.layout import (
    CALL_TYPES,
    EMPTY,
    REQUEST,
    RESPONSE,
    SCHEMA,
    SCHEMA_FORWARD,
    TX,
    TX_FORWARD,
    LayoutError,
    layout_of,
)
from amctl.dump.gob.types import STRING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.dump.gob.layout import Layout

__all__ = [
    "METHODS",
    "SCHEMA_METHOD",
    "TX_METHOD",
    "Answer",
    "AnswerReader",
    "AnswerWriter",
    "Call",
    "CallReader",
    "CallWriter",
]

SCHEMA_METHOD: Final = "RPCServer.DbgMsgSchema"
TX_METHOD: Final = "RPCServer.DbgMsgTx"
METHODS: Final = {
    SCHEMA_METHOD: SCHEMA,
    TX_METHOD: TX,
    f"{SCHEMA_METHOD}Fwd": SCHEMA_FORWARD,
    f"{TX_METHOD}Fwd": TX_FORWARD,
}
"""Method -> type of what it carries."""
_NAME = 200
"""Characters of a method's name that an answer repeats."""
_REPLIES: Final = Limits(size=64 << 10, depth=10, values=1000)


@dataclass(frozen=True, slots=True)
class Call:
    """What somebody asks for."""

    method: str
    seq: int
    body: Any
    """By field name; None if `problem` says why there is none."""
    layout: Layout | None = None
    problem: str = ""


class CallReader:
    """Reads the calls of one connection.

    Args:
        limits: Of each value.
    """

    def __init__(self, limits: Limits = LIVE) -> None:
        self._decoder = FeedDecoder(limits)
        self._request: dict[str, Any] | None = None
        self._layouts: dict[tuple[int, int], Layout] = {}

    @property
    def buffered(self) -> int:
        """Bytes that wait for the rest of their value."""
        return self._decoder.buffered

    @property
    def pending(self) -> tuple[str, int] | None:
        """Method and number of the call whose body is awaited."""
        return None if self._request is None else _names(self._request)

    def feed(self, data: bytes) -> Iterator[Call]:
        """All calls that are whole by now.

        Raises:
            GobError: These are no calls, or ones that ask for too much; see `pending`. The
                connection can't go on.
        """
        decoder = self._decoder
        decoder.feed(data)
        for type_id, value in decoder.values():
            if self._request is not None:
                request, self._request = self._request, None
                yield self._call(request, type_id, value)
                continue
            try:
                self._layout(type_id, REQUEST)
            except LayoutError as error:
                raise GobError(f"no request: {error}", decoder.pos) from None
            self._request = value

    def _call(self, request: dict[str, Any], type_id: int, value: Any) -> Call:
        method, seq = _names(request)
        ours = METHODS.get(method)
        if ours is None:
            return Call(method, seq, None, None, f"rpc: can't find method {method}")
        try:
            return Call(method, seq, value, self._layout(type_id, ours))
        except LayoutError as error:
            return Call(method, seq, None, None, f"{method}: {error}")

    def _layout(self, type_id: int, ours: int) -> Layout:
        """Types are defined once, so each is looked at once."""
        key = type_id, ours
        found = self._layouts.get(key)
        if found is None:
            found = self._layouts[key] = layout_of(self._decoder.types, type_id, ours)
        return found


def _names(request: dict[str, Any]) -> tuple[str, int]:
    return request.get("ServiceMethod", "")[:_NAME], request.get("Seq", 0)


class AnswerWriter:
    """Writes the answers of one connection."""

    def __init__(self) -> None:
        self._writer = ValueWriter(CALL_TYPES)

    def answer(self, method: str, seq: int, error: str = "") -> bytes:
        """To one call: that all is well, or why not."""
        response = {"ServiceMethod": method, "Seq": seq, "Error": error}
        head = self._writer.value(RESPONSE, response)
        return head + (self._writer.value(EMPTY, {}) if error else self._writer.value(STRING, ""))


class CallWriter:
    """Writes the calls of one connection."""

    def __init__(self) -> None:
        self._writer = ValueWriter(CALL_TYPES)
        self._seq = 0

    def call(self, method: str, fields: dict[str, Any]) -> tuple[int, bytes]:
        """A call: its number, and its bytes.

        Raises:
            GobValueError: What it carries can't be sent; nothing is to be sent then.
        """
        writer, seq = self._writer, self._seq
        body = writer.value(METHODS[method], fields)  # first, for it may fail
        self._seq += 1
        return seq, writer.value(REQUEST, {"ServiceMethod": method, "Seq": seq}) + body


@dataclass(frozen=True, slots=True)
class Answer:
    """To the call of that number."""

    seq: int
    error: str


class AnswerReader:
    """Reads the answers of one connection."""

    def __init__(self) -> None:
        self._decoder = FeedDecoder(_REPLIES)
        self._response: dict[str, Any] | None = None
        self._known: set[int] = set()

    def feed(self, data: bytes) -> Iterator[Answer]:
        """All answers that are whole by now.

        Raises:
            GobError: These are no answers.
        """
        decoder = self._decoder
        decoder.feed(data)
        for type_id, value in decoder.values():
            if self._response is not None:
                response, self._response = self._response, None
                yield Answer(response.get("Seq", 0), response.get("Error", ""))
                continue
            if type_id not in self._known:
                try:
                    layout_of(decoder.types, type_id, RESPONSE)
                except LayoutError as error:
                    raise GobError(f"no response: {error}", decoder.pos) from None
                self._known.add(type_id)
            self._response = value
