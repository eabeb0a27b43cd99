"""What a command line asks of playbooks that isn't in them: tags of no task, unused variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amctl.repl.playbook.errors import NothingLeftError, near

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amctl.repl.playbook.plan import Playbook, Step, Tagged
    from amctl.repl.playbook.reading import Document

__all__ = ["check_tags", "unused"]


def check_tags(playbook: Playbook, tagged: Tagged) -> None:
    """See that a choice of tags leaves something to do.

    Raises:
        NothingLeftError: Tasks are asked for by tags, and there is none.
    """
    steps = [step for section in playbook.sections for step in section.steps]
    if not (tagged.only or tagged.skip) or not steps or any(map(tagged.takes, steps)):
        return
    words = [
        f"--{name} {','.join(sorted(tags))}"
        for name, tags in (("tags", tagged.only), ("skip-tags", tagged.skip))
        if tags
    ]
    known = {tag for step in _all(steps) for tag in step.tags}
    unknown = sorted(tagged.only - known)
    hint = near(unknown[0], known) if unknown else ""
    listed = f"there are the tags {', '.join(sorted(known))}" if known else "no task has any tag"
    raise NothingLeftError(f"no task is left by {' '.join(words)}", hint or listed)


def unused(playbook: Playbook, names: Iterable[str]) -> list[str]:
    """Those of some variables that no file of the playbook ever names."""
    documents: dict[int, Document] = {}
    for section in playbook.sections:
        documents[id(section.document)] = section.document
        for step in _all((*section.steps, *section.on_failure)):
            documents[id(step.document)] = step.document
    text = "\n".join(line for document in documents.values() for line in document.lines)
    return [name for name in names if not re.search(rf"\b{re.escape(name)}\b", text)]


def _all(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _all((*step.inner, *step.on_failure))
