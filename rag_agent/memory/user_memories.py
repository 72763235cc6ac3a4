"""`agent.memories`: what a user stated of themselves, as a thing one can list, add to, correct and forget."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.store.base import BaseStore

from rag_agent.answers import Remembered
from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.memory.locks import ThreadLocks
from rag_agent.memory.memories import BEARS, Memories, Mind
from rag_agent.memory.memory_store import MemoryStore
from rag_agent.memory.redaction import redact

__all__ = ["Forgotten", "UserMemories"]


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten, and where its words were taken out."""

    memories: Sequence[Remembered]
    threads: Sequence[tuple[str, int]] = ()
    """The conversations in which questions and replies now read "[forgotten]", and how many."""
    left: Sequence[str] = ()
    """The conversations that may still say it, since their saver cannot take words out: delete them."""


class UserMemories:
    """The memories of one user, and the conversations they came from."""

    def __init__(
        self, store: BaseStore, user: str, mind: Mind, checkpointer: BaseCheckpointSaver[Any], locks: ThreadLocks
    ) -> None:
        """Name the parts."""
        self._memories = Memories(store, user, mind)
        self._store = store
        self._checkpointer = checkpointer
        self._locks = locks

    def list(self, *, thread_id: str | None = None) -> Sequence[Remembered]:
        """All memories, oldest first, or those that came from one conversation."""
        return [one for one in self._memories.list() if thread_id is None or one.thread_id == thread_id]

    def add(self, text: str) -> Remembered:
        """Keep a statement, in place of those of the same fact.

        Raises:
            SettingsError: There is no text.
        """
        return self._memories.add(text)[0]

    def edit(self, memory_id: str, text: str) -> Remembered:
        """Give a memory another wording; the conversation it came from stays as it is.

        Raises:
            MemoryNotFoundError: There is no such memory.
            SettingsError: There is no text.
        """
        return self._memories.edit(memory_id, text)

    def recall(self, question: str, k: int = 5, *, least: float = BEARS) -> Sequence[Remembered]:
        """The memories that answer a question, best first; `least` is the score that they must reach, 0 to about 1."""
        return [found.memory for found in self._memories.recall(question, k, least)]

    def forget(self, *memory_ids: str, thread_id: str | None = None) -> Forgotten:
        """Forget memories for good, by their IDs, or all that came from a conversation.

        They are deleted from the store. Every turn that says one of them, word for word, or whose answer rests on one, is
        taken out of all conversations, their copies and checkpoints: its question and reply then read "[forgotten]". What
        other turns tell in other words stays until their thread is deleted. In the home the bytes are overwritten; a
        database deletes the rows, and its log keeps them until it is recycled.

        Raises:
            MemoryNotFoundError: There is no such memory.
        """
        gone = [self._memories.get(one) for one in memory_ids]
        if thread_id is not None:
            gone += self.list(thread_id=thread_id)
        if not gone:
            return Forgotten(())
        threads: Sequence[tuple[str, int]] = ()
        left: Sequence[str] = ()
        if isinstance(self._checkpointer, Checkpointer):
            threads = redact(self._checkpointer, self._locks, [one.text for one in gone], [one.id for one in gone])
            if threads:
                self._checkpointer.database.vacuum()
        else:
            left = sorted({one.thread_id for one in gone if one.thread_id})
        # Last: whoever is cut off before finds the memory still listed, and forgets it again.
        self._memories.delete(gone)
        if isinstance(self._store, MemoryStore):
            self._store.vacuum()
        return Forgotten(tuple(gone), threads, left)
