"""The options that every command shares, and the two consoles that they shape."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import typer
    from rich.console import Console

__all__ = ["GlobalOptions", "global_options"]


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """What stands before (or after) any command."""

    config: str | None = None
    verbose: int = 0
    quiet: bool = False
    color: bool = True
    debug: bool = False

    def stdout(self) -> Console:
        """Where data goes. Colour and progress only on a terminal."""
        return self._console(stderr=False)

    def stderr(self) -> Console:
        """Where words for people go."""
        return self._console(stderr=True)

    def say(self, text: str, *, level: int = 0) -> None:
        """One line for people, if `-v` was given at least `level` times; `-q` silences level 0."""
        if self.verbose >= level and not (self.quiet and level == 0):
            print(text, file=sys.stderr, flush=True)

    def _console(self, *, stderr: bool) -> Console:
        from rich.console import Console

        # FORCE_COLOR asks for colours in a file or pipe; what moves the cursor has no place there.
        interactive = None if (sys.stderr if stderr else sys.stdout).isatty() else False
        return Console(
            stderr=stderr,
            no_color=not self.color,
            force_interactive=interactive,
            highlight=False,
        )


def global_options(ctx: typer.Context) -> GlobalOptions:
    """The options that the root command left for its commands."""
    return cast("GlobalOptions", ctx.find_root().obj or GlobalOptions())
