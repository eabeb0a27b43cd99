"""What goes wrong with recordings.

DumpError
    DumpFormatError (ValueError)      damaged, hostile, or no dump at all; offset if known
    DumpVersionError                  made by a newer version
    DumpNotFoundError (FileNotFoundError)
    DumpBusyError                     another collector writes it
    DumpFullError (OSError)           the disk is full
    DumpPlaceError (OSError)          no file can stand where a new one should go
    DumpExistsError (FileExistsError) there is something under that name
    UnknownFormatError (LookupError)  no such format to write
    UnknownMachineError (LookupError)
    UnknownTransitionError (LookupError)
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AddressTakenError",
    "DumpBusyError",
    "DumpError",
    "DumpExistsError",
    "DumpFormatError",
    "DumpFullError",
    "DumpNotFoundError",
    "DumpPlaceError",
    "DumpVersionError",
    "UnknownFormatError",
    "UnknownMachineError",
    "UnknownTransitionError",
]


class DumpError(Exception):
    """Base of them all."""

    hint = ""


class DumpFormatError(DumpError, ValueError):
    """A file isn't what it should be."""

    def __init__(self, name: str, problem: str, offset: int | None = None) -> None:
        super().__init__(name, problem, offset)
        self.name, self.problem, self.offset = name, problem, offset

    def __str__(self) -> str:
        at = "" if self.offset is None else f" at byte {self.offset}"
        return f"dump {self.name}: {self.problem}{at}"


class DumpVersionError(DumpError):
    """A dump of a version that this program doesn't know."""

    hint = "update amctl, or export the dump with the version that wrote it"

    def __init__(self, name: str, found: object, known: int) -> None:
        super().__init__(name, found, known)
        self.name, self.found, self.known = name, found, known

    def __str__(self) -> str:
        return f"dump {self.name}: version {self.found}, this amctl knows up to {self.known}"


class DumpNotFoundError(DumpError, FileNotFoundError):
    """There is no such dump."""

    hint = "amctl start records one into tmp/; or name a path or an http(s) URL"

    def __init__(self, name: str, problem: str = "there is no such file") -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem

    def __str__(self) -> str:
        return f"dump {self.name}: {self.problem}"


class DumpBusyError(DumpError):
    """Another collector writes to this file."""

    hint = "end that collector, or choose another file"

    def __init__(self, name: str, owner: str = "") -> None:
        super().__init__(name, owner)
        self.name, self.owner = name, owner

    def __str__(self) -> str:
        return f"dump {self.name}: another collector{self.owner and f' ({self.owner})'} writes it"


class DumpFullError(DumpError, OSError):
    """It can't be written: the disk is full, or read only."""

    hint = "free some space; what was committed before is safe"

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem

    def __str__(self) -> str:
        return f"dump {self.name}: {self.problem}"


class DumpPlaceError(DumpError, OSError):
    """No new file can stand there: a folder does, or the folder is missing."""

    hint = "name a new file, in a folder that you can write to"

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem

    def __str__(self) -> str:
        return f"{self.name} can't be written: {self.problem}"


class DumpExistsError(DumpError, FileExistsError):
    """A file stands where a new one should go."""

    hint = "--force replaces it"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} is there already"


class UnknownFormatError(DumpError, LookupError):
    """Nothing is written in such a format."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def __str__(self) -> str:
        return f"{self.name!r} doesn't say a format"

    @property
    def hint(self) -> str:  # type: ignore[override]  # an error's own hint depends on what there is
        """What would."""
        return f"one of {', '.join(self.known)}"


class AddressTakenError(DumpError, OSError):
    """A collector can't listen where it was told to."""

    hint = "end the other program, or listen elsewhere: amctl collect -l 127.0.0.1:0"

    def __init__(self, address: str, problem: str) -> None:
        super().__init__(address, problem)
        self.address, self.problem = address, problem

    def __str__(self) -> str:
        return f"collector: can't listen on {self.address}, {self.problem}"


class UnknownMachineError(DumpError, LookupError):
    """A recording holds no such machine."""

    def __init__(self, name: str, machine: str, known: Sequence[str]) -> None:
        super().__init__(name, machine, known)
        self.name, self.machine, self.known = name, machine, known

    def __str__(self) -> str:
        return f"dump {self.name}: no machine {self.machine!r}"

    @property
    def hint(self) -> str:  # type: ignore[override]  # an error's own hint depends on what was asked
        """Near matches."""
        close = get_close_matches(self.machine, self.known, n=3)
        return f"did you mean {', '.join(close)}?" if close else "list them: amctl dump list"


class UnknownTransitionError(DumpError, LookupError):
    """A machine of a recording has no such transition."""

    hint = "list them: amctl dump inspect DUMP MACHINE"

    def __init__(self, name: str, machine: str, tx: str) -> None:
        super().__init__(name, machine, tx)
        self.name, self.machine, self.tx = name, machine, tx

    def __str__(self) -> str:
        return f"dump {self.name}: machine {self.machine!r} has no transition {self.tx!r}"
