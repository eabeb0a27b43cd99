"""Where the prepackaged Jaeger listens, and whether it is there."""

from __future__ import annotations

import http.client
import os
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from amctl.run.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HOST", "Place", "is_healthy"]

HOST = "127.0.0.1"
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_PORTS = {
    "ui": ("JAEGER_UI_PORT", 16686),
    "otlp": ("JAEGER_OTLP_PORT", 4318),
    "otlp_grpc": ("JAEGER_OTLP_GRPC_PORT", 4317),
    "health": ("JAEGER_HEALTH_PORT", 13133),
    "query": ("JAEGER_QUERY_PORT", 16685),
}
"""The variables that deploy/jaeger's files read, and their defaults."""


@dataclass(frozen=True, slots=True)
class Place:
    """Its ports, all on loopback."""

    ui: int = 16686
    otlp: int = 4318
    otlp_grpc: int = 4317
    health: int = 13133
    query: int = 16685

    @classmethod
    def of(cls, environ: Mapping[str, str] | None = None) -> Place:
        """As the environment has it.

        Raises:
            SettingsError: A variable holds no port.
        """
        environ = os.environ if environ is None else environ
        found = {}
        for field, (name, default) in _PORTS.items():
            text = environ.get(name, "")
            if text and not (text.isdecimal() and 0 < int(text) < 65536):
                raise SettingsError("environment", name, text, "a port, 1 to 65535")
            found[field] = int(text) if text else default
        return cls(**found)

    def environ(self) -> dict[str, str]:
        """The variables for whoever reads deploy/jaeger's files."""
        return {name: str(asdict(self)[field]) for field, (name, _) in _PORTS.items()}

    @property
    def ui_url(self) -> str:
        """What a person opens."""
        return f"http://localhost:{self.ui}"

    @property
    def otlp_url(self) -> str:
        """Value for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://{HOST}:{self.otlp}"

    def trace_url(self, trace_id: str) -> str:
        """The page of one trace; empty text for what is no trace id."""
        return f"{self.ui_url}/trace/{trace_id}" if _TRACE_ID.fullmatch(trace_id) else ""


def is_healthy(place: Place, timeout: float = 0.5) -> bool:
    """Ask its health check; never raises.

    Args:
        place: Where.
        timeout: Seconds to wait for an answer.
    """
    link = http.client.HTTPConnection(HOST, place.health, timeout=timeout)
    try:
        link.request("GET", "/status")
        return link.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
