"""The JSON Schema is the parser's own models, and the committed file is current."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amctl.repl.playbook.jsonschema import schema, schema_text
from amctl.repl.playbook.models import ACTIONS
from tests.support.house import ROOT

PLAYBOOKS = ROOT / "docs" / "playbooks"


def test_the_committed_file_is_current() -> None:
    """Else: amctl play --schema -o docs/playbooks/schema.json."""
    assert (PLAYBOOKS / "schema.json").read_text(encoding="utf-8") == schema_text()


def test_every_reference_leads_somewhere() -> None:
    found = schema()
    names = {part.split('"')[0] for part in schema_text().split('"$ref": "#/$defs/')[1:]}
    assert names == {*found["$defs"]}


def test_a_task_has_exactly_one_action() -> None:
    task: dict[str, Any] = schema()["$defs"]["Task"]
    assert [rule["required"] for rule in task["oneOf"]] == [[action] for action in ACTIONS]
    assert task["additionalProperties"] is False
    assert "if" in task["properties"]
    assert "assert" in task["properties"]


def test_every_field_says_what_it_is_for() -> None:
    """An editor shows it."""
    silent = []
    for name, model in schema()["$defs"].items():
        for field, rules in model["properties"].items():
            if "description" not in json.dumps(rules):
                silent.append(f"{name}.{field}")
    assert silent == []


@pytest.mark.parametrize("path", sorted(PLAYBOOKS.glob("*.yml")), ids=lambda path: path.name)
def test_every_example_names_its_schema(path: Any) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=schema.json"
