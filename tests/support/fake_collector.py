"""A collector that records nothing: it listens, says where, and echoes; words say how it fails.

Run as a program by the tests of `amctl.run.recording`, in place of `amctl collect`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path


def note(path: Path, word: str) -> None:
    with path.open("a") as file:
        file.write(f"{word}\n")


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("how")
    for name in ("--listen-addr", "--dir", "--output-filename", "--fwd-data", "--gob-addr"):
        parser.add_argument(name, default="")
    parser.add_argument("--ready-fd", type=int)
    for name in ("--end-with-stdin", "--json", "--fresh"):
        parser.add_argument(name, action="store_true")
    words = parser.parse_args()
    note(Path(words.dir, "tries"), "fresh" if words.fresh else "again")
    if words.how == "never" or (words.how == "picky" and not words.fresh):
        print("no luck")
        return 3
    if words.how == "alone" and words.gob_addr:
        return 3

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        token = os.environ["AMCTL_TOKEN"].encode()
        writer.write(token + words.fwd_data.encode())
        while data := await reader.read(1024):
            if data == b"die":
                os.kill(os.getpid(), signal.SIGKILL)
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    ready = {"addr": f"{host}:{port}", "gob_addr": words.gob_addr}
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    os.write(words.ready_fd, json.dumps(ready).encode() + b"\n")
    os.close(words.ready_fd)
    await over.wait()
    print("bye")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
