"""Fixtures that every room's tests share."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.virtual_loop import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Callable

# The gate says the same each time and asks no clock. `--hypothesis-profile default` explores.
settings.register_profile(
    "gate", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gate")

_GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write tests/golden anew; review the diff"
    )


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Coroutine tests run on a virtual clock, unless they touch the outside (`realtime`)."""
    marked = any(request.node.get_closest_marker(name) for name in ("realtime", "e2e"))
    return ("asyncio", {"loop_factory": asyncio.new_event_loop if marked else VirtualLoop})


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)` compares a text with tests/golden/<name>."""

    def check(name: str, text: str) -> None:
        path = _GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path.name} is missing: run pytest --update-golden"
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture(scope="session")
def threads_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built project of the entry that tests run in browser threads. Nobody may change it."""
    from tests.support.browser_threads import lay_project

    return lay_project(tmp_path_factory.mktemp("threads") / "p")
