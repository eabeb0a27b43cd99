"""What the docs say is so: every command, flag, key and exit code, and the README's example."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
import typer

from amctl.cli.exitcodes import ExitCode
from amctl.cli.lazy import all_params
from amctl.cli.main import COMMANDS, app
from amctl.run.settings import KEYS
from tests.support.house import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS_MD = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
CONFIG = (ROOT / "config.env").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text of one section of docs/commands.md."""
    return COMMANDS_MD.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def command(name: str) -> Any:
    root: Any = typer.main.get_command(app)
    return root.resolve_command(None, [name])[1]


def command_names(name: str) -> set[str]:
    """`name`, or its commands with it in front if it is a group."""
    inner = getattr(command(name), "commands", {})
    return {f"{name} {one}" for one in inner} or {name}


def flags(params: list[Any]) -> set[str]:
    """The positive spellings of all options."""
    return {name for param in params for name in param.opts if name.startswith("-")}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_flag_is_documented(name: str) -> None:
    text = section(f"amctl {name}")
    assert [one for one in command_names(name) if f"`amctl {one}" not in text] == []
    params = flags(all_params(command(name))) - {"--help", "-h"}
    assert {flag for flag in params if not re.search(rf"{flag}\b", text)} == set()


def cell(row: str) -> str:
    """The first cell of a table's row."""
    return row[: row.find(" | ", 2)]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_documented_flag_is_gone(name: str) -> None:
    rows = [line for line in section(f"amctl {name}").splitlines() if line.startswith("| `-")]
    documented = {
        flag for row in rows for flag in re.findall(r"`(--?[a-z-]+)", row.split(" | ")[0])
    }
    assert documented <= flags(all_params(command(name)))


def test_shared_flags_are_documented() -> None:
    root: Any = typer.main.get_command(app)
    text = section("Shared flags")
    assert {flag for flag in flags(root.params) if f"`{flag}" not in text} == set()


@pytest.mark.parametrize("key", KEYS)
def test_every_key_stands_in_config_env_under_a_comment(key: str) -> None:
    lines = CONFIG.splitlines()
    at = next(i for i, line in enumerate(lines) if re.match(rf"#?{key}=", line))
    block = next(line for line in reversed(lines[:at]) if not re.match(r"#?[A-Z_0-9]+=", line))
    assert block.startswith("# "), f"{key} has no comment above it"


def test_every_exit_code_is_documented() -> None:
    text = section("Exit codes")
    assert [code for code in ExitCode if f"| {code:d} |" not in text] == []


@pytest.mark.slow
@pytest.mark.realtime
def test_the_readmes_python_does_what_it_says() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.S)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "welcome"
    assert lines[1].lower().startswith("canceled")
    assert lines[2].lower().startswith("executed")


def test_what_the_readme_points_at_exists() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    paths = re.findall(r"^\| `([a-z./_]+)`", README, re.M)
    made_by_a_run = {"tmp"}
    missing = {p for p in (*links, *paths) if not (ROOT / p).exists()} - made_by_a_run
    assert missing == set()


def test_docs_name_no_place_of_one_machine() -> None:
    for text in (README, COMMANDS_MD, CONFIG):
        assert not re.search(r"(^|[^A-Za-z0-9_.])/(root|home|work|tmp)/", text)
