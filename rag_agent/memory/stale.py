"""Which past answers rest on files that have changed since."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag_agent.answers import Answer
from rag_agent.documents import Unreadable, read_text
from rag_agent.memory.transcript import Turn


@dataclass(frozen=True)
class StaleAnswer:
    """An answer that cites what is no longer there. `RagAgent(stale.docs).ask(stale.answer.query)` asks it again."""

    thread_id: str
    turn: int
    """Counted from 1."""
    question: str
    answer: Answer
    docs: str
    files: dict[str, Literal["changed", "gone"]]
    """What became of the files."""


def changed_files(turn: Turn, known: dict[Path, str | None] | None = None) -> dict[str, Literal["changed", "gone"]]:
    """What became of the files that a turn's answer cites; files that are as they were are not named.

    Args:
        turn: A turn.
        known: The hashes of files already read; it is added to.
    """
    if turn.docs is None:
        return {}
    known = {} if known is None else known
    root = Path(turn.docs)
    found: dict[str, Literal["changed", "gone"]] = {}
    for file, hashed in turn.files.items():
        path = (root.parent if root.is_file() else root) / file
        if path not in known:
            known[path] = _hash(path)
        if known[path] != hashed:
            found[file] = "gone" if known[path] is None else "changed"
    return found


def stale_answers(thread_id: str, turns: Iterable[Turn], known: dict[Path, str | None] | None = None) -> Iterator[StaleAnswer]:
    """The answers of a conversation whose files have changed."""
    known = {} if known is None else known
    for number, turn in enumerate(turns, start=1):
        if files := changed_files(turn, known):
            yield StaleAnswer(thread_id, number, turn.question, turn.answer, str(turn.docs), files)


def _hash(path: Path) -> str | None:
    try:
        return hashlib.sha256(read_text(path)[0].encode()).hexdigest()
    except (OSError, Unreadable):
        return None
