"""The JSON Schema of playbooks, for editors, made of the very models that the parser uses."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from amctl.repl.playbook.models import ACTIONS, Play, Task

__all__ = ["schema", "schema_text"]


def schema() -> dict[str, Any]:
    """The schema of a file: a list of plays, or of tasks for an included one."""
    found, components = msgspec.json.schema_components(
        (list[Play], list[Task]), ref_template="#/$defs/{name}"
    )
    plays, tasks = found
    defs: dict[str, Any] = dict(components)
    # what no class can say, and the parser checks by itself: a task does exactly one thing
    defs["Task"] = {**defs["Task"], "oneOf": [{"required": [action]} for action in ACTIONS]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "amctl playbook",
        "description": "What `amctl play` runs: a list of plays; an included file lists tasks.",
        "anyOf": [{**plays, "minItems": 1}, {**tasks, "minItems": 1}],
        "$defs": defs,
    }


def schema_text() -> str:
    """The same as it is committed: docs/playbooks/schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
