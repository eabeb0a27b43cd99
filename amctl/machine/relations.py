"""Relation resolution (REL-*): from called and active states to target states."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.machine.compiled import Compiled

__all__ = ["ADD", "REMOVE", "SET", "Resolver"]

ADD, REMOVE, SET = 0, 1, 2


class Resolver:
    """Resolves over lists (order matters) with masks deciding what needs a look."""

    __slots__ = ("schema",)

    def __init__(self, schema: Compiled) -> None:
        self.schema = schema

    def targets(
        self,
        kind: int,
        called: tuple[int, ...],
        called_mask: int,
        active: tuple[int, ...],
        active_mask: int,
    ) -> tuple[list[int], int]:
        """The target states in order, and as a mask.

        Args:
            kind: ADD, REMOVE or SET.
            called: Indexes in the order of the call, unique.
            called_mask: The same as a mask.
            active: Indexes in the order of the last targets (NAM-4).
            active_mask: The same as a mask.
        """
        sch = self.schema
        if kind == ADD:
            mask = called_mask | active_mask
            items = (
                [*called, *active]
                if not called_mask & active_mask
                else [*called, *[i for i in active if not called_mask >> i & 1]]
            )
        elif kind == REMOVE:
            mask = active_mask & ~called_mask
            items = [i for i in active if mask >> i & 1]
        else:
            mask = called_mask
            items = list(called)
        banned = called_mask if kind == REMOVE else 0
        implying = sch.has_add & (~active_mask | sch.multi)

        if mask & implying:
            extra, mask = self._implied(items, mask, implying, banned)
            items += extra
        if mask & sch.has_require:
            mask, items = self._require(mask, items)
        pruned = mask  # no requirement is missing here

        # blocking, from the end: later elements fall first, and the fallen no longer block (REL-4)
        removed = self._removed(mask) if mask & sch.has_remove else 0
        if removed & mask:
            for i in reversed(items):
                if removed >> i & 1 and sch.removed_by[i] & mask:
                    mask &= ~(1 << i)
            items = [i for i in items if mask >> i & 1]
            removed = self._removed(mask)

        # second implied pass, scanned backwards, its results go in front (REL-6)
        if mask & implying:
            extra, mask = self._implied(reversed(items), mask, implying, banned)
            mask &= ~removed
            items = [i for i in reversed(extra) if not removed >> i & 1] + items
        if mask != pruned and mask & sch.has_require:
            mask, items = self._require(mask, items)
        return self.sort(items, mask), mask

    def autos(self, active: tuple[int, ...], active_mask: int) -> tuple[int, ...]:
        """AUT-2: every inactive auto state which no active state removes, in index order."""
        sch = self.schema
        wanted = sch.auto & ~active_mask
        if wanted:
            for i in active:
                wanted &= ~sch.remove[i]
        return tuple(i for i in range(len(sch.names)) if wanted >> i & 1) if wanted else ()

    def _removed(self, mask: int) -> int:
        out, bits = 0, mask & self.schema.has_remove
        while bits:
            low = bits & -bits
            out |= self.schema.remove[low.bit_length() - 1]
            bits ^= low
        return out

    def _implied(
        self, items: Iterable[int], mask: int, implying: int, banned: int
    ) -> tuple[list[int], int]:
        extra: list[int] = []
        add = self.schema.add
        for i in items:
            if implying >> i & 1:
                for j in add[i]:
                    if not (mask | banned) >> j & 1:
                        mask |= 1 << j
                        extra.append(j)
        return extra, mask

    def _require(self, mask: int, items: list[int]) -> tuple[int, list[int]]:
        sch = self.schema
        before = mask
        while True:
            bad, bits = 0, mask & sch.has_require
            while bits:
                low = bits & -bits
                if sch.require[low.bit_length() - 1] & ~mask:
                    bad |= low
                bits ^= low
            if not bad:
                break
            mask &= ~bad
        if mask != before:
            items = [i for i in items if mask >> i & 1]
        return mask, items

    def sort(self, items: list[int], mask: int) -> list[int]:
        """By Require position, then an insertion sort by direct After (REL-9..11)."""
        sch = self.schema
        if mask & sch.positioned and len(items) > 1:
            items = sorted(items, key=sch.position.__getitem__)
        if mask & sch.has_after:
            after = sch.after
            items = list(items)
            for start in range(1, len(items)):
                at = start
                while at:
                    here, left = items[at], items[at - 1]
                    # "here" goes first when left lists it in After, unless mutual
                    if not after[left] >> here & 1 or after[here] >> left & 1:
                        break
                    items[at], items[at - 1] = left, here
                    at -= 1
        return items
