"""How the text of a setting is read, and what an error says is allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Address",
    "Kind",
    "address",
    "boolean",
    "debugger_address",
    "duration",
    "local_address",
    "log_level",
    "number",
    "optional_number",
    "parse_duration",
    "pattern",
    "required_text",
    "text",
]

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("", "0", "false", "no", "off")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_LOG_LEVELS = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of value: its parser, and its values in words."""

    allowed: str
    parse: Callable[[str], Any]
    """Raises ValueError for text that isn't allowed."""


class Address(NamedTuple):
    """Host and port; port 0 means any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_duration(text: str) -> float:
    """Seconds of `500ms`, `30s`, `2m`, `1h` or a bare number of seconds, more than 0.

    Raises:
        ValueError: If the text is none of these.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"duration {text!r} isn't like 500ms, 30s, 2m")
    seconds = float(match[1]) * _UNITS[match[2] or ""]
    if seconds <= 0:
        raise ValueError("a duration is more than 0")
    return seconds


def number(low: int) -> Kind:
    """A whole number of at least `low`."""

    def parse(text: str) -> int:
        value = int(text)
        if value < low:
            raise ValueError(f"{value} is less than {low}")
        return value

    return Kind(f"a whole number, {low} or more", parse)


def _parse_bool(text: str) -> bool:
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{text!r} is neither yes nor no")


def _parse_address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} isn't host:port")
    return Address(host, int(port))


def _parse_debugger(text: str) -> str:
    if text not in ("", "0", "1"):
        _parse_address(text.removeprefix("gob://"))
    return "" if text == "0" else text


def _parse_local(text: str) -> Address | None:
    if not text:
        return None
    # Not at the top: every command reads settings.
    from amctl.relay.security import is_loopback

    found = _parse_address(text)
    if not is_loopback(found.host):
        raise ValueError(f"{found.host} is reachable from outside")
    return found


def _parse_log_level(text: str) -> int:
    value = int(text or "0")
    if not 0 <= value <= _LOG_LEVELS:
        raise ValueError(f"{value} isn't a level")
    return value


def _parse_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as err:
        raise ValueError(str(err)) from err
    return text


def _parse_required(text: str) -> str:
    if not text:
        raise ValueError("it is empty")
    return text


text = Kind("any text", str)
required_text = Kind("any text but none", _parse_required)
boolean = Kind("1 or 0 (also true, yes, on; false, no, off, empty)", _parse_bool)
address = Kind("host:port, the port 0 to 65535", _parse_address)
debugger_address = Kind(
    "empty for no recording, 1 to record, or host:port of a debugger that gets it too "
    "(gob://host:port of one of the original's)",
    _parse_debugger,
)
local_address = Kind("empty, or host:port on the loopback, the port 0 to 65535", _parse_local)
duration = Kind("a duration such as 500ms, 30s, 2m, more than 0", parse_duration)
log_level = Kind(f"a level, 0 (none) to {_LOG_LEVELS} (everything)", _parse_log_level)
pattern = Kind("a regular expression", _parse_pattern)
optional_number = Kind(
    "a whole number, or empty for chance", lambda text: int(text) if text else None
)
