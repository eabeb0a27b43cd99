"""Expressions over states, and where they became true."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amctl.debugger import index as index_module
from amctl.debugger import predicates
from amctl.debugger.errors import PredicateError, UnknownStateError
from amctl.debugger.index import DumpIndex, Place
from amctl.debugger.predicates import And, Node, Not, Or, Ref, find, holds, parse_predicate
from tests.debugger.histories import NAMES, executed, history, recorded, tx, walks

MACHINES = ("a", "b")
COMPARES = ("", ">", ">=", "<", "<=", "=", "!=")


def refs(machines: tuple[str, ...] = ("",)) -> st.SearchStrategy[Ref]:
    return st.builds(
        lambda state, machine, compare, number: Ref(
            state, machine, compare, number if compare else 0
        ),
        st.sampled_from(NAMES),
        st.sampled_from(machines),
        st.sampled_from(COMPARES),
        st.integers(0, 6),
    )


def nodes(machines: tuple[str, ...] = ("",)) -> st.SearchStrategy[Node]:
    return st.recursive(
        refs(machines),
        lambda below: st.one_of(
            st.builds(Not, below),
            st.builds(lambda parts: And(tuple(parts)), st.lists(below, min_size=2, max_size=3)),
            st.builds(lambda parts: Or(tuple(parts)), st.lists(below, min_size=2, max_size=3)),
        ),
        max_leaves=6,
    )


odd = st.text("abAB .-':(&|", min_size=1, max_size=8).filter(lambda t: t.strip() and '"' not in t)


@pytest.mark.slow
@given(nodes(("", "a", "rc-bro.1")))
def test_what_is_printed_is_read_back(node: Node) -> None:
    assert parse_predicate(str(node)) == node


@given(st.builds(Ref, odd.filter(lambda t: "." not in t)))
def test_any_name_can_be_quoted(ref: Ref) -> None:
    assert parse_predicate(str(ref)) == ref


@given(st.text("AB&|!():>=<.1 '\"", max_size=30))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    node, place = None, 0
    try:
        node = parse_predicate(text)
    except PredicateError as error:
        place = error.at
    assert 0 <= place <= len(text)
    assert node is None or parse_predicate(str(node)) == node


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("Foo & !Bar", And((Ref("Foo"), Not(Ref("Bar"))))),
        ("Foo:>3", Ref("Foo", "", ">", 3)),
        ("Foo:3", Ref("Foo", "", "=", 3)),
        ("Foo:== 3", Ref("Foo", "", "=", 3)),
        ("browser1.Working", Ref("Working", "browser1")),
        ("'my machine'.Working", Ref("Working", "my machine")),
        ("A|B&C", Or((Ref("A"), And((Ref("B"), Ref("C")))))),
        ("(A || B) && C", And((Or((Ref("A"), Ref("B"))), Ref("C")))),
        ("!!A", Not(Not(Ref("A")))),
    ],
)
def test_the_language(text: str, node: Node) -> None:
    assert parse_predicate(text) == node


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends too early"),
        ("Foo &", "ends too early"),
        ("Foo Bar", "'Bar': an operator"),
        ("(Foo", "a closing parenthesis"),
        ("Foo)", "')': an operator"),
        ("a.", "a state is missing"),
        (".Foo", "a machine is missing"),
        ("Foo:>", "':'"),
        ("Foo:" + "9" * 21, "too large"),
        ("!" * 200 + "A", "more than 100 levels"),
        ("A" * 5000, "more than 4096"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(PredicateError, match=r"^expression") as caught:
        parse_predicate(text)
    assert words in str(caught.value)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(walks(), nodes(("", "a")), st.booleans(), st.data())
def test_the_search_of_one_machine_equals_a_naive_scan(
    dump: object, node: Node, back: bool, data: st.DataObject
) -> None:
    index = DumpIndex(dump)  # type: ignore[arg-type]
    index.grow()
    if "a" not in index.machines:
        return
    clocks = list(executed(dump, "a"))  # type: ignore[arg-type]
    true = [holds(node, lambda r, c=c: c[NAMES.index(r.state)]) for c in clocks]  # type: ignore[misc]
    became = [at for at, now in enumerate(true) if now and not (at and true[at - 1])]
    start = data.draw(st.integers(0, len(clocks) - 1))
    wanted = [at for at in became if (at < start if back else at > start)]
    expected = (wanted[-1] if back else wanted[0]) if wanted else None
    found = find(index, node, Place("a", start), back=back)
    assert (found.cursor if found else None) == expected


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(walks(), nodes(("a", "b")), st.booleans(), st.data())
def test_the_search_of_several_machines_equals_a_naive_scan(
    dump: object, node: Node, back: bool, data: st.DataObject
) -> None:
    index = DumpIndex(dump)  # type: ignore[arg-type]
    index.grow()
    if set(index.machines) != {"a", "b"}:
        return
    clocks = {id: list(executed(dump, id)) for id in MACHINES}  # type: ignore[arg-type]
    at, places = dict.fromkeys(MACHINES, 0), [Place("a", 0)]
    true = []
    for one in (None, *dump.transitions()):  # type: ignore[attr-defined]
        if one is not None:
            at[one.machine_id] += 1
            places.append(Place(one.machine_id, at[one.machine_id]))
        true.append(holds(node, lambda r: clocks[r.machine][at[r.machine]][NAMES.index(r.state)]))
    became = [n for n, now in enumerate(true) if now and not (n and true[n - 1])]
    start = data.draw(st.sampled_from([n for n, p in enumerate(places) if p.machine == "a"]))
    wanted = [n for n in became if (n < start if back else n > start)]
    expected = places[wanted[-1] if back else wanted[0]] if wanted else None
    if all(word not in str(node) for word in ("b.",)):
        return  # of one machine, whose search is another
    with pytest.MonkeyPatch.context() as patch:  # however much is looked at at once
        patch.setattr(predicates, "_NEAR", data.draw(st.sampled_from((1, 2, 5, 1 << 15))))
        patch.setattr(index_module, "_SPARSE", data.draw(st.sampled_from((0, 64))))
        assert find(index, node, places[start], back=back) == expected


def test_back_to_where_it_became_true_leaves_out_where_one_stands() -> None:
    dump = history(tx("a", 0, (1, 0, 0, 0)), tx("a", 1, (2, 0, 0, 0)), tx("a", 2, (3, 0, 0, 0)))
    index = DumpIndex(dump)
    index.grow()
    node = parse_predicate("Start")
    assert find(index, node, Place("a", 3), back=True) == Place("a", 1)
    assert find(index, node, Place("a", 3), back=True, end=True) == Place("a", 3)
    assert find(index, parse_predicate("!Start"), Place("a", 2), back=True) == Place("a", 0)
    assert find(index, node, Place("a", 1), back=True) is None


def test_near_matches_are_offered() -> None:
    index = DumpIndex(history(tx("a", 0, (1, 0, 0, 0))))
    index.grow()
    with pytest.raises(UnknownStateError, match="machine 'a' has no state 'Workin'") as caught:
        find(index, parse_predicate("Workin"), Place("a", 0))
    assert caught.value.hint == "did you mean Working?"
    with pytest.raises(UnknownStateError, match="the recording has no machine 'c'"):
        find(index, parse_predicate("c.Start"), Place("a", 0))


@pytest.mark.slow
def test_the_recorded_run_by_several_machines() -> None:
    index = DumpIndex(recorded())
    index.grow()
    node = parse_predicate("browser1.Working & !browser3.Working")
    found = find(index, node, Place("orchestrator", 800), back=True)
    assert found is not None
    assert found.machine in ("browser1", "browser3")
