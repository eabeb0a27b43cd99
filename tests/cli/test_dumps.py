"""The recording that a command is about by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from amctl.cli.dumps import resolve
from amctl.cli.options import GlobalOptions
from amctl.dump.errors import DumpNotFoundError

if TYPE_CHECKING:
    from pathlib import Path


class Context:
    """As much of a command's context as is looked at."""

    def __init__(self, config: str | None = None) -> None:
        self.obj = GlobalOptions(config)

    def find_root(self) -> Context:
        return self


def found(source: str | None, config: Path | None = None) -> str:
    ctx: Any = Context(str(config) if config else None)
    return resolve(source, ctx)


@pytest.mark.parametrize("source", ["x.gob.br", "http://127.0.0.1/x", "no/such/file"])
def test_what_is_named_is_taken_as_it_is(source: str) -> None:
    assert found(source) == source


def test_otherwise_it_is_the_last_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPL_DIR", raising=False)
    config = tmp_path / "config.env"
    config.write_text(f"REPL_DIR={tmp_path}\n")
    with pytest.raises(DumpNotFoundError, match="no run is recorded there") as caught:
        found(None, config)
    assert "amctl start records one" in caught.value.hint
    path = tmp_path / "am-dbg-dump.sqlite"
    path.touch()
    assert found(None, config) == str(path)
    monkeypatch.setenv("REPL_DIR", str(tmp_path / "other"))
    with pytest.raises(DumpNotFoundError, match="other"):
        found(None, config)
