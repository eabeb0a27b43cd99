"""Decompression that stays within bounds, and tells where a file is broken."""

from __future__ import annotations

import io
import random
from typing import IO

import brotli  # type: ignore[import-untyped]  # it has no stubs
import pytest

from amctl.dump.errors import DumpFormatError
from amctl.dump.gob.inflate import deflate, inflate

NOISE = random.Random(7).randbytes(300_000)


def test_what_was_compressed_comes_back() -> None:
    text = NOISE + bytes(5_000_000)
    assert inflate(deflate(text), len(text), "x") == text
    assert inflate(io.BytesIO(deflate(text)), len(text), "x") == text
    assert inflate(deflate(b""), 10, "x") == b""


def test_a_small_file_cannot_become_a_large_one() -> None:
    bomb = brotli.compress(bytes(64 << 20), quality=1)
    assert len(bomb) < 1 << 14
    with pytest.raises(DumpFormatError, match=r"dump x: .* more than 1048576 bytes at byte 0"):
        inflate(bomb, 1 << 20, "x")


def test_a_limit_is_the_last_size_that_fits() -> None:
    assert len(inflate(deflate(bytes(1000)), 1000, "x")) == 1000
    with pytest.raises(DumpFormatError, match="more than 999 bytes"):
        inflate(deflate(bytes(1000)), 999, "x")


@pytest.mark.parametrize("in_file", [False, True])
def test_damage_is_found_where_it_is(in_file: bool) -> None:
    data = bytearray(deflate(NOISE))
    data[200_000:] = bytes(len(data) - 200_000)
    source: IO[bytes] | bytes = io.BytesIO(data) if in_file else bytes(data)
    with pytest.raises(DumpFormatError) as caught:
        inflate(source, 1 << 20, "x")
    assert caught.value.offset is not None
    assert caught.value.offset >= 199_999


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the file is empty at byte 0"),
        (b"\x5b", "the brotli stream is cut off at byte 1"),
        (deflate(NOISE)[:-1], "the brotli stream is cut off at byte "),
        (deflate(b"abc") + b"!", "bytes after the end of the brotli stream at byte 7"),
        (deflate(NOISE) + bytes(1 << 17), "bytes after the end of the brotli stream at byte "),
        (b"\x89PNG\r\n\x1a\n....", "no brotli stream|is damaged|is cut off"),
        (b"SQLite format 3\0" * 20, "no brotli stream|is damaged"),
    ],
)
def test_what_is_no_brotli_stream_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(DumpFormatError, match=problem):
        inflate(data, 1 << 20, "x")
