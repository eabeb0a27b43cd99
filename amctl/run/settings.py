"""Settings of a project: every key, its type, where its value came from.

A flag beats the environment, which beats config.env, which beats the default. The file is parsed,
never sourced. Each value remembers its origin, so that an error can name file and line, and a
listing can tell why a key has the value it has.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from amctl.run.errors import ConfigFileError, SettingsError
from amctl.run.values import (
    Address,
    Kind,
    address,
    boolean,
    debugger_address,
    duration,
    local_address,
    log_level,
    number,
    optional_number,
    pattern,
    required_text,
    text,
)

__all__ = ["KEYS", "Key", "Settings", "Value", "find_key", "load_settings", "project_home"]

CONFIG_NAME = "config.env"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Key:
    """One key: how its text is read, its value when nobody sets it, what it is for."""

    name: str
    kind: Kind
    default: str
    help: str


@dataclass(frozen=True, slots=True)
class Value:
    """A key's value and where it came from."""

    key: str
    text: str
    """As written."""
    value: Any
    """As its kind reads it."""
    origin: str
    """`--set`, `environment`, `config.env:12` or `default`."""


_ROWS = (
    Key("RELAY_ADDR", address, "localhost:14050", "where the relay serves page and WebSockets"),
    Key("RELAY_ALLOW_PLAIN", boolean, "", "beyond this machine without TLS, in a safe network"),
    Key("REPL_DIR", required_text, "tmp", "folder of address files, token and logs"),
    Key("ORCHESTRATOR_TCP_ADDR", address, "localhost:14000", "accepted, opens no port"),
    Key("ORCHESTRATOR_REPL_ADDR", address, "localhost:0", "the orchestrator's REPL endpoint"),
    Key("NODES_PACKAGE", required_text, "nodes", "package that holds the nodes"),
    Key("WORKFLOW", required_text, "nodes/four.json", "the DAG: a JSON file or a module"),
    Key("HASH_ITERATIONS", number(0), "10000", "busy work per job"),
    Key("EXIT_ON_COMPLETED", boolean, "", "end after the first verified result"),
    Key("SUCCESS_RATE", number(1), "5", "of N draws one corrupts and one fails"),
    Key("FAULT_SEED", optional_number, "", "what the faults follow from; empty: chance"),
    Key("MAX_ROUNDS", number(1), "50", "rounds before the run has failed"),
    Key("MAX_ATTEMPTS", number(1), "10", "attempts per node and round"),
    Key("JOB_TIMEOUT", duration, "30s", "a longer job counts as failed"),
    Key("AM_DEBUG", boolean, "", "longer waits in calls and handlers"),
    Key("BROWSER_DEBUG", boolean, "", "a debugging port of our browser, on the loopback"),
    Key("AM_DBG_ADDR", debugger_address, "1", "record the run; host:port also gets it"),
    Key("AM_DBG_GOB_ADDR", local_address, "", "Go machines are recorded here too; no token"),
    Key("AM_LOG", log_level, "0", "log level of the machines"),
    Key("AM_LOG_STEPS", boolean, "1", "record the steps of transitions"),
    Key("AM_LOG_ARGS", boolean, "1", "record arguments"),
    Key("AM_LOG_QUEUED", boolean, "", "record queued mutations; empty: those that wait"),
    Key("AM_LOG_CHECKS", boolean, "", "record questions (Can*) too"),
    Key("AM_LOG_STACKS", boolean, "", "record where queued mutations come from"),
    Key("AM_LOG_FULL", boolean, "", "log lines aren't cut"),
    Key("AM_HEALTHCHECK", boolean, "", "a ping every 5 s to machines under a debugger"),
    Key("AM_SERVICE", text, "orchestrator", "name of this service in traces"),
    Key("AM_OTEL_TRACE", boolean, "", "trace machines with OpenTelemetry"),
    Key("AM_OTEL_TRACE_TXS", boolean, "", "transitions as spans"),
    Key("AM_OTEL_TRACE_ARGS", boolean, "", "arguments of transitions as attributes"),
    Key("AM_OTEL_TRACE_NOAUTO", boolean, "", "no spans of auto transitions"),
    Key("AM_OTEL_TRACE_ALLOW_STATES", text, "", "trace only these: State or machine:State"),
    Key("AM_OTEL_TRACE_ALLOW_STATES_RE", pattern, "", "and those that it finds"),
    Key("AM_OTEL_TRACE_SKIP_STATES", text, "", "states that traces leave out"),
    Key("AM_OTEL_TRACE_SKIP_STATES_RE", pattern, "", "and those that it finds; machines too"),
    Key("AM_OTEL_OLD_NAMES", boolean, "", "attributes under the original's names too"),
    Key("OTEL_EXPORTER_OTLP_ENDPOINT", text, "", "send spans on to this receiver too"),
    Key("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", text, "", "the same, its whole address"),
    Key("OTEL_EXPORTER_OTLP_PROTOCOL", text, "http/protobuf", "or grpc"),
    Key("AM_RPC_LOG_SERVER", boolean, "", "log the RPC servers"),
    Key("AM_RPC_LOG_CLIENT", boolean, "", "log the RPC clients"),
    Key("AM_RPC_LOG_MUX", boolean, "", "log the RPC muxes"),
    Key("AM_RPC_DBG", boolean, "1", "record RPC machines too"),
    Key("AM_RELAY_DBG", boolean, "1", "record the relay too"),
)
_PER_NODE = re.compile(r"BROWSER_([1-9][0-9]{0,3})_(TCP|REPL)_ADDR")
_NODES = 4


