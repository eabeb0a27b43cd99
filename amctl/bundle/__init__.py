"""Builds web/dist: what a browser needs to run our Python in its threads."""

from __future__ import annotations

from amctl.bundle.builder import BuildReport, build, clean
from amctl.bundle.errors import (
    BuildFailedError,
    BundleError,
    EntryMissingError,
    NodeMissingError,
    RuntimeMissingError,
)
from amctl.bundle.freshness import check, is_stale
from amctl.bundle.manifest import BuiltFile, page_manifest
from amctl.bundle.node import Node, find_node, install_runtime

__all__ = [
    "BuildFailedError",
    "BuildReport",
    "BuiltFile",
    "BundleError",
    "EntryMissingError",
    "Node",
    "NodeMissingError",
    "RuntimeMissingError",
    "build",
    "check",
    "clean",
    "find_node",
    "install_runtime",
    "is_stale",
    "page_manifest",
]
