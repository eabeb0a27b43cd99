"""Bytes of a recording's text, unpacked piece by piece within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from amctl.dump._zstd import MAGIC, ZstdDecompressor, ZstdError
from amctl.dump.errors import DumpFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Lines", "TextLimits"]

_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class TextLimits:
    """How much a recording may unpack to."""

    size: int = 1 << 36
    """Bytes of text in all."""
    line: int = 1 << 24
    """Bytes of one line."""


class Lines:
    """The lines of a file, packed by zstd or not, without their ends.

    A packed file that stops in the middle yields what is whole; then `is_cut` is set, as it is for
    a last line that has no end. Never more than a line and a chunk are in memory.

    Args:
        stream: Stands at the start.
        name: For errors.
        limits: What it may unpack to.
    """

    def __init__(self, stream: BinaryIO, name: str, limits: TextLimits) -> None:
        self.number = 0
        """Of the line that was yielded last; counts from 1."""
        self.offset = 0
        """Where that line begins in the text."""
        self.is_cut = False
        self.packed = False
        """Whether zstd packed it."""
        self._stream, self._name, self._limits = stream, name, limits

    def __iter__(self) -> Iterator[bytes]:
        rest: list[bytes] = []  # parts of a line whose end has not come yet
        held = 0
        start = 0
        for chunk in self._texts():
            first, *more = chunk.split(b"\n")
            rest.append(first)
            held += len(first)
            if held > self._limits.line:
                problem = f"line {self.number + 1} has more than {self._limits.line} bytes"
                raise DumpFormatError(self._name, problem, start)
            if not more:
                continue
            whole = [b"".join(rest), *more[:-1]]
            rest, held = [more[-1]], len(more[-1])
            for line in whole:
                self.number, self.offset = self.number + 1, start
                start += len(line) + 1
                yield line
        if held:
            self.number, self.offset, self.is_cut = self.number + 1, start, True
            yield b"".join(rest)

    def _texts(self) -> Iterator[bytes]:
        left = self._limits.size
        head = self._stream.read(_CHUNK)
        self.packed = head[:4] == MAGIC
        for text in self._unpacked(head) if self.packed else self._raw(head):
            left -= len(text)
            if left < 0:
                problem = f"unpacks to more than {self._limits.size} bytes"
                raise DumpFormatError(self._name, problem)
            yield text

    def _raw(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            yield chunk
            chunk = self._stream.read(_CHUNK)

    def _unpacked(self, chunk: bytes) -> Iterator[bytes]:
        unpacker = ZstdDecompressor()
        read = 0
        while True:
            if unpacker.eof:
                chunk = unpacker.unused_data or self._stream.read(_CHUNK)
                if not chunk:
                    return
                unpacker = ZstdDecompressor()  # frames may follow each other
            try:
                text = unpacker.decompress(chunk, _CHUNK)
            except ZstdError as err:
                problem = f"the packed data are damaged ({err})"
                raise DumpFormatError(self._name, problem, read) from None
            if text:
                yield text
            if unpacker.eof or not unpacker.needs_input:
                chunk = b""
                continue
            read += len(chunk)
            chunk = self._stream.read(_CHUNK)
            if not chunk:
                self.is_cut = True
                return
