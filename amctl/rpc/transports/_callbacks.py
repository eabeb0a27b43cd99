"""Keeps what arrives before anybody listens, and tells the loss exactly once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amctl.rpc.transports.base import OnData, OnLost, OnWritable

_log = logging.getLogger("amctl.rpc.transports")


class Callbacks:
    """The reader's side of a connection, shared by all transports."""

    __slots__ = ("_early", "_error", "_lost", "_on_data", "_on_lost", "_on_writable", "_told")

    def __init__(self) -> None:
        self._early: list[bytes] = []
        self._on_data: OnData | None = None
        self._on_lost: OnLost | None = None
        self._on_writable: OnWritable | None = None
        self._lost = self._told = False
        self._error: Exception | None = None

    def start(self, on_data: OnData, on_lost: OnLost, on_writable: OnWritable) -> None:
        """Take the callbacks and deliver what came before them."""
        if self._on_data is not None:
            raise RuntimeError("connection was started already")
        self._on_data, self._on_lost, self._on_writable = on_data, on_lost, on_writable
        early, self._early = self._early, []
        for data in early:
            self.data(data)
        self._tell()

    def data(self, data: bytes) -> None:
        """A piece of the stream arrived."""
        if not data or self._told:
            return
        if self._on_data is None:
            self._early.append(data)
            return
        try:
            self._on_data(data)
        except Exception:
            _log.exception("a reader failed")
            raise

    def writable(self) -> None:
        """The output fell below the high-water mark."""
        if self._on_writable is not None and not self._told:
            self._on_writable()

    def lost(self, error: Exception | None) -> None:
        """The connection is over; later calls do nothing."""
        if not self._lost:
            self._lost, self._error = True, error
            self._tell()

    def _tell(self) -> None:
        if self._lost and not self._told and self._on_lost is not None:
            self._told = True
            self._on_lost(self._error)
