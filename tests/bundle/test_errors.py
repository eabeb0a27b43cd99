from __future__ import annotations

import pytest

from amctl.bundle.errors import (
    BuildFailedError,
    BundleError,
    EntryMissingError,
    NodeMissingError,
    RuntimeMissingError,
)


@pytest.mark.parametrize(
    ("error", "text", "hint"),
    [
        (NodeMissingError(), "Node.js isn't installed", "amctl setup"),
        (NodeMissingError("12.1.0"), "Node.js is too old: 12.1.0", "amctl setup"),
        (RuntimeMissingError("3", ""), "pyodide 3 is needed, it isn't installed", "amctl setup"),
        (RuntimeMissingError("3", "2"), "pyodide 3 is needed, found 2", "amctl setup"),
        (EntryMissingError("a.b"), "the browser entry 'a.b' isn't a module", "NODES_PACKAGE"),
        (BuildFailedError("npm failed", "no space"), "npm failed: no space", ""),
        (BuildFailedError("npm failed", ""), "npm failed", ""),
    ],
)
def test_an_error_says_what_and_what_to_do(error: BundleError, text: str, hint: str) -> None:
    assert text in str(error)
    assert hint in error.hint
