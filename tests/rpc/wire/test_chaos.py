"""Random worlds and a conversation cut everywhere: a slice of `python -m tests.chaos.worlds`."""

from __future__ import annotations

import random

import pytest

from tests.rpc.wire.chaos import world
from tests.rpc.wire.script import MODES, SILENCES, converse

WORLDS, PER_TEST = 400, 50
SEVERAL = 300

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("start", range(0, WORLDS, PER_TEST))
def test_every_promise_holds_in_random_worlds(start: int) -> None:
    for seed in range(start, start + PER_TEST):
        try:
            world(seed)
        except Exception as err:
            raise AssertionError(f"world({seed}): {err}") from err


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("direction", [0, 1])
def test_a_conversation_survives_a_cut_at_every_byte(mode: str, direction: int) -> None:
    """The ways of noticing take turns."""
    sync, silences = MODES[mode], list(SILENCES.values())
    length = converse(sync, [], (False, False)).wires[0].total[direction]
    for offset in range(length + 1):
        cut = (offset, None) if direction == 0 else (None, offset)
        silent = silences[offset % len(silences)]
        try:
            converse(sync, [cut], silent)
        except Exception as err:
            raise AssertionError(f"cut {cut}, silent {silent}: {err}") from err


def test_a_conversation_survives_several_cuts() -> None:
    rng = random.Random(3)
    for _ in range(SEVERAL):
        offsets = [rng.randint(0, 700) for _ in range(rng.randint(2, 5))]
        cuts = [(n, None) if rng.random() < 0.5 else (None, n) for n in offsets]
        mode, silence = rng.choice(sorted(MODES)), rng.choice(sorted(SILENCES))
        try:
            converse(MODES[mode], cuts, SILENCES[silence])
        except Exception as err:
            raise AssertionError(f"{mode}, {silence}, cuts {cuts}: {err}") from err
