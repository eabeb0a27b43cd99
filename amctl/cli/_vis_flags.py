"""The flags of every command that draws, before and behind the command's name.

They are declared once, as the parameters of `_declared`; `drawing` appends them to a command's own,
so that each command's help lists them. What stands behind the command beats what stands before it,
and what stands nowhere leaves the preset's value.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amctl.vis.options import VisOptions
    from amctl.vis.theme import Choice

__all__ = ["Flags", "PictureFormat", "ThemeChoice", "choosing", "collect", "drawing"]


class PictureFormat(StrEnum):
    """What a picture may be written as."""

    svg = "svg"
    png = "png"
    pdf = "pdf"
    dot = "dot"
    html = "html"


class ThemeChoice(StrEnum):
    """Colours; auto are the viewer's."""

    auto = "auto"
    dark = "dark"
    light = "light"


_PRESETS = ("bird", "map", "single")
_OUTPUT = ("output", "formats", "theme", "open_it")
_MACHINES = ("machs", "skip_machs", "allowlist")
_META = "amctl.cli.vis.flags"


@dataclass(frozen=True, slots=True)
class Flags:
    """What was given, by parameter; the rest is absent."""

    given: Mapping[str, Any]

    @property
    def preset(self) -> str:
        """Bird, map or single; empty without any.

        Raises:
            BadParameter: More than one.
        """
        chosen = [name for name in _PRESETS if self.given.get(name)]
        if len(chosen) > 1:
            raise typer.BadParameter(" and ".join(f"--{name}" for name in chosen) + ": choose one")
        return chosen[0] if chosen else ""

    @property
    def options(self) -> VisOptions:
        """The preset with the flags on top of it."""
        from amctl.vis.presets import options_for

        apart = {*_PRESETS, *_OUTPUT, *_MACHINES, "elk"}
        return options_for(self.preset, {k: v for k, v in self.given.items() if k not in apart})

    @property
    def output(self) -> str:
        """File name or base name; empty if none was given, `-` is stdout."""
        return str(self.given.get("output", ""))

    @property
    def formats(self) -> list[str]:
        """What was asked for, in that order."""
        return [str(one.value) for one in self.given.get("formats", ())]

    @property
    def theme(self) -> Choice:
        """As the viewer's, unless one was asked for."""
        return cast("Choice", self.given.get("theme", ThemeChoice.auto).value)

    @property
    def opens(self) -> bool:
        """Whether to show what was written."""
        return bool(self.given.get("open_it"))

    def text(self, name: str) -> str:
        """One of machs, skip_machs and allowlist."""
        return str(self.given.get(name, ""))


def _option(name: str, help: str) -> Any:
    return typer.Option(f"--{name}/--no-{name}", help=help, show_default=False)


def _render(name: str, help: str) -> Any:
    return _option(f"render-{name}", help)


_YesNo = bool | None


