"""The page with a made-up run behind it, and no Python in it.

`python -m tests.support.fake_page [--port N] [--dag four|seven|thirty] [--speed X] [--fail]`
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from amctl.run.events import EventFeed
from tests.support.fake_run import FakeRun
from tests.support.web_server import serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

__all__ = ["WEB", "FakePage"]

WEB = Path(__file__).parents[2] / "web"
CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"


class FakePage:
    """Serves the page as strictly as the relay does; `status` other than 200 refuses /events."""

    def __init__(self, run: FakeRun) -> None:
        self.run = run
        self.status = 200
        self.streams = 0
        self._stream = EventFeed(run.recorder).routes[0].endpoint
        self.app = self._app()

    def _app(self) -> Starlette:
        names = {"/": "index.html", "/style.css": "style.css", "/app.js": "app.js"}
        files = [Route(path, self._file(WEB / name)) for path, name in names.items()]
        loader = Route("/loader.js", lambda _: Response(b"", media_type="text/javascript"))
        return Starlette(routes=[*files, loader, Route("/events", self._events)])

    def _file(self, path: Path) -> Callable[[Request], Response]:
        return lambda _: FileResponse(path, headers={"Content-Security-Policy": CSP})

    async def _events(self, request: Request) -> Response:
        if self.status != 200:
            return Response(status_code=self.status)
        self.streams += request.method == "GET"
        answer: Response = await self._stream(request)
        return answer


async def _serve(options: argparse.Namespace) -> None:
    page = FakePage(FakeRun(options.dag, fails=options.fail))
    async with serve(page.app, options.port) as url:
        print(url)
        await page.run.live(options.speed)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--dag", default="four", choices=("four", "seven", "thirty"))
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--fail", action="store_true")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
