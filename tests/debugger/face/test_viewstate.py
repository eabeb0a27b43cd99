"""How the screen is set up."""

from __future__ import annotations

from amctl.debugger.face.viewstate import ViewState


def test_s1_it_is_narrow_below_100_columns_or_as_one_wants() -> None:
    view = ViewState()
    assert view.is_narrow(99)
    assert not view.is_narrow(100)
    assert ViewState(narrow=True).is_narrow(200)
    assert not ViewState(narrow=False).is_narrow(60)


def test_s5_the_defaults_are_the_originals() -> None:
    view = ViewState()
    assert (view.content, view.log_level, view.reader, view.timelines) == ("tree-log", 2, True, 1)
    assert (view.rain, view.wrap, view.times) == (False, False, False)
