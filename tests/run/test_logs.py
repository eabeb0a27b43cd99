"""The run's log file."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from amctl.run.errors import RunFolderError
from amctl.run.logs import begin_log, log_to

if TYPE_CHECKING:
    from pathlib import Path


def test_our_lines_reach_the_file_and_handlers_go_with_the_run(tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers)
    with log_to(tmp_path / "tmp") as path:
        logging.getLogger("amctl.x").info("seen")
        logging.getLogger("amctl.x").debug("unseen")
    assert path.read_text(encoding="utf-8").endswith("I amctl.x: seen\n")
    assert logging.getLogger().handlers == before


def test_a_log_goes_on_until_a_run_begins_it_anew(tmp_path: Path) -> None:
    for word in ("first", "second"):
        with log_to(tmp_path) as path:
            logging.getLogger("amctl.x").info(word)
    assert path.read_text(encoding="utf-8").count("amctl.x") == 2
    with log_to(tmp_path) as path:
        begin_log(path)
        logging.getLogger("amctl.x").info("third")
    assert path.read_text(encoding="utf-8").endswith("third\n")
    assert path.read_text(encoding="utf-8").count("amctl.x") == 1


def test_am_log_4_adds_debug_lines(tmp_path: Path) -> None:
    with log_to(tmp_path, am_log=4) as path:
        logging.getLogger("amctl.x").debug("seen")
    assert "seen" in path.read_text(encoding="utf-8")


def test_verbose_shows_info_lines_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with log_to(tmp_path, am_log=4, verbose=1):
        logging.getLogger("amctl.x").info("hello")
        logging.getLogger("amctl.x").debug("details")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "I amctl.x: hello\n")


def test_a_file_that_cant_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "amctl.log").mkdir()
    with pytest.raises(RunFolderError, match=r"amctl\.log: can't be written"):
        log_to(tmp_path).__enter__()
