"""REPL endpoints: doors by which people and tools reach a running machine."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.rpc.endpoints import TcpEndpoint, TunnelEndpoint
from amctl.rpc.mux import Mux
from amctl.rpc.states import MuxStates
from amctl.rpc.wire.limits import valid_id

if TYPE_CHECKING:
    from amctl.machine import Event, MachineView
    from amctl.rpc.transports.base import Dial

__all__ = ["ANY_PORT", "address_file", "repl_endpoint", "repl_server"]

ANY_PORT = "127.0.0.1:0"
"""A free port of this machine."""

_log = logging.getLogger("amctl.rpc.repl")


def address_file(folder: Path, machine_id: str) -> Path:
    """Where a machine's REPL address stands.

    Raises:
        ValueError: If the id can't be part of a file name.
    """
    if not valid_id(machine_id) or machine_id.startswith("."):
        raise ValueError(f"machine id {machine_id!r} can't name a file")
    return folder / f"{machine_id}-repl.addr"


def repl_endpoint(
    machine: MachineView,
    *,
    addr: str = ANY_PORT,
    addr_dir: Path | None = None,
    token: str,
) -> Mux:
    """A door for REPLs: a mux `rm-repl-<id>`, child of the machine; await its `start`.

    Args:
        machine: What to show.
        addr: `host:port`; port 0 takes a free one; "" and "1" mean ANY_PORT.
        addr_dir: Where to write `<id>-repl.addr` with the real address, once it listens; the file
            is written in one step and removed with the mux.
        token: What a REPL must bring.

    Raises:
        SourceContractError: If a machine with handlers lacks ErrOnClient.
        ValueError: If `addr` is no address.
    """
    host, port = _split(ANY_PORT if addr in ("", "1") else addr)
    mux = Mux(machine, f"repl-{machine.id}", TcpEndpoint(host, port), token=token, parent=machine)
    if addr_dir is not None:
        mux.machine.bind(
            _AddressFile(mux, address_file(Path(addr_dir), machine.id)), id="addr-file"
        )
    return mux


def repl_server(machine: MachineView, dial: Dial, token: str) -> Mux:
    """A door for REPLs through a relay: a mux `rs-repl-<id>`, child of the machine; not started.

    All REPLs come through one WebSocket, each by a channel of its own. Each that comes has a
    machine `rs-repl-<id>-<n>` for as long as its session lives.

    Args:
        machine: What to show.
        dial: Makes a connection to the relay's listen tunnel, by the subprotocol `arpc-tunnel.1`.
        token: What a REPL must bring, or its seal.
    """
    endpoint = TunnelEndpoint(dial)
    return Mux(machine, f"repl-{machine.id}", endpoint, token=token, parent=machine)


def _split(addr: str) -> tuple[str, int]:
    host, colon, port = addr.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"REPL address {addr!r} is not host:port")
    return host.strip("[]"), int(port)


class _AddressFile:
    """Keeps the file while the mux listens."""

    def __init__(self, mux: Mux, path: Path) -> None:
        self._mux, self._path = mux, path
        self._written = ""
        mux.machine.on_dispose(lambda _: self._remove())

    def ReadyState(self, e: Event) -> None:
        """Write the real address, so that a reader sees all of it or none."""
        self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        temporary.write_text(self._mux.addr, encoding="ascii")
        temporary.chmod(0o644)
        temporary.replace(self._path)
        self._written = self._mux.addr

    def ReadyEnd(self, e: Event) -> None:
        """Nobody listens there now."""
        if e.machine.not_(MuxStates.Ready):
            self._remove()

    def _remove(self) -> None:
        """Remove the file, unless another process has written its own since."""
        written, self._written = self._written, ""
        try:
            if written and self._path.read_text(encoding="ascii") == written:
                self._path.unlink()
        except OSError as error:
            _log.debug("%s: %s", self._path, error)
