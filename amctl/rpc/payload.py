"""The arguments that payloads and arguments in general travel with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amctl.machine import Args

__all__ = ["APayload", "args_to_wire"]


@dataclass(frozen=True)
class APayload(Args):
    """A payload, as the consumer's ServerPayload gets it."""

    name: str = ""
    """What kind of payload it is; the sender's choice."""

    data: Any = None
    """Plain data: None, bool, int, float, str, bytes, and lists and string-keyed maps of them."""

    source: str = ""
    """Id of the machine that it comes from, also through a forwarding one."""

    source_tx: str = ""
    """The transition in which that machine sent it, or empty."""

    token: str = ""
    """Different for every payload: for telling a repeated one."""


def args_to_wire(args: object) -> dict[str, Any] | None:
    """Arguments as plain data for the wire; typed ones under their keys, errors as their text.

    Args:
        args: Args objects, one or many, a mapping, or None.
    """
    if not args:
        return None
    if isinstance(args, Args):
        return {args.key(): args.to_wire()}
    if isinstance(args, Mapping):
        return {str(key): _plain(value) for key, value in args.items()}
    if isinstance(args, Iterable):
        return {one.key(): one.to_wire() for one in args}
    raise TypeError(f"arguments are a mapping or Args, not {type(args).__name__}")


def _plain(value: Any) -> Any:
    if isinstance(value, Args):
        return value.to_wire()
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    return value
