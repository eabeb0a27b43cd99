"""Each rule of the wire protocol has its tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

RULES: dict[int, tuple[str, str]] = {
    1: ("framer", "length is checked before its frame is buffered"),
    2: ("link", "a malformed frame ends the connection, and raises nothing"),
    3: ("hub", "before HELLO only HELLO, alone, in time"),
    4: ("sender", "one writer, pulled, in an order"),
    5: ("hub", "checks of a HELLO, in order"),
    6: ("hub", "a session outlives its connections"),
    7: ("link", "recv and ACK count different things"),
    8: ("link", "resume sends the rest again"),
    9: ("link", "a gap ends the connection"),
    10: ("link", "when acknowledgements go out"),
    11: ("hub", "attempts only grow"),
    12: ("hub", "who gets an id"),
    13: ("hub", "other options make a new session"),
    14: ("client", "what becomes of calls when the session is gone"),
    15: ("session", "calls run in order"),
    16: ("session", "the clock precedes replies"),
    17: ("session_state", "pushes are throttled"),
    18: ("session", "indexes mean the names of their time"),
    19: ("session", "indexes out of range are answered"),
    20: ("client", "cancel only what was not sent"),
    21: ("sender", "windows and queues are bounded"),
    22: ("sender", "replies overtake parts"),
    23: ("session_state", "view and digest"),
    24: ("mirror", "only good diffs are published"),
    25: ("session_state", "queue ticks are told"),
    26: ("mirror", "one resync at a time"),
    27: ("session_state", "steps collapse"),
    28: ("link", "pings find what is silent"),
    29: ("link", "a sleeper asks first"),
    30: ("hub", "goodbyes"),
    31: ("backoff", "waits between dials"),
    32: ("tunnel", "credit, channels and turns"),
    33: ("tunnel", "who reads how far, and what the end of a channel is"),
}
"""Rule -> module with its main tests, and what it says."""


def rules_with_tests() -> dict[int, set[str]]:
    """Rule -> modules with a test that bears its number."""
    found: dict[int, set[str]] = {}
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and (
                match := re.match(r"test_wir_(\d+)_", node.name)
            ):
                found.setdefault(int(match[1]), set()).add(path.stem.removeprefix("test_"))
    return found


def test_every_rule_is_tested_where_the_table_says() -> None:
    found = rules_with_tests()
    assert set(found) == set(RULES)
    assert {rule: home for rule, (home, _) in RULES.items() if home not in found[rule]} == {}
