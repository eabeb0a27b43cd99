"""Machines, states and arguments of what is running, for the shell's completion.

The prompt's own completion is asked: a word of `amctl mach add` is proposed as it would be behind
`add` in the REPL. Somebody waits at the keyboard, so it all ends after half a second; what is not
known by then is not proposed, but for the names that address files have.
"""

from __future__ import annotations

import asyncio
import os
import queue
import shlex
import threading
from typing import TYPE_CHECKING

from amctl.cli._completion_tree import Candidate
from amctl.repl.completing import Completing
from amctl.repl.finding import Target, name_of
from amctl.repl.fleet import open_fleet
from amctl.repl.registry import registry
from amctl.run.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.cli._completion_tree import Place
    from amctl.rpc.answers import About

__all__ = ["BUDGET", "live", "target_of"]

BUDGET = 0.5
"""Seconds that looking for machines may take in all."""
_PATIENCE = 0.35
_ALIKE = {("mach", "show"): "mach", ("mach", "list"): "list", ("why",): "when"}
"""Command -> the REPL's one that takes the same words, where the name is another one."""
_ONLY_MACHINES = "mach"
"""The REPL's command that takes a pattern and nothing else."""


def live(place: Place) -> list[Candidate]:
    """What may stand at the cursor. Raises whatever looking for it may raise."""
    target = target_of(place)
    line = _line(place)
    if line is None:
        return []
    found: queue.Queue[list[Candidate] | None] = queue.Queue()
    # A thread, since the goodbye to machines may take longer than anybody wants to wait.
    worker = threading.Thread(target=_work, args=(target, line, found), daemon=True)
    worker.start()
    try:
        candidates = found.get(timeout=BUDGET)
    except queue.Empty:
        candidates = None
    if candidates is None:
        return _named(target) if _wants_machine(place) else []
    worker.join(BUDGET / 2)
    return candidates


def target_of(place: Place) -> Target:
    """Where the line says that machines are, or the settings do."""

    def last(*names: str) -> str | None:
        values = [place.given[name][-1] for name in names if place.given.get(name)]
        return values[-1] if values else None

    folder = load_settings(last("config")).repl_dir
    if place.path == ("repl",):
        text = place.words[0] if place.words else None
        is_file, is_dir = "file" in place.given, "folder" in place.given
        return Target.parse(text, file=is_file, dir=is_dir, default_dir=folder)
    file, dir = last("file"), last("dir", "folder")
    if addr := last("addr"):
        return Target.parse(addr, default_dir=folder)
    return Target.parse(
        file or dir, file=file is not None, dir=file is None and dir is not None, default_dir=folder
    )


def _wants_machine(place: Place) -> bool:
    return not place.words and place.pending is None and place.tail is None


def _named(target: Target) -> list[Candidate]:
    """What address files are called; machines mostly are, too."""
    return [Candidate(name_of(key), "an address file") for key, _ in target.addresses()]


def _line(place: Place) -> str | None:
    """The line of the REPL whose last word is completed alike; None if there is none."""
    if place.tail is not None:
        return _joined(place.tail, place.current)
    name = _ALIKE.get(place.path, place.path[-1])
    words = list(place.words)
    if place.pending is None:
        if name == "list" or name not in registry:
            name, words = _ONLY_MACHINES, []
        return _joined([name, *words], place.current)
    params = registry[name].params if name in registry else ()
    flags = {flag for param in params for flag in param.flags if flag.startswith("--")}
    flag = next((one for one in place.pending.opts if one in flags), None)
    if flag is None:
        # an option of ours that means machines: --limit of play
        return _joined([_ONLY_MACHINES], place.current)
    if name == "list":
        words = []
    return _joined([name, *words, *_pairs(place), flag], place.current)


def _pairs(place: Place) -> list[str]:
    """Names of arguments given before: each one's value has its own proposals."""
    names, values = (place.given.get(key, []) for key in ("arg", "val"))
    words: list[str] = []
    for index, name in enumerate(names):
        words += ["--arg", name]
        words += ["--val", values[index]] if index < len(values) else []
    return words


def _joined(words: Sequence[str], current: str) -> str:
    return " ".join([*map(shlex.quote, words), shlex.quote(current) if current else ""])


def _work(target: Target, line: str, found: queue.Queue[list[Candidate] | None]) -> None:
    async def main() -> None:
        async with asyncio.timeout(BUDGET):
            await _ask(target, line, found)

    try:
        asyncio.run(main())
    except TimeoutError:  # here it may be noticed before it is there
        found.put(None)
    except Exception:  # nobody wants to read of it in the middle of a line
        found.put([])


async def _ask(target: Target, line: str, found: queue.Queue[list[Candidate] | None]) -> None:
    known: dict[str, About] = {}
    token = os.environ.get("AMCTL_TOKEN") or None
    async with open_fleet(target, token=token, patience=_PATIENCE, allow_empty=True) as fleet:
        completing = Completing(registry, fleet, lambda peer: known.get(peer.key))
        offer = completing.offer(line)
        if offer.unknown:
            for peer in offer.unknown:
                known[peer.key] = await peer.about()
            offer = completing.offer(line)
        found.put([Candidate(_bare(one.text), one.help) for one in offer.candidates])


def _bare(text: str) -> str:
    """Without the REPL's quotes: shells have their own."""
    try:
        words = shlex.split(text)
    except ValueError:
        return text
    return words[0] if len(words) == 1 else text
