"""Conditions: `if` and `until` of a task.

The grammar is Python's own expression syntax, parsed by `ast` and then let through a short list of
node types. That way precedence, literals and places of errors are the ones that everybody knows,
and there is no parser of ours to be wrong; and since the tree is walked here and never compiled,
nothing can be called, imported or looked into but what this file does itself. There is no
arithmetic, so no expression is expensive.

    Ready and not Exception            states of the task's machine
    tick(Working) >= 3                 also active('Any Name'), inactive(...)
    go.result == 'executed'            what a task registered
    env in ['test', 'ci']              variables

In check mode a value may be unknown; then so is all that depends on it (Kleene's logic).
"""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from amctl.repl.playbook.templates import UNKNOWN, BadTemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Expression", "Names", "Used"]

LONGEST = 1000
_WORDS = {"true": True, "false": False, "null": None, "none": None}
_FUNCTIONS = ("active", "inactive", "tick")
_MEMBERS = (ast.Tuple, ast.List)
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


class Names(Protocol):
    """What an expression can see."""

    def get(self, name: str) -> Any:
        """A variable, or whether a state of that name is active. Raises KeyError."""

    def active(self, state: str) -> Any:
        """Whether a state is active. Raises KeyError."""

    def tick(self, state: str) -> Any:
        """A state's tick. Raises KeyError."""


class Used(NamedTuple):
    """A name in an expression."""

    name: str
    offset: int
    is_state: bool
    """Whether it can be nothing but a state."""


class Expression:
    """A condition that was read.

    Raises:
        BadTemplateError: It isn't one; `offset` tells where.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        if "{{" in text:
            raise BadTemplateError(
                "a condition names variables without braces", text.index("{{"), name=""
            )
        if len(text) > LONGEST:
            raise BadTemplateError(f"a condition has at most {LONGEST} characters")
        lead = len(text) - len(text.lstrip())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # `3 is n`, `1or n`: the parser only warns of them
                self._tree = ast.parse(text.strip(), mode="eval").body
        except SyntaxError as error:
            at = lead + max(0, (error.offset or 1) - 1)
            raise BadTemplateError(f"can't be read: {error.msg}", at) from None
        except (ValueError, RecursionError, MemoryError):
            raise BadTemplateError("can't be read") from None
        self._lead = lead
        self._check(self._tree)

    def names(self) -> Iterator[Used]:
        """Every variable or state that it asks for."""
        return self._names(self._tree)

    def value(self, names: Names) -> Any:
        """What it comes to; UNKNOWN if that can't be known.

        Raises:
            BadTemplateError: A name isn't there, or two values can't be compared.
        """
        return self._value(self._tree, names)

    # -- reading

    def _at(self, node: ast.AST) -> int:
        return self._lead + int(getattr(node, "col_offset", 0))

    def _refuse(self, node: ast.AST, text: str) -> BadTemplateError:
        return BadTemplateError(text, self._at(node))

    def _check(self, node: ast.expr) -> None:
        match node:
            case ast.Name():
                return
            case ast.Constant(value=value) if value is None or isinstance(value, str | int | float):
                return
            case ast.BoolOp() | ast.Tuple() | ast.List():
                inner = node.values if isinstance(node, ast.BoolOp) else node.elts
                for each in inner:
                    self._check(each)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._check(operand)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
                return
            case ast.Compare():
                for op in node.ops:
                    if type(op) not in _COMPARE:
                        raise self._refuse(node, "compare by ==, !=, <, <=, >, >=, in, not in")
                for each in (node.left, *node.comparators):
                    self._check(each)
            case ast.Attribute(value=value):
                self._check(value)
            case ast.Subscript(value=value, slice=ast.Constant(value=str() | int())):
                self._check(value)
            case ast.Call(func=ast.Name(id=name), args=[arg], keywords=[]) if name in _FUNCTIONS:
                if not isinstance(arg, ast.Name) and not _is_text(arg):
                    raise self._refuse(arg, f"{name}() takes the name of a state")
            case ast.Call():
                raise self._refuse(node, "there is only active(S), inactive(S) and tick(S) to call")
            case _:
                words = type(node).__name__
                raise self._refuse(node, f"a condition can't hold this ({words})")

    def _names(self, node: ast.expr) -> Iterator[Used]:
        if isinstance(node, ast.Name):
            if node.id not in _WORDS:
                yield Used(node.id, self._at(node), False)
        elif isinstance(node, ast.Call):
            yield Used(_state(node), self._at(node.args[0]), True)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    yield from self._names(child)

    # -- computing

    def _value(self, node: ast.expr, names: Names) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return _WORDS[name] if name in _WORDS else self._got(node, name, names)
            case ast.BoolOp(op=op, values=values):
                return self._bool(isinstance(op, ast.And), values, names)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                value = self._value(operand, names)
                return UNKNOWN if value is UNKNOWN else not value
            case ast.UnaryOp(operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.Compare():
                return self._compare(node, names)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                members = [self._value(each, names) for each in elts]
                return UNKNOWN if any(each is UNKNOWN for each in members) else members
            case ast.Attribute(value=inner, attr=key):
                return self._part(node, self._value(inner, names), key)
            case ast.Subscript(value=inner, slice=ast.Constant(value=str() | int() as index)):
                return self._part(node, self._value(inner, names), index)
            case ast.Call():
                return self._call(node, names)
        raise self._refuse(node, "can't be computed")

    def _got(self, node: ast.AST, name: str, names: Names) -> Any:
        try:
            return names.get(name)
        except KeyError:
            text = f"{name!r} is neither a variable nor a state"
            raise BadTemplateError(text, self._at(node), name) from None

    def _bool(self, is_and: bool, values: list[ast.expr], names: Names) -> Any:
        unknown = False
        for each in values:
            value = self._value(each, names)
            if value is UNKNOWN:
                unknown = True
            elif bool(value) is not is_and:
                return not is_and
        return UNKNOWN if unknown else is_and

    def _compare(self, node: ast.Compare, names: Names) -> Any:
        left = self._value(node.left, names)
        unknown = False
        for op, each in zip(node.ops, node.comparators, strict=True):
            right = self._value(each, names)
            if left is UNKNOWN or right is UNKNOWN:
                unknown = True
            else:
                try:
                    holds = _COMPARE[type(op)](left, right)
                except TypeError:
                    text = f"{left!r:.40} and {right!r:.40} can't be compared so"
                    raise self._refuse(node, text) from None
                if not holds:
                    return False
            left = right
        return UNKNOWN if unknown else True

    def _part(self, node: ast.AST, value: Any, key: str | int) -> Any:
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, dict | list):
            try:
                return value[key]  # type: ignore[index]  # a wrong key is told below
            except (KeyError, IndexError, TypeError):
                pass
        raise self._refuse(node, f"{value!r:.60} has no {key!r}")

    def _call(self, node: ast.Call, names: Names) -> Any:
        state, name = _state(node), ast.unparse(node.func)
        try:
            if name == "tick":
                return names.tick(state)
            value = names.active(state)
        except KeyError:
            text = f"there is no state {state!r}"
            raise BadTemplateError(text, self._at(node.args[0]), state) from None
        if value is UNKNOWN:
            return UNKNOWN
        return value if name == "active" else not value


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _state(node: ast.Call) -> str:
    arg = node.args[0]
    return arg.id if isinstance(arg, ast.Name) else str(getattr(arg, "value", ""))
