"""Compares a state set with what the original has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.machine import Machine

if TYPE_CHECKING:
    from amctl.machine import States

__all__ = ["check_set"]

_CASES = Path(__file__).parents[1] / "cases" / "schemas.json"


def check_set(states: type[States], name: str) -> None:
    """Names in order, effective relations, groups and hash are those of the case `name`."""
    wanted = json.loads(_CASES.read_text(encoding="utf-8"))["machines"][name]
    machine = Machine("m", states)
    assert list(machine.names) == wanted["names"]
    assert {n: _effective(machine, n) for n in machine.names} == {
        n: _plain(raw) for n, raw in wanted["states"].items()
    }
    groups = {key: list(value) for key, value in machine.groups.items()}
    assert groups == wanted["groups"]
    assert machine.schema.hash == wanted["schema_hash"]
    assert machine.not_("Exception")


def _effective(machine: Machine, name: str) -> dict[str, Any]:
    return _plain(machine.schema[name].to_dict())


def _plain(raw: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in raw.items() if k not in ("normalisation_dropped", "tags")}
