"""Sentences about connections, pipes and machines that don't answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amctl.machine import Source
from amctl.machine.explanation import Explanation, Kind
from amctl.machine.reasons import Reason
from amctl.machine.refusals import Refusal
from amctl.repl.why.phrases import (
    dead_peer,
    duration,
    held_up,
    last_refusal,
    refused_pipe,
    under_way,
)
from amctl.rpc.answers import WhyFeed, WhyLink

CUT = WhyLink("rc", connected=False, states=("Start",), lost_for=12.0, ever=True, dials=True)
FOUND = Explanation("m", "A", "add", Kind.ENDED, "A ended")
REFUSAL = Refusal("add", ("A",), Reason("veto", "A", handler="AEnter", binding="h"), 5, count=3)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.42, "0.4 s"), (12, "12 s"), (600, "10 min"), (10_000, "3 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("link", "part"),
    [
        (CUT, "the connection of client rc to m has been cut for 12 s; it goes on dialling"),
        (replace(CUT, error="OSError: gone"), "(OSError: gone)"),
        (replace(CUT, dials=False), "it waits for the other side to dial"),
        (replace(CUT, lost_for=None), "the connection of client rc to m is cut"),
        (replace(CUT, lost_for=None, ever=False), "client rc never was connected to m"),
        (replace(CUT, states=()), "it is not started, so it doesn't try"),
        (replace(CUT, states=("ConnRetryFailed",)), "it has given up"),
        (replace(CUT, shown=("Disposed",)), "m was being disposed of before that"),
    ],
)
def test_a_cut_connection(link: WhyLink, part: str) -> None:
    assert part in dead_peer(link, "m")[0]


def test_its_cure_is_by_who_dials() -> None:
    assert dead_peer(CUT, "m")[1] == "start m again: the client connects by itself"
    assert "at h:1" in dead_peer(replace(CUT, addr="h:1"), "m")[1]
    assert "it has to connect by itself" in dead_peer(replace(CUT, dials=False), "m")[1]
    assert "add Start to rc" in dead_peer(replace(CUT, states=()), "")[1]
    assert "its peer" in dead_peer(CUT, "")[0]


def test_a_silent_machine() -> None:
    text, cure = held_up("m", "it did not answer within 3 s", FOUND)
    assert "its loop is held up" in text
    assert text.endswith("its mirror says: A ended")
    assert "amctl profile m" in cure
    assert "its mirror says" not in held_up("m", "x", replace(FOUND, sentence=""))[0]


def test_a_pipe_that_brought_nothing() -> None:
    feed = WhyFeed(("add",), "s", "X", active=True)
    assert "it is a trigger" in refused_pipe(feed, FOUND)[0]
    feed = replace(feed, ops=("add", "remove"))
    assert "was removed since, or the delivery was missed" in refused_pipe(feed, FOUND)[0]
    text, _ = refused_pipe(feed, replace(FOUND, last=REFUSAL))
    assert text.endswith("m refused it (AEnter of binding h vetoed it)")


def test_the_last_refusal_is_told_unless_it_is_the_sentence() -> None:
    told = replace(FOUND, last=replace(REFUSAL, source=Source("far")))
    assert last_refusal(told) == (
        "last refused, 3 times, from far: [add] A: AEnter of binding h vetoed it",
    )
    assert last_refusal(replace(told, sentence="AEnter of binding h vetoed it")) == ()
    assert last_refusal(FOUND) == ()


def test_handlers_under_way_are_told_once_each_and_not_all() -> None:
    tasks = tuple(f"H{n}" for n in range(7))
    assert under_way(replace(FOUND, tasks=("A", "A"))) == ("handlers under way: A",)
    assert under_way(replace(FOUND, tasks=tasks))[0].endswith("H4 and 2 more")
    assert under_way(replace(FOUND, tasks=tasks, tick=1)) == ()
