"""The project's own programs, as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.bundle.sources import closure, module_name
from amctl.cli.main import COMMANDS
from amctl.insight.targets import TARGETS, read_target, roots_of
from tests.support.house import ROOT
from tests.support.small_program import write_project

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.insight.deps import Deps

COMMAND_LINE = ("amctl.cli.main", *(row[0] for row in COMMANDS.values()))


@pytest.fixture(scope="module", params=TARGETS)
def program(request: pytest.FixtureRequest) -> Deps:
    return read_target(ROOT, request.param, "nodes", COMMAND_LINE)


def test_roots(tmp_path: Path) -> None:
    assert roots_of("browser", ROOT, "nodes", COMMAND_LINE) == ("nodes.browser",)
    assert roots_of("orchestrator", ROOT, "nodes", COMMAND_LINE) == ("nodes.run",)
    assert roots_of("amctl", ROOT, "nodes", ["a", "b", "a"]) == ("a", "b")
    assert roots_of("orchestrator", write_project(tmp_path), "shop", ()) == ("shop",)


@pytest.mark.slow
def test_it_is_what_the_bundle_would_ship(program: Deps) -> None:
    files = closure(ROOT, *program.roots)
    assert set(program.modules) == {module_name(inner) for inner in files}


@pytest.mark.slow
def test_everything_is_in_for_a_reason(program: Deps) -> None:
    for name in program.modules:
        chain = program.chain(name)
        assert chain or name in program.roots
        assert all(link.importer in program.modules for link in chain)


@pytest.mark.slow
def test_imports_run_one_way(program: Deps) -> None:
    assert program.against == set()


@pytest.mark.slow
def test_every_installed_third_party_has_a_licence(program: Deps) -> None:
    here = [party for party in program.third_party if party.version]
    assert [party.name for party in here if party.licence == "unknown"] == []


@pytest.mark.slow
def test_the_browser_gets_nothing_of_the_server(program: Deps) -> None:
    names = {*program.modules, *program.owners, *program.standard}
    servers = {"starlette", "typer", "rich", "uvicorn", "sqlite3", "amctl.relay", "amctl.dump"}
    if program.target == "browser":
        assert "nodes.browser" in names
        assert not servers & names
    else:
        assert servers & names


@pytest.mark.slow
def test_the_command_line_has_all_its_commands(program: Deps) -> None:
    if program.target == "amctl":
        assert set(COMMAND_LINE) <= set(program.modules)
        assert not [name for name in program.modules if name.partition(".")[0] != "amctl"]
