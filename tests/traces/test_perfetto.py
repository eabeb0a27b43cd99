"""Perfetto's JSON, against a checker of the Trace Event format.

The checker holds what the format's document asks for, and what Perfetto's importer drops else:
slices of a thread nest, asynchronous ones are closed, arrows begin in a slice, end in a later one.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from amctl.traces.perfetto import perfetto_document
from tests.traces.made import HOSTILE, Maker, recorded, traces

if TYPE_CHECKING:
    from amctl.traces.model import Trace

FIELDS = {
    "X": {"name", "cat", "ts", "dur", "pid", "tid", "args"},
    "b": {"name", "cat", "ts", "id", "pid", "tid", "args"},
    "e": {"name", "cat", "ts", "id", "pid", "tid"},
    "i": {"name", "cat", "ts", "s", "pid", "tid", "args"},
    "s": {"name", "cat", "ts", "id", "pid", "tid"},
    "f": {"name", "cat", "ts", "id", "pid", "tid", "bp"},
    "M": {"name", "cat", "pid", "tid", "args"},
}
META = {
    "process_name": "name",
    "thread_name": "name",
    "process_sort_index": "sort_index",
    "thread_sort_index": "sort_index",
}


def ns(micros: float) -> int:
    return round(micros * 1000)


def faults(document: dict[str, Any]) -> list[str]:
    """What is wrong with a document; empty if nothing is."""
    document = json.loads(json.dumps(document, allow_nan=False))
    events = document["traceEvents"]
    found = [text for event in events for text in field_faults(event)]
    if not found:
        found = [*nesting_faults(events), *pair_faults(events), *arrow_faults(events)]
        found += name_faults(events)
    return found


def field_faults(event: dict[str, Any]) -> list[str]:
    phase = event.get("ph")
    if phase not in FIELDS:
        return [f"unknown phase {phase!r}"]
    if event.keys() - {"ph"} != FIELDS[phase]:
        return [f"{phase}: {sorted(event.keys() ^ (FIELDS[phase] | {'ph'}))}"]
    wrong = [key for key in ("ts", "dur") if key in event and not is_time(event[key])]
    wrong += [key for key in ("pid", "tid") if not isinstance(event[key], int)]
    wrong += [key for key in ("name", "cat") if not isinstance(event[key], str)]
    if phase == "M" and META[event["name"]] not in event["args"]:
        wrong.append(event["name"])
    return [f"{phase}: bad {key}" for key in wrong]


def is_time(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0


def threads(events: list[dict[str, Any]]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for event in events:
        if event["ph"] == "X":
            start = ns(event["ts"])
            found.setdefault((event["pid"], event["tid"]), []).append(
                (start, start + ns(event["dur"]))
            )
    return found


def nesting_faults(events: list[dict[str, Any]]) -> list[str]:
    wrong = []
    for thread, slices in threads(events).items():
        over: list[int] = []
        for start, end in sorted(slices, key=lambda one: (one[0], -one[1])):
            while over and over[-1] <= start:
                over.pop()
            if over and end > over[-1]:
                wrong.append(f"slices cross on {thread} at {start}")
            over.append(end)
    return wrong


def pair_faults(events: list[dict[str, Any]]) -> list[str]:
    over: dict[tuple[Any, ...], float] = {}
    wrong = []
    for event in sorted(events, key=lambda one: one.get("ts", 0)):
        key = (event["pid"], event["cat"], event.get("id"), event["name"])
        if event["ph"] == "b":
            if key in over:
                wrong.append(f"{key} begins twice")
            over[key] = event["ts"]
        elif event["ph"] == "e" and key not in over:
            wrong.append(f"{key} ends, but never began")
        elif event["ph"] == "e":
            del over[key]
    return wrong + [f"{key} never ends" for key in over]


def arrow_faults(events: list[dict[str, Any]]) -> list[str]:
    slices = threads(events)
    ends: dict[int, list[dict[str, Any]]] = {}
    wrong = []
    for event in events:
        if event["ph"] in "sf":
            ends.setdefault(event["id"], []).append(event)
            at = ns(event["ts"])
            here = slices.get((event["pid"], event["tid"]), [])
            if not any(start <= at <= end for start, end in here):
                wrong.append(f"arrow {event['id']} touches no slice")
    for id, both in ends.items():
        if [event["ph"] for event in both] != ["s", "f"]:
            wrong.append(f"arrow {id} has not two ends")
        elif both[0]["ts"] > both[1]["ts"]:
            wrong.append(f"arrow {id} leads back in time")
        elif len({(event["name"], event["cat"]) for event in both}) > 1:
            wrong.append(f"arrow {id} changes its name")
    return wrong


def name_faults(events: list[dict[str, Any]]) -> list[str]:
    named = Counter(
        (event["name"], event["pid"], event["tid"]) for event in events if event["ph"] == "M"
    )
    wrong = [f"{key} is named {count} times" for key, count in named.items() if count > 1]
    for event in events:
        if event["ph"] == "M":
            continue
        if not named["process_name", event["pid"], 0]:
            wrong.append(f"process {event['pid']} has no name")
        if not named["thread_name", event["pid"], event["tid"]]:
            wrong.append(f"thread {event['tid']} has no name")
    return wrong


def test_the_checker_finds_faults() -> None:
    def slice_(ts: float, dur: float) -> dict[str, Any]:
        common = {"cat": "c", "pid": 1, "tid": 1, "args": {}}
        return {"ph": "X", "name": "n", "ts": ts, "dur": dur, **common}

    def end(phase: str, ts: float, **more: Any) -> dict[str, Any]:
        return {"ph": phase, "name": "n", "cat": "c", "pid": 1, "tid": 1, "id": 1, "ts": ts, **more}

    common = {"cat": "__metadata", "pid": 1}
    names = [
        {"ph": "M", "name": "process_name", "tid": 0, "args": {"name": "p"}, **common},
        {"ph": "M", "name": "thread_name", "tid": 1, "args": {"name": "t"}, **common},
    ]
    good = [*names, slice_(0, 5), slice_(1, 2), slice_(5, 1)]
    assert faults({"traceEvents": good}) == []
    for bad in (
        [slice_(4, 2)],
        [slice_(-1, 1)],
        [{"ph": "?"}],
        [end("e", 1)],
        [end("b", 1, args={})],
        [end("s", 1)],
        [end("s", 3), end("f", 2, bp="e")],
        [end("s", 3), end("f", 99, bp="e")],
        [{**slice_(0, 1), "pid": 9}],
        [names[0]],
    ):
        assert faults({"traceEvents": good + bad}), bad


def test_a_real_run_is_without_fault() -> None:
    document = perfetto_document(recorded())
    assert faults(document) == []
    events = document["traceEvents"]
    processes = [e["args"]["name"] for e in events if e["name"] == "process_name"]
    assert processes == list(recorded().services)
    names = {e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert names == {f"{m} {k}" for m in processes for k in ("states", "transitions")}
    slices = [e for e in events if e["ph"] in "Xb"]
    drawn = [s for s in recorded().spans if s.duration_ns or "am.tx_id" in s.attributes]
    assert {e["args"]["span"] for e in slices} == {span.span_id for span in drawn}


def test_arrows_lead_from_causes_in_other_services() -> None:
    events = perfetto_document(recorded())["traceEvents"]
    begins = {e["id"]: e["pid"] for e in events if e["ph"] == "s"}
    ends = {e["id"]: e["pid"] for e in events if e["ph"] == "f"}
    assert begins.keys() == ends.keys()
    by_id = {span.span_id: span for span in recorded().spans}
    causes = [
        (by_id[link.span_id], span)
        for span in recorded().spans
        for link in span.links
        if link.kind == "source"
    ]
    assert len(begins) == len(causes)
    across = sum(a.service is not b.service for a, b in causes)
    assert across
    assert sum(begins[id] != ends[id] for id in begins) == across


def test_times_keep_nanoseconds() -> None:
    made = Maker()
    made.add("a", 0.000001, 0.000003)
    made.add("b", 0.000002, 5e7)
    slices = [e for e in perfetto_document(made.trace())["traceEvents"] if e["ph"] == "X"]
    assert [(e["ts"], e["dur"]) for e in slices] == [(0, 0.003), (0.001, 5e10)]
    assert len({e["tid"] for e in slices}) == 2


def test_states_of_several_machines_of_a_service_keep_apart() -> None:
    made = Maker()
    top, states, _ = made.machine("lamp")
    group = made.add("0:submachines", parent=top)
    _, inner, _ = made.machine("bulb", 1, parent=group)
    for number, parent in enumerate((states, inner)):
        name = made.add(f"{number}:On", parent=parent)
        made.add(f"{number}:On", 1, 2, parent=name)
    events = perfetto_document(made.trace())["traceEvents"]
    assert [e["name"] for e in events if e["ph"] == "b"] == ["On", "bulb: On"]


@pytest.mark.slow
@settings(max_examples=60)
@given(traces())
def test_any_trace_is_without_fault(trace: Trace) -> None:
    assert faults(perfetto_document(trace)) == []


def test_hostile_names_are_just_names() -> None:
    made = Maker()
    for name in HOSTILE:
        made.add(name, 0, 1, service=name, **{name: name})
    assert faults(perfetto_document(made.trace())) == []
