"""`amctl`: the table of commands, the shared options, and the last word on errors."""

from __future__ import annotations

import signal
import sys
import traceback
from typing import Annotated, Any, ClassVar

import typer

from amctl.cli.errors import describe, exit_code_of, is_expected, write_report
from amctl.cli.exitcodes import EXIT_CODES_HELP, ExitCode
from amctl.cli.lazy import LazyGroup
from amctl.cli.options import GlobalOptions

__all__ = ["COMMANDS", "app", "main", "run"]

COMMANDS = {
    "start": ("amctl.cli.start", "Run the whole workflow, and watch it until it is verified."),
    "build": ("amctl.cli.build", "Build the browser bundle into web/dist."),
    "repl": ("amctl.cli.repl", "Operate running machines: at a prompt, by commands, by scripts."),
    "mach": ("amctl.cli.mach", "Look at running machines, change them, wait for them."),
    "play": ("amctl.cli.play", "Run playbooks on running machines, or on copies of them."),
    "dbg": ("amctl.cli.dbg", "Look into machines, live or recorded: time travel in the terminal."),
    "collect": ("amctl.cli.collect", "Record what machines send; `start` does it by itself."),
    "why": ("amctl.cli.why", "Why a state isn't active, was refused, or waits: who is to blame."),
    "dump": ("amctl.cli.dump", "List, search, convert, merge and compare recordings."),
    "vis": ("amctl.cli.vis", "Draw and list machines, their states and pipes, from a recording."),
    "deps": ("amctl.cli.deps", "What the browser bundle and the programs import, and why."),
    "traces": ("amctl.cli.traces", "Show and export recorded traces, with no server."),
    "relay": ("amctl.cli.relay", "The original's relay commands: rotate-dbg."),
    "jaeger": ("amctl.cli.jaeger", "The prepackaged Jaeger: up, down, status, open."),
    "profile": ("amctl.cli.profile", "Where a running machine spends its time: a flame graph."),
    "bench": ("amctl.cli.bench", "Measure parts of amctl on this machine, beside their goals."),
    "gen": ("amctl.cli.gen", "Begin a set of states, or find what is odd about one."),
    "setup": ("amctl.cli.setup", "Install what this machine lacks, or say how."),
    "doctor": ("amctl.cli.doctor", "What is wrong with this machine or project, and its cure."),
    "completion": ("amctl.cli.completion", "Complete commands and values in bash, zsh or fish."),
}
"""Name -> module that holds the command's app, and its line in the list."""

HIDDEN = {"complete": "amctl.cli.completion:asked"}
"""Commands that programs call, not people."""


class Commands(LazyGroup):
    """The root's commands."""

    modules: ClassVar[dict[str, str]] = {
        **{name: row[0] for name, row in COMMANDS.items()},
        **HIDDEN,
    }


app = typer.Typer(
    cls=Commands,
    name="amctl",
    add_completion=False,
    epilog=EXIT_CODES_HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


def _stub() -> None:
    """Stands in the list of commands; the real one is imported when it runs."""


for _name, (_module, _line) in COMMANDS.items():
    app.command(_name, help=_line)(_stub)
for _name in HIDDEN:
    app.command(_name, hidden=True)(_stub)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"amctl {version('amctl')}")
        raise typer.Exit()


@app.callback()
def root(
    ctx: typer.Context,
    config: Annotated[
        str | None, typer.Option("-c", "--config", metavar="FILE", help="Read this config.env.")
    ] = None,
    verbose: Annotated[
        int, typer.Option("-v", "--verbose", count=True, help="Say more; -vv says most.")
    ] = 0,
    quiet: Annotated[bool, typer.Option("-q/ ", "--quiet/--no-quiet", help="Only errors.")] = False,
    color: Annotated[
        bool, typer.Option("--color/--no-color", help="Colours, where they make sense.")
    ] = True,
    debug: Annotated[
        bool, typer.Option("--debug/--no-debug", help="Show tracebacks of errors.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show it, and end."),
    ] = False,
) -> None:
    """Async state machines that talk to each other: build, run and watch them.

    Example: amctl start --nodes local
    """
    ctx.obj = GlobalOptions(config, verbose, quiet, color, debug)


def run(argv: list[str]) -> int:
    """Run one command line; errors become lines on stderr. Returns the exit code.

    Never raises, but for what `sys.exit` in a command's own callback may raise.
    """
    command = typer.main.get_command(app)
    debug = "--debug" in argv
    try:
        result: Any = command.main(argv or ["--help"], prog_name="amctl", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone; its own exit code tells why.
        sys.stderr.close()
        return int(ExitCode.FAILED)
    except Exception as error:
        return _report(error, argv, debug=debug)
    return result if isinstance(result, int) else int(ExitCode.DONE)


def _report(error: Exception, argv: list[str], *, debug: bool) -> int:
    # Typer vendors click, whose exceptions are private: they are known by what they offer.
    usage = getattr(error, "format_message", None)
    if usage is not None:
        path = getattr(getattr(error, "ctx", None), "command_path", "amctl")
        print(f"error: {usage()}", f"hint: {path} --help", sep="\n", file=sys.stderr)
        return int(ExitCode.USAGE)
    if debug:
        traceback.print_exception(error)
    if is_expected(error):
        print(*describe(error), sep="\n", file=sys.stderr)
        return int(exit_code_of(error))
    print(f"error: this is a bug of ours: {type(error).__name__}: {error}", file=sys.stderr)
    path = write_report(error, argv)
    if path is not None:
        print(f"hint: please send {path}; --debug shows the traceback", file=sys.stderr)
    return int(ExitCode.BUG)


def main() -> None:
    """Entry point of the console script.

    SIGTERM and SIGHUP end a command as Ctrl-C does: what it has begun is taken back.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
