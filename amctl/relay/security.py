"""Plain functions that judge tokens, hosts, origins, ids and targets. No socket, no framework.

A page of another site can make a browser send us requests, and a name of another site can resolve
to our address (DNS rebinding). So three things must hold before a request counts: the Host is one
that we listen on, the Origin (if a browser names one) is that same host, and the secret is known.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from amctl.relay.errors import TargetError
from amctl.rpc.exposure import is_loopback

__all__ = [
    "ID_PATTERN",
    "Target",
    "allowed_hosts",
    "cookie_name",
    "cookie_value",
    "dial_allowed",
    "host_allowed",
    "is_loopback",
    "origin_allowed",
    "parse_target",
    "same_secret",
    "split_tunnel_path",
    "token_of_bearer",
    "valid_id",
    "without_token",
]

ID_PATTERN = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
"""What a machine id or tab id may look like as a whole; dots-only names are refused besides."""


@dataclass(frozen=True, slots=True)
class Target:
    """A TCP address as a tunnel's path names it. `str()` gives it back."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def same_secret(given: str, expected: str) -> bool:
    """Compare in constant time; an empty expected secret matches nothing."""
    same = hmac.compare_digest(given.encode(errors="replace"), expected.encode())
    return same and bool(expected)


def cookie_name(port: int) -> str:
    """Browsers share cookies between the ports of a host, so two runs side by side need two
    names.
    """
    return f"amctl-{port}"


def cookie_value(token: str) -> str:
    """What stands for the token in a cookie; the token can't be computed from it."""
    return hmac.new(token.encode(), b"amctl relay cookie", hashlib.sha256).hexdigest()


def token_of_bearer(header: str) -> str:
    """Return the token of an `Authorization: Bearer` header, empty if it is anything else."""
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def valid_id(text: str) -> bool:
    """Whether `text` may be a machine id: safe in paths, file names and logs."""
    return ID_PATTERN.fullmatch(text) is not None and text.strip(".") != ""


def parse_target(text: str) -> Target:
    """Split `host:port` or `[v6]:port`.

    Raises:
        TargetError: If the host is empty or the port isn't a number of 0 to 65535.
    """
    host, colon, digits = text.rpartition(":")
    if not colon or not host:
        raise TargetError(text, "isn't host:port")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise TargetError(text, "needs brackets around its IPv6 host")
    if not re.fullmatch(r"[A-Za-z0-9_.:%-]{1,255}", host, re.ASCII):
        raise TargetError(text, "has no usable host")
    if not re.fullmatch(r"[0-9]{1,5}", digits, re.ASCII) or int(digits) > 65535:
        raise TargetError(text, "has no port of 0 to 65535")
    return Target(host, int(digits))


def split_tunnel_path(rest: str) -> tuple[str, str]:
    """Split what follows `/listen/` or `/dial/` at its last slash into id and address.

    One slash at the end of the id is dropped, as in the original; whether the id is any good isn't
    asked here.
    """
    machine_id, _, target = rest.rpartition("/")
    return machine_id.removesuffix("/"), target


def dial_allowed(target: Target, extra: tuple[str, ...]) -> bool:
    """Whether a peer may make us connect to `target`: loopback, or listed as `host:port` or
    `host:*`.
    """
    if target.port == 0:
        return False
    host = f"[{target.host}]" if ":" in target.host else target.host
    return is_loopback(target.host) or str(target) in extra or f"{host}:*" in extra


def allowed_hosts(host: str, port: int, extra: tuple[str, ...] = ()) -> frozenset[str]:
    """Values of the Host header that name us when we listen on `host:port`."""
    bracketed = f"[{host}]" if ":" in host else host
    names = {bracketed.lower()}
    if is_loopback(host) or host in ("", "0.0.0.0", "::"):
        names |= {"localhost", "127.0.0.1", "[::1]"}
    found = {f"{name}:{port}" for name in names if name}
    if port == 80:
        found |= names
    return frozenset(found | {name.lower() for name in extra})


def host_allowed(header: str, hosts: frozenset[str], *, any_address: bool, port: int) -> bool:
    """Judge a Host header.

    With `any_address` (we listen on every interface) an IP literal with our port is fine too:
    rebinding needs a name, and only a name can be made to point at us by somebody else.
    """
    header = header.strip().lower()
    if header in hosts:
        return True
    if not any_address:
        return False
    try:
        target = parse_target(header)
        ipaddress.ip_address(target.host)
    except ValueError:
        return False
    return target.port == port


def origin_allowed(origin: str, host_header: str, extra: tuple[str, ...] = ()) -> bool:
    """Judge an Origin header: the page must come from the very host that it talks to, or be listed.

    `null` (sandboxed frames, files) is never allowed.
    """
    origin = origin.strip().lower()
    if origin in {item.lower().rstrip("/") for item in extra}:
        return True
    parts = re.fullmatch(r"https?://([^/?#@\\\s]+)", origin)
    return parts is not None and parts[1] == host_header.strip().lower()


def without_token(path: str, query: str) -> str:
    """Return a path on this server with `token` gone from its query and everything else kept."""
    kept = [(k, v) for k, v in parse_qsl(query, keep_blank_values=True) if k != "token"]
    # two leading slashes would name another host in a Location header
    clean = "/" + path.lstrip("/\\")
    return f"{clean}?{urlencode(kept)}" if kept else clean
