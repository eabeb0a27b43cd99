"""Schemas and their clean-up (section 2)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from amctl.machine import Schema, SchemaError, StateDef
from tests.machine.strategies import schemas
from tests.machine.tools import mach


def _clean(**states: Any) -> Schema:
    return Schema(states).effective[0]


def test_sch_1_maps_leave_out_what_is_empty() -> None:
    raw = {
        "A": {"auto": True, "require": ["B"], "tags": ["x:1"]},
        "B": {"multi": True, "add": ["A"], "remove": ["A"], "after": ["A"]},
        "C": {},
    }
    assert Schema(raw).to_dict() == raw
    state = StateDef.of(raw["B"])
    assert state == StateDef(multi=True, add=("A",), remove=("A",), after=("A",))
    assert StateDef.of(state) is state


@pytest.mark.parametrize("raw", [{"requires": ["B"]}, {"require": "B"}, {"color": 1}])
def test_sch_1_other_properties_are_refused(raw: Any) -> None:
    with pytest.raises(SchemaError, match="state property"):
        Schema({"A": raw})


@pytest.mark.slow
@given(schemas())
def test_a_schema_comes_back_from_its_map(schema: Schema) -> None:
    back = Schema.from_dict(schema.to_dict(), schema.names)
    assert dict(back) == dict(schema)
    assert (back.names, back.hash) == (schema.names, schema.hash)


def test_sch_2_exception_is_added_after_the_clean_up() -> None:
    schema = _clean(A={})
    assert schema["Exception"] == StateDef(multi=True)
    assert schema.names == ("A", "Exception")
    assert _clean(Exception={"require": ["A"]}, A={})["Exception"] == StateDef(require=("A",))


def test_sch_3_the_last_definition_counts_whole() -> None:
    one = Schema({"A": {"auto": True, "add": ["B"]}, "B": {}}, groups={"G": ("A",)})
    two = Schema({"A": {"multi": True}, "C": {}}, groups={"H": ("C",)})
    merged = one.merge(two, {"D": StateDef(auto=True)})
    assert merged["A"] == StateDef(multi=True)
    assert set(merged) == {"A", "B", "C", "D"}
    assert merged.names[:2] == ("A", "B")
    assert merged.groups == {"G": ("A",), "H": ("C",)}
    assert one["A"].auto


@pytest.mark.parametrize(
    ("state", "want"),
    [
        ({"remove": ["A", "B"]}, {"remove": ["B"]}),
        ({"remove": ["A", "B", "A"]}, {"remove": ["B", "A"]}),
        ({"add": ["B"], "remove": ["B", "C"]}, {"add": ["B"], "remove": ["C"]}),
        ({"add": ["B"], "remove": ["B", "B"]}, {"add": ["B"], "remove": ["B"]}),
        ({"add": ["B", "Nope"]}, {"add": ["B"]}),
        ({"after": ["A", "B"]}, {"after": ["B"]}),
        ({"after": ["A", "A"]}, {"after": ["A"]}),
        ({"remove": ["Nope", "B"], "after": ["Nope"]}, {"remove": ["B"]}),
        ({"require": ["Nope", "B"]}, {"require": ["Nope", "B"]}),
        ({"require": ["A"]}, {"require": ["A"]}),
    ],
)
def test_sch_4_the_clean_up(state: dict[str, Any], want: dict[str, Any]) -> None:
    """Errata to 4.1 and 4.2: only the first occurrence goes."""
    assert _clean(A=state, B={}, C={})["A"].to_dict() == want


def test_sch_4_add_wins_over_remove_known_or_not() -> None:
    """Errata: what is added and removed is kept in Add; the unknown is ignored later."""
    m = mach("A", A="add:Exception,Nope remove:Exception,Nope")
    assert m.schema["A"].to_dict() == {"add": ["Exception", "Nope"]}
    assert m.add("A").executed
    assert m.active == ["A", "Exception"]


def test_sch_4_and_8_require_against_remove() -> None:
    schema, errors = Schema(
        {"A": {"require": ["B", "C"], "remove": ["C", "B"]}, "B": {}, "C": {}}
    ).effective
    assert [str(e).split(": ")[1] for e in errors] == [
        "require-remove conflict for A to B", "require-remove conflict for A to C",
    ]  # fmt: skip
    assert schema["A"].require == ("B", "C")


def test_sch_5_a_missing_requirement_can_never_be_met() -> None:
    m = mach("A", A="require:Nope")
    assert m.add("A").canceled


def test_sch_6_alone_a_mixin_loses_what_it_says_of_exception() -> None:
    schema = _clean(
        A={"remove": ["Exception"], "after": ["Exception"], "require": ["Exception"]},
        B={"add": ["Exception"]},
    )
    assert schema["A"].to_dict() == {"require": ["Exception"]}
    assert schema["B"].to_dict() == {}


def test_sch_11_prefixes() -> None:
    schema = Schema(
        {
            "A": {"auto": True, "add": ["B"], "require": ["C"], "tags": ["t"]},
            "B": {"multi": True, "remove": ["A"], "after": ["Exception"]},
            "C": {},
        },
        ["C", "A", "B"],
    )
    copy = schema.prefix("X", skip=["C"])
    assert copy["XA"] == StateDef(auto=True, add=("XB",), require=("XC",))
    assert copy["XA"].tags == ("t",)
    assert copy["XB"] == StateDef(multi=True, remove=("XA",), after=("XException",))
    assert copy.names == ("XA", "XB", "Exception")
    bare = schema.prefix("X", relations=False)
    assert bare["XA"] == StateDef(auto=True)
    assert bare["XA"].tags == ("t",)
    assert tuple(bare) == ("XC", "XA", "XB")


def test_sch_11_states_that_have_the_prefix_can_stay_as_they_are() -> None:
    schema = Schema({"XA": {"add": ["B"]}, "B": {"add": ["XA"]}})
    copy = schema.prefix("X", remove_dups=True)
    assert copy.to_dict() == {"XA": {"add": ["B"]}, "XB": {"add": ["XXA"]}}


def test_with_state_adds_or_redefines() -> None:
    schema = Schema({"B": {}, "A": {}}, ["B", "A"])
    assert schema.with_state("C", StateDef(auto=True)).names == ("B", "A", "C", "Exception")
    again = schema.with_state("B", StateDef(auto=True))
    assert again.names == schema.names
    assert again["B"].auto


def test_nam_1_without_names_the_order_is_alphabetical() -> None:
    assert Schema({"B": {}, "A": {}}).names == ("A", "B", "Exception")


def test_nam_2_names_have_to_be_the_schemas() -> None:
    states: dict[str, Any] = {"A": {}, "B": {}}
    assert Schema(states, ["B", "A", "B"]).names == ("B", "A", "Exception")
    assert Schema(states, ["Exception", "B", "A"]).names == ("Exception", "B", "A")
    with pytest.raises(SchemaError, match="unknown to the schema: C D"):
        Schema(states, ["A", "B", "C", "D"])
    with pytest.raises(SchemaError, match="missing in the list of names: B"):
        Schema(states, ["A", "A"])


def test_hlp_11_the_hash_follows_every_property_but_tags_and_order() -> None:
    base: dict[str, Any] = {"A": {"require": ["B"]}, "B": {}, "C": {}}
    hashes = {Schema(base).hash}
    for change in ({"auto": True}, {"multi": True}, {"add": ["B"]}, {"after": ["B"]},
                   {"remove": ["B"]}, {"require": ["B"]}):  # fmt: skip
        hashes.add(Schema({**base, "C": change}).hash)
    assert len(hashes) == 7
    assert all(len(h) == 6 and int(h, 16) >= 0 for h in hashes)
    tagged = Schema({**base, "C": {"tags": ["x"]}})
    assert tagged.hash == tagged.hash == Schema(base).hash
    assert Schema(base, ["C", "B", "A"]).hash == Schema(base).hash


def test_hlp_11_the_text_which_is_hashed() -> None:
    import hashlib

    schema = Schema({"B": {"auto": True, "multi": True, "add": ["C", "A"], "after": ["A"],
                           "require": ["A"], "remove": ["Exception"]},
                     "A": {}, "C": {}, "Exception": {}})  # fmt: skip
    text = "A:;;;;B:a,m,A,;Exception,;A,C,;A,;C:;;;;Exception:;;;;"
    assert schema.hash == hashlib.md5(text.encode()).hexdigest()[:6]


def test_a_schema_shows_its_states() -> None:
    schema = Schema({"B": {}, "A": {}}, ["B", "A"])
    assert repr(schema) == "Schema(B A)"
    assert (len(schema), list(schema)) == (2, ["B", "A"])
    with pytest.raises(KeyError):
        schema["Nope"]


def test_the_effective_form_is_made_once() -> None:
    schema = Schema({"A": {}})
    assert schema.effective is schema.effective
    assert schema.effective[0].effective[0].to_dict() == schema.effective[0].to_dict()


def test_sch_7_lists_that_the_clean_up_emptied_have_no_line() -> None:
    m = mach("A", A="remove:A")
    assert m.inspect(["A"]) == "0 A\n    |Tick     0\n"


def test_sch_9_extending_a_state() -> None:
    base = StateDef(auto=True, add=("A", "B"), require=("C",), tags=("mine",))
    more = base.extended({"multi": True, "add": ["B", "D"], "after": ["E"], "tags": ["theirs"]})
    want = StateDef(True, True, require=("C",), add=("A", "B", "D"), after=("E",))
    assert (more, more.tags) == (want, ("mine",))
    assert base.extended(StateDef()) == base


def test_sch_9_replacing_relations_and_properties() -> None:
    base = StateDef(auto=True, add=("A",), require=("C",), tags=("mine",))
    new = base.replaced({"add": ["B"], "require": []}, auto=False, multi=True)
    assert (new, new.tags) == (StateDef(multi=True, add=("B",)), ("mine",))
    relations = base.replaced(StateDef(multi=True, remove=("D",)))
    assert relations == StateDef(auto=True, add=("A",), require=("C",), remove=("D",))


def test_sch_10_choosing_by_tag() -> None:
    schema = Schema({"A": {"tags": ["x"]}, "B": {"tags": ["x:1", "y"]}, "C": {"tags": ["xx"]}})
    assert list(schema.filter_by_tag("x")) == ["A"]
    assert list(schema.filter_by_tag("x:1")) == ["B"]
    assert schema.tagged("x") == ("A", "B")
    assert schema.tagged("z") == ()


def test_sch_10_merging_leaves_the_parts_alone_as_nothing_changes_a_schema() -> None:
    one = Schema({"A": {"add": ["B"]}, "B": {}})
    merged = one.merge({"A": StateDef()})
    assert (one["A"].add, merged["A"].add) == (("B",), ())
    with pytest.raises(TypeError):
        one["A"] = StateDef()  # type: ignore[index]


def test_sch_11_allowed_names_win_over_those_to_skip() -> None:
    schema = Schema({"A": {"add": ["B"]}, "B": {}, "C": {}})
    assert list(schema.prefix("X", allow=["A", "B"], skip=["A"])) == ["XA", "XB"]


def test_sch_12_adjacent_states() -> None:
    state = StateDef(require=("R", "A"), add=("A",), remove=("X",), after=("F",))
    assert state.adjacent == ("A", "F", "R", "A", "X")


def test_sch_14_what_an_error_state_is_called_is_a_convention_only() -> None:
    m = mach("ErrA B")
    assert m.add("ErrA").executed
    assert not m.is_err()


def test_rel_15_relations_of_a_state_and_between_two() -> None:
    schema = Schema(
        {
            "A": {"after": ["B"], "require": ["B", "C"], "add": ["C"]},
            "B": {"remove": ["A"]},
            "C": {},
        }
    )
    assert schema.relations_of("A") == ("add", "require", "after")
    assert schema.relations_of("C") == ()
    assert schema.relations_between("A", "B") == ("require", "after")
    assert schema.relations_between("B", "A") == ("remove",)
    assert schema.inbound_relations_of("B") == ("A", "A")
    assert schema.inbound_relations_of("A") == ("B",)


def test_rel_15_unknown_states_are_errors() -> None:
    schema = Schema({"A": {}})
    for ask in (
        lambda: schema.relations_of("Nope"),
        lambda: schema.relations_between("A", "Nope"),
        lambda: schema.relations_between("Nope", "A"),
        lambda: schema.inbound_relations_of("Nope"),
    ):
        with pytest.raises(SchemaError, match="no state 'Nope'"):
            ask()
