"""What `amctl mach` does: reach machines, run a command of the registry, tell what came of it."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from amctl.cli._mach_gather import gather_inner, gather_listed, gather_plain, gather_shown
from amctl.cli._operating import operate, reaching
from amctl.cli.options import GlobalOptions, global_options
from amctl.cli.outcomes import CODES, document, show
from amctl.cli.views import machines as views
from amctl.repl.errors import ReplError, UsageError
from amctl.repl.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import typer

    from amctl.cli._mach_flags import Call
    from amctl.repl.command import Context

__all__ = ["Job", "act", "inspect_job", "list_job", "look", "show_job", "time_job"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """How something is looked at."""

    gather: Callable[[Context, Call], Awaitable[list[Row]]]
    """Rows as `--json` prints them. Raises ReplError."""
    grids: Callable[[Call, Sequence[Row]], list[views.Grid]]
    lines: Callable[[Call, Sequence[Row]], list[str]] | None = None
    """What a pipe gets in place of the grids."""


def list_job(pattern: str, *, inner: bool) -> Job:
    """All about `list`; with `inner` also what else lives in each process."""
    if inner:
        return Job(lambda context, call: gather_inner(context, call, pattern), _inner_grids)
    return Job(lambda context, call: gather_listed(context, call, pattern), _list_grids)


def _inner_grids(call: Call, rows: Sequence[Row]) -> list[views.Grid]:
    return [views.inner_listing(rows, states=call.values["states"])]


def _list_grids(call: Call, rows: Sequence[Row]) -> list[views.Grid]:
    shown, every = call.values["states"], call.values["states_all"]
    return [views.listing(rows, states=shown, states_all=every)]


def show_job() -> Job:
    """All about `show`."""
    return Job(gather_shown, lambda call, rows: views.details(rows, all=call.values["all"]))


def inspect_job() -> Job:
    """All about `inspect`."""
    return Job(gather_plain, lambda _, rows: views.schemas(rows))


def time_job() -> Job:
    """All about `time`."""
    return Job(gather_plain, _time_grids, _time_lines)


def _time_grids(call: Call, rows: Sequence[Row]) -> list[views.Grid]:
    return [views.times(rows, sum=call.values["sum"])]


def _time_lines(call: Call, rows: Sequence[Row]) -> list[str]:
    """As the original prints it: bare numbers for one machine, so that a shell can take them."""
    texts = [str(r["sum"]) if call.values["sum"] else " ".join(map(str, r["time"])) for r in rows]
    if len(rows) == 1:
        return texts
    return [f"{views.clean(row['id'])}: {text}" for row, text in zip(rows, texts, strict=True)]


# -- looking


def look(ctx: typer.Context, call: Call, job: Job) -> int:
    """Show machines once, or until Ctrl-C. Returns the exit code."""
    options, shown = global_options(ctx), call.shown
    if shown.as_json and (shown.as_lines or shown.watch):
        flag = "--watch" if shown.watch else "--jsonl"
        raise UsageError(f"--json is one document, {flag} are many", "use --jsonl in its place")
    try:
        if shown.watch:
            return _watched(options, call, job)
        outcome = operate(options, call.reach, lambda context: _looked(context, call, job))
    except ReplError as error:
        return _refused(error, call)
    rows = outcome.data
    if not shown.as_json and not shown.as_lines:
        _draw(options, call, job, rows)
        return _last_words(outcome)
    texts = [document(rows)] if shown.as_json else map(one_line, rows)
    print(*texts, sep="\n", end="\n" if rows or shown.as_json else "")
    return _last_words(outcome)


async def _looked(context: Context, call: Call, job: Job) -> Outcome:
    return Outcome(data=await job.gather(context, call))


def _watched(options: GlobalOptions, call: Call, job: Job) -> int:
    from amctl.cli._mach_watch import watch

    async def main() -> None:
        async with reaching(options, call.reach) as context:
            await watch(context, call, job, options)

    asyncio.run(main())
    return 0


def one_line(row: Row) -> str:
    """A row of `--jsonl`."""
    return json.dumps(row, ensure_ascii=False, default=str)


def _draw(options: GlobalOptions, call: Call, job: Job, rows: Sequence[Row]) -> None:
    console = options.stdout()
    if not console.is_terminal and job.lines is not None:
        print(*job.lines(call, rows), sep="\n")
        return
    for index, grid in enumerate(job.grids(call, rows)):
        if not console.is_terminal:
            print(*([""] if index else []), *grid.lines(head=any(grid.head)), sep="\n")
            continue
        for item in [*([""] if index else []), *grid.drawn()]:
            console.print(item)


# -- acting


def act(ctx: typer.Context, call: Call) -> int:
    """Run a command that changes machines, asks or waits. Returns the exit code."""
    options = global_options(ctx)
    try:
        outcome = operate(options, call.reach, lambda context: _acted(context, call))
    except ReplError as error:
        return _refused(error, call)
    rows: list[Row] = outcome.data or []
    if call.shown.as_json:
        print(document(rows))
        return _last_words(outcome)
    words = _words(call)
    console = options.stdout()
    for line in views.done_lines(rows, words, diff=bool(call.values.get("diff"))):
        if console.is_terminal:
            console.print(line, soft_wrap=True)
        else:
            print(line.plain)
    code = _last_words(outcome)
    if len(rows) > 1:
        options.say(views.summary_line(rows, _ANSWERS if call.command.name == "can" else {}))
    return code


async def _acted(context: Context, call: Call) -> Outcome:
    if sys.stderr.isatty():
        # somebody sits there, and wants to know why nothing happens
        context = replace(context, say=lambda text: print(text, file=sys.stderr, flush=True))
    return await call.command.run(context, call.values)


_ANSWERS = {"executed": "yes", "queued": "yes", "canceled": "no"}


def _words(call: Call) -> Callable[[Row], str]:
    """What is said of a report: yes or no, the ticks that were waited for, or its result."""
    states = list(call.values.get("state") or ())
    if call.command.name == "can":
        return lambda row: _ANSWERS.get(row["result"], str(row["result"]))
    if call.command.group == "waiting":
        return lambda row: (
            _ticks(row, states) if row["result"] == "executed" else str(row["result"])
        )
    if call.values.get("check"):
        return lambda row: _CHECKED.get(row["result"], str(row["result"]))
    return _result


_CHECKED = {"executed": "would be executed", "canceled": "would be canceled"}


def _ticks(row: Row, states: Sequence[str]) -> str:
    return " ".join(str(row["after"].get(state, 0)) for state in states)


def _result(row: Mapping[str, Any]) -> str:
    if row["result"] == "queued" and row["tick"]:
        return f"queued, runs at queue tick {row['tick']}"
    return str(row["result"])


# -- the end of both


def _refused(error: ReplError, call: Call) -> int:
    """Tell why nothing was done; a program gets its document all the same."""
    if call.shown.allow_empty and error.verdict is Verdict.NO_MATCH:
        return show(Outcome(data=[]), as_json=call.shown.as_json)
    is_empty = error.verdict in (Verdict.NO_MATCH, Verdict.UNREACHABLE)
    data: Any = [] if is_empty else None
    outcome = Outcome(error.verdict, data=data, problems=(str(error),), hint=error.hint)
    return show(outcome, as_json=call.shown.as_json)


def _last_words(outcome: Outcome) -> int:
    """Problems and the hint on stderr, and the exit code."""
    show(replace(outcome, lines=(), data=None))
    return int(CODES[outcome.verdict])
