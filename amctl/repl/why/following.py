"""From a state to whom is to blame: each explanation leads to the next machine to ask.

What a state requires or is removed by is asked about at the same machine; what is fed by a pipe at
the pipe's source; a mirror's state at the machine that it shows, if the connection stands, else the
connection is to blame. Nothing is asked twice, so circles end by themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from amctl.machine.explanation import Kind
from amctl.repl.why.errors import NoSuchStateError
from amctl.repl.why.model import Far, Node, OutOfReachError, Via
from amctl.repl.why.phrases import (
    dead_peer,
    held_up,
    last_refusal,
    mirrored,
    refused_pipe,
    under_way,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.machine.explanation import Explanation
    from amctl.repl.why.model import Look, Spot, World
    from amctl.rpc.answers import WhyFeed

__all__ = ["DEPTH", "follow"]

DEPTH = 12
"""How many links are followed, unless somebody wants more."""
BREADTH = 8
"""How many causes of one link are followed."""

_UNTRIED = (Kind.NEVER_ASKED, Kind.ENDED, Kind.AUTO)
"""Nothing refuses the state, so what would bring it is to be looked at."""
_LINKED = ("Ready", "HandshakeDone", "Handshaking", "Connected")
"""States of a client's machine that its connection decides."""


async def follow(
    world: World, spot: Spot, state: str, op: str = "add", *, depth: int = DEPTH
) -> Node:
    """Find out why a state is as it is.

    Args:
        world: Where to look.
        spot: The machine to begin with.
        state: Of it.
        op: `add`; or `remove`, to find out why it stays.
        depth: How many links to follow.

    Raises:
        NoSuchStateError: The machine has no such state.
        OutOfReachError: The machine can't be asked about.
    """
    return await _Follower(world, depth).visit(spot, state, op, Via.ASKED, 0)


