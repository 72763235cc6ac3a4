"""Which past answers rest on files that have changed since."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from rag_agent.answers import Answer, Citation
from rag_agent.documents import Reader, Unreadable
from rag_agent.memory.transcript import Turn

Fate = Literal["changed", "gone"]


@dataclass(frozen=True)
class StaleAnswer:
    """An answer that cites what is no longer there. `RagAgent(stale.docs).ask(stale.answer.query)` asks it again."""

    thread_id: str
    turn: int
    """Counted from 1."""
    question: str
    answer: Answer
    docs: str
    files: dict[str, Fate]
    """What became of the files."""


def stale_answers(conversations: Iterable[tuple[str, Sequence[Turn]]]) -> list[StaleAnswer]:
    """The answers whose cited files do not say any more what they said.

    Args:
        conversations: Thread IDs and their turns.
    """
    found = []
    with Reader() as reader:
        files = _Files(reader)
        for thread_id, turns in conversations:
            for number, turn in enumerate(turns, start=1):
                if fates := files.fates(turn):
                    found.append(StaleAnswer(thread_id, number, turn.question, turn.answer, str(turn.docs), fates))
    return found


def quote_stands(reader: Reader, docs: str, citation: Citation) -> bool:
    """Whether a file of some documents says now what a citation quotes, at its place."""
    root = Path(docs)
    if not _within(citation.file):
        return False
    path = (root.parent if root.is_file() else root) / citation.file
    try:
        text = reader.read(Path(os.path.realpath(path))).text
    except (Unreadable, OSError):
        return False
    return bool(citation.quote) and text[citation.start : citation.end] == citation.quote


def _within(file: str) -> bool:
    """Whether a file's name leads nowhere but into the folder that it is put behind."""
    path = PurePosixPath(file)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in file


class _Files:
    """Files as they are now, read as the index reads them: what was hashed is the text, of whatever format. Each is read once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[str, str | Fate] = {}

    def fates(self, turn: Turn) -> dict[str, Fate]:
        """What became of the files that a turn's answer cites; files that are as they were are not named."""
        if turn.docs is None:
            return {}
        root = Path(turn.docs)
        folder = root.parent if root.is_file() else root
        # The names may come from an import: what does not lie in the documents' folder is none of their files.
        now = {file: self._now(str(folder / file)) if _within(file) else "gone" for file in turn.files}
        return {file: "gone" if now[file] == "gone" else "changed" for file, then in turn.files.items() if now[file] != then}

    def _now(self, path: str) -> str:
        """The hash of a file's text; its fate where it cannot be read any more."""
        if path not in self._known:
            self._known[path] = self._hash(path) if os.path.exists(path) else "gone"
        return self._known[path]

    def _hash(self, path: str) -> str:
        try:
            # The index follows links; the reader, safe against files that are swapped under it, does not.
            text = self._reader.read(Path(os.path.realpath(path))).text
        except Unreadable:
            return "changed"
        return hashlib.sha256(text.encode()).hexdigest()
