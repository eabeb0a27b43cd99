"""The table of keys."""

from __future__ import annotations

import re

from amctl.debugger.face.app import Debugger
from amctl.debugger.face.keys import KEYS


def test_every_key_does_something() -> None:
    for key in KEYS:
        name = key.action.partition("(")[0]
        assert hasattr(Debugger, f"action_{name}"), key


def test_no_key_stands_twice() -> None:
    keys = [key for each in KEYS for key in each.keys.split(",")]
    assert len(keys) == len(set(keys))


def test_s3_the_originals_keys_are_there() -> None:
    keys = {key for each in KEYS for key in each.keys.split(",")}
    wanted = (
        "tab shift+tab space left right alt+left alt+right alt+h alt+l alt+j alt+k alt+n alt+p "
        "home end alt+v alt+m alt+r alt+o alt+e alt+f alt+s alt+d question_mark escape ctrl+q"
    )
    assert set(wanted.split()) <= keys


def test_every_terminal_sends_them() -> None:
    for each in KEYS:
        for key in each.keys.split(","):
            assert not re.search(r"super|hyper|meta|ctrl\+(shift|alt|\d)|alt\+shift", key)
