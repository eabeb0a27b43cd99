"""Names and values of spans as one line of text; they come from anywhere."""

from __future__ import annotations

import base64
import json
import math
import unicodedata
from typing import Any

__all__ = ["clean", "cut", "padded", "plain_value", "value_text", "width"]


def clean(text: str) -> str:
    """One line, with nothing in it that moves a cursor, hides, or turns its direction."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _escaped(ord(sign)) for sign in text)


def _escaped(code: int) -> str:
    if code < 256:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def width(text: str) -> int:
    """Columns of a terminal that a clean text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(sign: str) -> int:
    if unicodedata.category(sign) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def cut(text: str, room: int, mark: str = "…") -> str:
    """At most so many columns; what was cut off shows as a mark."""
    if width(text) <= room:
        return text
    kept, used = [], len(mark)
    for sign in text:
        used += _columns(sign)
        if used > room:
            break
        kept.append(sign)
    return "".join(kept) + mark[: max(room, 0)]


def padded(text: str, room: int, mark: str = "…") -> str:
    """Exactly so many columns."""
    text = cut(text, room, mark)
    return text + " " * (room - width(text))


def plain_value(value: Any) -> Any:
    """A value of an attribute as JSON can hold it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [plain_value(one) for one in value]
    if isinstance(value, dict):
        return {key: plain_value(one) for key, one in value.items()}
    return value


def value_text(value: Any) -> str:
    """A value of an attribute in words; not yet cleaned."""
    if isinstance(value, str):
        return value
    found = plain_value(value)
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
