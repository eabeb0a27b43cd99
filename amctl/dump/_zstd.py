"""Zstandard of the standard library, or of its backport before Python 3.14."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdCompressor, ZstdDecompressor, ZstdError
else:
    from backports.zstd import ZstdCompressor, ZstdDecompressor, ZstdError

__all__ = ["MAGIC", "ZstdCompressor", "ZstdDecompressor", "ZstdError"]

MAGIC = b"\x28\xb5\x2f\xfd"
"""How every frame begins."""