class _Follower:
    """One search."""

    def __init__(self, world: World, depth: int) -> None:
        self._world, self._depth = world, depth
        self._seen: set[tuple[Spot, str, str]] = set()

    async def visit(self, spot: Spot, state: str, op: str, via: Via, level: int) -> Node:
        """One link, and all below it."""
        key = spot, state, op
        if key in self._seen:
            text = f"{state} of {spot.machine}: see above"
            return Node(spot.machine, state, via, Far.MIRROR, text, end="it is in the tree already")
        if level > self._depth:
            text = f"{state} of {spot.machine} was not looked at"
            end = f"only {self._depth} links are followed, see --depth"
            return Node(spot.machine, state, via, Far.OUT_OF_REACH, text, end=end)
        self._seen.add(key)
        look = await self._world.look(spot, state, op)
        return await self._node(spot, look, via, level)

    async def _try(self, spot: Spot, state: str, via: Via, level: int) -> Node:
        """The same for a link that somebody else names: it may not be there."""
        try:
            return await self.visit(spot, state, "add", via, level)
        except OutOfReachError as error:
            text = f"{state} of {spot.machine} can't be looked at"
            return Node(spot.machine, state, via, Far.OUT_OF_REACH, text, end=str(error))
        except NoSuchStateError as error:
            return Node(
                spot.machine, state, via, Far.OUT_OF_REACH, str(error), end="it has changed"
            )

    async def _node(self, spot: Spot, look: Look, via: Via, level: int) -> Node:
        found = look.explanation
        node = _plain(found, look, via)
        if self._world.is_live and self._world.home(found.machine) is not None:
            node = replace(node, reachable=True)
        if look.held_up:
            sentence, remedy = held_up(found.machine, look.trouble, found)
            return replace(node, kind=Far.HELD_UP, sentence=sentence, remedy=remedy)
        if look.link is not None and not look.link.connected and _is_linked(look):
            return await self._cut(node, look, level)
        if not look.is_local:
            return await self._mirror(node, look, level)
        return replace(
            node, because=tuple(await self._because(spot, look, level)), end=look.trouble
        )

    # -- mirrors and their connections

    async def _cut(self, node: Node, look: Look, level: int) -> Node:
        """The connection is to blame, unless the far machine has more to say."""
        assert look.link is not None
        remote, world = look.remote_id, self._world
        sentence, remedy = dead_peer(look.link, remote)
        node = replace(node, kind=Far.DEAD_PEER, sentence=sentence, remedy=remedy)
        home = world.home(remote) if remote else None
        if home is None:
            end = world.absence(remote) if remote else "it never told which machine it shows"
            return replace(node, end=end)
        if look.is_local:  # a client's own states are no matter of the machine behind it
            return node
        return replace(node, because=(await self._try(home, node.state, Via.SHOWS, level + 1),))

    async def _mirror(self, node: Node, look: Look, level: int) -> Node:
        """A mirror that is live: whom it shows is to be asked."""
        home = self._world.home(look.remote_id)
        text = mirrored(node, look.remote_id)
        if home is None:
            return replace(node, end=f"{look.remote_id}: {self._world.absence(look.remote_id)}")
        below = await self._try(home, node.state, Via.SHOWS, level + 1)
        return replace(node, kind=Far.MIRROR, sentence=text, remedy="", because=(below,))

    # -- the next links

    async def _because(self, spot: Spot, look: Look, level: int) -> list[Node]:
        found = look.explanation
        if found.blame:
            return await self._blamed(spot, found, level)
        if found.kind in _UNTRIED and found.op == "add" and not found.is_active:
            return await self._untried(spot, look, level)
        if found.kind is Kind.ACTIVE and found.op == "add":
            return await self._active(spot, look, level)
        return []

    async def _blamed(self, spot: Spot, found: Explanation, level: int) -> list[Node]:
        nodes = []
        for one in found.blame[:BREADTH]:
            via = Via.REQUIRES if one.wanted else Via.REMOVED_BY
            if found.kind is Kind.ERROR:
                via = Via.ENDED_BY
            if found.kind is Kind.IMPLIED:
                via = Via.IMPLIED_BY
            if not one.exists:
                text = f"{found.machine} has no state {one.state}, so it can never be active"
                remedy = f"mend the schema of {found.machine}"
                nodes.append(Node(found.machine, one.state, via, Kind.REQUIRE, text, remedy))
            else:
                nodes.append(await self._try(spot, one.state, via, level + 1))
        return nodes

    async def _untried(self, spot: Spot, look: Look, level: int) -> list[Node]:
        """Nothing refuses it: what should have brought it?"""
        nodes = await self._fed(spot, look.feeds, look, Via.PIPED_FROM, level)
        if nodes:
            return nodes
        for mirror in await self._world.mirrors(spot.machine):
            try:
                other = await self._world.look(mirror, look.explanation.state, "add")
            except (OutOfReachError, NoSuchStateError):
                continue
            nodes += await self._fed(mirror, other.feeds, look, Via.FED_BY, level)
        if not nodes and look.cause is not None:
            nodes.append(await self._try(*look.cause, Via.SOURCE, level + 1))
        return _once(nodes)

    async def _fed(
        self, spot: Spot, feeds: Iterable[WhyFeed], look: Look, via: Via, level: int
    ) -> list[Node]:
        """Pipes that should bring the state: those whose source is inactive are asked about."""
        nodes = []
        for feed in _sources(feeds)[:BREADTH]:
            source = self._world.beside(spot, feed.source_id)
            if feed.active and (feed.link is None or feed.link.connected):
                sentence, remedy = refused_pipe(feed, look.explanation)
                nodes.append(
                    Node(feed.source_id, feed.source_state, via, Far.PIPE, sentence, remedy, True)
                )
            else:
                nodes.append(await self._try(source, feed.source_state, via, level + 1))
        return nodes

    async def _active(self, spot: Spot, look: Look, level: int) -> list[Node]:
        """What made it so, as far as that can still be seen."""
        steps = [
            (self._world.beside(spot, feed.source_id), feed.source_state, Via.PIPED_FROM)
            for feed in _sources(look.feeds)
            if feed.active
        ]
        steps += [(spot, name, Via.IMPLIED_BY) for name in look.explanation.implied_by]
        nodes = [await self._try(*step, level + 1) for step in steps[:BREADTH]]
        if not nodes and look.cause is not None:
            nodes.append(await self._try(*look.cause, Via.SOURCE, level + 1))
        return nodes


def _sources(feeds: Iterable[WhyFeed]) -> list[WhyFeed]:
    """What the pipes that add begin with, each once: one state may have several pipes."""
    found: dict[tuple[str, str], WhyFeed] = {}
    for feed in feeds:
        if "add" not in feed.ops:
            continue
        key = feed.source_id, feed.source_state
        if key in found:
            ops = tuple(dict.fromkeys((*found[key].ops, *feed.ops)))
            feed = replace(found[key], ops=ops)
        found[key] = feed
    return list(found.values())


def _once(nodes: Iterable[Node]) -> list[Node]:
    """Links without those that name a cause again: mirrors in several processes may."""
    found: dict[tuple[str, str, str], Node] = {}
    for node in nodes:
        found.setdefault((node.via, node.machine, node.state), node)
    return list(found.values())


def _plain(found: Explanation, look: Look, via: Via) -> Node:
    details = (*look.details, *last_refusal(found), *under_way(found))
    return Node(
        found.machine,
        found.state,
        via,
        found.kind,
        found.sentence,
        found.remedy,
        found.is_active,
        details,
        explanation=found,
        link=look.link,
    )


def _is_linked(look: Look) -> bool:
    """Whether a cut connection explains the state: of a mirror any, of its client some."""
    if not look.is_local:
        return True
    return look.explanation.state in _LINKED and not look.explanation.is_active
