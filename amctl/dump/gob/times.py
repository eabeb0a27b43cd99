"""Go's `time.Time` in its binary form: seconds, nanoseconds and a zone."""

from __future__ import annotations

__all__ = ["time_from_bytes", "time_to_bytes"]

_SECOND = 1_000_000_000
_UNIX = 62_135_596_800
"""Seconds from the year 1, where Go's times begin, to 1970."""

_UTC = -1
_INT64 = 1 << 63


def time_from_bytes(raw: bytes) -> int:
    """Nanoseconds of Unix time. The zone, which says nothing of the moment, is dropped.

    Go's zero time (the first moment of the year 1) means that nothing was set, and is 0 here.

    Raises:
        ValueError: It is no time, or none that 64 bits of nanoseconds can hold.
    """
    if (raw[:1], len(raw)) not in ((b"\x01", 15), (b"\x02", 16)):
        raise ValueError(f"a time of {len(raw)} bytes, version {raw[0] if raw else 'missing'}")
    seconds = int.from_bytes(raw[1:9], "big", signed=True)
    nanos = int.from_bytes(raw[9:13], "big", signed=True)
    if not 0 <= nanos < _SECOND:
        raise ValueError(f"a time with {nanos} nanoseconds")
    if not seconds and not nanos:
        return 0
    found = (seconds - _UNIX) * _SECOND + nanos
    if not -_INT64 <= found < _INT64:
        raise ValueError(f"a time {seconds} seconds after the year 1")
    return found


def time_to_bytes(unix_ns: int) -> bytes:
    """The same moment, in UTC."""
    seconds, nanos = divmod(unix_ns, _SECOND)
    return b"".join(
        (
            b"\x01",
            (seconds + _UNIX).to_bytes(8, "big", signed=True),
            nanos.to_bytes(4, "big"),
            _UTC.to_bytes(2, "big", signed=True),
        )
    )
