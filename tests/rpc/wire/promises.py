"""What must hold when a simulated world has come to rest, whatever happened in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.rpc.wire import Code
from tests.rpc.wire.pairs import ID

if TYPE_CHECKING:
    from tests.rpc.wire.sim import Sim


def check(sim: Sim) -> None:
    """Raise AssertionError for the first broken promise."""
    sessions_lost = bool(sim.restarts) or sim.opened - sim.resumed > 1
    check_calls(sim, sessions_lost)
    check_payloads(sim, sessions_lost)
    check_mirror(sim)
    lim = sim.lim
    bound = lim.window_bytes + lim.queue_bytes + lim.message + lim.frame
    assert sim.maxmem <= bound + lim.window_frames * 24 + 65536
    assert sim.client.sent - sim.client.acked <= lim.window_frames


def check_calls(sim: Sim, sessions_lost: bool) -> None:
    """Once at most, in order, with one outcome; acknowledged means run, and visible by then."""
    runs = {uid: (q, result) for uid, q, result in sim.log}
    assert len(runs) == len(sim.log), "a mutation ran twice"
    order = [uid for uid, _, _ in sim.log]
    assert order == sorted(order), "mutations ran out of order"
    for uid, cid in sim.uids.items():
        if cid in sim.cancelled:
            assert uid not in runs, "a cancelled mutation ran"
        elif cid in sim.notes:
            assert sessions_lost or uid in runs, "a note was lost without losing the session"
        elif cid in sim.replies:
            assert uid in runs, "acknowledged but not run"
            assert runs[uid][1] == sim.replies[cid], "wrong result"
            seen = sim.client.replied_at[cid][0]
            if not sessions_lost and not sim.frames_dropped:
                assert seen >= runs[uid][0], "the caller resumed before its mirror moved"
        else:
            assert cid in sim.failed, f"call {cid} has no outcome"
            assert sessions_lost or sim.failed[cid] == Code.STATE, "failed without cause"


def check_mirror(sim: Sim) -> None:
    """The mirror is the source, as far as the client wants to see it."""
    client, session = sim.client, sim.hub.sessions[ID]
    view, now = client.view.tolist(), session.current()
    if sim.sync.shallow:
        view, now = [tick & 1 for tick in view], [tick & 1 for tick in now]
    assert view == now, "mirror differs"
    assert (client.q, client.m) == (sim.toy.q, sim.toy.m), "queue or machine tick differs"
    assert client.names == session.names, "names differ"
    assert not client.pending, "a call is not settled"


def check_payloads(sim: Sim, sessions_lost: bool) -> None:
    """Once at most, in order, undamaged; each delivered or lost, and only lost with a session."""
    got = [name for name, _ in sim.paid]
    assert len(set(got)) == len(got), "payload twice"
    assert got == sorted(got, key=lambda name: int(name[1:])), "payloads out of order"
    sent = {name: data for _, _, name, data in sim.sent_paid}
    assert all(sent[name] == data for name, data in sim.paid), "payload damaged"
    for session, pid, name, _ in sim.sent_paid:
        key = (session, pid)
        assert (key in sim.delivered) != (key in sim.lost_pids), f"{name}: not one outcome"
        assert key not in sim.delivered or name in got, "acknowledged payload lost"
        assert sessions_lost or name in got, "payload lost without losing the session"
