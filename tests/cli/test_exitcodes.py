"""Exit codes are a promise to scripts: this table never changes."""

from __future__ import annotations

from amctl.cli.exitcodes import EXIT_CODES_HELP, ExitCode


def test_the_codes_are_what_they_were() -> None:
    assert [(code.name, int(code)) for code in ExitCode] == [
        ("DONE", 0),
        ("FAILED", 1),
        ("USAGE", 2),
        ("NOTHING_MATCHED", 3),
        ("UNREACHABLE", 4),
        ("CANCELED", 5),
        ("TIMED_OUT", 6),
        ("BAD_INPUT", 7),
        ("CHANGES_PENDING", 10),
        ("BUG", 70),
        ("INTERRUPTED", 130),
    ]


def test_the_help_explains_each() -> None:
    for code in ExitCode:
        assert f"{code:>4}  " in EXIT_CODES_HELP
