"""What may stand at the cursor: the completion table of the REPL, worked out from the registry.

Nothing here waits. Machines are asked beforehand, in the background; what is not known yet is
named in `Offer.unknown`, so that the prompt can ask for it and offer again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.repl import _shell_values as values
from amctl.repl._shell_words import is_flag, place_of, quoted, split
from amctl.repl.command import Kind
from amctl.repl.parsing import options_of, usage_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from amctl.repl._shell_values import Candidate
    from amctl.repl._shell_words import Place
    from amctl.repl.command import Command, Param
    from amctl.repl.peer import Fleet, Peer
    from amctl.rpc.answers import About

__all__ = ["NOT_CONNECTED", "PAIRS", "Completing", "Offer"]

NOT_CONNECTED = "not connected: there are no machines to complete"
PAIRS = (("--arg", "--val"), ("--state", "--time"))
"""Options that are given in turns: the i-th of the one belongs to the i-th of the other."""
_OFFLINE = (Kind.COMMAND, Kind.FILE)
"""What needs no machine."""
_STATES = (Kind.STATE, Kind.TO_ADD, Kind.TO_REMOVE)


@dataclass(frozen=True, slots=True)
class Offer:
    """What may stand at the cursor."""

    start: int = 0
    """Where in the line the word begins that a candidate replaces."""
    candidates: tuple[Candidate, ...] = ()
    usage: str = ""
    """How the command is used; empty while it is still to be chosen."""
    note: str = ""
    """Why there is nothing, for people."""
    unknown: tuple[Peer, ...] = ()
    """Machines that must be asked first."""


class Completing:
    """Completes lines of a registry's commands.

    Args:
        commands: The commands, in the order of their help.
        fleet: The machines in reach.
        about: What is known of a machine already; None if it was not asked yet.
        cwd: Where file names start from; None is the process's folder.
    """

    def __init__(
        self,
        commands: Mapping[str, Command],
        fleet: Fleet,
        about: Callable[[Peer], About | None],
        cwd: Path | None = None,
    ) -> None:
        self.commands, self.fleet, self.about, self.cwd = commands, fleet, about, cwd

    def offer(self, line: str) -> Offer:
        """What may stand at the end of `line`, in the order of its menu. Changes nothing."""
        words, last = split(line)
        if not words:
            return Offer(last.start, _fitting(values.commands(self.commands), last.text))
        command = self.commands.get(words[0].text)
        if command is None or any(word.text.startswith("#") for word in words):
            return Offer(last.start)
        place = place_of(command, [word.text for word in words[1:]], last.text)
        usage, offline = usage_line(command), place.param is not None and place.param.kind
        if not self.fleet.counts.connected and offline not in _OFFLINE:
            return Offer(last.start, usage=usage, note=NOT_CONNECTED)
        unknown = self._unknown(command, place)
        if unknown:
            note = f"asking {unknown[0].id} what it takes"
            return Offer(last.start, usage=usage, note=note, unknown=unknown)
        candidates = self._candidates(command, place, last.text)
        return Offer(last.start, tuple(_typed(candidates)), usage)

    # -- where a word stands

    def _candidates(self, command: Command, place: Place, word: str) -> Sequence[Candidate]:
        if place.is_value and place.param is not None:
            inner = word.removeprefix(place.head)
            found = self._values(command, place, place.param, inner)
            return [candidate.behind(place.head) for candidate in found]
        wants_flag = is_flag(word) and not place.is_behind_dashes
        if wants_flag or (place.used and not place.is_behind_dashes):
            return _fitting_flags(self._flags(command, place), word)
        found = self._values(command, place, place.param, word) if place.param else ()
        if self._may_have_flags(command, place) and not word:
            return (*found, *(values.flag(param) for param in self._flags(command, place)))
        return found

    def _may_have_flags(self, command: Command, place: Place) -> bool:
        """Options come once all that must be there is there."""
        needed = sum(1 for p in command.params if not p.flags and p.required)
        return len(place.words) >= needed and not place.is_behind_dashes

    def _flags(self, command: Command, place: Place) -> list[Param]:
        """Options that may follow: the open half of a pair alone, else all that are left."""
        options = [p for p in options_of(command) if p.many or p.name not in place.used]
        for first, second in PAIRS:
            one, two = _named(options, first), _named(options, second)
            if one is None or two is None:
                continue
            if len(place.of(one)) > len(place.of(two)):
                return [two]
            options = [p for p in options if p is not two]
        return options

    # -- values

    def _values(
        self, command: Command, place: Place, param: Param, word: str
    ) -> tuple[Candidate, ...]:
        """The values of a parameter that begin with `word`."""
        kind = param.kind
        taken = set(place.of(param))
        if kind is Kind.PATTERN:
            return values.patterns(self.fleet.peers, word)
        if kind is Kind.FILE:
            return values.files(word, self.cwd)
        found: Iterable[Candidate]
        if kind is Kind.COMMAND:
            found = values.commands(self.commands)
        elif kind in _STATES:
            if not param.flags:
                taken |= set(place.words)
            found = values.states(self._peers(command, place), kind)
        elif kind is Kind.ARG_NAME:
            found = values.arg_names(self._abouts(command, place), place.words)
        elif kind is Kind.TAG:
            found = values.tags(self.fleet.peers)
        elif kind is Kind.MACHINE:
            found = values.ids(self.fleet.peers)
        elif param.choices:
            found = [values.Candidate(word, param.help, param.name) for word in param.choices]
        else:
            found = self._arg_values(command, place, param)
            taken = set()
        return _fitting((one for one in found if one.text not in taken), word)

    def _arg_values(self, command: Command, place: Place, param: Param) -> Iterator[Candidate]:
        """What the field may be that the last `--arg` has named."""
        first = next((a for a, b in PAIRS if b in param.flags), "")
        names = _named(command.params, first)
        if names is None or names.kind is not Kind.ARG_NAME:
            return iter(())
        given, at = place.of(names), len(place.of(param))
        name = given[at] if at < len(given) else ""
        return values.arg_values(self._abouts(command, place), name)

    def _peers(self, command: Command, place: Place) -> list[Peer]:
        """The machines that the line names; all of them if it can't name any."""
        param = next((p for p in command.params if p.kind is Kind.PATTERN and not p.flags), None)
        if param is None:
            return [peer for peer in self.fleet.peers if peer.was_ready]
        found = (values.chosen(self.fleet, pattern) for pattern in place.of(param))
        return list({id(peer): peer for peers in found for peer in peers}.values())

    def _abouts(self, command: Command, place: Place) -> list[About]:
        found = (self.about(peer) for peer in self._peers(command, place))
        return [about for about in found if about is not None]

    def _unknown(self, command: Command, place: Place) -> tuple[Peer, ...]:
        """Whom to ask before this word can be completed."""
        param = place.param
        if param is None or not place.is_value:
            return ()
        if param.kind is not Kind.ARG_NAME and not any(b in param.flags for _, b in PAIRS):
            return ()
        peers = self._peers(command, place)
        return tuple(peer for peer in peers if peer.is_ready and self.about(peer) is None)


def _named(params: Iterable[Param], flag: str) -> Param | None:
    return next((param for param in params if flag in param.flags), None)


def _fitting(candidates: Iterable[Candidate], word: str) -> tuple[Candidate, ...]:
    """Those that begin with the word, whatever its case."""
    small = word.lower()
    return tuple(one for one in candidates if one.text.lower().startswith(small))


def _fitting_flags(params: Iterable[Param], word: str) -> list[Candidate]:
    """Long names whatever their case; short ones, which differ by it, as they are."""
    small, found = word.lower(), []
    for param in params:
        longs = [flag for flag in param.flags if flag.startswith("--")]
        is_short = len(word) == 2 and not word.startswith("--")
        if any(flag.lower().startswith(small) for flag in longs) or (
            is_short and word in param.flags
        ):
            found.append(values.flag(param))
        elif param.kind is Kind.SWITCH and small.startswith("--no"):
            found += [one for one in values.negations(param) if one.text.startswith(small)]
    return found


def _typed(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """As they must be typed, each once."""
    seen: set[str] = set()
    for one in candidates:
        if one.text not in seen:
            seen.add(one.text)
            yield one.as_typed(quoted(one.text))
