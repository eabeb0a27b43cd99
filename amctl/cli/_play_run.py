"""What `amctl play` does: read playbooks, reach machines, run or simulate, tell what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.cli._operating import Reach, reaching
from amctl.cli.errors import describe, exit_code_of
from amctl.cli.exitcodes import ExitCode
from amctl.cli.outcomes import CODES
from amctl.cli.views import plays as views
from amctl.machine import TaskSet
from amctl.repl.errors import UsageError
from amctl.repl.outcome import Verdict
from amctl.repl.playbook.asked import check_tags, unused
from amctl.repl.playbook.checking import check_machines, check_variables
from amctl.repl.playbook.errors import PlaybookError
from amctl.repl.playbook.jsonschema import schema_text
from amctl.repl.playbook.junit import junit
from amctl.repl.playbook.listing import list_machines, list_tasks
from amctl.repl.playbook.live import LiveWorld
from amctl.repl.playbook.loading import load
from amctl.repl.playbook.options import RunOptions
from amctl.repl.playbook.plan import Tagged
from amctl.repl.playbook.results import Status
from amctl.repl.playbook.running import Runner
from amctl.repl.playbook.simulating import simulated
from amctl.repl.playbook.variables import extra_vars
from amctl.run.signals import Stopper, stop_on_signals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from amctl.cli.options import GlobalOptions
    from amctl.repl.command import Context
    from amctl.repl.playbook.hosts import World
    from amctl.repl.playbook.plan import Playbook
    from amctl.repl.playbook.results import PlayReport

__all__ = ["PlayCall", "play", "print_schema", "reach_of", "tagged"]


@dataclass(frozen=True, slots=True)
class PlayCall:
    """One call of the command."""

    files: Sequence[str]
    reach: Reach
    limit: str = ""
    extra: Sequence[str] = ()
    """As they stand behind `-e`."""
    tagged: Tagged = Tagged()  # noqa: RUF009  # frozen
    check: bool = False
    diff: bool = False
    step: bool = False
    yes: bool = False
    list_tasks: bool = False
    list_machines: bool = False
    detailed: bool = False
    """Exit code 10 if something changed, or would."""
    as_json: bool = False
    junit: str = ""
    output: str = ""


def tagged(only: Sequence[str], skip: Sequence[str]) -> Tagged:
    """The choice of `--tags` and `--skip-tags`; commas part them too."""

    def split(words: Sequence[str]) -> frozenset[str]:
        return frozenset(tag.strip() for word in words for tag in word.split(",") if tag.strip())

    return Tagged(split(only), split(skip))


def reach_of(
    addr: str | None, dir: str | None, file: str | None, *, req_all: bool, allow_remote: bool
) -> Reach:
    """Where machines are. Raises UsageError for more than one place, or an empty one."""
    given = {"addr": addr, "dir": dir, "file": file}
    places = {name: text for name, text in given.items() if text is not None}
    if len(places) > 1:
        both = " and ".join(f"--{name}" for name in places)
        raise UsageError(f"{both} exclude each other", "give one of them")
    target = next(iter(places.values()), None)
    if target is not None and not target.strip():
        raise UsageError(f"--{next(iter(places))} is empty", "leave it out for the last run's")
    return Reach(
        target,
        file=file is not None,
        dir=dir is not None,
        watch=True,
        all=req_all,
        allow_remote=allow_remote,
    )


def print_schema(output: str) -> int:
    """Print the JSON Schema of playbooks, or write it to a file."""
    if output:
        try:
            Path(output).write_text(schema_text(), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{output} can't be written: {error.strerror}") from error
    else:
        print(schema_text(), end="")
    return int(ExitCode.DONE)


def play(options: GlobalOptions, call: PlayCall) -> int:
    """Do it. Returns the exit code.

    Raises:
        ReplError: Nothing runs, nothing matches, a machine that is named isn't connected.
        UsageError: A flag is wrong.
    """
    if not call.files:
        raise UsageError("no playbook is named", "as in: amctl play docs/playbooks/restart.yml")
    if call.step and not sys.stdin.isatty():
        raise UsageError("--step asks on a terminal, and there is none", "leave it out")
    try:
        extra = extra_vars(call.extra)
        book = load([Path(file) for file in call.files])
        check_tags(book, call.tagged)
        check_variables(book, extra, call.tagged)
        _warn_of_unused(options, call, book)
        with _output(call) as file:
            if call.list_tasks:
                _listed(list_tasks(book, extra, call.tagged), views.task_lines, call, file)
                return int(ExitCode.DONE)
            return asyncio.run(_Run(options, call, book, extra, file).main())
    except PlaybookError as error:
        print(*views.problem_lines(error.problems), sep="\n", file=sys.stderr)
        return int(ExitCode.BAD_INPUT)


def _warn_of_unused(options: GlobalOptions, call: PlayCall, book: Playbook) -> None:
    """A variable that is misspelt on the command line changes nothing, which is easily missed."""
    names = [word.partition("=")[0].strip() for word in call.extra if word[:1] not in ("@", "{")]
    for name in unused(book, names):
        options.say(f"note: --extra-vars {name}: no playbook uses it")


@contextlib.contextmanager
def _output(call: PlayCall) -> Iterator[TextIO | None]:
    """The file that data goes to; None is stdout. Both files are made before anything runs."""
    try:
        if call.junit:
            Path(call.junit).write_text("", encoding="utf-8")
        file = open(call.output, "w", encoding="utf-8") if call.output else None  # noqa: SIM115
    except OSError as error:
        raise UsageError(f"{error.filename} can't be written: {error.strerror}") from error
    with file or contextlib.nullcontext():
        yield file


def _listed(data: list[dict[str, Any]], lines: Any, call: PlayCall, file: TextIO | None) -> None:
    if call.as_json:
        print(json.dumps(data, ensure_ascii=False), file=file)
    else:
        print(*lines(data), sep="\n", file=file)


class _Run:
    """A run with machines."""

    def __init__(
        self,
        options: GlobalOptions,
        call: PlayCall,
        book: Playbook,
        extra: dict[str, Any],
        file: TextIO | None,
    ) -> None:
        self._options, self._call, self._book, self._extra = options, call, book, extra
        self._file = file
        self._view = self._made_view()

    def _made_view(self) -> views.PlayView:
        call = self._call
        if self._file is not None and not call.as_json:
            return views.PlayView(views.file_console(self._file), diff=call.diff, moving=False)
        console = self._options.stderr() if call.as_json else self._options.stdout()
        return views.PlayView(console, diff=call.diff, moving=not self._options.quiet)

    async def main(self) -> int:
        """Reach, run, tell."""
        call = self._call
        async with reaching(self._options, call.reach) as context:
            world = await self._world(context)
            if call.list_machines:
                found = list_machines(self._book, world, self._extra)
                _listed(found, views.machine_lines, call, self._file)
                return int(ExitCode.DONE)
            await check_machines(self._book, world, self._extra, call.tagged)
            report = await self._run(world)
        self._tell(report)
        return self._code(report)

    async def _world(self, context: Context) -> World:
        if self._call.check:
            return await simulated(context.fleet, self._call.limit)
        return LiveWorld(context, self._call.limit)

    async def _run(self, world: World) -> PlayReport:
        if self._speaks and world.is_check:
            self._view.line("CHECK  nothing is sent: tasks are simulated on copies of the machines")
        runner = Runner(self._book, world, self._run_options(), self._observer())
        tasks, stopper = TaskSet("play"), Stopper()

        async def watch() -> None:
            await stopper.asked.wait()
            runner.interrupt()

        with stop_on_signals(stopper), self._view.shown():
            tasks.spawn(watch(), name="interrupts")
            try:
                return await runner.run()
            finally:
                await tasks.close()

    @property
    def _speaks(self) -> bool:
        """Whether lines are shown as tasks end."""
        return not self._options.quiet and (not self._call.as_json or self._options.verbose > 0)

    def _observer(self) -> views.PlayView | None:
        return self._view if self._speaks else None

    def _run_options(self) -> RunOptions:
        call = self._call
        may_ask = sys.stdin.isatty() and sys.stderr.isatty()

        async def step(title: str) -> str:
            answer = await self._ask(f"{title}? [y]es, [n]o, [c]ontinue without asking: ")
            return answer[:1].lower() or "y"

        async def prompt(text: str) -> bool:
            return call.yes or (await self._ask(f"{text} [y/n]: "))[:1].lower() == "y"

        return RunOptions(
            self._extra,
            call.tagged,
            step if call.step else None,
            prompt if call.yes or may_ask else None,
        )

    async def _ask(self, text: str) -> str:
        """A line of the terminal, waited for without a thread, so that Ctrl-C ends it."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        with self._view.aside():
            print(views.plain(text), end="", file=sys.stderr, flush=True)
            loop.add_reader(sys.stdin, ready.set)
            try:
                await ready.wait()
            finally:
                loop.remove_reader(sys.stdin)
            line = sys.stdin.readline()
        return line.strip() if line else "n"

    # -- afterwards

    def _tell(self, report: PlayReport) -> None:
        call = self._call
        if call.junit:
            Path(call.junit).write_text(junit(report), encoding="utf-8")
        if call.as_json:
            data = {"files": [*call.files], **report.as_data()}
            print(json.dumps(data, ensure_ascii=False, default=str), file=self._file)
        else:
            self._view.line()
            for line in views.recap_lines(report):
                self._view.line(line)
            if report.is_check:
                unknown = sum(row.counts[Status.UNKNOWN] for row in report.recaps)
                self._view.line(f"CHECK  nothing was sent; {unknown} results can't be known")
        sys.stdout.flush()
        for problem in _errors(report):
            print(problem, file=sys.stderr)

    def _code(self, report: PlayReport) -> int:
        if report.verdict is Verdict.DONE and self._call.detailed and report.has_changes:
            return int(ExitCode.CHANGES_PENDING)
        if report.error is not None and CODES[report.verdict] is CODES[report.error.verdict]:
            return int(exit_code_of(report.error))
        return int(CODES[report.verdict])


def _errors(report: PlayReport) -> list[str]:
    """What went wrong, for stderr."""
    lines = []
    for result in report.results:
        if result.is_bad:
            who = f"{result.task} on {result.machine}"
            words = f"{result.status}: {result.did.reason}" if result.did.reason else result.status
            lines.append(views.plain(f"error: {result.place}: {who}: {words}"))
    if report.error is not None:
        lines += describe(report.error)
    if report.interrupted:
        lines.append("interrupted: what was under way is given up, what was sent stays sent")
    return lines
