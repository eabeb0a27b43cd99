"""What a run traces, and where its spans go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from amctl.run.errors import SettingsError
from amctl.run.settings import load_settings
from amctl.run.spans.tracing import RunTracing, otel_options
from amctl.telemetry.otelfilter import OtelOptions
from tests.run.spans.made import request

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.run.settings import Settings


def settings(home: Path, *sets: str) -> Settings:
    return load_settings("/dev/null", sets, environ={}, home=home)


def tracing(home: Path, *sets: str, jaeger: bool = False) -> RunTracing:
    return RunTracing(
        settings(home, *sets), home, "traces.jsonl", tell=print, jaeger=lambda place: jaeger
    )


@pytest.mark.parametrize("off", ["0", "no", "False", "off", ""])
def test_switches_that_are_off_are_off(off: str) -> None:
    found = otel_options({"AM_OTEL_TRACE_TXS": off, "AM_RPC_DBG": off, "AM_OTEL_TRACE_NOAUTO": off})
    assert found == OtelOptions(transitions=False)


def test_lists_and_expressions_are_texts() -> None:
    found = otel_options({"AM_OTEL_TRACE_SKIP_STATES": "0", "AM_OTEL_TRACE_SKIP_STATES_RE": "no"})
    assert (found.skip, found.skip_re) == (("0",), "no")


def test_a_bad_expression_is_a_setting_that_isnt_allowed() -> None:
    with pytest.raises(SettingsError, match="AM_OTEL_TRACE_ALLOW_STATES_RE"):
        otel_options({"AM_OTEL_TRACE_ALLOW_STATES_RE": "("})


def test_the_plan_for_nodes_is_plain_json(tmp_path: Path) -> None:
    plan = tracing(tmp_path, "AM_OTEL_TRACE_SKIP_STATES=A,b:C").plan()
    assert json.loads(json.dumps(plan)) == plan
    assert plan["skip"] == ["A", "b:C"]


async def test_spans_go_to_the_file_alone(tmp_path: Path) -> None:
    made = tracing(tmp_path)
    await made.post(json.dumps(request("a", "b")))
    with pytest.raises(ValueError, match="no OTLP JSON"):
        await made.post("nonsense")
    await made.close()
    result = made.result(lost=1)
    assert (result.spans, result.lost, result.receiver, result.url) == (2, 1, "", "")
    assert len((tmp_path / "traces.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("sets", "jaeger", "receiver"),
    [
        ((), True, "http://127.0.0.1:4318"),
        (("OTEL_EXPORTER_OTLP_ENDPOINT=http://far:1",), True, "http://far:1"),
        (("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://far:1/x",), False, "http://far:1/x"),
    ],
)
def test_a_receiver_is_a_setting_or_jaeger(
    tmp_path: Path, sets: tuple[str, ...], jaeger: bool, receiver: str
) -> None:
    made = tracing(tmp_path, *sets, jaeger=jaeger)
    made.trace_id = "ab" * 16
    assert made.receiver == receiver
    is_jaegers = jaeger and not sets
    assert made.url == (f"http://localhost:16686/trace/{'ab' * 16}" if is_jaegers else "")


async def test_what_a_receiver_took_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fake:
        def __init__(self, *args: Any) -> None:
            self.sent = self.lost = 0

        def put(self, made: dict[str, Any]) -> None:
            self.sent += 1

        async def close(self, grace: float) -> None:
            self.lost += 1

    monkeypatch.setattr("amctl.run.spans.tracing.Forwarder", Fake)
    made = tracing(tmp_path, jaeger=True)
    await made.post(json.dumps(request("a")))
    await made.close()
    result = made.result(0)
    assert (result.sent, result.unsent, result.receiver) == (1, 1, "http://127.0.0.1:4318")
