"""The flags of `amctl mach`: those of the REPL's command of that name, and where machines are.

A command's own words and options are made from its description in the registry, so that one-shot
commands and the prompt can't differ. What is shared stands before or behind the command's name.
"""

from __future__ import annotations

import functools
import inspect
import keyword
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amctl.cli._operating import Reach
from amctl.repl.command import Kind
from amctl.repl.errors import UsageError
from amctl.repl.parsing import parse_duration
from amctl.repl.registry import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amctl.repl.command import Command, Param

__all__ = ["Call", "Shown", "located", "mirroring"]

_META = "amctl.cli.mach.where"
_METAVARS = {
    Kind.PATTERN: "PAT",
    Kind.STATE: "STATE",
    Kind.TO_ADD: "STATE",
    Kind.TO_REMOVE: "STATE",
    Kind.ARG_NAME: "ARG",
    Kind.NUMBER: "N",
    Kind.DURATION: "DUR",
    Kind.FILE: "FILE",
    Kind.MACHINE: "MACHINE",
    Kind.TAG: "TAG",
}
"""What completion goes by; any other kind is TEXT."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How an answer is told."""

    as_json: bool = False
    as_lines: bool = False
    """A JSON document for each machine, as it comes."""
    watch: bool = False
    allow_empty: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One command of the registry with its values, on machines somewhere."""

    command: Command
    values: Mapping[str, Any]
    """Of the command's params, as its parser would give them."""
    more: Mapping[str, Any]
    """Of what `amctl mach` has beyond them."""
    reach: Reach
    shown: Shown


# -- what is shared


