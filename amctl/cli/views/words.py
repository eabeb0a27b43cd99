"""What every state is called, and its glyph and ink: the page's words, in a terminal's means.

Inks are the sixteen colours of the terminal, not hex values, so that they follow the user's theme.
Every state has its own glyph and word too: nothing is told by colour alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amctl.telemetry.snapshot import (
        AttemptOutcome,
        HappeningKind,
        LightState,
        Node,
        NodeState,
        Phase,
        Round,
        Snapshot,
        Verdict,
    )

__all__ = [
    "ATTEMPT",
    "CHECK",
    "EVENT",
    "INK",
    "LIGHT",
    "NODE",
    "PHASE",
    "Mark",
    "Title",
    "clip",
    "counted",
    "event_line",
    "headline",
    "layered",
    "outcome_of",
    "seconds",
    "title",
]

INK: Final[Mapping[str, str]] = {
    "muted": "bright_black",
    "active": "yellow",
    "ready": "cyan",
    "start": "green",
    "error": "red",
    "remove": "magenta",
}


class Mark(NamedTuple):
    """How a state is shown."""

    glyph: str
    token: str
    word: str = ""

    @property
    def ink(self) -> str:
        """A Rich style."""
        return INK[self.token]


NODE: Final[Mapping[NodeState, Mark]] = {
    "offline": Mark("○", "muted", "not here yet"),
    "loading": Mark("▷", "muted", "loading"),
    "joining": Mark("▷", "ready", "joining"),
    "ready": Mark("♦", "ready", "ready"),
    "waiting": Mark("◊", "ready", "waiting"),
    "working": Mark("►", "active", "working"),
    "retrying": Mark("►", "active", "retrying"),
    "done": Mark("●", "start", "delivered"),
    "verified": Mark("●", "start", "verified"),
    "failed": Mark("▲", "error", "failed"),
    "lied": Mark("×", "remove", "lied"),  # noqa: RUF001 - the glyph of the page
    "tainted": Mark("ø", "remove", "wrong input"),
    "lost": Mark("△", "error", "connection lost"),
}
PHASE: Final[Mapping[Phase, Mark]] = {
    "loading": Mark("▷", "ready", "Loading Python"),
    "connecting": Mark("◊", "ready", "Joining"),
    "running": Mark("►", "active", "Running, round {round}"),
    "verifying": Mark("►", "active", "Verifying"),
    "restarting": Mark("×", "remove", "Starting over"),  # noqa: RUF001
    "succeeded": Mark("●", "start", "Verified in round {round}"),
    "failed": Mark("▲", "error", "Not verified"),
    "stopped": Mark("○", "muted", "Stopped"),
}
ATTEMPT: Final[Mapping[AttemptOutcome, Mark]] = {  # the word is the fill of its lane
    "working": Mark("►", "active", "="),
    "ok": Mark("●", "start", "━"),
    "failed": Mark("▲", "error", "/"),
    "lied": Mark("×", "remove", "X"),  # noqa: RUF001
    "tainted": Mark("ø", "remove", "~"),
    "timeout": Mark("▲", "error", "/"),
    "canceled": Mark("○", "muted", "-"),
}
LIGHT: Final[Mapping[LightState, Mark]] = {
    "up": Mark("●", "start"),
    "wait": Mark("▷", "active"),
    "down": Mark("△", "error"),
    "off": Mark("○", "muted"),
}
EVENT: Final[Mapping[HappeningKind, Mark]] = {
    "info": Mark("○", "muted"),
    "start": Mark("►", "active"),
    "ok": Mark("●", "start"),
    "failed": Mark("▲", "error"),
    "lied": Mark("×", "remove"),  # noqa: RUF001
    "round": Mark("♦", "ready"),
    "lost": Mark("△", "error"),
    "end": Mark("●", "start"),
    "gave_up": Mark("▲", "error"),
}
CHECK: Final[Mapping[Verdict, Mark]] = {
    "equal": Mark("●", "start"),
    "wrong": Mark("×", "remove"),  # noqa: RUF001
    "waiting": Mark("◊", "ready"),
}


class Title(NamedTuple):
    """The headline of a moment."""

    mark: Mark
    words: str
    text: str


def title(snap: Snapshot) -> Title:
    """What is going on, in one headline and one sentence."""
    run, mark = snap.run, PHASE[snap.run.phase]
    text = run.message
    if run.phase == "running":
        busy = sum(n.state in ("working", "retrying") for n in snap.nodes)
        jobs = counted(len(snap.nodes), "job")
        text = f"{busy} of {jobs} at work; at most {counted(run.max_rounds, 'round')}"
    booting = [n.boot for n in snap.nodes if n.boot]
    if run.phase == "loading" and booting:
        up = sum(n.state not in ("offline", "loading") for n in snap.nodes)
        slowest = min(booting, key=lambda boot: boot.step)
        text = f"{slowest.label}; {up} of {counted(len(snap.nodes), 'thread')} up"
    return Title(mark, mark.word.format(round=run.round), text)


def headline(snap: Snapshot) -> Text:
    """The title as one line."""
    mark, words, text = title(snap)
    return Text.assemble((f" {mark.glyph} {words} ", f"bold reverse {mark.ink}"), f" {text}")


def outcome_of(past: Round, room: int) -> str:
    """How a round ended, in a word or two; names of liars only if all of them fit."""
    if past.outcome == "lied":
        names = f"{', '.join(past.wrong)} lied" if past.wrong else "wrong result"
        return names if len(names) <= room else f"{counted(len(past.wrong), 'result')} lied"
    words = {
        "running": "running",
        "ok": "verified",
        "gave_up": "given up",
        "interrupted": "interrupted",
    }
    return words[past.outcome]


def event_line(snap: Snapshot, index: int, width: int) -> Text:
    """One line of the event list."""
    event = snap.events[index]
    mark = EVENT[event.kind]
    when = (f" {event.at_ms / 1000:6.1f} ", INK["muted"])
    who = (f"{event.node} " if event.node else "", "bold")
    line = Text.assemble(when, (f"{mark.glyph} ", mark.ink), who, event.text)
    line.truncate(width, overflow="ellipsis")
    return line


def seconds(ms: int) -> str:
    """A duration as short as it can be read."""
    return f"{ms / 1000:.1f} s" if ms < 60_000 else f"{ms // 60_000}:{ms // 1000 % 60:02} min"


def counted(number: int, thing: str) -> str:
    """`1 round`, `2 rounds`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def clip(text: str, room: int) -> str:
    """At most `room` characters; what was cut off shows as an ellipsis."""
    return text if len(text) <= room else text[: max(0, room - 1)] + "…"


def layered(nodes: Iterable[Node]) -> list[Node]:
    """In the order of the DAG's layers, so that a job stands below everything it waits for."""
    by_id = {node.id: node for node in nodes}
    depth: dict[str, int] = {}

    def of(id: str) -> int:
        if id not in depth:
            depth[id] = max((of(dep) for dep in by_id[id].deps), default=-1) + 1
        return depth[id]

    return sorted(by_id.values(), key=lambda node: of(node.id))
