"""`python -m tests.faults [WORD...]`: plant faults into a copy of the engine; are they caught?

Each fault gets a fresh copy of the tree in a temporary folder, and the engine's own tests run on it
until the first failure: the recorded cases, the tests of the rule that it breaks, then the rest.
What no test catches is a hole in the suite. At the end, all that caught something is run without
any fault, and has to pass. Words choose faults by name, rule or file. Takes some minutes.

Exit code 0: all were caught; 1: some weren't, or the tests fail without any fault.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.planting import Caught, Grove, caught_by, failing
from tests.faults.seeds import FAULTS, Fault


def main(argv: list[str] | None = None) -> int:
    """Plant, run, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="only faults that hold one")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--list", action="store_true", help="name them, and plant none")
    options = parser.parse_args(argv)
    chosen = [f for f in FAULTS if _is_meant(f, options.words)]
    if not chosen:
        parser.error("no fault holds these words")
    if options.list:
        for fault in chosen:
            print(f"{fault.rule:13} {fault.name}")
        return 0
    with tempfile.TemporaryDirectory(prefix="amctl-faults-") as folder:
        grove = Grove(Path(folder))
        began = time.monotonic()
        rows = []
        for fault in chosen:
            rows.append((fault, caught_by(grove, fault)))
            if not options.json:
                print(row(*rows[-1]), flush=True)
        wrong = _wrong(grove, [caught.by for _, caught in rows])
    missed = [fault for fault, caught in rows if not caught.by]
    if options.json:
        print(json.dumps([{**vars(f), "caught_by": c.by, "seconds": c.seconds} for f, c in rows]))
    else:
        count, took = len(rows) - len(missed), time.monotonic() - began
        print(f"\n{count} of {len(rows)} faults caught, in {took:.0f} s")
    if wrong:
        print(f"error: this fails without any fault: {wrong}", file=sys.stderr)
    return 1 if missed or wrong else 0


def _wrong(grove: Grove, catchers: list[str]) -> str:
    """What fails although there is no fault; empty if nothing does."""
    grove.plant(None)
    return failing(grove, sorted({f"tests/{by}" for by in catchers if "::" in by}))


def _is_meant(fault: Fault, words: list[str]) -> bool:
    text = f"{fault.name} {fault.rule} {fault.file}".lower()
    return not words or any(word.lower() in text for word in words)


def row(fault: Fault, caught: Caught) -> str:
    """One line of the table."""
    by = caught.by or "NOBODY"
    return f"{fault.rule:13} {fault.name:58} {caught.seconds:5.1f} s  {by}"


if __name__ == "__main__":
    sys.exit(main())
