"""Addresses of machines: `host:port` is plain TCP, `host:port/path` a WebSocket."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from amctl.repl.errors import UsageError

__all__ = ["Address", "parse_address"]

_SHAPE = re.compile(
    r"(?:(?P<scheme>tcp|ws)://)?"
    r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]@?#]+):(?P<port>[0-9]{1,5})"
    r"(?P<path>/[!\x22$-~]*)?"
)
_LONGEST = 1024
HOW = "an address is host:port, or host:port/path for a WebSocket"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a machine can be reached."""

    host: str
    """A name or an IP address, without brackets."""
    port: int
    path: str = ""
    """Of a WebSocket, with its slash; empty for plain TCP."""

    @property
    def is_websocket(self) -> bool:
        """Whether it is dialled by HTTP upgrade."""
        return bool(self.path)

    @property
    def is_local(self) -> bool:
        """Whether it is this machine itself, so that nobody on the way can listen."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """For the WebSocket's dialler."""
        return f"ws://{self}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}{self.path}"


def parse_address(text: str) -> Address:
    """Read an address; space around it is ignored.

    F3: everything from the first `/` on is the path, so `host:port/` is a WebSocket too.

    Raises:
        UsageError: It is none.
    """
    text = text.strip()
    match = _SHAPE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise UsageError(f"address {text!r:.80} can't be read", _near(text))
    port = int(match["port"])
    if not 0 < port < 65536:
        raise UsageError(f"address {text!r:.80}: {port} is no port", "ports go from 1 to 65535")
    path = match["path"] or ""
    if match["scheme"] == "tcp" and path:
        raise UsageError(f"address {text!r:.80}: plain TCP has no path", HOW)
    if match["scheme"] == "ws" and not path:
        path = "/"
    return Address(match["host"].strip("[]"), port, path)


def _near(text: str) -> str:
    if re.fullmatch(r":?[0-9]{1,5}(/\S*)?", text):
        return f"did you mean 'localhost:{text.removeprefix(':')}'?"
    if text.startswith(("wss://", "http://", "https://")):
        return f"TLS and HTTP are not spoken here; {HOW}"
    if re.fullmatch(r"[\w.-]+", text):
        return f"a port is missing, as in '{text}:6452'"
    return HOW
