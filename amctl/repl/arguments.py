"""Arguments of mutations: from `--arg N --val V` pairs and JSON to one map, checked beforehand.

A name `Type.field` means a field of typed arguments, any other one a plain argument. What a machine
takes it tells itself (`About.args`); text becomes the field's type there.
"""

from __future__ import annotations

import asyncio
import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from amctl.repl.errors import UsageError
from amctl.rpc.errors import RpcError
from amctl.rpc.wire.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amctl.repl.peer import Peer
    from amctl.rpc.answers import About, ArgField, ArgType

__all__ = ["check_args", "gather", "validate"]

_PATIENCE = 3.0
"""Seconds that a machine may take to tell what it takes."""
_BOOLEANS = ("1", "0", "true", "false", "yes", "no", "on", "off")
_PLAIN = {"int", "float", "bool", "bytes", "None"}


def gather(names: Sequence[str], values: Sequence[str], text: str | None = None) -> dict[str, Any]:
    """One map of `--arg`s, each with the `--val` at its place, and of a JSON object.

    Args:
        names: Of `--arg`.
        values: Of `--val`.
        text: Of `--args-json`: an object, its values as the fields' own types.

    Raises:
        UsageError: They don't pair up, a name stands twice, or the text is no JSON object.
    """
    if len(names) != len(values):
        problem = f"{len(names)} --arg and {len(values)} --val: each name needs its value"
        raise UsageError(problem, "as in: --arg Start.name --val job1")
    args: dict[str, Any] = {}
    pairs: list[tuple[str, Any]] = list(zip(names, values, strict=True))
    for name, value in (*pairs, *(_from_json(text) if text is not None else ())):
        if name in args:
            raise UsageError(f"argument {name!r} is given twice", "give it once")
        args[name] = value
    return args


def _from_json(text: str) -> list[tuple[str, Any]]:
    hint = """as in: --args-json '{"Start.name": "job1"}'"""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UsageError(f"--args-json is no JSON: {error}", hint) from None
    if not isinstance(data, dict):
        raise UsageError(f"--args-json is no JSON object: {text:.60}", hint)
    return list(data.items())


async def check_args(peers: Iterable[Peer], args: Mapping[str, Any]) -> None:
    """See that every machine takes these arguments, before anything is sent.

    A machine that can't be asked now isn't: its own answer will tell.

    Raises:
        UsageError: One doesn't; names what it does take.
    """
    if not any("." in name for name in args):
        return
    for about in await asyncio.gather(*map(_told, peers)):
        if about is not None:
            validate(about, args)


async def _told(peer: Peer) -> About | None:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await peer.about()
    except (RpcError, WireError, TimeoutError):
        return None


def validate(about: About, args: Mapping[str, Any]) -> None:
    """See that a machine takes these arguments, as far as its word tells.

    Raises:
        UsageError: An unknown type or field, or text that is none of the field's type.
    """
    types = {kind.name: kind for kind in about.args}
    for name, value in args.items():
        label, dot, field = name.partition(".")
        if not dot:
            continue
        kind = types.get(label)
        if kind is None:
            known = [f"{t.name}.{f.name}" for t in about.args for f in t.fields]
            problem = f"machine {about.id!r} takes no typed arguments {label!r}"
            raise UsageError(
                problem, _near(name, known) or _near(label, list(types)) or _all(known)
            )
        fields = {one.name: one for one in kind.fields}
        if field not in fields:
            known = [f"{label}.{one}" for one in fields]
            problem = f"arguments {label!r} of machine {about.id!r} have no field {field!r}"
            raise UsageError(problem, _near(name, known) or _all(known))
        _check_value(kind, fields[field], value)


def _check_value(kind: ArgType, field: ArgField, value: Any) -> None:
    """Refuse what can't be right; only the machine knows whether it is."""
    options = {option.strip() for option in field.type.split("|")}
    if not isinstance(value, str) or not options <= _PLAIN:
        return
    if not any(_reads_as(option, value) for option in options):
        problem = f"{kind.name}.{field.name} is {field.type}, not {value!r:.60}"
        raise UsageError(problem, f"its default is {field.default}" if field.default else "")


def _reads_as(option: str, text: str) -> bool:
    try:
        if option == "int":
            int(text, 0) if text.lower().lstrip("+-").startswith("0x") else int(text)
        elif option == "float":
            float(text)
        elif option == "bool":
            return text.lower() in _BOOLEANS
        elif option == "None":
            return text.lower() in ("", "null", "none")
    except ValueError:
        return False
    return True


def _near(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def _all(known: Sequence[str]) -> str:
    return f"it takes {', '.join(known)}" if known else "it takes plain names only: --arg name"
