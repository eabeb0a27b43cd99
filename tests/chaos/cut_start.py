"""`amctl start` while a demon has its links: `python -m tests.chaos.cut_start FOLDER CASE...`.

Runs the command once for each case, in this process, with its nodes' connections led through the
demon, and says for each which exit code it ended with and how many misdeeds there were.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any
from unittest import mock

from amctl.cli.main import run
from amctl.relay.limits import Policy
from amctl.relay.relay import Relay
from amctl.rpc.transports.websocket import dial_websocket
from tests.support.chaos_demon import ChaosDemon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.rpc.transports.base import Connection

__all__ = ["CASES", "main"]

ENDLESS = ("--set", "HASH_ITERATIONS=1000000000", "--set", "JOB_TIMEOUT=300s")
CASES: dict[str, tuple[str, ...]] = {
    "verified": ("--set", "SUCCESS_RATE=20", "--timeout", "90s"),
    "gave up": ("--set", "SUCCESS_RATE=1", "--set", "MAX_ROUNDS=2", "--timeout", "90s"),
    "timeout": (*ENDLESS, "--timeout", "1500ms"),
    "interrupted": ENDLESS,
}
"""What a run is to come to, and the words that lead there."""
MISDEEDS = 12


@contextlib.contextmanager
def demon_at_work(seed: int) -> Iterator[ChaosDemon]:
    """A demon in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="demon", daemon=True)
    thread.start()
    demon = ChaosDemon(seed, 0, MISDEEDS)
    asyncio.run_coroutine_threadsafe(demon.__aenter__(), loop).result(10)
    try:
        yield demon
    finally:
        asyncio.run_coroutine_threadsafe(demon.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def start(case: str, folder: str, demon: ChaosDemon) -> tuple[int, dict[str, Any]]:
    """Exit code and document of one run."""

    class Behind(Relay):
        """A relay that is reached through the demon."""

        async def start(self) -> None:
            """Show the demon where it is."""
            await super().start()
            demon.open(self.port)

    def relay(*args: Any, **options: Any) -> Relay:
        return Behind(*args, **{**options, "policy": Policy(hosts=(f"127.0.0.1:{demon.port}",))})

    async def dial(url: str, subprotocol: str = "", **options: Any) -> Connection:
        path = url.split("/", 3)[3]
        return await dial_websocket(f"ws://127.0.0.1:{demon.port}/{path}", subprotocol, **options)

    if case == "interrupted":
        demon.on_tired = lambda: os.kill(os.getpid(), signal.SIGINT)
    out = io.StringIO()
    own = (
        "--set",
        "RELAY_ADDR=127.0.0.1:0",
        "--set",
        f"REPL_DIR={folder}",
        "--json",
        "--set",
        "AM_DBG_ADDR=",
    )
    with (
        mock.patch("amctl.run.supervisor.Relay", relay),
        mock.patch("amctl.run.supervisor.dial_websocket", dial),
        contextlib.redirect_stdout(out),
    ):
        code = run(["start", "--nodes", "local", "--seed", "1", *own, *CASES[case]])
    return code, json.loads(out.getvalue())


def main(folder: str, cases: list[str]) -> None:
    """Run them one after another; a line of JSON each."""
    for seed, case in enumerate(cases):
        with demon_at_work(seed) as demon:
            code, done = start(case, folder, demon)
            told = {"case": case, "exit": code, "ok": done["ok"], "ending": done["ending"]}
            line = {**told, "misdeeds": demon.done.total(), "interrupted": done["interrupted"]}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or list(CASES))
