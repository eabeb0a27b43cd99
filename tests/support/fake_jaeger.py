"""A stand-in for Jaeger's binary: reads deploy/jaeger's variables, listens, is healthy at last.

FAKE_JAEGER=dies ends at once with a word; =sick never becomes healthy.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORTS = ("JAEGER_UI_PORT", "JAEGER_OTLP_PORT", "JAEGER_OTLP_GRPC_PORT")
FIRST_HEALTHY = 3


class Health(BaseHTTPRequestHandler):
    """Unhealthy for the first two times that it is asked."""

    asked = 0

    def do_GET(self) -> None:
        Health.asked += 1
        sick = os.environ.get("FAKE_JAEGER") == "sick" or Health.asked < FIRST_HEALTHY
        self.send_response(503 if sick else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def main() -> None:
    if os.environ.get("FAKE_JAEGER") == "dies" or sys.argv[1] != "--config":
        print("Error: cannot use this configuration", file=sys.stderr)
        sys.exit(1)
    with open(sys.argv[2], encoding="utf-8") as file:
        assert "jaeger_storage" in file.read()
    servers = [ThreadingHTTPServer(("127.0.0.1", int(os.environ[p])), Health) for p in PORTS]
    health = int(os.environ["JAEGER_HEALTH_PORT"])
    servers.append(ThreadingHTTPServer(("127.0.0.1", health), Health))
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    main()
