"""The door for spans, over HTTP: official exporters pass, garbage doesn't."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from starlette.applications import Starlette

from amctl.run.spans import intake as room
from amctl.run.spans.intake import PATH, SpanIntake
from amctl.run.spans.readable import readable_spans
from tests.run.spans.made import request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

JSON, PROTOBUF = {"content-type": "application/json"}, {"content-type": "application/x-protobuf"}


class Office:
    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.full = False

    def put(self, made: dict[str, Any]) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.taken.append(made)


@pytest.fixture
def office() -> Office:
    return Office()


def client_of(intake: SpanIntake) -> httpx.AsyncClient:
    app = Starlette(routes=[intake.route])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x")


@pytest.fixture
def client(office: Office) -> httpx.AsyncClient:
    return client_of(SpanIntake(office.put))


def text(made: dict[str, Any]) -> bytes:
    return json.dumps(made).encode()


async def test_json_is_taken(client: httpx.AsyncClient, office: Office) -> None:
    answer = await client.post(PATH, content=text(request("a")), headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    assert office.taken == [request("a")]


async def test_protobuf_is_taken(client: httpx.AsyncClient, office: Office) -> None:
    sent = encode_spans(readable_spans(request("a"))).SerializeToString()
    answer = await client.post(PATH, content=sent, headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"
    (found,) = office.taken
    assert found["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == "a"


async def test_gzip_is_taken(client: httpx.AsyncClient, office: Office) -> None:
    headers = {**JSON, "content-encoding": "gzip"}
    answer = await client.post(PATH, content=gzip.compress(text(request("a"))), headers=headers)
    assert answer.status_code == 200
    assert office.taken == [request("a")]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"nonsense", JSON, 400),
        (b"nonsense", PROTOBUF, 400),
        (b"nonsense", {**JSON, "content-encoding": "gzip"}, 400),
        (gzip.compress(b"{}", mtime=0)[:-9], {**JSON, "content-encoding": "gzip"}, 400),
        (b"{}", {**JSON, "content-encoding": "br"}, 415),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"{}", {}, 415),
    ],
)
async def test_what_is_refused_says_why(
    client: httpx.AsyncClient, office: Office, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await client.post(PATH, content=content, headers=headers)
    assert answer.status_code == status
    assert len(answer.content) > 10
    assert office.taken == []


async def test_only_post_is_answered(client: httpx.AsyncClient) -> None:
    assert (await client.get(PATH)).status_code == 405


async def test_long_bodies_are_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b" " * 60
        yield b" " * 60

    monkeypatch.setattr(room, "_BODY", 100)
    assert (await client.post(PATH, content=b" " * 101, headers=JSON)).status_code == 413
    assert (await client.post(PATH, content=parts(), headers=JSON)).status_code == 413


async def test_bombs_are_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_UNPACKED", 10_000)
    bomb = gzip.compress(b" " * 1_000_000)
    answer = await client.post(PATH, content=bomb, headers={**JSON, "content-encoding": "gzip"})
    assert answer.status_code == 413


async def test_a_full_disk_asks_senders_to_come_back(
    client: httpx.AsyncClient, office: Office
) -> None:
    office.full = True
    answer = await client.post(PATH, content=text(request("a")), headers=JSON)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "No space left" in answer.json()["message"]


async def test_too_many_at_once_are_asked_to_come_back(office: Office) -> None:
    client = client_of(SpanIntake(office.put, most=0))
    answer = await client.post(PATH, content=text(request("a")), headers=PROTOBUF)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert office.taken == []
