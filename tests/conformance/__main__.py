"""`python -m tests.conformance [FILE...] [--json]`: recorded cases against the engine."""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import sys
from pathlib import Path
from typing import Any

from tests.conformance.runner import (
    MODES,
    Failure,
    Mode,
    count_vetoes,
    run_case,
    run_replay,
)

CASES = Path(__file__).parent.parent / "cases"


def check(path: Path, mode: Mode) -> tuple[int, list[Failure], int]:
    """How many cases passed, the failures, and the steps passed over, of one file."""
    passed, failures, vetoes = 0, [], 0
    data = path.read_bytes()
    text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    for line in text.splitlines():
        if not line.strip():
            continue
        item: dict[str, Any] = json.loads(line)
        if "machine" in item:
            failure = run_replay(item)
            vetoes += count_vetoes(item)
        else:
            failure = run_case(item, mode)
        if failure is None:
            passed += 1
        else:
            failures.append(failure)
    return passed, failures, vetoes


def main(argv: list[str] | None = None) -> int:
    """Run the files, print what differs; 1 on any failure."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--mode", choices=[m.name for m in MODES], default="plain")
    options = parser.parse_args(argv)
    logging.disable(logging.CRITICAL)  # handlers panic on purpose
    mode = next(m for m in MODES if m.name == options.mode)
    files = options.files or sorted(CASES.glob("*.jsonl.gz"))
    rows, bad = [], 0
    for path in files:
        try:
            passed, failures, vetoes = check(path, mode)
        except (OSError, ValueError, KeyError) as error:
            sys.stderr.write(f"error: {path}: {error}\n")
            return 1
        bad += len(failures)
        said = [str(f) for f in failures]
        rows.append({"file": path.name, "passed": passed, "failed": said, "vetoed": vetoes})
        if not options.json:
            note = f", {vetoes} steps vetoed by code that isn't recorded" if vetoes else ""
            sys.stdout.write(f"{path.name}: {passed} passed, {len(failures)} failed{note}\n")
            sys.stdout.writelines(f"  {line}\n" for line in said)
    if options.json:
        sys.stdout.write(json.dumps(rows) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
