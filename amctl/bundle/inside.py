"""Runs inside Pyodide while the bundle is built: a zip of sources becomes a zip of bytecode.

Bytecode belongs to one version of Python, so only the Python that will run it can make it. The
files are unchecked hash-based: nothing asks for sources or dates when they are imported.
"""

from __future__ import annotations

import importlib.util
import marshal
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["compile_zip"]

_DATE = (2020, 1, 1, 0, 0, 0)
_UNCHECKED = (1).to_bytes(4, "little")


def compile_zip(
    source: str, target: str, prefix: str, optimize: int, progress: Callable[[int, int], object]
) -> None:
    """Compile every module of `source` into `target`, stored without compression.

    Args:
        source: A zip of .py files; whatever else is in it is copied.
        target: The zip to write.
        prefix: Stands before the names that tracebacks show.
        optimize: As for `compile`; 2 leaves out asserts and docstrings.
        progress: Called now and then with files done, files in all.
    """
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        files = [item for item in old.infolist() if not item.is_dir()]
        for number, item in enumerate(files):
            name, data = item.filename, old.read(item)
            if name.endswith(".py"):
                data = _bytecode(data, prefix + name, optimize)
                name += "c"
            new.writestr(zipfile.ZipInfo(name, _DATE), data)
            if number % 16 == 0:
                progress(number, len(files))
        progress(len(files), len(files))


def _bytecode(source: bytes, filename: str, optimize: int) -> bytes:
    code = compile(source, filename, "exec", dont_inherit=True, optimize=optimize)
    digest = importlib.util.source_hash(source)
    return importlib.util.MAGIC_NUMBER + _UNCHECKED + digest + marshal.dumps(code)
