from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from amctl.telemetry.browser_log import ReportHandler, report_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

Told = list[tuple[str, str]]


@pytest.fixture
def told() -> Iterator[Told]:
    """What was reported; the root logger is as before afterwards."""
    handlers = logging.getLogger().handlers[:]
    yield []
    logging.getLogger().handlers[:] = handlers


async def test_warnings_of_all_loggers_are_reported(told: Told) -> None:
    report_errors(lambda *said: told.append(said), asyncio.get_running_loop())
    logging.getLogger("somewhere").info("not this")
    logging.getLogger("somewhere").warning("slow: %d ms", 7)
    assert told == [("warning", "somewhere: slow: 7 ms")]


async def test_a_failure_comes_with_its_traceback(told: Told) -> None:
    report_errors(lambda *said: told.append(said), asyncio.get_running_loop())
    try:
        raise KeyError("missing")
    except KeyError:
        logging.getLogger("somewhere").exception("broke")
    ((level, text),) = told
    assert level == "error"
    assert "Traceback" in text
    assert "KeyError: 'missing'" in text


async def test_a_callback_that_fails_is_reported(told: Told) -> None:
    loop = asyncio.get_running_loop()
    report_errors(lambda *said: told.append(said), loop)
    loop.call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
    ((level, text),) = told
    assert level == "error"
    assert "ZeroDivisionError" in text


async def test_a_future_that_nobody_awaited_is_reported(told: Told) -> None:
    loop = asyncio.get_running_loop()
    report_errors(lambda *said: told.append(said), loop)
    future: asyncio.Future[None] = loop.create_future()
    future.set_exception(ValueError("left alone"))
    del future
    assert "left alone" in told[0][1]


def test_a_report_that_fails_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(level: str, text: str) -> None:
        raise OSError("the page is gone")

    record = logging.LogRecord("x", logging.ERROR, "", 0, "said", None, None)
    ReportHandler(broken).handle(record)
    assert "the page is gone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "name"), [(10, "debug"), (20, "info"), (30, "warning"), (50, "error")]
)
def test_levels_have_the_pages_names(number: int, name: str) -> None:
    told: Told = []
    record = logging.LogRecord("x", number, "", 0, "said", None, None)
    ReportHandler(lambda *said: told.append(said), 0).handle(record)
    assert told == [(name, "x: said")]
