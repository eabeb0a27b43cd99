"""What must hold before a port may be reached from other computers, and TLS for those that may.

Tokens, payloads and clocks cross the wire as they are: beyond loopback that needs TLS, or somebody
who says that the network there is a safe one.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from amctl.rpc.errors import ExposedError, TlsError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Lockout", "check_exposure", "client_tls", "is_elsewhere", "is_loopback", "server_tls"]


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine by itself, without asking a resolver."""
    import ipaddress  # not at the top: browsers need none

    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_elsewhere(host: str) -> bool:
    """Whether `host` is an address of another computer, as the address of a peer is."""
    import ipaddress

    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a peer in this process, or behind a relay


def check_exposure(host: str, port: int, *, encrypted: bool, forced: bool) -> None:
    """Let nobody listen beyond loopback by mistake.

    Args:
        host: Where to listen.
        port: The same.
        encrypted: TLS is spoken there.
        forced: Somebody says that it is all right without.

    Raises:
        ExposedError: It isn't.
    """
    if not (encrypted or forced or is_loopback(host)):
        raise ExposedError(host, port)


def server_tls(cert: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer, for who listens.

    Args:
        cert: PEM file of the certificate, those that signed it behind it.
        key: PEM file of its key, without a password.

    Raises:
        TlsError: They can't be read, or don't belong together.
    """
    import ssl  # not at the top: browsers have none

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # a key with a password would ask for it on the terminal
        context.load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise TlsError(str(cert), str(key), why) from error
    return context


def client_tls(ca: Path | None = None) -> ssl.SSLContext:
    """TLS for who dials: the certificate must be signed and bear the host's name.

    Args:
        ca: PEM file of what to trust in place of the system's list, a self-signed certificate say.

    Raises:
        TlsError: The file can't be read.
    """
    import ssl

    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise TlsError(str(ca), "", why) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Lockout:
    """Hosts that tried too many wrong tokens, and have to wait.

    Only other computers are: all programs of this machine share an address, and one of them could
    shut out the others.

    Args:
        most: Wrong tokens within the window.
        window: Seconds.
        clock: Seconds, growing.
        hosts: How many are remembered; the oldest is forgotten first.
    """

    def __init__(
        self,
        most: int = 10,
        window: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        hosts: int = 1024,
    ) -> None:
        self._most, self._window, self._clock, self._hosts = most, window, clock, hosts
        self._failed: dict[str, deque[float]] = {}

    def failed(self, host: str) -> None:
        """A wrong token came from there."""
        if not is_elsewhere(host):
            return
        while len(self._failed) >= self._hosts and host not in self._failed:
            del self._failed[next(iter(self._failed))]
        times = self._failed.setdefault(host, deque(maxlen=self._most))
        times.append(self._clock())

    def is_out(self, host: str) -> bool:
        """Whether nothing is heard from there for now, a right token neither."""
        times = self._failed.get(host)
        if times is None:
            return False
        oldest = self._clock() - self._window
        if times[-1] < oldest:
            del self._failed[host]
            return False
        return len(times) == self._most and times[0] >= oldest
