"""The file of a memory image: a heap without its empty pages, and what belongs to it.

A fresh Python's heap is 31 MB, most of it zeros, which a new WebAssembly memory has anyway. The
file holds the pages that aren't empty, as runs of neighbours:

    u32 x 6     MAGIC, FORMAT, bytes of this head with all tables, bytes of the whole heap,
                number of runs, bytes of the text
    u32 x 2n    each run's place in the heap and its length, in bytes
    text        UTF-8 JSON: {"pyodide": version, "key": hash, "state": what Pyodide adds}
    zeros       up to a multiple of 16
    pages       of all runs, one after the other

All numbers are little-endian. `web/snapshot.js` reads it.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

__all__ = ["FORMAT", "MAGIC", "PAGE", "Image", "pack", "read_pyodide_snapshot", "unpack"]

MAGIC = int.from_bytes(b"AMIM", "little")
FORMAT = 1
PAGE = 4096
_PYODIDE_MAGIC = 0x706E7300
_PYODIDE_HEAD = 48
_HEAD = struct.Struct("<6I")
_RUN = struct.Struct("<2I")


@dataclass(frozen=True, slots=True)
class Image:
    """A heap, and what it takes to wake it up."""

    pyodide: str
    """Version of the runtime whose heap it is; no other can use it."""
    key: str
    """Hash of everything that it was made from."""
    state: Any
    """What Pyodide keeps of JavaScript objects that the heap refers to; JSON."""
    heap: bytes


def read_pyodide_snapshot(data: bytes) -> tuple[Any, bytes]:
    """Take Pyodide's own snapshot apart: its state and the heap.

    Raises:
        ValueError: It is something else, or of another layout.
    """
    if len(data) < _PYODIDE_HEAD:
        raise ValueError(f"a snapshot of {len(data)} bytes is too short")
    magic, start, length, _ = struct.unpack_from("<4I", data)
    if magic != _PYODIDE_MAGIC:
        raise ValueError(f"not a snapshot of Pyodide: it begins with {magic:#x}")
    if not _PYODIDE_HEAD + length <= start <= len(data):
        raise ValueError("the snapshot's head doesn't fit its size")
    return json.loads(data[_PYODIDE_HEAD : _PYODIDE_HEAD + length]), data[start:]


def pack(image: Image) -> bytes:
    """Make the file of an image."""
    runs = _runs(image.heap)
    told = {"pyodide": image.pyodide, "key": image.key, "state": image.state}
    text = json.dumps(told, separators=(",", ":")).encode()
    unpadded = _HEAD.size + _RUN.size * len(runs) + len(text)
    size = -(-unpadded // 16) * 16
    head = _HEAD.pack(MAGIC, FORMAT, size, len(image.heap), len(runs), len(text))
    tables = b"".join(_RUN.pack(*run) for run in runs)
    pages = [image.heap[at : at + length] for at, length in runs]
    return b"".join([head, tables, text, bytes(size - unpadded), *pages])


def _runs(heap: bytes) -> list[tuple[int, int]]:
    """Place and length of what isn't empty, in whole pages except at the end."""
    runs: list[tuple[int, int]] = []
    empty = bytes(PAGE)
    for at in range(0, len(heap), PAGE):
        page = heap[at : at + PAGE]
        if page == empty[: len(page)]:
            continue
        if runs and sum(runs[-1]) == at:
            runs[-1] = (runs[-1][0], runs[-1][1] + len(page))
        else:
            runs.append((at, len(page)))
    return runs


def unpack(data: bytes) -> Image:
    """Make the image of a file.

    Raises:
        ValueError: It isn't one, is of another format, or was cut.
    """
    if len(data) < _HEAD.size:
        raise ValueError(f"an image of {len(data)} bytes is too short")
    magic, layout, size, length, count, text_size = _HEAD.unpack_from(data)
    if (magic, layout) != (MAGIC, FORMAT):
        raise ValueError(f"not a memory image of format {FORMAT}")
    text_at = _HEAD.size + _RUN.size * count
    if not text_at + text_size <= size <= len(data):
        raise ValueError("the image's head doesn't fit its size")
    told = json.loads(data[text_at : text_at + text_size])
    heap, at = bytearray(length), size
    for place, run in _RUN.iter_unpack(data[_HEAD.size : text_at]):
        if at + run > len(data) or place + run > length:
            raise ValueError("the image is cut, or its table is wrong")
        heap[place : place + run] = data[at : at + run]
        at += run
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes too many")
    return Image(told["pyodide"], told["key"], told["state"], bytes(heap))
