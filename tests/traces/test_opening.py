"""Which files are meant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from amctl.traces.errors import TraceNotFoundError, UnknownTraceError
from amctl.traces.opening import TraceFiles
from tests.traces.made import BEGAN, TRACE
from tests.traces.test_reading import line, raw

if TYPE_CHECKING:
    from pathlib import Path

OLD, OLDER = "2" * 32, "23" * 16


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The present run's file, and two of earlier ones; the newest of them in two files."""
    tmp_path.joinpath("traces.jsonl").write_text(line(raw(1)))
    tmp_path.joinpath("traces.1.jsonl").write_text(line(raw(2, traceId=OLD)))
    tmp_path.joinpath("traces.2.jsonl").write_text(line(raw(3, traceId=OLD)))
    tmp_path.joinpath("traces.10.jsonl").write_text(
        line(raw(4, traceId=OLDER, startTimeUnixNano=str(BEGAN - 9)))
    )
    tmp_path.joinpath("other.jsonl").write_text("no")
    return tmp_path


def test_a_folder_stands_for_its_newest_file(folder: Path) -> None:
    files = TraceFiles(folder)
    assert files.path.name == "traces.jsonl"
    assert [path.name for path in files.older] == [
        "traces.1.jsonl",
        "traces.2.jsonl",
        "traces.10.jsonl",
    ]
    found, notes = files.summaries()
    assert ([one.trace_id for one in found], notes) == ([TRACE], [])
    assert files.load().trace.trace_id == TRACE


def test_all_files_of_a_folder_can_be_listed(folder: Path) -> None:
    found, _ = TraceFiles(folder).summaries(everything=True)
    assert {one.trace_id: one.spans for one in found} == {TRACE: 1, OLD: 2, OLDER: 1}


def test_an_older_trace_is_found_with_all_its_files(folder: Path) -> None:
    trace = TraceFiles(folder).load("222").trace
    assert (trace.trace_id, len(trace.spans)) == (OLD, 2)
    assert TraceFiles(folder).load("23").trace.trace_id == OLDER


def test_a_run_that_went_on_in_a_new_file_is_whole(folder: Path) -> None:
    folder.joinpath("traces.1.jsonl").write_text(line(raw(7)))
    assert len(TraceFiles(folder).load().trace.spans) == 2
    assert TraceFiles(folder).summaries()[0][0].spans == 2


def test_a_file_stands_for_itself(folder: Path) -> None:
    assert TraceFiles(folder / "traces.2.jsonl").load().trace.trace_id == OLD


def test_what_fits_several_or_none_is_refused(folder: Path) -> None:
    both = folder / "both.jsonl"
    both.write_text(line(raw(1, traceId=OLD), raw(2, traceId=OLDER)))
    with pytest.raises(UnknownTraceError, match="2 traces begin with '2'"):
        TraceFiles(both).load("2")
    with pytest.raises(UnknownTraceError, match="no trace begins with 'f'") as caught:
        TraceFiles(folder).load("f")
    assert set(caught.value.known) == {TRACE, OLD, OLDER}


def test_without_a_span_there_is_nothing_to_load(tmp_path: Path) -> None:
    (tmp_path / "traces.jsonl").write_text("")
    assert TraceFiles(tmp_path).summaries() == ([], [])
    with pytest.raises(UnknownTraceError, match="there is no span in it"):
        TraceFiles(tmp_path).load()


def test_nothing_there_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "x.jsonl"):
        with pytest.raises(TraceNotFoundError):
            TraceFiles(path)


def test_notes_name_the_file(folder: Path) -> None:
    with (folder / "traces.jsonl").open("a") as file:
        file.write("oops\n")
    notes = TraceFiles(folder).load().notes
    assert notes == [f"{folder}{os.sep}traces.jsonl: 1 damaged line left out"]
