"""Sentences about what no engine can say: connections, pipes, machines that don't answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amctl.machine.explanation import Explanation
    from amctl.repl.why.model import Node
    from amctl.rpc.answers import WhyFeed, WhyLink

__all__ = [
    "dead_peer",
    "duration",
    "held_up",
    "last_refusal",
    "mirrored",
    "refused_pipe",
    "under_way",
]


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min`, `2 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"


def dead_peer(link: WhyLink, remote: str) -> tuple[str, str]:
    """A connection that is cut, and what brings it back."""
    who = remote or "its peer"
    if link.lost_for is not None:
        what = f"the connection of client {link.client_id} to {who} has been cut"
        what += f" for {duration(link.lost_for)}"
    elif link.ever:
        what = f"the connection of client {link.client_id} to {who} is cut"
    else:
        what = f"client {link.client_id} never was connected to {who}"
    if link.error:
        what += f" ({link.error})"
    if {"Disposing", "Disposed"} & set(link.shown):
        what += f"; {who} was being disposed of before that"
    what += f"; {_doing(link)}"
    return what, _cure(link, who)


def _doing(link: WhyLink) -> str:
    if "Start" not in link.states:
        gave_up = "ConnRetryFailed" in link.states
        return "it has given up" if gave_up else "it is not started, so it doesn't try"
    return "it goes on dialling" if link.dials else "it waits for the other side to dial"


def _cure(link: WhyLink, who: str) -> str:
    if "Start" not in link.states:
        return f"start {who}, then add Start to {link.client_id}, or restart what holds it"
    where = f" at {link.addr}" if link.addr else ""
    if link.dials:
        return f"start {who} again{where}: the client connects by itself"
    return f"start {who} again (reload its page, if it lives in one): it has to connect by itself"


def held_up(machine: str, trouble: str, found: Explanation) -> tuple[str, str]:
    """A machine that is connected and silent."""
    text = (
        f"{machine} is connected, but {trouble}: its loop is held up, "
        "most likely by a handler that does not end, and all its queue with it"
    )
    if found.sentence:
        text += f"; its mirror says: {found.sentence}"
    return text, f"find the handler: amctl profile {machine}; or restart {machine}"


def mirrored(node: Node, remote: str) -> str:
    """A mirror that is live."""
    activity = "active" if node.active else "not active"
    return f"{node.state} is {activity} here as it is at {remote}, which {node.machine} shows"


def refused_pipe(feed: WhyFeed, found: Explanation) -> tuple[str, str]:
    """The source of a pipe is active, and its target isn't."""
    text = f"{feed.source_state} of {feed.source_id} is active, but its pipe did not bring it"
    if "remove" not in feed.ops:
        return (
            f"{text}: it is a trigger, which adds once and does not repeat",
            f"add {found.state} again, or let {feed.source_state} come anew",
        )
    if found.last is not None:
        text += f": {found.machine} refused it ({found.last.reason})"
    else:
        text += f": {found.state} was removed since, or the delivery was missed"
    return text, f"add {found.state} again, or let {feed.source_state} come anew"


def last_refusal(found: Explanation) -> tuple[str, ...]:
    """A line about the last refusal, unless the sentence tells it already."""
    last = found.last
    if last is None or str(last.reason) in found.sentence:
        return ()
    often = "" if last.count == 1 else f", {last.count} times"
    source = f", from {last.source.machine_id}" if last.source is not None else ""
    return (f"last refused{often}{source}: [{last.op}] {' '.join(last.states)}: {last.reason}",)


def under_way(found: Explanation) -> tuple[str, ...]:
    """A line about coroutine handlers, where one of them may be what is waited for."""
    if found.is_active or not found.tasks:
        return ()
    names = list(dict.fromkeys(found.tasks))
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (f"handlers under way: {', '.join(names[:5])}{more}",)
