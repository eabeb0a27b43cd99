"""What the page asks before its threads have joined."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from amctl.run.boot import BURST, MAX_BODY, MAX_TEXT, BrowserLog, boot_routes


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def body(text: Any = "x", node: Any = "browser1", level: Any = "error") -> bytes:
    return json.dumps({"node": node, "level": level, "text": text}).encode()


def test_a_report_is_logged_with_the_nodes_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert BrowserLog(["browser1"]).report(body("boom")) == 204
    (record,) = caplog.records
    assert record.getMessage() == "[browser1] boom"
    assert record.levelno == logging.ERROR


def test_an_unknown_name_is_not_believed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = BrowserLog(["browser1"])
    for node in ("root", ["browser1"], None):
        assert log.report(body(node=node)) == 204
    assert {r.getMessage() for r in caplog.records} == {"[unknown] x"}


def test_a_report_stays_one_line_of_bearable_length(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = BrowserLog(["browser1"])
    log.report(body("a\nINJECTED\x1b[31m"))
    log.report(body("y" * (MAX_TEXT + 10)))
    first, second = (r.getMessage() for r in caplog.records)
    assert first == "[browser1] a\\nINJECTED\\x1b[31m"
    assert len(second) < MAX_TEXT + 20


def test_the_gist_of_an_error_is_told() -> None:
    told: list[tuple[str, str]] = []
    log = BrowserLog(["browser1"], lambda node, gist: told.append((node, gist)))
    log.report(body("Traceback:\n  File x\nValueError: oh\x1b\n"))
    log.report(body("harmless", level="warning"))
    log.report(body("", node="evil"))
    assert told == [("browser1", "ValueError: oh\\x1b"), ("unknown", "")]


@pytest.mark.parametrize(
    "garbage", [b"", b"\xff", b"[]", b"{}", b'{"text": 1}', b"[" * 5000, body(text=None)]
)
def test_garbage_is_refused(garbage: bytes) -> None:
    assert BrowserLog(["browser1"]).report(garbage) == 400


def test_an_oversized_report_is_refused() -> None:
    assert BrowserLog([]).report(b"x" * (MAX_BODY + 1)) == 413


def test_a_flood_is_dropped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    log = BrowserLog(["browser1"], clock=clock)
    answers = [log.report(body()) for _ in range(BURST + 5)]
    assert answers.count(429) == 5
    clock.now += 1
    caplog.clear()
    assert log.report(body("later")) == 204
    assert next(r.getMessage() for r in caplog.records).startswith("5 reports dropped")


def client(manifest: dict[str, Any] | None) -> httpx.AsyncClient:
    def read() -> dict[str, Any]:
        if manifest is None:
            raise FileNotFoundError
        return manifest

    app = Starlette(routes=boot_routes(lambda: {"threads": 4}, read, ["browser1"]))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")


async def test_boot_json_holds_plan_and_bundle_and_is_never_cached() -> None:
    answer = await client({"files": []}).get("/boot.json")
    assert answer.json() == {"plan": {"threads": 4}, "bundle": {"files": []}}
    assert answer.headers["cache-control"] == "no-store"


async def test_without_a_bundle_the_page_is_told_what_to_do() -> None:
    answer = await client(None).get("/boot.json")
    assert answer.status_code == 503
    assert "amctl build" in answer.text


async def test_log_route_answers_with_the_status_alone() -> None:
    assert (await client({}).post("/log", content=body())).status_code == 204
    assert (await client({}).post("/log", content=b"?")).status_code == 400
