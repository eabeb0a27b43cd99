"""Settings: four layers, typed, each value with its origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.run.errors import ConfigFileError, SettingsError
from amctl.run.settings import KEYS, find_key, load_settings
from amctl.run.values import parse_duration
from tests.support.house import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.run.settings import Settings


def load(tmp_path: Path, content: str = "", sets: tuple[str, ...] = (), **environ: str) -> Settings:
    file = tmp_path / "my.env"
    file.write_text(content, encoding="utf-8")
    return load_settings(str(file), sets, environ=environ, home=tmp_path)


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    assert load(tmp_path)["MAX_ROUNDS"] == "50"
    assert load(tmp_path, "MAX_ROUNDS=7")["MAX_ROUNDS"] == "7"
    assert load(tmp_path, "MAX_ROUNDS=7", MAX_ROUNDS="8")["MAX_ROUNDS"] == "8"
    settings = load(tmp_path, "MAX_ROUNDS=7", ("MAX_ROUNDS=9", "MAX_ROUNDS=10"), MAX_ROUNDS="8")
    assert settings.get_int("MAX_ROUNDS") == 10


def test_each_value_keeps_its_origin(tmp_path: Path) -> None:
    settings = load(tmp_path, "# first\n\nREPL_DIR=x\nAM_LOG=1\n", ("AM_LOG=2",), SUCCESS_RATE="3")
    assert settings.value("REPL_DIR").origin == f"{tmp_path}/my.env:3"
    assert settings.value("AM_LOG").origin == "--set"
    assert settings.value("SUCCESS_RATE").origin == "environment"
    assert settings.value("MAX_ROUNDS").origin == "default"


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("SUCCESS_RATE=0", "a whole number, 1 or more"),
        ("SUCCESS_RATE=five", "a whole number, 1 or more"),
        ("SUCCESS_RATE=", "a whole number, 1 or more"),
        ("HASH_ITERATIONS=-1", "a whole number, 0 or more"),
        ("RELAY_ADDR=localhost", "host:port"),
        ("RELAY_ADDR=localhost:99999", "host:port"),
        ("BROWSER_9_TCP_ADDR=:", "host:port"),
        ("JOB_TIMEOUT=soon", "a duration"),
        ("JOB_TIMEOUT=0", "a duration"),
        ("EXIT_ON_COMPLETED=maybe", "1 or 0"),
        ("FAULT_SEED=x", "a whole number, or empty"),
        ("AM_LOG=6", "0 (none) to 5"),
        ("AM_DBG_ADDR=6831", "empty for no recording"),
        ("AM_DBG_ADDR=gob://x", "gob://host:port"),
        ("AM_DBG_GOB_ADDR=0.0.0.0:1", "on the loopback"),
        ("AM_OTEL_TRACE_SKIP_STATES_RE=(", "a regular expression"),
        ("REPL_DIR=", "any text but none"),
    ],
)
def test_a_bad_value_names_file_line_key_value_and_what_is_allowed(
    tmp_path: Path, line: str, allowed: str
) -> None:
    key, _, value = line.partition("=")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, f"# comment\n{line}\n")
    text = f"{caught.value} {caught.value.hint}"
    for part in (f"{tmp_path}/my.env:2", key, repr(value), allowed):
        assert part in text


def test_a_bad_value_of_the_environment_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"environment: AM_LOG can't be 'x'"):
        load(tmp_path, AM_LOG="x")


def test_an_unknown_key_warns_with_the_nearest_known_one(tmp_path: Path) -> None:
    settings = load(tmp_path, "SUCESS_RATE=5\nZZZ=1\n")
    first, second = settings.warnings
    assert first.endswith("my.env:1: unknown key SUCESS_RATE, did you mean SUCCESS_RATE?")
    assert second.endswith("my.env:2: unknown key ZZZ")


@pytest.mark.parametrize("item", ["SUCCESS_RATE", "NO_SUCH=1", "=1"])
def test_set_refuses_what_is_no_key_and_value(tmp_path: Path, item: str) -> None:
    with pytest.raises(SettingsError):
        load(tmp_path, "", (item,))


def test_the_file_is_parsed_and_never_sourced(tmp_path: Path) -> None:
    content = "REPL_DIR=$(touch gone)\nexport AM_SERVICE=\"a b\"\nWORKFLOW='x=y'\r\n"
    settings = load(tmp_path, content)
    assert settings["REPL_DIR"] == "$(touch gone)"
    assert settings["AM_SERVICE"] == "a b"
    assert settings["WORKFLOW"] == "x=y"


@pytest.mark.parametrize("line", ["what is this", "1KEY=2", "=x"])
def test_a_line_that_is_no_setting_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigFileError, match=r"my\.env:1: .* isn't KEY=VALUE"):
        load(tmp_path, line)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigFileError, match=r"nowhere\.env: can't be read"):
        load_settings(str(tmp_path / "nowhere.env"), environ={}, home=tmp_path)


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.env").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigFileError, match="not UTF-8 text"):
        load_settings(str(tmp_path / "bytes.env"), environ={}, home=tmp_path)


def test_config_env_of_the_current_folder_comes_before_the_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    for folder, rate in ((home, 7), (here, 8)):
        folder.mkdir()
        (folder / "config.env").write_text(f"SUCCESS_RATE={rate}")
    monkeypatch.chdir(tmp_path)
    assert load_settings(environ={}, home=home)["SUCCESS_RATE"] == "7"
    monkeypatch.chdir(here)
    assert load_settings(environ={}, home=home)["SUCCESS_RATE"] == "8"


def test_a_workflow_typed_by_a_person_starts_where_the_person_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "dag.json").write_text("{}")
    monkeypatch.chdir(here)
    assert load(tmp_path, "", ("WORKFLOW=dag.json",))["WORKFLOW"] == str(here / "dag.json")
    assert load(tmp_path, "WORKFLOW=dag.json")["WORKFLOW"] == "dag.json"
    assert load(tmp_path, "", ("WORKFLOW=other.json",))["WORKFLOW"] == "other.json"


def test_typed_values(tmp_path: Path) -> None:
    settings = load(tmp_path, "JOB_TIMEOUT=500ms\nRELAY_ADDR=[::1]:80\nAM_DEBUG=on\nFAULT_SEED=-3")
    assert settings.get_seconds("JOB_TIMEOUT") == 0.5
    assert settings.get_address("RELAY_ADDR") == ("::1", 80)
    assert settings.get_bool("AM_DEBUG") is True
    assert settings.fault_seed == -3
    assert load(tmp_path).fault_seed is None
    assert settings.repl_dir == tmp_path / "tmp"
    with pytest.raises(TypeError):
        settings.get_int("AM_SERVICE")


def test_unset_exit_on_completed_keeps_a_run_alive(tmp_path: Path) -> None:
    assert load(tmp_path).get_bool("EXIT_ON_COMPLETED") is False


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("2m", 120), ("1h", 3600), ("1.5", 1.5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


def test_per_node_keys_exist_for_any_number() -> None:
    assert find_key("BROWSER_7_REPL_ADDR") is not None
    assert find_key("BROWSER_0_REPL_ADDR") is None
    assert "BROWSER_4_TCP_ADDR" in KEYS


def test_the_projects_own_file_sets_every_key_and_no_other() -> None:
    settings = load_settings(str(ROOT / "config.env"), environ={}, home=ROOT)
    assert settings.warnings == ()
    assert [key for key in KEYS if settings.value(key).origin == "default"] == []
    assert settings.get_bool("EXIT_ON_COMPLETED")
    assert settings.get_int("HASH_ITERATIONS") == 10_000
