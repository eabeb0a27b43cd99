"""What `amctl mach` shows, as rows of plain data."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from amctl.machine.patterns import PatternError, matching
from amctl.repl.errors import NothingMatchedError, NothingPassedError, UsageError
from amctl.repl.filters import Filters
from amctl.repl.selecting import find, select
from amctl.rpc.answers import as_data
from amctl.rpc.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amctl.cli._mach_flags import Call
    from amctl.repl.command import Context
    from amctl.repl.peer import Peer

__all__ = ["gather_inner", "gather_listed", "gather_plain", "gather_shown"]

Row = dict[str, Any]
_CLIENT = "client:"
"""Tag of a server, in front of the id of the client that it serves."""


async def gather_plain(context: Context, call: Call) -> list[Row]:
    """What the registry's command answers. Raises ReplError."""
    outcome = await call.command.run(context, call.values)
    rows: list[Row] = outcome.data
    return rows


async def gather_listed(context: Context, call: Call, pattern: str) -> list[Row]:
    """Rows of `list` that fit the pattern too; at least one, unless that is allowed.

    Raises:
        NothingMatchedError: None does.
        UnreachableError: One is named that never was connected.
        UsageError: The pattern or a filter is wrong.
    """
    unlimited = replace(call, values={**call.values, "limit": 0})
    rows = await gather_plain(context, unlimited)
    wanted = {peer.index for peer in find(context.fleet.peers, pattern)}
    rows = [row for row in rows if row["index"] in wanted]
    if not rows and not wanted and not call.shown.watch:
        select(context.fleet, pattern)  # it raises, and knows why
    return _some(rows, call)


def _some(rows: list[Row], call: Call) -> list[Row]:
    """As many as are asked for; the pattern was looked at, so that filters are to blame."""
    limit = call.values["limit"]
    if not rows and not call.shown.allow_empty and not call.shown.watch:
        raise NothingPassedError
    return rows[:limit] if limit else rows


async def gather_shown(context: Context, call: Call) -> list[Row]:
    """Rows of `show`: those of the registry's `mach`, and what else a machine tells of itself.

    Raises ReplError as `select` does.
    """
    rows = await gather_plain(context, call)
    peers = {peer.index: peer for peer in context.fleet.peers}
    return list(await asyncio.gather(*(_whole(peers[row["index"]], row) for row in rows)))


async def _whole(peer: Peer, row: Row) -> Row:
    try:
        about = await peer.about()
        process = await peer.ask("machines")
    except RpcError as error:
        nothing: Row = {"mirrors": [], "clients": []}
        return {**row, "problem": str(error), "about": None, **nothing}
    family = _family(process, peer.id)
    return {
        **row,
        "problem": peer.problem,
        "about": as_data(about),
        "mirrors": [
            {"id": one["remote_id"], "connected": _is_live(one, family)}
            for one in family
            if one["remote_id"] and not one["is_local"]
        ],
        "clients": [
            tag.removeprefix(_CLIENT)
            for one in family
            if "ClientConnected" in one["active"]
            for tag in one["tags"]
            if tag.startswith(_CLIENT)
        ],
    }


def _family(process: Sequence[Mapping[str, Any]], top: str) -> list[Mapping[str, Any]]:
    """The machines below one, itself left out; parents come first."""
    own = {top}
    found = []
    for one in process:
        if one["parent_id"] in own and one["id"] not in own:
            own.add(one["id"])
            found.append(one)
    return found


def _is_live(mirror: Mapping[str, Any], family: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the client that keeps a mirror is ready."""
    client = next((one for one in family if one["id"] == mirror["parent_id"]), None)
    return client is not None and "Ready" in client["active"]


# -- all machines of each process


class _Inner:
    """A machine within a process, as patterns and filters see it.

    Only its active states are told, so it has any state that somebody asks for.
    """

    def __init__(self, row: Row) -> None:
        self.row = row
        self.id, self.parent_id, self.tags = row["id"], row["parent_id"], row["tags"]
        self.time_sum = row["time_sum"]

    @property
    def net(self) -> _Inner:
        """What filters look at."""
        return self

    def has(self, states: object) -> bool:
        """See above."""
        return True

    def is_(self, states: str | Sequence[str]) -> bool:
        """Whether they are active, all of them."""
        names = [states] if isinstance(states, str) else states
        return all(self.is_active(name) for name in names)

    def is_active(self, state: str) -> bool:
        """Whether it is."""
        return state in self.row["active"]


async def gather_inner(context: Context, call: Call, pattern: str) -> list[Row]:
    """Every machine of each process that was reached, once, with the machine that told of it.

    Raises:
        NothingMatchedError: None fits.
        UsageError: The pattern is wrong, or a filter asks for what is not told of inner machines.
    """
    if call.values["mtime_states"]:
        raise UsageError("--mtime-states can't be had with --all", "leave out one of them")
    rows: list[Row] = []
    seen: set[str] = set()
    for peer in context.fleet.peers:
        if not peer.is_ready or peer.id in seen:
            continue
        found = await _process_of(peer)
        # another address of the same process tells the same
        seen |= {row["id"] for row in found if row["is_local"]}
        rows += found
    try:
        chosen = matching([_Inner(row) for row in rows], pattern)
    except PatternError as error:
        raise UsageError(str(error), "quote it, and escape ( [ { with a backslash") from error
    filters = _filters(call.values)
    if not chosen and not call.shown.watch:
        raise NothingMatchedError(pattern, [row["id"] for row in rows])
    return _some([one.row for one in chosen if filters.fits(cast("Peer", one))], call)


def _filters(values: Mapping[str, Any]) -> Filters:
    return Filters(
        active=tuple(values["active"]),
        inactive=tuple(values["inactive"]),
        mtime_min=values["mtime_min"],
        mtime_max=values["mtime_max"],
        parent=values["parent"],
        id_regexp=values["id_regexp"],
        id_partial=values["id_partial"],
        id_prefix=values["id_prefix"],
        id_suffix=values["id_suffix"],
    )


async def _process_of(peer: Peer) -> list[Row]:
    try:
        return [{**row, "process": peer.id} for row in await peer.ask("machines")]
    except RpcError:
        return []
