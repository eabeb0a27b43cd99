"""The door for spans: POST /v1/traces, OTLP/HTTP in JSON or protobuf.

Whoever mounts the route puts the authorisation around it. Answers are OTLP's: an empty response for
what was taken, a status with a sentence for what wasn't. Work is done request by request; while too
many wait, or the disk is full, senders are asked to come back.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import zlib
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from amctl.run.spans.wire import BadSpansError, from_json, from_protobuf

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from starlette.requests import Request

__all__ = ["PATH", "SpanIntake"]

PATH = "/v1/traces"
_JSON, _PROTOBUF = "application/json", "application/x-protobuf"
_BODY = 4 << 20
_UNPACKED = 16 << 20
_AT_ONCE = 16
_RETRY = 1
"""Seconds after which a sender may come back."""
_log = logging.getLogger("amctl.run.spans")


class _RefusedError(Exception):
    def __init__(self, status: int, problem: str) -> None:
        super().__init__(status, problem)
        self.status, self.problem = status, problem


class SpanIntake:
    """Takes requests and hands them on as checked OTLP JSON.

    Args:
        put: Gets each one. OSError means that it can't be kept now.
        most: Requests that are read at the same time.
    """

    def __init__(self, put: Callable[[dict[str, Any]], object], *, most: int = _AT_ONCE) -> None:
        self._put, self._most, self._reading = put, most, 0
        self.route = Route(PATH, self._serve, methods=["POST"])

    async def _serve(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if self._reading >= self._most:
            return _no(kind, 429, "too many requests at once")
        self._reading += 1
        try:
            body = await _body(request)
            self._put(_parsed(kind, _unpacked(request, body)))
        except _RefusedError as refused:
            _log.info("spans were refused: %s", refused.problem)
            return _no(kind, refused.status, refused.problem)
        except OSError as error:
            return _no(kind, 503, f"spans can't be kept: {error.strerror or error}")
        finally:
            self._reading -= 1
        if kind == _PROTOBUF:
            return Response(b"", media_type=_PROTOBUF)
        return Response(b"{}", media_type=_JSON)


async def _body(request: Request) -> bytes:
    """All of it, unless it is too long."""
    size = request.headers.get("content-length", "")
    if size.isdecimal() and int(size) > _BODY:
        raise _RefusedError(413, f"{size} bytes, more than {_BODY}")
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > _BODY:
            raise _RefusedError(413, f"more than {_BODY} bytes")
    return bytes(found)


def _unpacked(request: Request, body: bytes) -> bytes:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise _RefusedError(415, f"content-encoding {encoding!r:.40}: identity or gzip")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            found = file.read(_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _RefusedError(400, f"no gzip: {error}") from error
    if len(found) > _UNPACKED:
        raise _RefusedError(413, f"more than {_UNPACKED} bytes unpacked")
    return found


def _parsed(kind: str, body: bytes) -> dict[str, Any]:
    try:
        if kind == _PROTOBUF:
            return from_protobuf(body)
        if kind == _JSON:
            return from_json(body)
    except BadSpansError as error:
        raise _RefusedError(400, str(error)) from error
    raise _RefusedError(415, f"content-type {kind!r:.40}: {_JSON} or {_PROTOBUF}")


def _no(kind: str, status: int, problem: str) -> Response:
    """OTLP wants google.rpc.Status, in the request's encoding."""
    headers = {"Retry-After": str(_RETRY)} if status in (429, 503) else {}
    if kind == _PROTOBUF:
        text = problem.encode()[:100]
        # field 2, length-delimited: the message
        return Response(bytes((0x12, len(text))) + text, status, headers, media_type=_PROTOBUF)
    return Response(json.dumps({"message": problem}), status, headers, media_type=_JSON)
