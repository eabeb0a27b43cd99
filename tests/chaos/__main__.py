"""Storms over real WebSockets: `python -m tests.chaos --seeds 50`, or `--chromium --seeds 5`.

The workflow runs round after round while a demon delays, throttles, silences and cuts its links,
and while relay and orchestrator are restarted. A line for each seed, and a traceback for each that
came out wrong; the exit code is 1 if any did.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import traceback
from pathlib import Path

from tests.chaos.places import in_chromium, in_process
from tests.chaos.storm import Told, storm
from tests.nodes.system import FOUR, SEVEN


async def _storm(seed: int, folder: Path, asked: argparse.Namespace) -> Told:
    dag = FOUR if asked.chromium or seed % 2 == 0 else SEVEN
    async with in_chromium() if asked.chromium else in_process() as place:
        return await storm(
            seed, dag, folder, place, misdeeds=asked.misdeeds, restarts=asked.restarts
        )


def run(seed: int, asked: argparse.Namespace) -> bool:
    """One storm; whether all came out right."""
    with tempfile.TemporaryDirectory(prefix="amctl-chaos-") as folder:
        try:
            told = asyncio.run(_storm(seed, Path(folder), asked))
        except Exception:
            print(f"seed {seed} failed:", flush=True)
            traceback.print_exc(file=sys.stdout)
            return False
    print(told, flush=True)
    return True


def main(words: list[str]) -> int:
    """Run some storms; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, metavar="N", help="how many storms")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first one's seed")
    parser.add_argument("--chromium", action="store_true", help="nodes in a real browser")
    parser.add_argument("--misdeeds", type=int, default=100, metavar="N", help="of each demon")
    parser.add_argument("--restarts", type=int, default=3, metavar="N", help="in each storm")
    parser.add_argument("--verbose", action="store_true", help="show what is logged")
    asked = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO if asked.verbose else logging.CRITICAL)
    seeds = range(asked.first, asked.first + asked.seeds)
    good = [seed for seed in seeds if run(seed, asked)]
    print(f"{len(good)} of {len(seeds)} storms came out right", flush=True)
    return 0 if len(good) == len(seeds) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
