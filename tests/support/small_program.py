"""A small made-up project to look into: two packages, a helper in a function, a guarded import."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SMALL", "write_project"]

SMALL = {
    "shop/__init__.py": "",
    "shop/browser.py": (
        "from __future__ import annotations\n"
        "import json\n"
        "from typing import TYPE_CHECKING\n"
        "from shop import cart\n"
        "from shop.stock import count\n"
        "if TYPE_CHECKING:\n"
        "    import sqlite3\n"
        "    from shop import unused\n"
    ),
    "shop/cart.py": (
        "from .stock import shelf\n\n\ndef later():\n"
        "    from shop.labels import label\n    return label\n"
    ),
    "shop/labels.py": "label = 'x'\n",
    "shop/unused.py": "import shop.cart\n",
    "shop/stock/__init__.py": (
        "from shop.stock.shelf import count\n\n\ndef server():\n    import shop.unused\n"
    ),
    "shop/stock/shelf.py": (
        "import os.path\n"
        "try:\n    import notthere.fast as fast\nexcept ImportError:\n    fast = None\n"
        "from importlib import import_module\n"
        "count = 1\n\n\ndef page():\n    return import_module('js').document\n"
    ),
}
"""Path -> text. Its entry is `shop.browser`."""


def write_project(folder: Path, files: dict[str, str] | None = None) -> Path:
    """Write a project; the folder."""
    for name, text in (files or SMALL).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
