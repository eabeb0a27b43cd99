"""`amctl completion`: what makes a shell complete `amctl`; and `amctl complete`, which it asks."""

from __future__ import annotations

import json
import os
import shlex
import sys
from enum import StrEnum
from typing import Annotated

import typer

from amctl.cli._completion_scripts import SCRIPTS, Installed, install
from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import GlobalOptions, global_options

__all__ = ["Shell", "answer", "app", "asked", "split_line"]

app = typer.Typer(add_completion=False, rich_markup_mode=None)
asked = typer.Typer(add_completion=False)
"""The hidden command."""


class Shell(StrEnum):
    """Which shell is to complete."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


@app.command()
def completion(
    ctx: typer.Context,
    shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", show_default=False)],
    write: Annotated[
        bool, typer.Option("--install/--no-install", help="Write it where the shell looks.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Print the script that makes a shell complete commands, options and values.

    Machines and states of what is running are among them. To try it: source <(amctl completion
    bash)

    Example: amctl completion bash
    """
    if not write:
        document = {"shell": shell.value, "script": SCRIPTS[shell]}
        print(json.dumps(document) if as_json else SCRIPTS[shell], end="\n" if as_json else "")
        return int(ExitCode.DONE)
    try:
        done = install(shell.value, os.environ)
    except (OSError, KeyError) as error:
        print(f"error: {_in_words(error)}", file=sys.stderr)
        return int(ExitCode.FAILED)
    _tell(shell, done, global_options(ctx), as_json=as_json)
    return int(ExitCode.DONE)


def _in_words(error: OSError | KeyError) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return "HOME isn't set, so nobody knows where the shell looks"


def _tell(shell: Shell, done: Installed, options: GlobalOptions, *, as_json: bool) -> None:
    if as_json:
        files = [str(path) for path in done.files]
        print(json.dumps({"shell": shell.value, "installed": files, "hint": done.hint}))
        return
    for path in done.files:
        options.say(f"wrote {path}")
    options.say(f"hint: {done.hint}" if done.hint else "open a new shell to use it")


@asked.command(hidden=True)
def complete(
    shell: Annotated[Shell, typer.Argument()],
    words: Annotated[list[str] | None, typer.Argument()] = None,
) -> int:
    """Propose words; the scripts of `amctl completion` ask this.

    bash hands over its word breaks and the line up to the cursor, the others the words, the one
    at the cursor last. It tells nothing but proposals: a failure is no proposal.

    Example: amctl complete zsh -- st
    """
    try:
        lines = answer(shell, words or [])
    except Exception:  # whatever goes wrong, nobody wants to read it in the middle of a line
        lines = ["words"]
    print(*lines, sep="\n")
    return int(ExitCode.DONE)


def answer(shell: Shell, words: list[str]) -> list[str]:
    """The lines for a shell's question. May raise whatever its sources raise."""
    from amctl.cli._completion_values import complete as propose
    from amctl.cli.main import app as root

    cut = 0
    if shell is Shell.bash:
        breaks, line = (*words, "", "")[:2]
        words, cut = split_line(line, breaks)
    *before, current = words or [""]
    reply = propose(typer.main.get_command(root), before, current)
    rows = [f"{one.value[cut:]}\t{' '.join(one.help.split())}" for one in reply.candidates]
    return [reply.kind, *rows]


def split_line(line: str, breaks: str) -> tuple[list[str], int]:
    """The words of a line of bash behind the program's name, the last one at the cursor.

    Also how many letters of that last one bash keeps: those up to its last word break, for what it
    replaces begins there.
    """
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    quoted = False
    try:
        words.extend(lexer)
    except ValueError:
        # a quote is open: what stands in it is the last word
        quoted = True
        words.append(lexer.token)
    if line[-1:].isspace() and not quoted and not (words and words[-1][-1:].isspace()):
        words.append("")
    while words and "=" in words[0] and words[0].partition("=")[0].isidentifier():
        del words[0]  # NAME=VALUE in front of the command
    words = words[1:] or [""]
    within = "" if quoted else breaks.translate(dict.fromkeys(map(ord, " \t\n\"'")))
    return words, max((words[-1].rfind(one) + 1 for one in within), default=0)
