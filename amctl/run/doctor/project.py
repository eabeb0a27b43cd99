"""What belongs to the project: settings, bundle, folder of a run, ports, headers."""

from __future__ import annotations

import asyncio
import fcntl
import http.client
import os
import socket
import stat
from typing import TYPE_CHECKING

from amctl.relay.relay import Relay
from amctl.run.bundling import stale_reasons
from amctl.run.doctor.finding import Finding, bad, fine, note, warn
from amctl.run.token import TOKEN_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from amctl.run.doctor.finding import Patient
    from amctl.run.values import Address

__all__ = ["bundle", "folder", "isolation", "network", "settings"]

_ISOLATION = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
}
"""Without both a page gets no SharedArrayBuffer, and clocks of a tenth of a millisecond."""
_TIMEOUT = 2.0
_REASONS = 3


def settings(patient: Patient) -> Iterator[Finding]:
    """Keys that nobody knows; which values aren't the defaults."""
    found = patient.settings
    for warning in found.warnings:
        yield warn("settings", "unknown key", warning, "correct or remove that line")
    set_ = [key for key in found if found.value(key).origin != "default"]
    yield fine("settings", "values", f"{len(set_)} of {len(found)} are set, all are allowed")
    if os.environ.get("AMCTL_TOKEN"):
        yield note("settings", "AMCTL_TOKEN", "set: runs use this token in place of a random one")


def bundle(patient: Patient) -> Iterator[Finding]:
    """Whether web/dist is what a build would make now."""
    reasons = stale_reasons(patient.settings)
    if not reasons:
        yield fine("bundle", "web/dist", "fresh")
        return
    more = f", and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
    text = f"stale: {', '.join(reasons[:_REASONS])}{more}"
    yield warn("bundle", "web/dist", text, "amctl build (start does it by itself)")


def folder(patient: Patient) -> Iterator[Finding]:
    """The folder of address files, token and logs: may we write there, is it in use?"""
    path, name = patient.settings.repl_dir, patient.settings["REPL_DIR"]
    if not path.exists():
        above = next(p for p in path.parents if p.exists())
        if os.access(above, os.W_OK):
            yield fine("folder", name, "isn't there yet, will be made")
        else:
            yield bad("folder", name, f"can't be made: {above} is read-only", "choose a REPL_DIR")
        return
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
        yield bad("folder", name, "can't be written", f"chown or remove it, or set {'REPL_DIR'}")
        return
    runs = _is_locked(path)
    yield note("folder", name, "a run uses it now") if runs else fine("folder", name, "free")
    yield from _token(path, name)
    left = sorted(p.name for p in path.glob("*.addr"))
    if left and not runs:
        text = f"left by a run that was killed: {', '.join(left)}"
        yield warn("folder", "address files", text, f"rm {name}/*.addr {name}/{TOKEN_FILE}")


def _is_locked(path: Path) -> bool:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def _token(path: Path, name: str) -> Iterator[Finding]:
    file = path / TOKEN_FILE
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except FileNotFoundError:
        return
    if mode & 0o077:
        text = f"mode {mode:04o}: others on this machine can read it"
        yield bad("folder", "token", text, f"chmod 600 {name}/{TOKEN_FILE}")


def network(patient: Patient) -> Iterator[Finding]:
    """Whether the addresses that a run listens on are free."""
    found = patient.settings
    for key in found:
        if key == "RELAY_ADDR" or key.endswith("_REPL_ADDR"):
            address = found.get_address(key)
            if address.port:
                yield _port(patient, key, address)
    address = found.get_address("RELAY_ADDR")
    if address.host not in ("localhost", "127.0.0.1", "::1"):
        text = f"{address}: reachable from other machines"
        yield warn("network", "RELAY_ADDR", text, "set RELAY_ADDR=localhost:14050")


def _port(patient: Patient, key: str, address: Address) -> Finding:
    try:
        info = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        return bad("network", key, f"{address}: {error.strerror}", f"set {key} to host:port")
    with socket.socket(info[0], info[1]) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(info[4])
        except OSError as error:
            if patient.settings.repl_dir.is_dir() and _is_locked(patient.settings.repl_dir):
                return note("network", key, f"{address} is in use, by the run that is up")
            mend = f"end who uses it, or: amctl start --set {key}={address.host}:0"
            return bad("network", key, f"{address}: {error.strerror}", mend)
    return fine("network", key, f"{address} is free")


def isolation(patient: Patient) -> Iterator[Finding]:
    """Ask a relay for the page and a worker's script, and look at their headers."""
    try:
        answers = asyncio.run(_served(patient))
    except OSError as error:
        yield bad("network", "relay", f"can't serve on loopback: {error}", "look at the firewall")
        return
    for path, (status, headers) in answers.items():
        lacking = [f"{k}: {v}" for k, v in _ISOLATION.items() if headers.get(k) != v]
        if status != 200:
            yield bad("network", path, f"answers {status}", "is web/ complete? git status web")
        elif lacking:
            yield bad("network", path, f"lacks {', '.join(lacking)}", "report this")
    if all(status == 200 for status, _ in answers.values()):
        yield fine("network", "isolation", f"headers of {len(answers)} files are right")


async def _served(patient: Patient) -> dict[str, tuple[int, Mapping[str, str]]]:
    relay = Relay("doctor", token="doctor", port=0, static=[patient.home / "web"])
    await relay.start()
    try:
        paths = ("/index.html", "/worker.js")
        got = [await asyncio.to_thread(_get, relay.url, path) for path in paths]
        return dict(zip(paths, got, strict=True))
    finally:
        await relay.stop()


def _get(url: str, path: str) -> tuple[int, dict[str, str]]:
    link = http.client.HTTPConnection(url.removeprefix("http://"), timeout=_TIMEOUT)
    try:
        link.request("GET", path, headers={"Authorization": "Bearer doctor"})
        answer = link.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}
    finally:
        link.close()
