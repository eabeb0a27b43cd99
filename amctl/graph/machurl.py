"""Addresses of machines, their transitions and moments (debugger_ui.md 2.7).

    mach://ID[/TXID[/STEP]][?t=MACHTIME&q=QUEUETICK&ht=RFC3339&state=NAME&group=NAME]

A machine time may stand in the path too, behind the rest: `mach://browser2/t77`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from urllib.parse import parse_qsl, quote, unquote

from amctl.graph.errors import MachUrlError

__all__ = ["SCHEME", "MachUrl", "parse_machurl", "parse_time"]

SCHEME = "mach://"
_KEYS = ("group", "ht", "q", "state", "t")
_PATH_TIME = re.compile(r"t([0-9]+)")
_NUMBER = re.compile(r"[0-9]{1,20}")
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class MachUrl:
    """What an address names. Of the moments, the transition wins, then time, wall time, queue."""

    machine: str
    tx: str = ""
    step: int = 0
    """1-based, of the transition that follows; 0 is none."""
    time: int | None = None
    """Machine time: the sum of ticks."""
    wall_ns: int | None = None
    """Unix time in ns."""
    queue: int | None = None
    """Queue tick."""
    state: str = ""
    group: str = ""

    @property
    def is_moment(self) -> bool:
        """Whether it names more than a machine in its newest state."""
        times = (self.time, self.wall_ns, self.queue)
        return bool(self.tx) or any(time is not None for time in times)

    def __str__(self) -> str:
        """The address again; the parts of its query are sorted."""
        path = [self.machine, *([self.tx] if self.tx else [])]
        if self.tx and self.step:
            path.append(str(self.step))
        query = {
            "group": self.group,
            "ht": "" if self.wall_ns is None else _rfc3339(self.wall_ns),
            "q": "" if self.queue is None else str(self.queue),
            "state": self.state,
            "t": "" if self.time is None else str(self.time),
        }
        tail = "&".join(f"{k}={quote(v, safe=':')}" for k, v in query.items() if v)
        return SCHEME + "/".join(quote(p, safe="") for p in path) + (f"?{tail}" if tail else "")


def parse_machurl(text: str, *, lenient: bool = False) -> MachUrl:
    """Read an address.

    Args:
        text: The address; blanks around it are ignored.
        lenient: Ignore what is wrong behind the machine's id, as the original does.

    Raises:
        MachUrlError: It isn't one, or a part is bad. The hint names the nearest known word.
    """
    whole = text.strip()
    if whole[: len(SCHEME)].lower() != SCHEME:
        near = _near_scheme(whole)
        raise MachUrlError(text, f"it doesn't begin with {SCHEME}", near)
    path, _, query = whole[len(SCHEME) :].partition("?")
    parts = [unquote(part) for part in path.partition("#")[0].split("/")]
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    if not parts[0]:
        raise MachUrlError(text, "the machine's id is missing")
    reader = _Reader(text, parts[0], lenient=lenient)
    reader.path(parts[1:])
    reader.query(query.partition("#")[0])
    return reader.url


def _near_scheme(text: str) -> str:
    head, colon, rest = text.partition(":")
    if not colon:
        return SCHEME + text if re.fullmatch(r"[\w.\-]+(/[\w\-]+)*", text) else ""
    close = get_close_matches(head.lower(), ["mach"], n=1)
    return SCHEME + rest.lstrip("/") if close and rest.strip("/") else ""


class _Reader:
    """Reads the parts behind the id; raises at a bad one, or skips it."""

    def __init__(self, text: str, machine: str, *, lenient: bool) -> None:
        self.url = MachUrl(machine)
        self._text, self._lenient = text, lenient

    def _bad(self, problem: str, near: str = "") -> None:
        if not self._lenient:
            raise MachUrlError(self._text, problem, near)

    def path(self, parts: list[str]) -> None:
        if parts and (match := _PATH_TIME.fullmatch(parts[-1])):
            self.url = replace(self.url, time=self._number("t", match[1]))
            parts = parts[:-1]
        if len(parts) > 2:
            self._bad(f"{parts[2]!r:.40} is one part too many")
        if parts:
            self.url = replace(self.url, tx=parts[0])
        if len(parts) > 1:
            self.url = replace(self.url, step=self._number("the step", parts[1]) or 0)

    def query(self, text: str) -> None:
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=32)
        except ValueError:
            self._bad("its query has too many parts")
            return
        for key, value in pairs:
            self._pair(key, value)

    def _pair(self, key: str, value: str) -> None:
        match key:
            case "state":
                self.url = replace(self.url, state=value)
            case "group":
                self.url = replace(self.url, group=value)
            case "ht":
                self.url = replace(self.url, wall_ns=self._wall(value))
            case "t":
                self.url = replace(self.url, time=self._number(key, value))
            case "q":
                self.url = replace(self.url, queue=self._number(key, value))
            case _:
                near = (*get_close_matches(key, _KEYS, n=1), "")[0]
                self._bad(f"it has an unknown part {key!r:.40}; known are {' '.join(_KEYS)}", near)

    def _number(self, what: str, text: str) -> int | None:
        if _NUMBER.fullmatch(text):
            return int(text)
        self._bad(f"{what} is no number: {text!r:.40}")
        return None

    def _wall(self, text: str) -> int | None:
        try:
            return parse_time(text)
        except ValueError as error:
            self._bad(str(error))
            return None


def parse_time(text: str) -> int:
    """RFC 3339 -> Unix time in ns; without a zone it is UTC.

    Raises:
        ValueError: It is no such time.
    """
    match = _RFC3339.fullmatch(text.strip().replace(" ", "+" if "T" in text.upper() else " "))
    if match is None:
        raise ValueError(f"it is no time like 2024-07-22T13:29:30.5Z: {text!r:.40}")
    date, clock, fraction, zone = match.groups()
    utc = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}{utc}")
        seconds = (moment - datetime.fromtimestamp(0, UTC)) // timedelta(seconds=1)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"it is no time: {text!r:.40}: {error}") from error
    return seconds * 10**9 + int((fraction or "0").ljust(9, "0"))


def _rfc3339(ns: int) -> str:
    seconds, rest = divmod(ns, 10**9)
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"{moment.replace(tzinfo=None).isoformat()}{fraction}Z"
