"""Brotli with bounds: a small file can't fill the memory, and a damaged one says where it is."""

from __future__ import annotations

import io
from collections import deque
from typing import IO, TYPE_CHECKING, Final

import brotli  # type: ignore[import-untyped]  # it has no stubs

from amctl.dump.errors import DumpFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["deflate", "inflate"]

_CHUNK: Final = 1 << 16
_GROWTH: Final = 1 << 20
"""The most that is decompressed before the size is looked at again."""

_QUALITY: Final = 6
"""That of the original. 11 would save a sixth of the bytes, and take eighty times as long."""


def deflate(data: bytes | bytearray) -> bytes:
    """Compress. The same data always makes the same bytes."""
    compressed: bytes = brotli.compress(bytes(data), quality=_QUALITY, lgwin=22)
    return compressed


def inflate(source: IO[bytes] | bytes, limit: int, name: str) -> bytearray:
    """Decompress one brotli stream, and nothing after it.

    Args:
        source: The compressed bytes. A file has to be able to seek.
        limit: How many bytes may come out.
        name: Of the dump, for errors.

    Raises:
        DumpFormatError: It is no brotli stream, it is cut off, bytes follow it, or more than
            `limit` come out. The offset is one of the compressed bytes.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    stream, out, offset = brotli.Decompressor(), bytearray(), 0
    while chunk := file.read(_CHUNK):
        if stream.is_finished():
            raise DumpFormatError(name, "bytes after the end of the brotli stream", offset)
        try:
            _feed(stream, chunk, out, limit)
        except brotli.error:
            raise DumpFormatError(name, *_damage(file, offset)) from None
        if len(out) > limit:
            raise DumpFormatError(name, f"decompressed, it has more than {limit} bytes", offset)
        offset += len(chunk)
    if not stream.is_finished():
        problem = "the brotli stream is cut off" if offset else "the file is empty"
        raise DumpFormatError(name, problem, offset)
    return out


def _feed(stream: brotli.Decompressor, chunk: bytes, out: bytearray, limit: int) -> None:
    """Decompress a chunk to its end, in pieces, or until more than `limit` bytes are out."""
    for piece in _pieces(stream, chunk):
        out += piece
        if len(out) > limit:
            return


def _pieces(stream: brotli.Decompressor, chunk: bytes) -> Iterator[bytes]:
    while True:
        piece = stream.process(chunk, output_buffer_limit=_GROWTH)
        yield piece
        # It says that it can take more although output waits, if all of the input is inside.
        if stream.is_finished() or (not piece and stream.can_accept_more_data()):
            return
        chunk = b""


def _damage(file: IO[bytes], offset: int) -> tuple[str, int]:
    """What is wrong within the chunk at `offset`, and where.

    The library doesn't say, so everything is decompressed again, that chunk byte by byte.
    """
    file.seek(0)
    stream = brotli.Decompressor()
    for _ in range(offset // _CHUNK):
        deque(_pieces(stream, file.read(_CHUNK)), maxlen=0)
    for place, byte in enumerate(file.read(_CHUNK), offset):
        if stream.is_finished():
            return "bytes after the end of the brotli stream", place
        try:
            deque(_pieces(stream, bytes((byte,))), maxlen=0)
        except brotli.error:
            return "no brotli stream" if place < 2 else "the brotli stream is damaged", place
    return "the brotli stream is damaged", offset
