"""A group whose commands are imported only when they run.

`amctl --help` needs names and one line each, so the group holds stubs; `resolve_command` imports
the module behind the one that was asked for. Before that, `parse_args` makes two things true for
every command: options of the root may stand behind the command's name too, and booleans may be
spelled `--x=true` and `--x=false`, as the original tools' are. A command may be a group itself;
then both hold for its commands too.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, ClassVar

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LazyGroup", "all_params", "normalise_booleans"]

_WORDS = {"true": True, "1": True, "false": False, "0": False}


def normalise_booleans(params: Sequence[Any], args: Sequence[str]) -> list[str]:
    """Rewrite `--x=true` and `--x=false` of those `params` that are on-off flags.

    Words behind `--` are left alone, and so are options that take a value.
    """
    switches: dict[str, tuple[str, str]] = {}
    for param in params:
        if getattr(param, "is_flag", False) and param.secondary_opts:
            on, off = param.opts[0], param.secondary_opts[0]
            switches.update(dict.fromkeys(param.opts, (on, off)))
            switches.update(dict.fromkeys(param.secondary_opts, (off, on)))
    out: list[str] = []
    for index, arg in enumerate(args):
        if arg == "--":
            return [*out, *args[index:]]
        name, equals, word = arg.partition("=")
        if equals and name in switches and word.lower() in _WORDS:
            out.append(switches[name][0 if _WORDS[word.lower()] else 1])
        else:
            out.append(arg)
    return out


def all_params(command: Any) -> list[Any]:
    """The parameters of a command, and of all the commands within it."""
    inner = getattr(command, "commands", {}).values()
    return [*command.params, *(param for one in inner for param in all_params(one))]


def _names(params: Sequence[Any]) -> set[str]:
    return {name for param in params for name in (*param.opts, *param.secondary_opts)}


def _is_among(arg: str, names: set[str]) -> bool:
    """Whether an option, or a cluster of short ones such as -vv, is one of `names`."""
    if arg.startswith("--"):
        return arg.partition("=")[0] in names
    return len(arg) > 1 and all(f"-{letter}" in names for letter in arg[1:])


class LazyGroup(TyperGroup):
    """Commands by name; subclasses fill `modules` with the module that holds each one's app.

    `module:name` is an app of another name.
    """

    modules: ClassVar[Mapping[str, str]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.modules)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, self._load(name) if name else command, rest

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        at = self._command_at(args)
        head, rest = list(args[:at]), list(args[at:])
        if rest and rest[0] in self.modules:
            own = all_params(self._load(rest[0]))
            moved, kept = self._hoist(rest[1:], _names(own))
            head += moved
            rest = [rest[0], *normalise_booleans(own, kept)]
        return super().parse_args(ctx, [*normalise_booleans(self.params, head), *rest])

    def _load(self, name: str) -> Any:
        place, _, attribute = self.modules[name].partition(":")
        module = importlib.import_module(place)
        return typer.main.get_command(getattr(module, attribute or "app"))

    def _takes_value(self, arg: str) -> bool:
        for param in self.params:
            if arg in param.opts:
                return not (getattr(param, "is_flag", False) or getattr(param, "count", False))
        return False

    def _command_at(self, args: Sequence[str]) -> int:
        """Index of the command's name: the first word that is no option and no option's value."""
        index = 0
        while index < len(args) and args[index].startswith("-") and args[index] != "--":
            index += 2 if self._takes_value(args[index]) else 1
        return min(index, len(args))

    def _hoist(self, args: Sequence[str], own: set[str]) -> tuple[list[str], list[str]]:
        """Split the words behind a command into the root's options and the rest."""
        mine = _names(self.params) - own
        moved: list[str] = []
        kept: list[str] = []
        index = 0
        while index < len(args):
            arg = args[index]
            if arg == "--":
                kept += args[index:]
                break
            if arg.startswith("-") and _is_among(arg, mine):
                width = 2 if self._takes_value(arg) else 1
                moved += args[index : index + width]
                index += width
            else:
                kept.append(arg)
                index += 1
        return moved, kept
