"""Names in pictures: made safe, short, and measured.

Names come from recordings, so anything may stand in one. `key` makes an identifier of it that DOT,
XML and a DOM agree on and that no other name shares; `label` makes the text that people see.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LONGEST", "clean", "escape", "key", "label", "shortened", "squeezed", "width"]

LONGEST = 48
"""Characters of a name that a row shows; all of it stands in the tooltip."""

_ODD = re.compile(r"[^\w.\-]")
_UNPRINTABLE = {"Cc", "Cs", "Cn", "Zl", "Zp"}
_DIGITS = re.compile(r"([0-9]{1,9})")
_NUMBERS = 4
"""Numbers of a name that are tried."""


def key(name: str) -> str:
    """An identifier: letters, digits, `_`, `.`, `-`, and codes like `~20` for everything else.

    They are percent codes by another sign, since names that begin with `%` are Graphviz's own.
    """
    return _ODD.sub(lambda m: _codes(m[0]), name)


def _codes(char: str) -> str:
    return "".join(f"~{byte:02X}" for byte in char.encode(errors="surrogatepass"))


def clean(text: str) -> str:
    """The text without what XML or a font can't hold: such characters become `\ufffd` or a
    space."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_printable, text))


def _printable(char: str) -> str:
    if char in "\n\r\t":
        return " "
    return "\ufffd" if unicodedata.category(char) in _UNPRINTABLE else char


def escape(text: str) -> str:
    """Safe in HTML-like labels, where a text may not be blank either."""
    return html.escape(clean(text), quote=True) if text.strip() else "&#160;"


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text, its middle left out if it is long."""
    if len(text) <= longest:
        return text
    tail = longest // 3
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def label(text: str, longest: int = LONGEST) -> str:
    """A name as people see it, ready for an HTML-like label."""
    return escape(shortened(clean(text), longest))


def squeezed(names: Iterable[str]) -> list[str]:
    """`Browser1Ready Browser2Ready Browser3Ready` -> `Browser[1-3]Ready`; the order stays.

    Of names with several numbers, the one that makes the list shortest is taken together.
    """
    split = [_DIGITS.split(name) for name in dict.fromkeys(names)]
    most = max((len(parts) // 2 for parts in split), default=0)
    tries = (_squeezed(split, number) for number in range(1, min(most, _NUMBERS) + 1))
    return min(tries, key=len, default=["".join(parts) for parts in split])


def _squeezed(split: Iterable[list[str]], number: int) -> list[str]:
    """Takes the names together by one of their numbers, counted from the end."""
    families: dict[tuple[str, ...], list[int]] = {}
    for parts in split:
        at = len(parts) - 2 * number
        if at > 0 and str(int(parts[at])) == parts[at]:
            start, end = "".join(parts[:at]), "".join(parts[at + 1 :])
            families.setdefault((start, end), []).append(int(parts[at]))
        else:
            families[("".join(parts),)] = []
    return ["".join((part[0], _numbers(found), *part[1:])) for part, found in families.items()]


def _numbers(found: list[int]) -> str:
    found = sorted(set(found))
    if len(found) < 2:
        return "".join(map(str, found))
    is_run = found == list(range(found[0], found[-1] + 1))
    return f"[{found[0]}-{found[-1]}]" if is_run else f"[{','.join(map(str, found))}]"


def width(text: str, size: float, *, bold: bool = False) -> int:
    """Roughly how many px a text takes in Helvetica, good to a few per cent."""
    units = sum(map(_units, text))
    return int(units * size * (1.05 if bold else 1.0)) + 2


def _units(char: str) -> float:
    if char in "ijl.,:;'|!":
        return 0.25
    if char in "frt-()[]/ I":
        return 0.31
    if char in "mwMW":
        return 0.86
    if ord(char) > 0x2E80:
        return 1.0
    return 0.68 if char.isupper() else 0.55
