"""What a person sees of a run: progress of the build, the live view, the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.cli.progress import steps

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from amctl.cli.options import GlobalOptions
    from amctl.run.report import Progress
    from amctl.telemetry.recorder import Recorder

__all__ = ["ConsoleObserver"]


class ConsoleObserver:
    """Shows a run on the console; with `as_json` or -q it shows no view.

    Args:
        options: Shapes the consoles.
        as_json: stdout is for one document alone.
    """

    def __init__(self, options: GlobalOptions, *, as_json: bool) -> None:
        self._options = options
        self._silent = as_json or options.quiet

    def say(self, text: str, *, level: int = 0) -> None:
        """One line on stderr, if -v was given at least `level` times."""
        self._options.say(text, level=level)

    def building(self) -> AbstractContextManager[Progress]:
        """Shows the steps of a build, on stderr."""
        return steps(self._options)

    async def watch(self, recorder: Recorder) -> None:
        """Show the run until its recorder closes, then the summary."""
        if self._silent:
            return
        from amctl.cli.views.watch import follow, view_for

        with view_for(self._options.stdout(), lines=self._options.verbose > 0) as view:
            await follow(recorder, view)

    def let_go(self) -> None:
        """Give the cursor back, which a live view hides."""
        console = self._options.stdout()
        if console.is_interactive:
            console.show_cursor()
