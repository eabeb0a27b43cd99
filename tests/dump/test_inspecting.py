"""Transitions that are asked for."""

from __future__ import annotations

import json
import re

import pytest

from amctl.dump.inspecting import Query, entry_json, search
from amctl.machine.lines import LogLine
from amctl.telemetry.messages import SchemaMsg, TxMsg
from tests.support.recordings import BEGAN, lamp

MS = 10**6


def found(query: Query) -> list[str]:
    dump = lamp()
    dump.write(SchemaMsg("other", ("A",), {}))
    logs = (LogLine(2, "[state] +Secret"),)
    dump.write(TxMsg("other", "ff", (1,), called=(0,), time_ns=BEGAN + 9 * MS, logs=logs))
    return [f"{entry.tx.machine_id}/{entry.tx.id[-2:]}" for entry in search(dump, query)]


ALL = ["lamp/01", "lamp/02", "lamp/03", "other/ff"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (Query(), ALL),
        (Query(["other"]), ALL[3:]),
        (Query([]), []),
        (Query(since_ns=BEGAN + 2 * MS, until_ns=BEGAN + 9 * MS), ALL[1:3]),
        (Query(pattern=re.compile("canceled")), ALL[2:3]),
        (Query(pattern=re.compile("Secret|hand=left")), [ALL[1], ALL[3]]),
        (Query(pattern=re.compile("^other$")), ALL[3:]),
        (Query(pattern=re.compile("0002$")), ALL[1:2]),
        (Query(tx="ff"), ALL[3:]),
    ],
)
def test_what_is_asked_for_is_found(query: Query, ids: list[str]) -> None:
    assert found(query) == ids


def test_what_is_left_out_counts_for_what_changed() -> None:
    entries = list(search(lamp(), Query(since_ns=BEGAN + 2 * MS)))
    assert entries[0].changes.text(entries[0].names) == "+On +Warm -Off"
    assert entries[0].position == 1


def test_the_document_names_what_happened() -> None:
    _, second, third = [entry_json(entry) for entry in search(lamp(), Query())]
    second = json.loads(json.dumps(second))
    steps = second.pop("steps")
    assert steps[0] == {"type": "called", "target": "On"}
    assert second == {
        "machine": "lamp",
        "id": f"{2:016x}",
        "position": 1,
        "type": "add",
        "called": ["On"],
        "accepted": True,
        "time_ns": BEGAN + 2 * MS,
        "clocks": [1, 1, 2, 1, 0, 0],
        "args": {"hand": "left"},
        "source": {"machine": "person", "tx": "00000000000000aa", "time": 7},
        "added": ["On", "Warm"],
        "removed": ["Off"],
        "ticked": [],
        "active": ["Plugged", "On", "Warm"],
    }
    assert third["accepted"] is False
