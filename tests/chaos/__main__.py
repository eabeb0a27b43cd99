"""Storms over real WebSockets: `python -m tests.chaos --seeds 50`.

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

from tests.chaos.storm import storm
from tests.nodes.system import FOUR, SEVEN


def run(seed: int, misdeeds: int, restarts: int) -> bool:
    """One storm; whether all came out right."""
    dag = SEVEN if seed % 2 else FOUR
    with tempfile.TemporaryDirectory(prefix="amctl-chaos-") as folder:
        try:
            told = asyncio.run(storm(seed, dag, Path(folder), misdeeds=misdeeds, restarts=restarts))
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
    parser.add_argument("--misdeeds", type=int, default=100, metavar="N", help="of each demon")
    parser.add_argument("--restarts", type=int, default=3, metavar="N", help="in each storm")
    parser.add_argument("--verbose", action="store_true", help="show what is logged")
    asked = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO if asked.verbose else logging.CRITICAL)
    seeds = range(asked.first, asked.first + asked.seeds)
    good = [seed for seed in seeds if run(seed, asked.misdeeds, asked.restarts)]
    print(f"{len(good)} of {len(seeds)} storms came out right", flush=True)
    return 0 if len(good) == len(seeds) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
