"""Runs inside Pyodide, as the module `amctl_image`: fills the heap that an image is taken of, and
looks after each Python that wakes up from it.

All of them wake up with the same memory. What must differ, or belongs to the machine that built the
image, is renewed before anything of ours runs: the random generator, the time zone, and whatever a
module renews in a function `__restored__`, which it must have if it draws randomness or reads a
clock when it is imported.
"""

from __future__ import annotations

import gc
import importlib
import random
import sys
import time

__all__ = ["prepare", "restored"]

_key = ""
_hooks: list[str] = []
"""Modules with something to renew."""


def prepare(key: str, entry: str, names: list[str]) -> None:
    """Import what the threads run, and leave no garbage.

    Args:
        key: Hash of what the image is made from; `restored` tells it.
        entry: Module that each thread imports; that it can't be imported is an error.
        names: What else may be needed; what can't be imported here is left out.
    """
    global _key
    importlib.import_module(entry)
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:
            # It is imported when it is needed, and fails there if it must.
            sys.modules.pop(name, None)
    _key = key
    _hooks[:] = [name for name, module in sys.modules.items() if hasattr(module, "__restored__")]
    gc.collect()


def restored() -> str:
    """Renew what may not be as it was when the image was taken; return the image's key."""
    random.seed()
    if hasattr(time, "tzset"):
        time.tzset()
    for name in _hooks:
        sys.modules[name].__restored__()
    return _key
