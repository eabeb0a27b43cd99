"""Fixtures that every room's tests share."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.virtual_loop import VirtualLoop


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Coroutine tests run on a virtual clock, unless they touch the outside (`realtime`)."""
    marked = any(request.node.get_closest_marker(name) for name in ("realtime", "e2e"))
    return ("asyncio", {"loop_factory": asyncio.new_event_loop if marked else VirtualLoop})