def _where(
    addr: Annotated[
        str | None,
        typer.Option("--addr", metavar="ADDR", help="One machine: host:port or host:port/path."),
    ] = None,
    dir: Annotated[
        str | None,
        typer.Option(
            "-d", "--dir", metavar="DIR", help="Folder of *.addr files. Default: REPL_DIR."
        ),
    ] = None,
    file: Annotated[
        str | None, typer.Option("-f", "--file", metavar="FILE", help="File with one address.")
    ] = None,
    req_all: Annotated[
        bool | None,
        typer.Option(
            "--req-all/--no-req-all",
            help="Fail unless all addresses are connected.",
            show_default=False,
        ),
    ] = None,
    allow_remote: Annotated[
        bool | None,
        typer.Option(
            "--allow-remote/--no-allow-remote",
            help="Dial what isn't on this machine too; nothing is encrypted.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Never called: its parameters are what says where machines are."""


def _acting(
    as_json: Annotated[
        bool, typer.Option("--json/--no-json", help="One JSON document.", show_default=False)
    ] = False,
    allow_empty: Annotated[
        bool,
        typer.Option(
            "--allow-empty/--no-allow-empty",
            help="No machine fits: no failure.",
            show_default=False,
        ),
    ] = False,
) -> None:
    """Never called: how an answer is told."""


def _looking(
    as_json: Annotated[
        bool, typer.Option("--json/--no-json", help="One JSON document.", show_default=False)
    ] = False,
    as_lines: Annotated[
        bool,
        typer.Option(
            "--jsonl/--no-jsonl", help="A JSON document for each machine.", show_default=False
        ),
    ] = False,
    watch: Annotated[
        bool,
        typer.Option(
            "-w/ ",
            "--watch/--no-watch",
            help="Go on, and show what changes; Ctrl-C.",
            show_default=False,
        ),
    ] = False,
    allow_empty: Annotated[
        bool,
        typer.Option(
            "--allow-empty/--no-allow-empty",
            help="No machine fits: no failure.",
            show_default=False,
        ),
    ] = False,
) -> None:
    """Never called: how an answer is told that may go on."""


def _params(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function, eval_str=True).parameters)


def located(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a group take the flags that say where machines are, for the commands within it."""
    own = _params(function)

    @functools.wraps(function)
    def run(ctx: typer.Context, **given: Any) -> Any:
        ctx.meta[_META] = {k: v for k, v in given.items() if k not in own and v is not None}
        return function(ctx, **{name: given[name] for name in given if name in own})

    return _signed(run, {**own, **_params(_where)})


def mirroring(
    name: str, *, looking: bool = False, leave_out: tuple[str, ...] = (), default: str | None = None
) -> Callable[[Callable[..., int]], Callable[..., Any]]:
    """Give a function the words and options of a command of the registry.

    It is called with the context and a `Call`; parameters of its own behind those two are options
    beyond the command's, and stand in `Call.more`.

    Args:
        name: Of the command.
        looking: It changes nothing, so it can go on looking.
        leave_out: Params that are of no use in a one-shot command.
        default: What the pattern is if it is left out.
    """
    command = registry[name]

    def decorate(function: Callable[..., int]) -> Callable[..., Any]:
        extra = {k: p for k, p in _params(function).items() if k not in ("ctx", "call")}
        shared = {**_params(_where), **_params(_looking if looking else _acting)}
        taken = _flags_of([*shared.values(), *extra.values()])
        mirrored = [p for p in command.params if p.name not in leave_out]
        own = {p.name: _mirrored(p, taken, default) for p in mirrored}

        @functools.wraps(function)
        def run(ctx: typer.Context, **given: Any) -> int:
            values = {p.name: _value(p, given.get(_spelled(p.name))) for p in command.params}
            more = {key: given[key] for key in extra}
            told = {key: given[key] for key in Shown.__dataclass_fields__ if key in given}
            call = Call(command, values, more, _reach(ctx, given), Shown(**told))
            return function(ctx, call=call, **more)

        places = [p for k, p in own.items() if not _is_option(p)]
        options = [p for k, p in own.items() if _is_option(p)]
        context = inspect.Parameter(
            "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )
        every = [context, *places, *extra.values(), *options, *shared.values()]
        return _signed(run, {p.name: p for p in every})

    return decorate


def _signed(run: Callable[..., Any], params: Mapping[str, inspect.Parameter]) -> Callable[..., Any]:
    alone = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in params.values()]
    run.__signature__ = inspect.Signature(alone)  # type: ignore[attr-defined]  # what typer reads
    run.__annotations__ = {name: p.annotation for name, p in params.items()}
    return run


def _is_option(parameter: inspect.Parameter) -> bool:
    return isinstance(parameter.annotation.__metadata__[0], type(typer.Option()))


def _flags_of(parameters: list[inspect.Parameter]) -> set[str]:
    infos = [p.annotation.__metadata__[0] for p in parameters]
    # typer takes the first spelling for a default until it reads the whole signature
    spelled = [flag for info in infos for flag in (info.default, *(info.param_decls or ()))]
    spelled = [flag for flag in spelled if isinstance(flag, str)]
    return {name.strip() for flag in spelled for name in flag.split("/")}


# -- from the registry's params to typer's


def _mirrored(param: Param, taken: set[str], default: str | None) -> inspect.Parameter:
    """A param of the registry as typer declares it, without flags that mean something else here."""
    flags = [flag for flag in param.flags if flag not in taken]
    info: Any
    kind: Any = str
    metavar = "VALUE" if param.name == "val" else _METAVARS.get(param.kind, "TEXT")
    metavar = "|".join(param.choices) or metavar
    shown: dict[str, Any] = {"help": param.help, "metavar": metavar, "show_default": False}
    if param.kind is Kind.NUMBER:
        kind, shown["min"] = int, 0
    elif param.kind is Kind.DURATION:
        kind, shown["parser"] = float, _seconds
    if param.kind is Kind.SWITCH:
        longs = [f for f in flags if f.startswith("--")]
        spelled = [f if f not in longs else f"{f}/--no-{f[2:]}" for f in flags]
        kind, flags = bool, [f if "/" in f else f"{f}/ " for f in spelled]
        del shown["metavar"]
    if param.many:
        kind = list[kind]
    if param.flags:
        info = typer.Option(*flags, **shown)
    else:
        shown["metavar"] += "..." if param.many else ""
        info = typer.Argument(**shown)
    needed = param.required and not (default is not None and param.kind is Kind.PATTERN)
    value = inspect.Parameter.empty if needed else _default(param, default)
    if value is None:
        kind = kind | None
    return inspect.Parameter(
        _spelled(param.name),
        inspect.Parameter.KEYWORD_ONLY,
        default=value,
        annotation=Annotated[kind, info],
    )


def _spelled(name: str) -> str:
    """A param's name as Python takes it."""
    return f"{name}_" if keyword.iskeyword(name) else name


def _default(param: Param, pattern: str | None) -> Any:
    if param.kind is Kind.PATTERN:
        return pattern
    return param.default or None if param.kind is not Kind.SWITCH else bool(param.default)


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _value(param: Param, given: Any) -> Any:
    """What the command's own parser would have made of it."""
    if given is None:
        return list(param.default or ()) if param.many else param.default
    return list(given) if param.many else given


def _reach(ctx: typer.Context, given: Mapping[str, Any]) -> Reach:
    """Where machines are: what stands behind the command beats what stands before it.

    Raises:
        UsageError: Two of address, folder and file.
    """
    before: Mapping[str, Any] = ctx.meta.get(_META, {})
    names = ("addr", "dir", "file")
    now = {k: given[k] for k in names if given.get(k) is not None}
    place = now or {k: before[k] for k in names if k in before}
    if len(place) > 1:
        both = " and ".join(f"--{name}" for name in place)
        raise UsageError(f"{both} exclude each other", "give one of them")
    switches = {
        k: bool(given[k] if given.get(k) is not None else before.get(k))
        for k in ("req_all", "allow_remote")
    }
    text = next(iter(place.values()), None)
    if text is not None and not text.strip():
        raise UsageError(f"--{next(iter(place))} is empty", "leave it out for the last run's")
    return Reach(
        text,
        file="file" in place,
        dir="dir" in place,
        watch=bool(given.get("watch")),
        all=switches["req_all"],
        allow_remote=switches["allow_remote"],
    )
