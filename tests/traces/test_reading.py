"""Files of traces: every form, damage, and what is left out."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.traces.errors import TraceFormatError, TraceNotFoundError
from amctl.traces.jaegerjson import jaeger_document
from amctl.traces.otlp import otlp_document
from amctl.traces.reading import Tally, iso_time, load, summaries
from tests.traces.made import BEGAN, CASE, TRACE, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.traces.model import Trace

OTHER = "1" * 32


def raw(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "name": "x",
        "startTimeUnixNano": str(BEGAN),
        "endTimeUnixNano": str(BEGAN + 5),
        **more,
    }


def line(*spans: Any, service: str = "s", **about: Any) -> str:
    pairs = {"service.name": {"stringValue": service}, **about}
    attributes = [{"key": key, "value": value} for key, value in pairs.items()]
    scopes = [{"scope": {"name": service}, "spans": list(spans)}]
    resource = {"resource": {"attributes": attributes}, "scopeSpans": scopes}
    return json.dumps({"resourceSpans": [resource]}) + "\n"


def lay(tmp_path: Path, text: str | bytes, name: str = "t.jsonl") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path, prefix: str = "", **more: Any) -> tuple[list[Trace], Tally]:
    tally = Tally()
    return load([path], prefix, tally, **more), tally


def one(tmp_path: Path, **more: Any) -> Any:
    (trace,), _ = read(lay(tmp_path, line(raw(**more))))
    return trace.spans[0]


class TestForms:
    def test_a_real_run_is_one_trace_of_five_services(self) -> None:
        trace = recorded()
        assert len(trace.spans) == 368
        assert set(trace.services) == {"orchestrator", *(f"browser{n}" for n in range(1, 5))}

    def test_one_object_over_many_lines(self, tmp_path: Path) -> None:
        text = json.dumps(otlp_document(recorded()), indent=2)
        (trace,), tally = read(lay(tmp_path, text))
        assert trace == recorded()
        assert not list(tally.told("f"))

    @pytest.mark.parametrize("indent", [None, 1])
    def test_jaegers_json_has_all_but_nanoseconds(self, tmp_path: Path, indent: int | None) -> None:
        text = json.dumps(jaeger_document(recorded()), indent=indent)
        (trace,), _ = read(lay(tmp_path, text))
        assert len(trace.spans) == len(recorded().spans)
        ours = {span.span_id: span for span in recorded().spans}
        for span in trace.spans:
            same = ours[span.span_id]
            assert (span.name, span.parent_id, span.status) == (
                same.name,
                same.parent_id,
                same.status,
            )
            assert span.service == same.service
            assert span.attributes == same.attributes
            assert (span.scope, span.kind) == (same.scope, same.kind)
            assert [event.name for event in span.events] == [event.name for event in same.events]
            assert {link.span_id for link in span.links} == {link.span_id for link in same.links}
            assert span.start_ns // 1000 == same.start_ns // 1000

    def test_gzipped(self, tmp_path: Path) -> None:
        (trace,), _ = read(lay(tmp_path, gzip.compress(CASE.read_bytes())))
        assert trace == recorded()

    def test_lines_of_other_signals_are_no_damage(self, tmp_path: Path) -> None:
        text = '{"resourceLogs":[]}\n{}\n\n' + line(raw()) + '{"resourceMetrics":[]}\n'
        (trace,), tally = read(lay(tmp_path, text))
        assert (len(trace.spans), tally.bad_lines) == (1, 0)


class TestDamage:
    def test_half_a_last_line_is_being_written(self, tmp_path: Path) -> None:
        whole = line(raw(1)) + line(raw(2))
        for cut in range(len(line(raw(1))), len(whole) - 2):
            (trace,), tally = read(lay(tmp_path, whole[:cut]))
            assert (len(trace.spans), tally.bad_lines) == (1, 0)

    def test_only_half_a_line_is_no_trace_yet(self, tmp_path: Path) -> None:
        assert read(lay(tmp_path, line(raw())[:40])) == ([], Tally())
        assert read(lay(tmp_path, ""))[0] == []

    def test_damaged_lines_are_left_out_and_counted(self, tmp_path: Path) -> None:
        text = line(raw(1)) + "{oops\n" + "[" * 100_000 + "\n" + line(raw(2)) + "5\n"
        (trace,), tally = read(lay(tmp_path, text))
        assert len(trace.spans) == 2
        assert list(tally.told("f")) == ["f: 3 damaged lines left out"]

    @pytest.mark.parametrize("text", ['{"a": 1}', "hello\n", "[]\n", '{\n"a": 1}\n', "\x00\xff"])
    def test_what_is_no_trace_is_refused(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(TraceFormatError, match="it is no file of traces"):
            read(lay(tmp_path, text))

    def test_what_is_no_gzip_is_refused_and_a_cut_one_read(self, tmp_path: Path) -> None:
        zipped = gzip.compress(CASE.read_bytes())
        (trace,), tally = read(lay(tmp_path, zipped[: len(zipped) * 2 // 3]))
        assert 0 < len(trace.spans) < 368
        assert list(tally.told("f")) == ["f: the file ends too early; what came before is shown"]
        with pytest.raises(TraceFormatError):
            read(lay(tmp_path, b"\x1f\x8bno"))

    def test_missing_files_and_folders_say_so(self, tmp_path: Path) -> None:
        with pytest.raises(TraceNotFoundError, match="no such file"):
            read(tmp_path / "none")
        with pytest.raises(TraceNotFoundError, match=r"no traces\.jsonl in that folder"):
            read(tmp_path)

    @pytest.mark.parametrize(
        "bad",
        [
            7,
            {},
            raw(spanId="0" * 16),
            raw(spanId="xyz"),
            raw(traceId=None),
            raw(startTimeUnixNano="soon"),
            raw(startTimeUnixNano=[1]),
            raw(attributes=7),
            raw(attributes=[7]),
            raw(attributes=[{"key": "a", "value": {"intValue": "x"}}]),
            raw(links=[{"traceId": "1", "spanId": "2"}]),
            raw(events=[None]),
        ],
    )
    def test_damaged_spans_are_left_out_and_counted(self, tmp_path: Path, bad: Any) -> None:
        (trace,), tally = read(lay(tmp_path, line(raw(9), bad, raw(10))))
        assert len(trace.spans) == 2
        assert list(tally.told("f")) == ["f: 1 damaged span left out"]

    @given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
    def test_no_file_brings_another_error(self, tmp_path_factory: Any, text: bytes) -> None:
        path = tmp_path_factory.mktemp("any") / "t"
        path.write_bytes(text)
        try:
            read(path)
        except TraceFormatError:
            return
        assert summaries([path], Tally()) == []


class TestSpans:
    def test_duplicates_are_one(self, tmp_path: Path) -> None:
        (trace,), tally = read(lay(tmp_path, line(raw(1), raw(1)) + line(raw(1), raw(2))))
        assert (len(trace.spans), tally.doubles) == (2, 2)

    def test_values_of_every_type(self, tmp_path: Path) -> None:
        values: dict[str, Any] = {
            "s": {"stringValue": "t"},
            "i": {"intValue": "-5"},
            "j": {"intValue": 6},
            "d": {"doubleValue": 0.5},
            "n": {"doubleValue": "Infinity"},
            "b": {"boolValue": False},
            "y": {"bytesValue": "AAE="},
            "a": {"arrayValue": {"values": [{"intValue": 1}, {}]}},
            "k": {"kvlistValue": {"values": [{"key": "z", "value": {"boolValue": True}}]}},
            "e": {},
        }
        span = one(tmp_path, attributes=[{"key": k, "value": v} for k, v in values.items()])
        assert dict(span.attributes) == {
            "s": "t",
            "i": -5,
            "j": 6,
            "d": 0.5,
            "n": float("inf"),
            "b": False,
            "y": b"\x00\x01",
            "a": [1, None],
            "k": {"z": True},
            "e": None,
        }

    def test_what_the_protocol_allows_besides(self, tmp_path: Path) -> None:
        span = one(
            tmp_path,
            traceId="CvdlGRbNQ92ESOshHIAxnA==",
            spanId="00F067AA0BA902B7",
            parentSpanId="0000000000000000",
            kind="SPAN_KIND_SERVER",
            status={"code": "STATUS_CODE_ERROR"},
            startTimeUnixNano=BEGAN,
        )
        assert (span.trace_id, span.span_id) == (TRACE, "00f067aa0ba902b7")
        assert (span.parent_id, span.kind, span.status) == ("", 2, 2)

    def test_a_span_that_never_ended_has_no_duration(self, tmp_path: Path) -> None:
        assert one(tmp_path, endTimeUnixNano="0").duration_ns == 0

    def test_only_asked_traces_are_kept_and_only_so_many_spans(self, tmp_path: Path) -> None:
        path = lay(tmp_path, line(raw(1), raw(2, traceId=OTHER), raw(3)))
        (trace,), _ = read(path, OTHER[:3])
        assert trace.trace_id == OTHER
        found, tally = read(path, most=2)
        assert (sum(len(one.spans) for one in found), tally.over) == (2, 1)
        assert "1 more" in next(iter(tally.told("f")))

    def test_losses_of_the_makers_are_told_once(self, tmp_path: Path) -> None:
        dropped = {"am.dropped_spans": {"intValue": "3"}, "am.last": {"boolValue": True}}
        path = lay(tmp_path, line(raw(1), raw(2), **dropped) + line(raw(3)))
        (trace,), _ = read(path)
        assert trace.lost == 3
        assert len({id(span.service) for span in trace.spans}) == 1
        assert summaries([path], Tally())[0].lost == 3


class TestSummaries:
    def test_they_agree_with_what_is_loaded(self) -> None:
        (about,), trace = summaries([CASE], Tally()), recorded()
        assert about.to_json() == {
            "trace_id": trace.trace_id,
            "started": iso_time(trace.started_ns),
            "spans": 368,
            "services": list(trace.services),
            "duration_ms": round((trace.ended_ns - trace.started_ns) / 1e6, 3),
            "errors": 0,
            "lost": 0,
        }
        assert list(about.to_json())[:4] == ["trace_id", "started", "spans", "services"]

    def test_the_last_to_begin_comes_first(self, tmp_path: Path) -> None:
        later = raw(2, traceId=OTHER, startTimeUnixNano=str(BEGAN + 9))
        found = summaries([lay(tmp_path, line(raw(1), later))], Tally())
        assert [one.trace_id for one in found] == [OTHER, TRACE]

    def test_a_time_that_no_calendar_holds_is_1970(self) -> None:
        assert iso_time(10**30) == "1970-01-01T00:00:00.000000Z"
        assert iso_time(BEGAN + 1_500) == "2023-11-14T22:13:20.000001Z"
