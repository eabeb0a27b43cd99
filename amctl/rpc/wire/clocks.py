"""Clocks as both ends hold them: unsigned ticks in an array, and a digest of them."""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["digest", "new_view"]

_QM = struct.Struct("<QQ")
_BIG_ENDIAN = sys.byteorder == "big"


def new_view(ticks: Iterable[int] = ()) -> array[int]:
    """Ticks as an array of unsigned 64-bit integers."""
    return array("Q", ticks)


def digest(view: array[int], q: int, m: int) -> int:
    """CRC-32 of queue tick, machine tick and all ticks, little-endian on every host."""
    if _BIG_ENDIAN:
        view = view[:]
        view.byteswap()
    return zlib.crc32(view, zlib.crc32(_QM.pack(q, m)))
