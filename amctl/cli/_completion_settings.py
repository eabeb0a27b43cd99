"""Keys and values for `--set`."""

from __future__ import annotations

from amctl.cli._completion_tree import Candidate
from amctl.run.settings import KEYS, Key
from amctl.run.values import boolean, debugger_address, log_level

__all__ = ["settings"]

_VALUES = {id(boolean): ("1", "0"), id(debugger_address): ("1", "0"), id(log_level): "012345"}


def settings(current: str) -> list[Candidate]:
    """`KEY=` for all keys; behind a `=` the values that its kind has, and the key's default."""
    name, equals, _ = current.partition("=")
    if not equals:
        return [Candidate(f"{key.name}=", key.help) for key in KEYS.values()]
    key = KEYS.get(name)
    return [Candidate(f"{name}={value}", note) for value, note in _values(key)] if key else []


def _values(key: Key) -> list[tuple[str, str]]:
    words = list(_VALUES.get(id(key.kind), ()))
    default = [] if key.default in words or not key.default else [key.default]
    return [(word, "default" if word == key.default else "") for word in [*words, *default]]
