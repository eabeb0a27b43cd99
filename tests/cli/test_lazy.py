"""Words before and behind a command, booleans in every spelling."""

from __future__ import annotations

from typing import Annotated, ClassVar

import pytest
import typer

from amctl.cli.lazy import LazyGroup, all_params, normalise_booleans

app = typer.Typer(add_completion=False)
seen: list[object] = []


@app.command()
def work(
    stay: Annotated[bool, typer.Option("--stay/--no-stay")] = True,
    val: Annotated[str, typer.Option("--val")] = "",
    words: Annotated[list[str] | None, typer.Argument()] = None,
) -> None:
    """The command behind the stub."""
    seen.append((stay, val, words or []))


class Group(LazyGroup):
    """One command, which lives in this module."""

    modules: ClassVar[dict[str, str]] = {"work": __name__}


root = typer.Typer(cls=Group, add_completion=False)
root.command("work", help="A stub.")(lambda: None)


@root.callback()
def shared(
    config: Annotated[str, typer.Option("-c", "--config")] = "",
    verbose: Annotated[int, typer.Option("-v", "--verbose", count=True)] = 0,
    color: Annotated[bool, typer.Option("--color/--no-color")] = True,
) -> None:
    """The root's options."""
    seen.append((config, verbose, color))


def run(line: str) -> tuple[object, object]:
    seen.clear()
    typer.main.get_command(root).main(line.split(), prog_name="x", standalone_mode=False)
    shared_seen, work_seen = seen
    return shared_seen, work_seen


@pytest.mark.parametrize(
    "line",
    ["-v -c f --no-color work", "work -v -c f --no-color", "-v work --no-color=true --config=f"],
)
def test_the_roots_options_stand_before_or_behind_the_command(line: str) -> None:
    assert run(line) == (("f", 1, False), (True, "", []))


@pytest.mark.parametrize(
    ("line", "stay"),
    [
        ("work", True),
        ("work --stay", True),
        ("work --no-stay", False),
        ("work --stay=true", True),
        ("work --stay=false", False),
        ("work --stay=FALSE", False),
        ("work --no-stay=true", False),
        ("work --no-stay=false", True),
        ("work --no-stay --stay=1", True),
    ],
)
def test_a_boolean_is_understood_in_every_spelling(line: str, stay: bool) -> None:
    assert run(line)[1] == (stay, "", [])


def test_the_value_of_an_option_is_left_alone() -> None:
    assert run("work --val=true") == (("", 0, True), (True, "true", []))


def test_words_behind_two_dashes_are_left_alone() -> None:
    assert run("work -vv -- -v --stay=false") == (
        ("", 2, True),
        (True, "", ["-v", "--stay=false"]),
    )


def test_clusters_of_short_options_count() -> None:
    assert run("work -vvv")[0] == ("", 3, True)


def test_normalise_booleans_ignores_what_it_does_not_know() -> None:
    assert normalise_booleans([], ["--x=true", "y"]) == ["--x=true", "y"]


club = typer.Typer(add_completion=False)


@club.callback()
def of_club(size: Annotated[int, typer.Option("--size")] = 0) -> None:
    """The group's own option."""
    seen.append(size)


@club.command()
def show(far: Annotated[bool, typer.Option("--far/--no-far")] = True) -> None:
    """One of two."""
    seen.append(("show", far))


@club.command()
def hide(config: Annotated[str, typer.Option("-c", "--cover")] = "") -> None:
    """Its -c isn't the root's."""
    seen.append(("hide", config))


class Outer(LazyGroup):
    """A group within a group."""

    modules: ClassVar[dict[str, str]] = {"club": f"{__name__}:club"}

    def _load(self, name: str) -> object:
        return typer.main.get_command(club)


outer = typer.Typer(cls=Outer, add_completion=False)
outer.command("club", help="A stub.")(lambda: None)
outer.callback()(shared)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("club show -v --far=false", [("", 1, True), 0, ("show", False)]),
        ("-v club --size 3 show", [("", 1, True), 3, ("show", True)]),
        ("club hide -c x --no-color", [("", 0, False), 0, ("hide", "x")]),
    ],
)
def test_a_command_may_be_a_group(line: str, expected: list[object]) -> None:
    seen.clear()
    typer.main.get_command(outer).main(line.split(), prog_name="x", standalone_mode=False)
    assert seen == expected


def test_the_parameters_of_a_group_are_those_of_its_commands_too() -> None:
    names = {param.name for param in all_params(typer.main.get_command(club))}
    assert {"size", "far", "config"} <= names
