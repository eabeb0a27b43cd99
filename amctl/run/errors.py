"""What can go wrong before and around a run, each with its parts as fields and a hint.

    RunError
    ├── SettingsError (ValueError)      a value of the configuration isn't allowed
    ├── ConfigFileError                 a file named by the user can't be read
    ├── WorkflowLoadError               the nodes package or its DAG can't be loaded
    ├── RunFolderError                  REPL_DIR, or a file in it, can't be used
    │   └── FolderTakenError            another run keeps its files there
    ├── PortTakenError (OSError)        somebody else listens there
    ├── ExposedAddressError             the relay would be open to other computers
    ├── AddressError                    an address can't be listened on for another reason
    ├── NoBrowserError                  nothing to open the page with
    ├── BrowserDiedError                the browser, or its page, ended while the run needed it
    ├── NoDoorError                     the run's browser can't be debugged
    ├── DevToolsError                   the run's browser doesn't do what it is asked
    ├── JaegerError                     the prepackaged Jaeger can't be started or ended
    └── NoJaegerError                   nothing here could run it

Engine and network errors know no exit codes, and neither do these: `amctl.cli.errors` maps them.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

__all__ = [
    "AddressError",
    "BrowserDiedError",
    "ConfigFileError",
    "DevToolsError",
    "ExposedAddressError",
    "FolderTakenError",
    "JaegerError",
    "NoBrowserError",
    "NoDoorError",
    "NoJaegerError",
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


@dataclass(eq=False)
class SettingsError(RunError, ValueError):
    """A value of the configuration isn't one of those that its key allows."""

    origin: str
    key: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.origin}: {self.key} can't be {self.value!r}"

    @property
    def hint(self) -> str:
        return f"allowed: {self.allowed}"


@dataclass(eq=False)
class _BadThingError(RunError):
    """One thing, and what is wrong with it."""

    what: str
    problem: str

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}"


@dataclass(eq=False)
class ConfigFileError(_BadThingError):
    """The configuration file can't be read, or one of its lines isn't KEY=VALUE."""

    hint: str = "a line is KEY=VALUE, a comment starts with #"


class WorkflowLoadError(_BadThingError):
    """The nodes package, or the DAG that it should run, can't be loaded."""

    hint = "see NODES_PACKAGE and WORKFLOW in config.env"


class RunFolderError(_BadThingError):
    """The folder of a run's files, or one of these files, can't be used."""

    @property
    def hint(self) -> str:
        return "remove what is in the way, or take another folder: --set REPL_DIR=FOLDER"


@dataclass(eq=False)
class FolderTakenError(RunFolderError):
    """Another run that goes on keeps its files in the same folder."""

    problem: str = "another run is using it"

    @property
    def hint(self) -> str:
        return (
            "end that run, or start beside it: amctl start "
            f"--set REPL_DIR={self.what}/2 --set RELAY_ADDR=localhost:0"
        )


@dataclass(eq=False)
class PortTakenError(RunError, OSError):
    """Another process listens on the address that the relay wants."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port} is in use by another program"

    @property
    def hint(self) -> str:
        return (
            "end the other program, or take another port: "
            f"amctl start --set RELAY_ADDR={self.host}:{self.port + 1}"
        )


@dataclass(eq=False)
class ExposedAddressError(RunError):
    """The relay would be open to other computers, and what passes there readable."""

    what: str

    def __str__(self) -> str:
        return f"RELAY_ADDR {self.what} is reachable from other computers, and nothing is encrypted"

    @property
    def hint(self) -> str:
        return "set RELAY_ADDR=localhost:14050, or RELAY_ALLOW_PLAIN=1 in a network that is safe"


@dataclass(eq=False)
class AddressError(_BadThingError):
    """An address of the settings can't be listened on."""

    hint = "its host must be one of this machine's, its port free: localhost:0 takes any free one"


@dataclass(eq=False)
class NoBrowserError(RunError):
    """No browser was found, or none that starts, so nobody could open the page."""

    problem: str

    def __str__(self) -> str:
        return f"no browser: {self.problem}"

    @property
    def hint(self) -> str:
        return (
            "amctl setup installs Chromium; or open the page yourself with --browser none, "
            "or do without one: --nodes local"
        )


@dataclass(eq=False)
class BrowserDiedError(RunError):
    """The browser that the run started, or its page, has ended before the work was done."""

    program: str
    code: int | None
    """Its exit code, negative for the signal that ended it; None if only the page has ended."""
    output: str = ""
    """The file that holds what it said."""
    windowed: bool = False

    def __str__(self) -> str:
        if self.code is None:
            return f"the page in {self.program} has ended, none of its threads came back"
        return f"{self.program} {_fate(self.code)} before the work was done"

    @property
    def hint(self) -> str:
        other = "; without a window: --browser headless" if self.windowed else ""
        return f"what it said is in {self.output}{other}"


@dataclass(eq=False)
class NoDoorError(RunError):
    """The browser of a run has no debugging door, or this isn't the way to it."""

    problem: str

    def __str__(self) -> str:
        return self.problem

    @property
    def hint(self) -> str:
        return "start the run with one: amctl start --browser headless --set BROWSER_DEBUG=1"


class DevToolsError(_BadThingError):
    """A browser refused what it was asked through its debugging door, or has gone."""

    @property
    def hint(self) -> str:
        return "try again; without Chromium's own profile: leave --cpu-profile out"


class JaegerError(_BadThingError):
    """The prepackaged Jaeger can't be started, or ended."""

    hint = "other ports: JAEGER_UI_PORT, JAEGER_OTLP_PORT, ...; see deploy/jaeger/config.yaml"


class NoJaegerError(RunError):
    """Neither Jaeger itself nor a container engine is here."""

    def __str__(self) -> str:
        return "nothing here can run Jaeger: no program `jaeger`, no docker, no podman"

    @property
    def hint(self) -> str:
        return (
            "put Jaeger 2's binary on PATH, or install docker or podman with compose; "
            "without any: amctl traces show"
        )


def _fate(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
