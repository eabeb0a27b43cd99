"""The sender of `amctl bench collect`: a process of its own.

    python -m amctl.bench._sender HOST PORT COUNT RECORDED   with the token in AMCTL_TOKEN

Records some messages, then sends them over and over as fast as the collector takes them: each time
the machines begin anew. Prints one JSON document when everything is acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import sys
import time

from amctl.bench.recorded import count_of, recorded
from amctl.telemetry.dbgwire import (
    Ack,
    FrameReader,
    Refused,
    StreamEncoder,
    Welcome,
    batch_frame,
    bye_frame,
    hello_frame,
    read_collector,
)
from amctl.telemetry.messages import GoneMsg, SchemaMsg, TxMsg

_BATCH = 200
"""Messages of a frame, as the stream of a run has them."""


class _Words:
    """What the collector says."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._reader = sock, FrameReader()
        self._words: list[Welcome | Refused | Ack] = []

    def next(self) -> Welcome | Refused | Ack:
        while not self._words:
            data = self._sock.recv(1 << 16)
            if not data:
                raise ConnectionError("the collector hung up")
            self._words += [read_collector(raw) for raw in self._reader.feed(data)]
        return self._words.pop(0)


def _send(host: str, port: int, count: int, size: int) -> dict[str, float]:
    messages = asyncio.run(recorded(min(size, count)))
    ids = dict.fromkeys(m.machine_id for m in messages if isinstance(m, SchemaMsg))
    messages += [GoneMsg(id) for id in ids]
    encoder = StreamEncoder()
    with socket.create_connection((host, port)) as sock:
        words = _Words(sock)
        token = os.environ.get("AMCTL_TOKEN", "")
        sock.sendall(hello_frame(encoder.codec, token, secrets.token_hex(8), "bench", 0))
        welcome = words.next()
        if not isinstance(welcome, Welcome):
            raise ConnectionError(f"the collector says {welcome}")
        began, cpu = time.perf_counter(), time.process_time()
        number = sent = bytes_sent = 0
        while sent < count:
            for at in range(0, len(messages), _BATCH):
                batch = messages[at : at + _BATCH]
                frame = batch_frame(encoder.codec, number, [encoder.encode(m) for m in batch])
                number += sum(type(m) is not SchemaMsg for m in batch)
                sent += sum(type(m) is TxMsg for m in batch)
                bytes_sent += len(frame)
                sock.sendall(frame)
                if sent >= count:
                    break
        sock.sendall(bye_frame(encoder.codec))
        while (word := words.next()) != Ack(number):
            if isinstance(word, Refused):
                raise ConnectionError(f"the collector says {word}")
        return {
            "transitions": sent,
            "recorded": count_of(messages),
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - cpu,
            "bytes": bytes_sent,
        }


if __name__ == "__main__":
    result = _send(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    sys.stdout.write(json.dumps(result) + "\n")
