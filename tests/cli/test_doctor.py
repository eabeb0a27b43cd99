"""`amctl doctor`: people get a table, programs one document, both the same exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from amctl.cli.main import run
from amctl.run.doctor import examine as room
from amctl.run.doctor.finding import Finding, Patient, bad, fine

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def health(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def be(*findings: Finding) -> None:
        def look(patient: Patient) -> list[Finding]:
            return list(findings)

        monkeypatch.setattr(room.examine, "__defaults__", ([("x", look)],))

    return be


def test_a_healthy_project(health: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    health(fine("python", "version", "3.14"))
    assert run(["doctor"]) == 0
    assert capsys.readouterr().err == "1 ok\n"


def test_what_is_bad_says_how_to_mend_it(
    health: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    health(bad("programs", "chromium", "missing", "amctl setup --yes"))
    assert run(["doctor"]) == 1
    assert "mend: amctl setup --yes" in capsys.readouterr().out


def test_a_pipe_gets_whole_lines(
    health: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    long = "stale: " + ", ".join(f"amctl/rpc/part{n}.py changed" for n in range(9))
    health(fine("python", "version", "3.14"), bad("bundle", "web/dist", long, "amctl build"))
    assert run(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "bad", "mend:"]
    assert lines[1].endswith(long)
    assert lines == [line.rstrip() for line in lines]


def test_json_is_one_document_without_secrets(
    health: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AMCTL_TOKEN", "hush-hush")
    health(fine("python", "version", "3.14"))
    assert run(["doctor", "--json", "--set", "RELAY_ADDR=localhost:7"]) == 0
    out = capsys.readouterr().out
    told = json.loads(out)
    assert told["findings"][0]["status"] == "ok"
    assert told["settings"]["RELAY_ADDR"] == {"value": "localhost:7", "origin": "--set"}
    assert "hush-hush" not in out


def test_v_shows_where_each_setting_comes_from(
    health: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    health()
    assert run(["-v", "doctor", "--set", "SUCCESS_RATE=9"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["SUCCESS_RATE", "9", "--set"] for line in lines)
