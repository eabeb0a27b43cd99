"""Errors of recordings: what, where, and what to do next."""

from __future__ import annotations

from amctl.dump.errors import (
    DumpBusyError,
    DumpExistsError,
    DumpFormatError,
    DumpFullError,
    DumpNotFoundError,
    DumpPlaceError,
    DumpVersionError,
    UnknownFormatError,
    UnknownMachineError,
    UnknownTransitionError,
)


def test_a_damaged_dump_is_named_with_the_place() -> None:
    assert str(DumpFormatError("a.gob.br", "no dump", 17)) == "dump a.gob.br: no dump at byte 17"
    assert str(DumpFormatError("a.gob.br", "no dump")) == "dump a.gob.br: no dump"
    assert isinstance(DumpFormatError("a", "b"), ValueError)


def test_a_newer_version_says_which_one_is_known() -> None:
    error = DumpVersionError("a.sqlite", 9, 2)
    assert str(error) == "dump a.sqlite: version 9, this amctl knows up to 2"
    assert error.hint.startswith("update amctl")


def test_an_unknown_machine_is_answered_with_near_ones() -> None:
    error = UnknownMachineError("a", "brwser1", ["browser1", "relay"])
    assert str(error) == "dump a: no machine 'brwser1'"
    assert error.hint == "did you mean browser1?"
    assert UnknownMachineError("a", "x", ["relay"]).hint == "list them: amctl dump list"


def test_the_others_say_what_is_wrong_and_fit_pythons_own() -> None:
    assert str(DumpNotFoundError("a")) == "dump a: there is no such file"
    assert isinstance(DumpNotFoundError("a"), FileNotFoundError)
    assert str(DumpBusyError("a", "pid 7")) == "dump a: another collector (pid 7) writes it"
    assert str(DumpFullError("a", "no space left")) == "dump a: no space left"
    assert isinstance(DumpFullError("a", "x"), OSError)
    error = UnknownTransitionError("a", "m", "t")
    assert str(error) == "dump a: machine 'm' has no transition 't'"
    assert isinstance(error, LookupError)


def test_what_cant_be_written_says_what_could() -> None:
    assert str(DumpExistsError("a.md")) == "a.md is there already"
    assert DumpExistsError("a.md").hint == "--force replaces it"
    assert str(DumpPlaceError("b", "no folder")) == "b can't be written: no folder"
    assert "space" not in DumpPlaceError("b", "x").hint
    assert isinstance(DumpExistsError("a"), FileExistsError)
    error = UnknownFormatError("a.txt", [".md", ".html"])
    assert str(error) == "'a.txt' doesn't say a format"
    assert error.hint == "one of .md, .html"
