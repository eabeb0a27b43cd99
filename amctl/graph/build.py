"""From a recording to its graph, in two passes.

First all schemas, so that every name is known; then the transitions, of which only the newest
clocks are kept, so that memory stays flat however long the recording is. Parents are resolved at
the end.

Our own stream tells pipes as records; of the original's the lines of the logs are read. A pipe that
went because one of its machines was disposed of stays in the graph, as that machine does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.graph._clients import client_of, shakes_hands
from amctl.graph._pipelines import PipeLines
from amctl.graph._tracks import Track
from amctl.graph.assemble import as_graph
from amctl.graph.errors import UnknownMachineError
from amctl.graph.machurl import MachUrl
from amctl.graph.model import Graph, Pipe
from amctl.graph.moments import Moment, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amctl.dump.model import Dump
    from amctl.telemetry.messages import PipeMsg, TxMsg

__all__ = ["build_graph"]

_CUT = "..."
_DISPOSAL_NS = 2 * 10**9
"""A pipe that goes this long before its machine does goes because of it."""


def build_graph(dump: Dump, at: MachUrl | Moment | None = None) -> Graph:
    """The network that a recording tells of.

    Args:
        dump: Any recording; it is read once, from its beginning to its end.
        at: Replay clocks, schemas, pipes and RPC edges only up to there. None, or an address
            that names but a machine, is the end of the recording.

    Raises:
        UnknownMachineError: `at` names a machine that isn't there.
        UnknownTransitionError: `at` names a transition that isn't there.
        DumpError: The recording can't be read.
    """
    moment = moment_of(dump, at) if isinstance(at, MachUrl) else at
    return _Builder(dump, moment).build()


class _Builder:
    """One run over one recording."""

    def __init__(self, dump: Dump, moment: Moment | None) -> None:
        self._dump = dump
        self._moment = moment
        self._tracks = {id: Track(id, dump.schemas(id), moment) for id in dump.machines()}
        self._whole: dict[str, str] = {}
        self._lines = PipeLines(self._whole_id)
        self._rpc: dict[tuple[str, str], None] = {}
        if moment is not None and moment.machine and moment.machine not in self._tracks:
            raise UnknownMachineError(moment.machine, self._tracks)

    def build(self) -> Graph:
        if self._dump.format == "sqlite" and all(t.is_ours for t in self._tracks.values()):
            self._seek()
        else:
            self._scan()
        structured = list(self._structured())
        known = {(pipe.source, pipe.target) for pipe in structured}
        pipes = [*structured, *self._lines.pipes(known)]
        machines = [track.machine() for track in self._tracks.values() if track.is_there]
        return as_graph(machines, pipes, self._rpc)

    # -- two ways through the transitions

    def _scan(self) -> None:
        """All of them, in the order of arrival."""
        moment = self._moment
        by_arrival = moment if moment and moment.machine and not moment.time_ns else None
        if by_arrival and by_arrival.position < 0:
            self._close()
        for tx in self._dump.transitions():
            track = self._tracks.get(tx.machine_id)
            if track is None or not track.counts(tx):
                continue
            if not track.is_ours and (tx.pre_logs or tx.logs):
                self._lines.read(tx)
            if track.handshake >= 0:
                self._handshake(track, tx)
            track.take(tx)
            if by_arrival and track.is_at(by_arrival):
                self._close()

    def _close(self) -> None:
        for track in self._tracks.values():
            track.is_closed = True

    def _seek(self) -> None:
        """Only the last of each machine, and all of those that serve clients."""
        for track in self._tracks.values():
            stop = self._stop(track)
            if track.handshake >= 0:
                for tx in self._dump.transitions(track.id, 0, stop):
                    track.counts(tx)
                    self._handshake(track, tx)
                    track.take(tx)
            else:
                track.skip_to(stop - 1)
                for tx in self._dump.transitions(track.id, max(stop - 1, 0), stop):
                    track.counts(tx)
                    track.take(tx)
            if self._moment is not None and track.id == self._moment.machine:
                for tx in self._dump.transitions(track.id, stop, stop + 1):
                    track.counts(tx)

    def _stop(self, track: Track) -> int:
        """How many transitions of a machine count; their times ascend."""
        count = self._dump.count(track.id)
        moment = self._moment
        if moment is None:
            return count
        if moment.machine == track.id:
            return min(moment.position + 1, count)
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            tx = next(iter(self._dump.transitions(track.id, middle, middle + 1)), None)
            if tx is not None and (tx.time_ns or tx.received_ns) <= moment.time_ns:
                low = middle + 1
            else:
                high = middle
        return low

    # -- edges

    def _handshake(self, track: Track, tx: TxMsg) -> None:
        if not tx.is_queued and shakes_hands(track.handshake, track.clocks, tx.clocks):
            client = client_of(tx, track.handshake)
            if client:
                self._rpc[self._whole_id(client), track.id] = None

    def _structured(self) -> Iterator[Pipe]:
        found: dict[Pipe, None] = {}
        gone = self._dump.gone()
        until = self._moment.time_ns if self._moment else 0
        for record in self._dump.pipes():
            if until and record.time_ns > until:
                continue
            pipe = Pipe(
                record.source,
                record.kind,
                record.source_state,
                record.target,
                record.target_state,
            )
            if not record.gone:
                found[pipe] = None
            elif not _went_with_machine(record, gone):
                found.pop(pipe, None)
        yield from found

    def _whole_id(self, id: str) -> str:
        """The one machine that an id which was cut may mean, or the id itself."""
        if id in self._tracks or not id.endswith(_CUT):
            return id
        if id not in self._whole:
            head = id.removesuffix(_CUT)
            fit = [name for name in self._tracks if name.startswith(head)]
            self._whole[id] = fit[0] if len(fit) == 1 else id
        return self._whole[id]


def _went_with_machine(record: PipeMsg, gone: Mapping[str, int]) -> bool:
    return any(
        id in gone and record.time_ns >= gone[id] - _DISPOSAL_NS
        for id in (record.source, record.target)
    )
