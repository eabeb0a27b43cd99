"""The order that people expect of ids with numbers: `ps-2` before `ps-10`."""

from __future__ import annotations

import re

__all__ = ["natural"]

_DIGITS = re.compile(r"([0-9]+)")

Key = tuple[tuple[tuple[int, str] | str, ...], str]


def natural(text: str) -> Key:
    """A key to sort texts by. Numbers of any length compare by value; no two texts are equal."""
    parts = _DIGITS.split(text)
    return tuple(_number(part) if at % 2 else part for at, part in enumerate(parts)), text


def _number(digits: str) -> tuple[int, str]:
    """By length and then by text is by value, and needs no int of a million digits."""
    bare = digits.lstrip("0")
    return len(bare), bare