def _declared(
    bird: Annotated[
        _YesNo, _option("bird", "All machines with their own states and pipes.")
    ] = None,
    map: Annotated[_YesNo, _option("map", "All machines as nested boxes, without states.")] = None,
    single: Annotated[
        _YesNo, _option("single", "One machine, its relations as lines, nothing around it.")
    ] = None,
    distance: Annotated[
        int | None,
        typer.Option(
            "-d",
            "--render-distance",
            metavar="N",
            min=-1,
            help="In full: machines within N hops of a requested one; -1 is all.",
        ),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(
            "--render-depth",
            metavar="N",
            min=0,
            help="In full: submachines up to N levels below a requested one, or below the top.",
        ),
    ] = None,
    states: Annotated[_YesNo, _render("states", "States.")] = None,
    start: Annotated[_YesNo, _render("start", "The state Start.")] = None,
    ready: Annotated[_YesNo, _render("ready", "The state Ready.")] = None,
    exception: Annotated[_YesNo, _render("exception", "The state Exception.")] = None,
    inherited: Annotated[_YesNo, _render("inherited", "States of the standard sets.")] = None,
    mark_inherited: Annotated[
        _YesNo, _render("mark-inherited", "Show which states are inherited.")
    ] = None,
    active: Annotated[_YesNo, _render("active", "Show which states are active.")] = None,
    relations: Annotated[_YesNo, _render("relations", "Require, add and remove.")] = None,
    after: Annotated[_YesNo, _render("after", "After relations too.")] = None,
    pipes: Annotated[_YesNo, _render("pipes", "Pipes between machines.")] = None,
    detailed_pipes: Annotated[
        _YesNo, _render("detailed-pipes", "Pipes from state to state, not one line per pair.")
    ] = None,
    pipe_states: Annotated[
        _YesNo, _render("pipe-states", "The states that pipes end at, in any case.")
    ] = None,
    half_pipes: Annotated[
        _YesNo, _render("half-pipes", "Pipes to machines that are not drawn in full.")
    ] = None,
    conns: Annotated[_YesNo, _render("conns", "RPC connections.")] = None,
    half_conns: Annotated[
        _YesNo, _render("half-conns", "Those to machines that are not drawn in full.")
    ] = None,
    parent_rel: Annotated[_YesNo, _render("parent-rel", "Lines from child to parent.")] = None,
    half_hierarchy: Annotated[
        _YesNo, _render("half-hierarchy", "Those to machines that are not drawn in full.")
    ] = None,
    nest_submachines: Annotated[
        _YesNo, _render("nest-submachines", "Children inside their parents' boxes.")
    ] = None,
    tags: Annotated[_YesNo, _render("tags", "Tags of machines.")] = None,
    collapse: Annotated[
        _YesNo, _render("bundles", "Pipes that mirror a block of states as one line.")
    ] = None,
    elk: Annotated[
        _YesNo, _option("output-elk", "No effect: Graphviz lays out. Kept for am-vis's users.")
    ] = None,
    machs: Annotated[
        str | None,
        typer.Option("--render-machs", metavar="PAT", help="Request these machines."),
    ] = None,
    skip_machs: Annotated[
        str | None,
        typer.Option("--render-skip-machs", metavar="PAT", help="Never draw these machines."),
    ] = None,
    allowlist: Annotated[
        str | None,
        typer.Option("--render-allowlist", metavar="A,B", help="Draw only these states."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output-filename",
            metavar="NAME",
            help="Name or file to write; - is stdout. Default: am-vis.",
        ),
    ] = None,
    formats: Annotated[
        list[PictureFormat] | None,
        typer.Option(
            "--format",
            help="Repeatable. Default: by the suffix of -o, or svg.",
            show_default=False,
        ),
    ] = None,
    theme: Annotated[
        ThemeChoice | None,
        typer.Option(
            "--theme",
            help="Default: auto, the viewer's; light in png, pdf and dot.",
            show_default=False,
        ),
    ] = None,
    open_it: Annotated[_YesNo, _option("open", "Show what was written.")] = None,
) -> None:
    """Never called: its parameters are what is shared."""


def collect(ctx: typer.Context, given: Mapping[str, Any]) -> Flags:
    """Join what a command was given with what stands before it, and leave it for those within."""
    before = ctx.meta.get(_META, {})
    now = {name: value for name, value in given.items() if value not in (None, [], ())}
    both = {**before, **now}
    ctx.meta[_META] = both
    return Flags(both)


def drawing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Append all the flags to a command; it takes them joined, as its parameter `flags`."""
    return _with(command, inspect.signature(_declared, eval_str=True).parameters)


def choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `drawing`, but only the flags that choose machines and name the output."""
    every = inspect.signature(_declared, eval_str=True).parameters
    names = ("distance", "depth", "machs", "skip_machs", "output")
    return _with(command, {name: every[name] for name in names})


def _with(
    command: Callable[..., Any], shared: Mapping[str, inspect.Parameter]
) -> Callable[..., Any]:
    own = dict(inspect.signature(command, eval_str=True).parameters)
    own.pop("flags")

    @functools.wraps(command)
    def run(ctx: typer.Context, **values: Any) -> Any:
        flags = collect(ctx, {name: values.pop(name) for name in shared})
        return command(ctx, flags=flags, **values)

    every = [*own.values(), *shared.values()]
    run.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]  # what typer reads
    run.__annotations__ = {one.name: one.annotation for one in every}
    return run
