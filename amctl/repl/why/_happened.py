"""What had happened to a state, told with its explanation by relations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from amctl.dump.summary import time_text
from amctl.machine.explanation import Blamed, Explanation, Kind, Place
from amctl.repl.why.history import error_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.repl.why.history import Past
    from amctl.telemetry.messages import TxMsg

__all__ = ["details", "error_behind", "free", "made_active"]

_EXCEPTION = "Exception"
_NAMES = 4
_VERBS = ("add", "remove", "set", "eval")


def made_active(found: Explanation, past: Past) -> Explanation:
    tx = past.began.get(found.state)
    if tx is None:
        return found
    error = error_of(tx) if found.state.startswith((_EXCEPTION, "Err")) else ""
    text = f"{found.state} is active since {_by(tx, past)}"
    return replace(found, sentence=f"{text}: {error}" if error else text, error=error)


def free(found: Explanation, past: Past) -> Explanation:
    """Nothing refuses it: it waits, was refused, was ended, or never was asked for."""
    state = found.state
    for at, waiting in enumerate(past.waiting, 1):
        if waiting.type != 1 and state in past.called(waiting):
            ahead = tuple(_call(tx, past) for tx in past.waiting[: at - 1])
            place = Place(_call(waiting, past), at, ahead)
            text = f"{place.mutation} waits at place {at} of the queue, as the recording has it"
            if ahead:
                text += f", behind {', '.join(ahead[:3])}"
            remedy = "what runs has to end; its transition is recorded only then"
            return replace(found, kind=Kind.QUEUED, sentence=text, remedy=remedy, place=place)
    ended = past.ended.get(state)
    refused = past.refused.get(state)
    if refused is not None and (ended is None or _order(ended) <= _order(refused[0])):
        tx, reason = refused
        text = f"{state} is not active: {_call(tx, past)} was refused at {_when(tx)}: {reason}"
        kind = Kind(reason.kind) if reason.kind in set(Kind) else Kind.RELATIONS
        handler = f"see to {reason.handler} of binding {reason.binding}, then "
        remedy = f"{handler if reason.handler else ''}add {state} again"
        return replace(found, kind=kind, sentence=text, remedy=remedy, reason=reason)
    if ended is not None:
        return _ended(found, past, ended)
    return found


def _ended(found: Explanation, past: Past, tx: TxMsg) -> Explanation:
    text = f"{found.state} ended at {_by(tx, past)}"
    names = past.called(tx)
    if tx.type == 0 and _EXCEPTION in names:
        error = error_of(tx)
        text = f"{found.state} was ended by an error at {_when(tx)}: {error or 'it is not told'}"
        remedy = f"see to the error, then add {found.state} again"
        still = past.names.index(_EXCEPTION) if _EXCEPTION in past.names else -1
        is_on = 0 <= still < len(past.ticks) and past.ticks[still] & 1
        blame = (Blamed(_EXCEPTION, wanted=False),) if is_on else ()
        return replace(
            found, kind=Kind.ERROR, sentence=text, remedy=remedy, error=error, blame=blame
        )
    return replace(found, sentence=text)


def error_behind(found: Explanation, past: Past) -> str:
    """The error of an error state that keeps it out."""
    for one in found.blame:
        if not one.wanted and one.state.startswith((_EXCEPTION, "Err")):
            tx = past.began.get(_EXCEPTION)
            return error_of(tx) if tx is not None else ""
    return ""


def details(found: Explanation, past: Past) -> Iterator[str]:
    state = found.state
    began, ended = past.began.get(state), past.ended.get(state)
    if found.is_active:
        return
    if began is not None:
        yield f"last active from {_when(began)}, by {_call(began, past)}{_origin(began)}"
    if ended is not None:
        yield f"ended at {_when(ended)}, by {_call(ended, past)}{_origin(ended)}"
    refused = past.refused.get(state)
    if refused is not None:
        tx, reason = refused
        yield f"last refused at {_when(tx)}: {_call(tx, past)}{_origin(tx)}: {reason}"


def _by(tx: TxMsg, past: Past) -> str:
    own = "the machine's own try " if tx.is_auto else ""
    return f"{_when(tx)}, by {own}{_call(tx, past)}{_origin(tx)}"


def _call(tx: TxMsg, past: Past) -> str:
    verb = _VERBS[tx.type] if 0 <= tx.type < len(_VERBS) else "?"
    names = past.called(tx)
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return f"[{verb}] {' '.join(names[:_NAMES])}{more}"


def _origin(tx: TxMsg) -> str:
    return f" from {tx.source.machine_id}" if tx.source is not None else ""


def _when(tx: TxMsg) -> str:
    time_ns = tx.time_ns or tx.received_ns
    return time_text(time_ns) if time_ns else f"mach://{tx.machine_id}/{tx.id}"


def _order(tx: TxMsg) -> tuple[int, int]:
    return tx.queue_tick, tx.time_ns
