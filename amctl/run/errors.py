"""What can go wrong before and around a run, each with its parts as fields and a hint.

    RunError
    ├── SettingsError (ValueError)      a value of the configuration isn't allowed
    ├── ConfigFileError                 a file named by the user can't be read
    ├── WorkflowLoadError               the nodes package or its DAG can't be loaded
    ├── RunFolderError                  REPL_DIR, or a file in it, can't be used
    ├── PortTakenError (OSError)        somebody else listens there
    ├── NoBrowserError                  nothing to open the page with
    └── BrowserDiedError                the browser ended while the run needed it

Engine and network errors know no exit codes, and neither do these: `amctl.cli.errors` maps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BrowserDiedError",
    "ConfigFileError",
    "NoBrowserError",
    "PortTakenError",
    "RunError",
    "RunFolderError",
    "SettingsError",
    "WorkflowLoadError",
]


class RunError(Exception):
    """Base of everything that stops a run for a reason that a person can act on."""

    @property
    def hint(self) -> str:
        """What to do about it; empty if there is nothing to say."""
        return ""


class SettingsError(RunError, ValueError):
    """A value of the configuration isn't one of those that its key allows."""

    def __init__(self, origin: str, key: str, value: str, allowed: str) -> None:
        super().__init__(origin, key, value, allowed)
        self.origin, self.key, self.value, self.allowed = origin, key, value, allowed

    def __str__(self) -> str:
        return f"{self.origin}: {self.key} can't be {self.value!r}"

    @property
    def hint(self) -> str:
        return f"allowed: {self.allowed}"


class ConfigFileError(RunError):
    """The configuration file can't be read, or one of its lines isn't KEY=VALUE."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"

    @property
    def hint(self) -> str:
        return "a line is KEY=VALUE, a comment starts with #"


class WorkflowLoadError(RunError):
    """The nodes package, or the DAG that it should run, can't be loaded."""

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(what, problem)
        self.what, self.problem = what, problem

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}"

    @property
    def hint(self) -> str:
        return "see NODES_PACKAGE and WORKFLOW in config.env"


class RunFolderError(RunError):
    """The folder of a run's files, or its secret, can't be used."""

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(what, problem)
        self.what, self.problem = what, problem

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}"

    @property
    def hint(self) -> str:
        return "remove what is in the way, or take another folder: --set REPL_DIR=FOLDER"


class PortTakenError(RunError, OSError):
    """Another process listens on the address that the relay wants."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.host, self.port = host, port

    def __str__(self) -> str:
        return f"{self.host}:{self.port} is in use by another program"

    @property
    def hint(self) -> str:
        return (
            "end the other run, or take another port: "
            f"amctl start --set RELAY_ADDR={self.host}:{self.port + 1}"
        )


class NoBrowserError(RunError):
    """No browser was found, so nobody could open the page."""

    def __init__(self, tried: Sequence[str]) -> None:
        super().__init__(tuple(tried))
        self.tried = tuple(tried)

    def __str__(self) -> str:
        return f"no browser found (looked for {', '.join(self.tried)})"

    @property
    def hint(self) -> str:
        return (
            "amctl setup installs Chromium; or open the page yourself with --browser none, "
            "or do without one: --nodes local"
        )


class BrowserDiedError(RunError):
    """The browser that the run started has ended before the work was done."""

    def __init__(self, program: str, code: int, said: str) -> None:
        super().__init__(program, code, said)
        self.program, self.code, self.said = program, code, said

    def __str__(self) -> str:
        last = f": {self.said}" if self.said else ""
        return f"{self.program} ended with code {self.code}{last}"

    @property
    def hint(self) -> str:
        return "its whole output is in the run's log"
