"""Golden data that stands beside the project, where it is there at all."""

from __future__ import annotations

import pytest

from tests.support.house import ROOT

__all__ = ["SHARED", "needs_shared"]

SHARED = ROOT.parent / "shared"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="needs the golden recordings beside the project (../shared)"
)
