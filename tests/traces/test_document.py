"""The JSON of `amctl traces show`."""

from __future__ import annotations

import json

from amctl.traces.document import document
from amctl.traces.outline import Outline
from amctl.traces.picking import Filters
from amctl.traces.waterfall import Look, Waterfall
from tests.traces.made import Maker, recorded


def test_it_has_every_span_of_a_real_run() -> None:
    trace = recorded()
    made = document(Waterfall(Outline(trace), Filters(everything=True), Look()))
    assert {one["span_id"] for one in made["spans"]} == {span.span_id for span in trace.spans}
    assert (made["trace_id"], made["services"]) == (trace.trace_id, list(trace.services))
    causes = [one for one in made["spans"] if any(x["kind"] == "source" for x in one["links"])]
    assert causes
    assert all(one["kind"] == "transition" and one["machine"] for one in causes)


def test_it_holds_what_is_shown_and_nothing_that_json_can_not() -> None:
    made = Maker()
    made.add("a", 0, 1, error="bad", x=float("nan"), y=b"\x01")
    made.add("b", 1, 1)
    wanted = Filters(errors=True)
    found = document(Waterfall(Outline(made.trace()), wanted, Look()))
    (span,) = found["spans"]
    assert (span["status"], span["message"], span["start_ms"]) == ("error", "bad", 0)
    assert span["attributes"] == {"am.x": "nan", "am.y": "AQ=="}
    assert json.dumps(found, allow_nan=False)
