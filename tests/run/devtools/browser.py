"""A browser's debugging door without a browser: pages and workers that never are busy."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.server import ServerConnection

__all__ = ["FakeBrowser", "fake_browser"]

TREE = {
    "": [("ui", "page", "a menu", "chrome://menu/"), ("p", "page", "Run", "http://127.0.0.1:1/")],
    "p": [("w1", "worker", "browser2", "http://127.0.0.1:1/worker.js")],
    "w1": [("w2", "worker", "browser3", "http://127.0.0.1:1/worker.js")],
}
"""Session -> its targets: session, type, title, address."""


class FakeBrowser:
    """Answers as Chromium does."""

    def __init__(self) -> None:
        self.address = ""
        self.calls: list[tuple[str, str]] = []
        """Method and session."""
        self.answers: dict[str, Any] = {"Profiler.stop": {"profile": {"nodes": [1]}}}
        """Method -> its result; an exception is a refusal."""
        self.leaves_at = ""
        """Method at which it hangs up."""
        self.silent_at = ""
        """Method that it never answers."""

    async def serve(self, connection: ServerConnection) -> None:
        """One connection."""
        async for text in connection:
            asked = json.loads(text)
            method, session = asked["method"], asked.get("sessionId", "")
            self.calls.append((method, session))
            if method == self.leaves_at:
                return
            if method == "Target.setAutoAttach":
                for inner, kind, title, url in TREE.get(session, ()):
                    target = {"type": kind, "title": title, "url": url}
                    params = {"sessionId": inner, "targetInfo": target}
                    event = {"method": "Target.attachedToTarget", "params": params}
                    await connection.send(json.dumps(event | {"sessionId": session}))
            answer = self.answers.get(method, {})
            told = (
                {"error": {"code": -1, "message": str(answer)}}
                if isinstance(answer, Exception)
                else {"result": answer}
            )
            if method != self.silent_at:
                await connection.send(json.dumps({"id": asked["id"], **told}))


@contextlib.asynccontextmanager
async def fake_browser() -> AsyncIterator[FakeBrowser]:
    """One that listens while the context lasts."""
    made = FakeBrowser()
    async with serve(made.serve, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        made.address = f"ws://127.0.0.1:{port}/devtools/browser/x"
        yield made
