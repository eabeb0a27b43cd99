"""Questions that a served machine answers: what no mirror holds, and mutations told in full.

A question is a CALL with the op ASK: no states, arguments `{"q": question, **params}`; the reply
has the code 0 and the answer as JSON text. It is answered in its turn among the other calls, at
once, and runs once whatever becomes of the connection. A server whose source is a mirror passes
questions on, so they are answered where the machine lives.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from asyncio import CancelledError
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from amctl.machine.errors import MachineError, UnknownStateError
from amctl.rpc._questions import MAX_ANSWER, READING, Question, near
from amctl.rpc._questions_mutate import ACTING
from amctl.rpc._why import WHY
from amctl.rpc.errors import QuestionError
from amctl.rpc.wire.codes import Code, Op

if TYPE_CHECKING:
    from amctl.machine import MachineView, Source

__all__ = ["MAX_ANSWER", "Ask", "Needs", "Params", "Permit", "answer", "check", "register"]

Ask = Callable[["MachineView", Mapping[str, Any]], Any]
"""Gets the source and the parameters, without `q`; answers with plain data or dataclasses."""
Needs = Callable[[Mapping[str, Any]], tuple[int, Sequence[str]]]
"""Which op on which states must be permitted for these parameters."""
Permit = Callable[[int, Sequence[str]], "Code | None"]
"""The code to answer if whoever asks may not run an op on states."""

_log = logging.getLogger("amctl.rpc.server")
_questions: dict[str, Question] = {**READING, **ACTING, **WHY}


class Params(dict[str, Any]):
    """Parameters as questions get them."""

    origin: Source | None = None
    """Who asks, by his own word."""


def register(
    name: str, fn: Ask, *, params: Sequence[str] | None = None, needs: Needs | None = None
) -> None:
    """Answer a question from now on, in this process; again replaces what was there.

    Args:
        name: What is asked.
        fn: Answers, without waiting. May raise QuestionError or an error of the engine, which
            refuse the call; anything else it raises is logged and answered with INTERNAL.
        params: What it takes; others are refused with a near match. None leaves that to `fn`.
        needs: For a question that acts; None asks for the permission of the op ASK.
    """
    _questions[name] = Question(fn, None if params is None else frozenset(params), needs)


def answer(
    source: MachineView, asked: Any, permit: Permit, origin: Source | None = None
) -> tuple[Code, str]:
    """Answer a question. Raises nothing, whatever is asked.

    Args:
        source: The served machine.
        asked: The call's arguments, as they came.
        permit: Looks at what the question does.
        origin: Where it comes from.

    Returns:
        OK and JSON text, or why there is no answer: a code and a text for people.
    """
    try:
        name, params = _taken_apart(asked)
        question = _questions.get(name)
        if question is None:
            text = f"no question {name!r:.80}{near(name, _questions)}"
            raise QuestionError(Code.UNSUPPORTED, text)
        _check(name, question, params, permit)
        params.origin = origin
        return Code.OK, _as_text(name, question.fn(source, params))
    except QuestionError as error:
        return error.code, error.text
    except UnknownStateError as error:
        return Code.STATE, _with_hint(error)
    except MachineError as error:
        return Code.ARGS, _with_hint(error)
    except (Exception, CancelledError) as error:
        _log.exception("a question to %s failed", source.id)
        return Code.INTERNAL, f"{type(error).__name__}: {error}"


def check(asked: Any, permit: Permit) -> None:
    """Whether a question may be passed on. What isn't known here may be known there.

    Raises:
        QuestionError: It isn't a question, or not permitted.
    """
    name, params = _taken_apart(asked)
    question = _questions.get(name)
    needs = question.needs if question is not None else None
    _check_permit(needs(params) if needs is not None else (Op.ASK, ()), permit)


def _taken_apart(asked: Any) -> tuple[str, Params]:
    if not isinstance(asked, Mapping) or not isinstance(asked.get("q"), str):
        raise QuestionError(Code.ARGS, "a question is a map with its name under 'q'")
    params = Params(asked)
    return params.pop("q"), params


def _check(name: str, question: Question, params: Params, permit: Permit) -> None:
    if question.params is not None:
        for given in params:
            if given not in question.params:
                known = sorted(question.params)
                text = f"question {name!r} has no parameter {given!r:.80}"
                raise QuestionError(Code.ARGS, text + near(str(given), known))
    needs = question.needs
    _check_permit(needs(params) if needs is not None else (Op.ASK, ()), permit)


def _check_permit(needed: tuple[int, Sequence[str]], permit: Permit) -> None:
    code = permit(*needed)
    if code is not None:
        raise QuestionError(code, "not permitted")


def _with_hint(error: MachineError) -> str:
    return f"{error}; {error.hint}" if error.hint else str(error)


def _as_text(name: str, data: Any) -> str:
    # ASCII, so a byte a character
    text = json.dumps(data, default=_plain, separators=(",", ":"), allow_nan=False)
    if len(text) > MAX_ANSWER:
        problem = f"the answer to {name!r} has {len(text)} bytes, at most {MAX_ANSWER} are sent"
        raise QuestionError(Code.TOO_BIG, problem)
    return text


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"an answer can't hold a {type(value).__name__}")
