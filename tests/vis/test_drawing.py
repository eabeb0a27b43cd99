from __future__ import annotations

from amctl.vis.draw import draw
from amctl.vis.drawing import OFF, for_people, for_styles
from amctl.vis.theme import ink
from tests.vis.workflow import view_of, workflow

NAME = f"{OFF[0]}<B>{OFF[1]}Name{OFF[0]}</B>{OFF[1]}"


def test_only_active_names_are_bold_for_people() -> None:
    source = f'<B>Lit</B> {NAME} color="{ink("page")}"'
    assert for_people(source, "light") == '<B>Lit</B> Name color="#ffffff"'


def test_all_names_are_bold_where_a_style_sheet_decides() -> None:
    source = f'{NAME} color="{ink("page")}"'
    assert for_styles(source) == f'<B>Name</B> color="{ink("page")}"'


def test_a_drawing_tells_its_source_and_its_size() -> None:
    drawing = draw(view_of(workflow()))
    assert drawing.dot.startswith('digraph "bird" {')
    assert OFF[0] not in drawing.dot
    assert (drawing.machines, drawing.states, drawing.lines) == (27, 344, 59)
    assert drawing.description == "workflow: 27 machines, 344 states, 132 pipes, 4 RPC."