def find_key(name: str) -> Key | None:
    """The key of that name, per-node keys of any number included; None if there is none."""
    if name in KEYS:
        return KEYS[name]
    return _per_node(name)


def _per_node(name: str) -> Key | None:
    match = _PER_NODE.fullmatch(name)
    if match is None:
        return None
    if match[2] == "TCP":
        port = 14000 + 10 * int(match[1])
        return Key(name, address, f"localhost:{port}", "names the node's tunnel, opens no port")
    return Key(name, address, "localhost:0", "where the relay listens for the node's REPL")


def _all_keys() -> dict[str, Key]:
    names = [f"BROWSER_{n}_{kind}_ADDR" for n in range(1, _NODES + 1) for kind in ("TCP", "REPL")]
    per_node = [key for key in map(_per_node, names) if key is not None]
    return {key.name: key for key in (*_ROWS, *per_node)}


KEYS: Mapping[str, Key] = _all_keys()
"""Every key by name; of BROWSER_n_*, which exist for any n, those of the four-node workflow."""


class Settings(Mapping[str, str]):
    """The effective settings of one run: key -> text, plus typed values and origins.

    As a Mapping it holds the text of every key, which is what a nodes package is given.
    """

    def __init__(self, values: Mapping[str, Value], home: Path, warnings: Sequence[str]) -> None:
        self.home = home
        """The project's folder; relative paths in config.env start here."""
        self.warnings = tuple(warnings)
        """One sentence each about keys that nobody knows."""
        self._values = dict(values)

    def __getitem__(self, key: str) -> str:
        return self._values[key].text

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def value(self, key: str) -> Value:
        """The key's value with its origin. Raises KeyError for an unknown key."""
        return self._values[key]

    def get_int(self, key: str) -> int:
        """The value of a key that holds a whole number."""
        return self._typed(key, int)

    def get_bool(self, key: str) -> bool:
        """The value of a key that holds yes or no."""
        return self._typed(key, bool)

    def get_seconds(self, key: str) -> float:
        """The value of a key that holds a duration."""
        return self._typed(key, float)

    def get_address(self, key: str) -> Address:
        """The value of a key that holds host and port."""
        return self._typed(key, Address)

    def _typed(self, key: str, kind: type[T]) -> T:
        value = self._values[key].value
        if not isinstance(value, kind):
            raise TypeError(f"setting {key} holds {value!r}, no {kind.__name__}")
        return value

    @property
    def fault_seed(self) -> int | None:
        """What the faults follow from, None for another one each run."""
        seed: int | None = self._values["FAULT_SEED"].value
        return seed

    @property
    def repl_dir(self) -> Path:
        """Folder of address files, token and logs, absolute."""
        return self.home / self["REPL_DIR"]


