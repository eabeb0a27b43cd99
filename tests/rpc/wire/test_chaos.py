"""Random worlds and a conversation cut everywhere. `WIRE_RUNS=3000` runs that many worlds."""

from __future__ import annotations

import os
import random

import pytest

from tests.rpc.wire.chaos import world
from tests.rpc.wire.script import MODES, SILENCES, converse

RUNS = int(os.environ.get("WIRE_RUNS", "0"))
FEW, PER_TEST = 300, 50
EVERYWHERE = bool(RUNS)
"""Each offset with each way of noticing; otherwise the ways take turns."""

pytestmark = pytest.mark.slow


@pytest.mark.timeout(600)
@pytest.mark.parametrize("start", range(0, RUNS or FEW, PER_TEST))
def test_every_promise_holds_in_random_worlds(start: int) -> None:
    for seed in range(start, min(start + PER_TEST, RUNS or FEW)):
        try:
            world(seed)
        except Exception as err:
            raise AssertionError(f"world({seed}): {err}") from err


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("direction", [0, 1])
def test_a_conversation_survives_a_cut_at_every_byte(mode: str, direction: int) -> None:
    sync, silences = MODES[mode], list(SILENCES.values())
    length = converse(sync, [], (False, False)).wires[0].total[direction]
    for offset in range(length + 1):
        cut = (offset, None) if direction == 0 else (None, offset)
        for silent in silences if EVERYWHERE else [silences[offset % len(silences)]]:
            try:
                converse(sync, [cut], silent)
            except Exception as err:
                raise AssertionError(f"cut {cut}, silent {silent}: {err}") from err


@pytest.mark.timeout(900)
def test_a_conversation_survives_several_cuts() -> None:
    rng = random.Random(3)
    for _ in range(RUNS or FEW):
        offsets = [rng.randint(0, 700) for _ in range(rng.randint(2, 5))]
        cuts = [(n, None) if rng.random() < 0.5 else (None, n) for n in offsets]
        mode, silence = rng.choice(sorted(MODES)), rng.choice(sorted(SILENCES))
        try:
            converse(MODES[mode], cuts, SILENCES[silence])
        except Exception as err:
            raise AssertionError(f"{mode}, {silence}, cuts {cuts}: {err}") from err
