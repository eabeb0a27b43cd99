"""Which picture a view becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.vis.bird import bird
from amctl.vis.errors import NothingToDrawError
from amctl.vis.map import draw_map
from amctl.vis.single import single

if TYPE_CHECKING:
    from amctl.vis.drawing import Drawing
    from amctl.vis.view import View

__all__ = ["draw"]


def draw(view: View) -> Drawing:
    """The picture of a view: a map; one machine with its relations; else the bird's-eye picture.

    Raises:
        NothingToDrawError: No machine is chosen.
    """
    if not view.full and not view.half:
        raise NothingToDrawError(
            *([] if view.graph.machines else ["the recording holds no machine"])
        )
    if view.options.map:
        return draw_map(view)
    is_alone = len(view.full) == 1 and not view.half
    return single(view) if is_alone else bird(view)
