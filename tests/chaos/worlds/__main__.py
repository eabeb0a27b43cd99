"""The simulated world at length: `python -m tests.chaos.worlds --runs 20000 --everywhere`.

Random worlds first, then the scripted conversation cut at every byte offset of both directions, in
each way of mirroring and each way of noticing, then cut several times. CI runs a slice of this, see
tests/rpc/wire/test_chaos.py.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from typing import TYPE_CHECKING

from tests.rpc.wire.chaos import world
from tests.rpc.wire.script import MODES, SILENCES, converse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def conversations(several: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every cut conversation, by name, and `several` with two to five cuts."""
    for mode, sync in MODES.items():
        lengths = converse(sync, [], (False, False)).wires[0].total
        for direction, length in enumerate(lengths):
            for offset in range(length + 1):
                cut = (offset, None) if direction == 0 else (None, offset)
                for name, silent in SILENCES.items():
                    yield (
                        f"{mode}, {name}, cut {cut}",
                        lambda sync=sync, cut=cut, silent=silent: converse(sync, [cut], silent),
                    )
    draw = random.Random(3)
    for _ in range(several):
        offsets = [draw.randint(0, 700) for _ in range(draw.randint(2, 5))]
        cuts = [(n, None) if draw.random() < 0.5 else (None, n) for n in offsets]
        mode, name = draw.choice(sorted(MODES)), draw.choice(sorted(SILENCES))
        yield (
            f"{mode}, {name}, cuts {cuts}",
            lambda mode=mode, cuts=cuts, name=name: converse(MODES[mode], cuts, SILENCES[name]),
        )


def _worlds(seeds: range) -> tuple[int, str]:
    """How many failed, and what they were."""
    failed = calls = payloads = reconnects = restarts = 0
    for done, seed in enumerate(seeds, 1):
        try:
            sim = world(seed)
        except Exception:
            failed += 1
            print(f"world({seed}) failed:", flush=True)
            traceback.print_exc(file=sys.stdout)
            continue
        calls += len(sim.uids)
        payloads += len(sim.sent_paid)
        reconnects += sim.reconnects
        restarts += sim.restarts
        if done % 1000 == 0:
            print(f"{done} worlds, {failed} failed, {calls} calls", flush=True)
    return failed, (
        f"{len(seeds)} worlds, {failed} failed: {calls} calls, {payloads} payloads, "
        f"{reconnects} connections lost, {restarts} servers restarted"
    )


def _cuts(several: int) -> tuple[int, str]:
    held = failed = 0
    for name, hold in conversations(several):
        held += 1
        try:
            hold()
        except Exception:
            failed += 1
            print(f"{name} failed:", flush=True)
            traceback.print_exc(file=sys.stdout)
    return failed, f"{held} conversations cut, {failed} failed"


def main(words: list[str]) -> int:
    """Run what is asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.worlds", description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000, metavar="N", help="random worlds")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first one's seed")
    parser.add_argument(
        "--everywhere", action="store_true", help="cut the conversation everywhere as well"
    )
    parser.add_argument("--several", type=int, default=10_000, metavar="N", help="many cuts each")
    asked = parser.parse_args(words)
    began = time.process_time()
    failed, told = _worlds(range(asked.first, asked.first + asked.runs))
    print(told, flush=True)
    if asked.everywhere:
        more, told = _cuts(asked.several)
        failed += more
        print(told, flush=True)
    print(f"{time.process_time() - began:.0f} s of CPU", flush=True)
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
