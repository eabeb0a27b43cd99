"""Bodies of the frames.

Each is a tuple of declared types. On the wire they are arrays whose trailing fields may be missing
(a default stands for them; newer peers may send more, which is ignored), but HELLO, WELCOME, Sync
and what a tunnel's OPEN tells are maps: unknown keys are ignored, so these can grow. Declared types
are what `codec` checks: `int` means an unsigned one of 64 bits, `list[int]` any integers.
"""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - `codec` evaluates the annotations
from typing import Any, NamedTuple

from .codes import VERSION

__all__ = [
    "ARRAYS",
    "EVERYTHING",
    "MAPS",
    "ByeBody",
    "CallBody",
    "ClockBody",
    "FiredBody",
    "Hello",
    "OpenMeta",
    "PayloadBody",
    "ReplyBody",
    "Sync",
    "Welcome",
]


class Sync(NamedTuple):
    """Which part of the source a client mirrors, and how closely."""

    schema: bool = True
    """Mirror all names and the schema; without it, only tracked names exist for the client."""
    allowed: tuple[str, ...] | None = None
    """Only these states are tracked; None tracks all. Untracked ones stay at tick 0."""
    skipped: tuple[str, ...] | None = None
    """These are not tracked even if allowed."""
    shallow: bool = False
    """Activity only: ticks have the right parity, not the right size. Void with `steps`."""
    steps: bool = False
    """One diff per source transition instead of one merged diff."""


EVERYTHING = Sync()


class Hello(NamedTuple):
    magic: str = ""
    v: int = VERSION
    caps: Sequence[str] = ()
    token: bytes = b""
    id: str = ""
    inst: str = ""
    session: bytes = b""
    attempt: int = 0
    recv: int = 0
    known: str = ""
    sync: Sync = EVERYTHING


class Welcome(NamedTuple):
    v: int = VERSION
    caps: Sequence[str] = ()
    session: bytes = b""
    resumed: bool = False
    recv: int = 0
    id: str = ""
    hash: str = ""
    gen: int = 0
    names: list[str] | None = None
    schema: Any = None
    args: list[str] | None = None
    q: int = 0
    m: int = 0
    ticks: Sequence[int] = ()


class OpenMeta(NamedTuple):
    peer: str = ""
    """Who is at the other end of a tunnel's channel, for logs."""


class ClockBody(NamedTuple):
    q: int
    m: int
    ticks: list[int]
    gen: int = 0
    hash: str = ""
    names: list[str] | None = None
    schema: Any = None
    args: list[str] | None = None


class CallBody(NamedTuple):
    op: int
    states: list[int]
    args: Any = None
    origin: str = ""
    """Machine that caused this; "" is the client itself."""
    tx: int | str = 0
    trace: bytes = b""


class ReplyBody(NamedTuple):
    ref: int
    result: int | list[int] = 0
    code: int = 0
    text: str = ""
    """With a code, why there is no result; without, the answer to a question (Op.ASK)."""


class PayloadBody(NamedTuple):
    name: str
    data: Any
    token: str = ""
    source: str = ""
    tx: int | str = 0
    trace: bytes = b""


class FiredBody(NamedTuple):
    sub: int
    q: int


class ByeBody(NamedTuple):
    code: int
    text: str = ""
    after: float = 0.0


ARRAYS = (ClockBody, CallBody, ReplyBody, PayloadBody, FiredBody, ByeBody)
MAPS = (Sync, Hello, Welcome, OpenMeta)
