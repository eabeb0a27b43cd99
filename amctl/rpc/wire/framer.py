"""A byte stream cut into frames, and frames made into bytes."""

from __future__ import annotations

from .codes import Code
from .errors import ProtocolError

__all__ = ["BYTES", "Framer", "frame", "varint"]

BYTES = [bytes((i,)) for i in range(256)]
"""All one-byte strings: the protocol writes many."""


def varint(n: int) -> bytes:
    """`n` as LEB128."""
    if n < 128:
        return BYTES[n]
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def frame(kind: int, *rest: bytes) -> bytes:
    """A whole frame: length, kind, and the rest."""
    return varint(1 + sum(map(len, rest))) + BYTES[kind] + b"".join(rest)


class Framer:
    """Cuts a byte stream into frames (without their length prefix).

    Holds at most one partial frame, whose length it has checked before it buffers anything, and
    looks at its bytes again only when it is complete: a peer that sends single bytes costs no more
    than one that sends big pieces.
    """

    __slots__ = ("_buf", "_need", "cap")

    def __init__(self, cap: int) -> None:
        self._buf = bytearray()
        self._need = 0
        self.cap = cap
        """Largest frame accepted, in bytes; may be changed between frames."""

    @property
    def pending(self) -> int:
        """Bytes of the partial frame."""
        return len(self._buf)

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes, give the frames that are complete now.

        Raises:
            ProtocolError: If a length is zero, above the cap, or too long to be one. The stream is
                void from there.
        """
        if self._buf:
            self._buf += data
            if len(self._buf) < self._need:
                return []
            data = bytes(self._buf)
            self._buf.clear()
        frames: list[bytes] = []
        pos, end = 0, len(data)
        while pos < end:
            size, start = self._length(data, pos, end)
            if not start or start + size > end:
                self._need = start + size - pos if start else 0
                self._buf += data[pos:] if pos else data
                break
            frames.append(data[start : start + size])
            pos = start + size
        return frames

    def _length(self, data: bytes, pos: int, end: int) -> tuple[int, int]:
        """Length of the frame at `pos`, and where its kind byte is (0: the prefix is partial)."""
        size = data[pos]
        start, shift = pos + 1, 7
        if size > 127:
            size &= 127
            while True:
                if start >= end:
                    return 0, 0
                byte = data[start]
                start += 1
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
                if shift > 21:
                    raise ProtocolError(Code.PROTOCOL, "length prefix too long")
        if not size:
            raise ProtocolError(Code.PROTOCOL, "empty frame")
        if size > self.cap:
            raise ProtocolError(Code.TOO_BIG, f"frame of {size} bytes, at most {self.cap}")
        return size, start

    def peek_kind(self) -> int | None:
        """Kind of the partial frame, as soon as its byte is there."""
        buf = self._buf
        for i, byte in enumerate(buf[:4]):
            if byte < 128:
                return buf[i + 1] if len(buf) > i + 1 else None
        return None
