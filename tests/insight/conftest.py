"""The small made-up program, read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.insight.deps import Deps, read_deps
from tests.support.small_program import write_project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def small(tmp_path: Path) -> Deps:
    return read_deps(write_project(tmp_path), "browser", ["shop.browser"], browser=True)
