"""Words in names, and in what transitions say."""

from __future__ import annotations

import re

import pytest

from amctl.debugger.filters import Filters
from amctl.debugger.index import Place
from amctl.debugger.search import Name, Text, TextSearch, names_like, type_ahead
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from amctl.dump.memory import MemoryDump
from tests.debugger.histories import history, tx
from tests.debugger.panes import at


def test_s5_typing_ahead_goes_down_and_not_round() -> None:
    rows = ("browser1", "Browser2", "orchestrator")
    assert type_ahead(rows, "bro") == 0
    assert type_ahead(rows, "BRO", 1) == 1
    assert type_ahead(rows, "bro", 2) == -1


def test_names_of_machines_and_states() -> None:
    session = Session(Store(history(machines=("ready-1", "b"))))
    assert names_like(session, "READY") == [
        Name("ready-1"),
        Name("ready-1", "Ready"),
        Name("b", "Ready"),
    ]
    assert len(names_like(session, "a", most=2)) == 2


def searched(session: Session, text: str, *, back: bool = False, **more: object) -> int:
    found = TextSearch(session, Text(text, **more), back=back)  # type: ignore[arg-type]
    while not found.step(1):
        pass
    return found.found.cursor if found.found else 0


@pytest.mark.parametrize(
    ("text", "more", "cursor"),
    [
        ("a hand", {}, 3),
        ("A hand", {}, 0),
        ("by=hand", {"fields": ("args",)}, 3),
        ("by=hand", {}, 1),
        ("lamp.py", {}, 5),
        ("-> +on", {}, 3),
        ("0000000000000004", {}, 4),
        ("0000000000000004", {"fields": ("logs",)}, 0),
        (r"\+On \S+ff", {"is_regex": True}, 3),
        (r"\+On", {}, 0),
    ],
)
def test_text_is_found_forwards(text: str, more: dict[str, object], cursor: int) -> None:
    assert searched(at(0), text, **more) == cursor


def test_text_is_found_backwards_and_only_in_what_is_shown() -> None:
    assert searched(at(5), "hand", back=True) == 3
    assert searched(at(3), "hand", back=True) == 1
    assert searched(at(0, filters=Filters.none().toggled("canceled")), "canceled") == 0
    assert searched(at(0), "canceled") == 4


def test_a_search_may_be_cut_into_slices() -> None:
    session = Session(Store(history(*[tx("a", n, (n, 0, 0, 0)) for n in range(100)])), follow=False)
    search = TextSearch(session, Text("nowhere"))
    assert not search.step(60)
    assert search.looked == 60
    assert search.step(60)
    assert search.found is None
    assert search.is_done


def test_the_line_that_holds_it_is_told() -> None:
    search = TextSearch(at(0), Text("lamp.py"))
    search.step()
    assert search.found == Place("lamp", 5)
    assert search.line.startswith("[error] it broke")


def test_a_bad_expression_is_refused_and_nothing_is_found_in_nothing() -> None:
    with pytest.raises(re.error):
        TextSearch(at(0), Text("(", is_regex=True))
    assert TextSearch(Session(Store(MemoryDump("x"))), Text("x")).step()
