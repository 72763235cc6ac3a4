"""What users stated of themselves or asked to keep, across conversations, in any LangGraph store.

A memory is one statement in its user's own words, with the thread and turn it came from. It is no source: an answer that rests
on one says so. Of two statements of the same fact the later holds, and the former is deleted.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from langgraph.store.base import BaseStore, Item, PutOp

from rag_agent.answers import Remembered
from rag_agent.errors import MemoryNotFoundError, ModelError, SettingsError
from rag_agent.index.background import Scale, scale_of
from rag_agent.memory.statements import Statement, asks_of_other, is_wish, replaces, share_of

__all__ = ["Memories", "Mind"]

BEARS = 0.5
"""Least score of a memory that answers a question; scripts/eval_memories.py measures it."""
HELPS = 0.35
"""Least score of one that a model is told while it answers."""
_WORDS = 0.35  # what the share of a question's words that a memory holds adds to the cosine
_PAGE = 500
_ROOT = "memories"


@dataclass(frozen=True)
class Found:
    """A memory, and how well it bears on a question."""

    memory: Remembered
    score: float


class Mind:
    """How statements are compared: by an embedding model, where there is one, and by their words."""

    def __init__(self, embeddings: Embeddings | None, scale: Callable[[], Scale | None] | None = None) -> None:
        """Compare by these embeddings; `scale` tells what their cosines mean, which is measured where it is left out."""
        self._embeddings = embeddings
        self._scale = scale
        self._measured: Scale | None = None

    def likeness(self, text: str, others: Sequence[str]) -> list[float] | None:
        """The cosine of a text to each of some others, on the common scale; None where there is no model that can tell."""
        if self._embeddings is None or not others:
            return None
        try:
            return self._cosines(self._embeddings, text, others)
        except ModelError:  # not on this machine: the words have to do
            return None

    def _cosines(self, embeddings: Embeddings, text: str, others: Sequence[str]) -> list[float] | None:
        scale = self._read()
        if scale is None:
            return None
        one = np.asarray(embeddings.embed_query(text), np.float64)
        rows = np.asarray(embeddings.embed_documents(list(others)), np.float64)
        lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(one)
        found: list[float] = np.asarray(scale(rows @ one / np.maximum(lengths, 1e-9))).tolist()
        return found

    def _read(self) -> Scale | None:
        if self._scale is not None:
            return self._scale()
        if self._measured is None and self._embeddings is not None:
            own = getattr(self._embeddings, "rag_agent_name", "") == "embedded"
            self._measured = Scale() if own else scale_of(self._embeddings)
        return self._measured


class Memories:
    """The memories of one user: list, add, correct, forget, recall.

    Works over any LangGraph store, with or without an index of its own: what is compared is read and compared here.
    """

    def __init__(self, store: BaseStore, user: str, mind: Mind) -> None:
        """Name the store, whose memories these are, and how statements are compared.

        Raises:
            SettingsError: The user has no name.
        """
        if not user.strip():
            raise SettingsError("the user is empty; name whose memories are meant, or leave the user out")
        self._store = store
        self._mind = mind
        # One length for all: stores find what lies under a namespace by how its name begins, and no name begins another.
        self._namespace = (_ROOT, hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()[:32])

    def list(self) -> Sequence[Remembered]:
        """All of them, oldest first."""
        found = [_memory(item) for item in self._items()]
        return sorted(found, key=lambda memory: (memory.time, memory.id))

    def add(
        self, statement: str | Statement, *, thread_id: str | None = None, turn: int | None = None
    ) -> tuple[Remembered, Sequence[Remembered]]:
        """Keep a statement, in place of those that say the same thing otherwise.

        Args:
            statement: In the user's own words.
            thread_id: The conversation it was said in.
            turn: Which turn of it, counted from 1.

        Returns:
            The memory, and those whose place it took.

        Raises:
            SettingsError: There is no text.
        """
        given = statement if isinstance(statement, Statement) else Statement(statement, True, is_wish(statement))
        text = " ".join(given.text.split())
        if not text:
            raise SettingsError("the statement is empty; write what is to be remembered")
        with self._alone():
            before = self.list()
            likenesses = self._mind.likeness(text, [memory.text for memory in before]) or [0.0] * len(before)
            former = [old for old, like in zip(before, likenesses, strict=True) if replaces(given, old.text, like)]
            made = Remembered(uuid.uuid4().hex[:12], text, thread_id, turn, datetime.now(UTC).isoformat())
            self._write(made, former)
        return made, former

    def edit(self, memory_id: str, text: str) -> Remembered:
        """Correct a memory: the former wording is deleted.

        Raises:
            MemoryNotFoundError: There is no such memory.
            SettingsError: There is no text.
        """
        if not text.strip():
            raise SettingsError("the statement is empty; write what is to be remembered")
        old = self.get(memory_id)
        made = Remembered(old.id, " ".join(text.split()), None, None, datetime.now(UTC).isoformat())
        self._write(made, [])
        return made

    def get(self, memory_id: str) -> Remembered:
        """The memory of an ID, or of the beginning of one.

        Raises:
            MemoryNotFoundError: There is none, or several begin so.
        """
        found = [memory for memory in self.list() if memory_id and memory.id.startswith(memory_id)]
        if len(found) != 1:
            raise MemoryNotFoundError(f"there is no one memory '{memory_id}'; `rag-agent memories list` names them")
        return found[0]

    def delete(self, memories: Sequence[Remembered]) -> None:
        """Delete memories from the store; the turns they came from stay."""
        self._store.batch([PutOp(self._namespace, memory.id, None) for memory in memories])

    def recall(self, question: str, k: int = 5, least: float = BEARS) -> Sequence[Found]:
        """The memories that bear on a question, the best first.

        Args:
            question: What they are to bear on.
            k: How many at most.
            least: The score they must reach: the cosine, and what the share of the question's words in them adds.
        """
        kept = [memory for memory in self.list() if not is_wish(memory.text)]
        shares = [share_of(question, memory.text) for memory in kept]
        likenesses = self._mind.likeness(question, [memory.text for memory in kept])
        scores = [like + _WORDS * share for like, share in zip(likenesses, shares, strict=True)] if likenesses else shares
        scored = [Found(memory, score) for memory, score in zip(kept, scores, strict=True)]
        bearing = [found for found in scored if found.score >= least and not asks_of_other(question, found.memory.text)]
        return sorted(bearing, key=lambda found: -found.score)[:k]

    def any(self) -> bool:
        """Whether there is one."""
        return bool(self._store.search(self._namespace, limit=1))

    def wishes(self) -> Sequence[Remembered]:
        """Those that are wishes for all answers to come."""
        return [memory for memory in self.list() if is_wish(memory.text)]

    # --- parts -----------------------------------------------------------------------------------------------------------

    def _items(self) -> Iterator[Item]:
        offset = 0
        while found := self._store.search(self._namespace, limit=_PAGE, offset=offset):
            yield from (item for item in found if tuple(item.namespace) == self._namespace)
            offset += len(found)
            if len(found) < _PAGE:
                return

    def _alone(self) -> AbstractContextManager[Any]:
        """Nobody else writes this user's memories meanwhile: other threads and processes, where the store can tell."""
        hold: Callable[[str], AbstractContextManager[Any]] | None = getattr(self._store, "hold", None)
        return hold(self._namespace[1]) if hold else nullcontext()

    def _write(self, made: Remembered, former: Sequence[Remembered]) -> None:
        value = {"text": made.text, "thread_id": made.thread_id, "turn": made.turn, "time": made.time}
        gone = [PutOp(self._namespace, old.id, None) for old in former]
        self._store.batch([PutOp(self._namespace, made.id, value), *gone])


def _memory(item: Item) -> Remembered:
    value: dict[str, Any] = item.value
    return Remembered(item.key, str(value["text"]), value.get("thread_id"), value.get("turn"), str(value.get("time", "")))