def project_home() -> Path:
    """The checkout that this package stands in; for an installed package the current folder."""
    checkout = Path(__file__).resolve().parents[2]
    return checkout if (checkout / CONFIG_NAME).is_file() else Path.cwd()


def load_settings(
    config: str | None = None,
    sets: Sequence[str] = (),
    *,
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Settings:
    """Read all four layers.

    Args:
        config: A file to read in place of ./config.env or the project's.
        sets: `KEY=VALUE` of the command line, the last of a key wins.
        environ: Environment to read, the process's by default.
        home: The project's folder, found by default.

    Raises:
        SettingsError: For a value that its key doesn't allow, whichever layer it came from, and
            for a `sets` item that isn't KEY=VALUE or names an unknown key.
        ConfigFileError: If the file can't be read or a line isn't KEY=VALUE.
    """
    home = home or project_home()
    environ = os.environ if environ is None else environ
    warnings: list[str] = []
    values = {key.name: _read(key, key.default, "default") for key in KEYS.values()}
    path = _find_config(config, home)
    if path is not None:
        for line, name, raw in _parse_file(path):
            origin = f"{path.name if config is None else config}:{line}"
            key = find_key(name)
            if key is None:
                warnings.append(f"{origin}: unknown key {name}{_nearest(name)}")
            else:
                values[name] = _read(key, raw, origin)
    for name, raw in environ.items():
        key = find_key(name)
        if key is not None:
            values[name] = _read(key, _from_cwd(name, raw, home), "environment")
    for item in sets:
        name, equals, raw = item.partition("=")
        key = find_key(name)
        if not equals or key is None:
            allowed = f"KEY=VALUE with a key of config.env{_nearest(name)}"
            raise SettingsError("command line", "--set", item, allowed)
        values[name] = _read(key, _from_cwd(name, raw, home), "--set")
    return Settings(values, home, warnings)


def _read(key: Key, raw: str, origin: str) -> Value:
    try:
        return Value(key.name, raw, key.kind.parse(raw), origin)
    except ValueError:
        raise SettingsError(origin, key.name, raw, key.kind.allowed) from None


def _from_cwd(name: str, raw: str, home: Path) -> str:
    """A path typed by a person starts where that person stands, if there is such a file."""
    here = Path.cwd() / raw
    if name == "WORKFLOW" and raw and here != home / raw and here.is_file():
        return str(here)
    return raw


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(name.upper(), KEYS, n=1)
    return f", did you mean {close[0]}?" if close else ""


def _find_config(explicit: str | None, home: Path) -> Path | None:
    if explicit is not None:
        return Path(explicit)
    candidates = (Path.cwd() / CONFIG_NAME, home / CONFIG_NAME)
    return next((path for path in candidates if path.is_file()), None)


def _parse_file(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, key and value of each setting. `export` and quotes are let go."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        reason = err.strerror if isinstance(err, OSError) else "not UTF-8 text"
        hint = "name a text file: amctl -c FILE, or none for the project's config.env"
        raise ConfigFileError(str(path), f"can't be read, {reason or err}", hint) from err
    for number_, line in enumerate(content.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, raw = stripped.partition("=")
        name = name.removeprefix("export ").strip()
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ConfigFileError(f"{path}:{number_}", f"{stripped[:60]!r} isn't KEY=VALUE")
        raw = raw.strip()
        if len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "\"'":
            raw = raw[1:-1]
        yield number_, name, raw
