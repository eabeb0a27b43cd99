"""Where machines are looked for: one address, a file that holds one, or a folder of such files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from amctl.graph.natural import natural
from amctl.repl.addresses import parse_address
from amctl.repl.errors import UsageError

__all__ = ["SUFFIX", "TOKEN_FILE", "Found", "Place", "Target", "name_of", "read_token"]

SUFFIX = ".addr"
TOKEN_FILE = "token"
_MOST_BYTES = 2048


class Place(Enum):
    """What a target is."""

    ADDRESS = "address"
    FILE = "file"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Found:
    """One address, or an address file that can't be used at the moment."""

    key: str
    """The file's path below its folder, or the address itself."""
    addr: str
    """Trimmed; empty if the file couldn't be read."""
    path: Path | None = None
    """The file it was read from."""
    problem: str = ""
    """Why it can't be used; empty if it can."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to look."""

    place: Place
    addr: str = ""
    """Of an ADDRESS."""
    path: Path = Path()
    """Of a FILE or FOLDER."""
    default_dir: Path = Path()
    """The folder of this project's runs, for a token that stands nowhere else."""

    @classmethod
    def parse(
        cls,
        text: str | None,
        *,
        file: bool = False,
        dir: bool = False,
        default_dir: Path,
    ) -> Target:
        """Understand the positional word of a command line.

        Args:
            text: Address, file or folder; None is the default folder.
            file: It is a file (`--file`).
            dir: It is a folder (`--dir`).
            default_dir: REPL_DIR. Without flags, what exists as a file or folder is one.

        Raises:
            UsageError: Both flags, a file without a name, or a word that is nothing of these.
        """
        if file and dir:
            raise UsageError("--file and --dir exclude each other", "give one of them")
        if text is None or not text.strip():
            if file:
                raise UsageError("--file needs the name of a file", "amctl repl --file tmp/x.addr")
            return cls(Place.FOLDER, path=default_dir, default_dir=default_dir)
        path = Path(text).expanduser()
        if dir and path.is_file():
            raise UsageError(f"{text!r} is a file, no folder", "use --file")
        if file and path.is_dir():
            raise UsageError(f"{text!r} is a folder, no file", "use --dir")
        if dir or (not file and path.is_dir()):
            return cls(Place.FOLDER, path=path, default_dir=default_dir)
        if file or path.is_file() or text.endswith(SUFFIX):
            return cls(Place.FILE, path=path, default_dir=default_dir)
        try:
            addr = str(parse_address(text))
        except UsageError as error:
            if "/" in text or os.sep in text:
                raise UsageError(
                    f"there is no file or folder {text!r}", "with --dir it may come later"
                ) from error
            if ":" not in text:
                problem = f"there is no file or folder {text!r}, and an address has a port"
                raise UsageError(problem, error.hint) from error
            raise
        return cls(Place.ADDRESS, addr=addr, default_dir=default_dir)

    def __str__(self) -> str:
        return self.addr if self.place is Place.ADDRESS else str(self.path)

    @property
    def folder(self) -> Path | None:
        """Where address files are; None for a plain address."""
        if self.place is Place.ADDRESS:
            return None
        return self.path if self.place is Place.FOLDER else self.path.parent

    def addresses(self) -> list[tuple[str, str]]:
        """Key and address of everything that can be dialled now. Reads files."""
        return [(one.key, one.addr) for one in self.find() if not one.problem]

    def find(self) -> list[Found]:
        """Everything that is there now, in order; empty if the file or folder doesn't exist.

        An address that stands in several files is taken once: it is one machine. A file that
        can't be read is told as such, and doesn't keep others from being found.

        Raises:
            OSError: The folder itself can't be read.
        """
        if self.place is Place.ADDRESS:
            return [Found(self.addr, self.addr)]
        if self.place is Place.FILE:
            paths = [self.path] if self.path.exists() else []
        else:
            paths = _address_files(self.path)
        taken: set[str] = set()
        found = []
        for path in paths:
            key = path.name if self.place is Place.FILE else path.relative_to(self.path).as_posix()
            one = _read(path, key)
            if one is None or (not one.problem and one.addr in taken):
                continue
            taken.add(one.addr)
            found.append(one)
        return found

    def token_files(self, found: Found) -> list[Path]:
        """Where the token of an address may stand, the nearest first: beside its file, in the
        folders above up to the target, and in the default folder."""
        places = []
        if found.path is not None and self.folder is not None:
            place = found.path.parent
            places = [place]
            while place != self.folder and place != place.parent:
                place = place.parent
                places.append(place)
        places.append(self.default_dir)
        return [place / TOKEN_FILE for place in dict.fromkeys(places)]


def name_of(key: str) -> str:
    """What to call a machine before it told its id: its file's name without what marks it as such.

    F4: `mach_repl` writes `<id>-repl.addr`, a WebSocket endpoint `<id>.addr`, a relay's tunnel
    `repl-<id>.addr`.
    """
    if not key.endswith(SUFFIX):
        return key
    name = key.rpartition("/")[2].removesuffix(SUFFIX)
    bare = name.removesuffix("-repl") if name.endswith("-repl") else name.removeprefix("repl-")
    return bare or name or key


def read_token(paths: list[Path]) -> str:
    """The first token that can be read; empty if there is none."""
    for path in paths:
        try:
            with path.open("rb") as file:
                token = file.read(_MOST_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if token:
            return token
    return ""


def _address_files(folder: Path) -> list[Path]:
    """F2: of all folders below it, links to folders aside."""

    def failed(error: OSError) -> None:
        # a sub-folder may vanish while we look, or belong to somebody else
        if folder.exists() and error.filename == str(folder):
            raise error

    paths = [
        Path(place, name)
        for place, _, names in os.walk(folder, onerror=failed)
        for name in names
        if name.endswith(SUFFIX)
    ]
    return sorted(paths, key=lambda path: natural(path.relative_to(folder).as_posix()))


def _read(path: Path, key: str) -> Found | None:
    """None: it went away just now."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Found(key, "", path, f"{path} can't be read: {error.strerror}")
    text = raw.decode("utf-8", errors="replace").strip()
    if not text:
        return Found(key, "", path, f"{path} is empty")
    try:
        return Found(key, str(parse_address(text)), path)
    except UsageError as error:
        return Found(key, text[:200], path, f"{path}: {error}; {error.hint}")
