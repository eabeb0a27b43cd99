"""Reads a gob stream as it arrives, from whoever sends it.

Values are read when they are whole. A value that goes on in further messages (see the room's
docstring on interfaces) is tried again with each of them, so there may only be so many. Everything
that such a stream can make us keep is bounded: a message, what it holds, and all definitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from amctl.dump.gob.decoder import Decoder, GobError, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LIVE", "MAX_TYPES", "FeedDecoder"]

LIVE: Final = Limits(size=4 << 20, depth=40, values=250_000)
"""Of one value: its bytes, levels, and values within it. The largest transition of the recordings
that we know has two thousand values."""
MAX_TYPES: Final = 256
"""Definitions; a program of the original's has thirty."""
_DEFINITIONS: Final = 256 << 10
"""Bytes of all definitions."""
_PARTS: Final = 32
"""Messages of one value."""


class _MoreNeededError(Exception):
    """The value goes on in a message that isn't there yet."""


class FeedDecoder(Decoder):
    """Decodes what it is fed with.

    Args:
        limits: Of each value.
    """

    def __init__(self, limits: Limits = LIVE) -> None:
        super().__init__(b"", limits)
        self._buffer = bytearray()
        self._gone = 0  # bytes of the stream that stood before the buffer
        self._parts: list[int] = []  # ends of the whole messages that the value has so far
        self._definitions = 0

    @property
    def buffered(self) -> int:
        """Bytes that wait for the rest of their value."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Some bytes came; ask for `values`."""
        self._buffer += data

    def values(self) -> Iterable[tuple[int, Any]]:
        """All values that are whole by now, each with the id of its type.

        Raises:
            GobError: The stream is damaged, or asks for too much. Nothing can be read any more.
        """
        while (end := self._message_end()) is not None:
            self._parts.append(end)
            try:
                found = self._one(bytes(self._buffer[:end]))
            except _MoreNeededError:
                if len(self._parts) >= _PARTS:
                    problem = f"a value in more than {_PARTS} messages"
                    raise GobError(problem, self._gone) from None
                continue
            except GobError as error:
                raise GobError(error.problem, self._gone + error.offset) from None
            except (ValueError, OverflowError, RecursionError) as error:
                raise GobError(f"{error}", self._gone) from None
            del self._buffer[:end]
            self._gone += end
            self._parts.clear()
            if found is not None:
                yield found

    def _message_end(self) -> int | None:
        """Where the next message ends, if all of it is there."""
        at, size = self._parts[-1] if self._parts else 0, len(self._buffer)
        if at >= size:
            return None
        first = self._buffer[at]
        width = 0 if first < 0x80 else 0x100 - first
        if width > 4:
            raise GobError(f"the length of a message has {width} bytes", self._gone + at)
        if at + 1 + width > size:
            return None
        length = int.from_bytes(self._buffer[at + 1 : at + 1 + width], "big") if width else first
        end = at + 1 + width + length
        if end > self._limits.size:
            problem = f"a value of {end} bytes, {self._limits.size} is the most"
            raise GobError(problem, self._gone + at)
        return end if end <= size else None

    def _one(self, data: bytes) -> tuple[int, Any] | None:
        """A value, or None after a definition."""
        self._data, self._size = data, len(data)
        self.pos = self._end = 0
        self._values, self._depth = self._limits.values, self._limits.depth
        known, bytes_before = set(self.types), self._definitions
        self._next_message()
        type_id = self._int()
        if type_id < 0:
            self._define(-type_id)
            self._finish_message()
            return None
        try:
            value = self._top(type_id)
        except _MoreNeededError:
            # the next try meets these definitions once more
            for defined in self.types.keys() - known:
                del self.types[defined]
                self._readers.pop(defined, None)
            self._definitions = bytes_before
            raise
        self._finish_message()
        return type_id, value

    def _next_message(self) -> None:
        if self._end >= self._size:
            raise _MoreNeededError
        super()._next_message()

    def _define(self, type_id: int) -> None:
        start = self.pos
        if len(self.types) >= MAX_TYPES:
            raise self._error(f"more than {MAX_TYPES} types")
        super()._define(type_id)
        self._definitions += self.pos - start
        if self._definitions > _DEFINITIONS:
            raise self._error(f"definitions of more than {_DEFINITIONS} bytes")
