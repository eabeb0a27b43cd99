"""What the presets draw (vis.md 3.2), and how flags change it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from amctl.vis.options import VisOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PRESETS", "options_for"]

PRESETS: Final[dict[str, VisOptions]] = {
    "": VisOptions(),
    "base": VisOptions(distance=-1, depth=10, start=True, detailed_pipes=False, half_pipes=False),
    "single": VisOptions(
        start=True,
        pipes=False,
        conns=False,
        parent_rel=False,
        half_pipes=False,
        half_conns=False,
        half_hierarchy=False,
    ),
    "bird": VisOptions(distance=3, inherited=False),
    "map": VisOptions(
        distance=-1,
        states=False,
        ready=False,
        exception=False,
        relations=False,
        pipes=False,
        detailed_pipes=False,
        half_pipes=False,
        nest_submachines=True,
        tags=False,
        map=True,
    ),
}
"""By flag. Without one, `""`, a machine is drawn with what it is joined to; `single`, which is our
own, leaves that out. `base` is what programs of the original begin with."""


_HALVES = (("pipes", "half_pipes"), ("conns", "half_conns"), ("parent_rel", "half_hierarchy"))


def options_for(preset: str = "", given: Mapping[str, Any] | None = None) -> VisOptions:
    """A preset, and what was asked for on top of it.

    What is asked for is drawn: a map with states is the bird's-eye picture of the same machines,
    and lines of a single machine lead to half ones.

    Args:
        preset: A key of PRESETS.
        given: Options by name; None leaves the preset's value.

    Raises:
        KeyError: There is no such preset.
        TypeError: There is no such option.
    """
    wanted = {name: value for name, value in (given or {}).items() if value is not None}
    if PRESETS[preset].map and wanted.get("states"):
        wanted = {"map": False, **wanted}
    if preset == "single":
        wanted = {half: True for kind, half in _HALVES if wanted.get(kind)} | wanted
    return replace(PRESETS[preset], **wanted)
