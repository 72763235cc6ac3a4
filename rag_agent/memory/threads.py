"""Conversations as things one can list, read and delete."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from rag_agent.errors import ThreadError
from rag_agent.memory.transcript import Turn, turns


@dataclass(frozen=True)
class ThreadSummary:
    """A line of `threads list`."""

    thread_id: str
    title: str
    """The first question."""
    turns: int
    last_used: str
    """Date and time of the last turn, ISO 8601, UTC."""


class Threads:
    """The conversations of one checkpointer."""

    def __init__(self, checkpointer: BaseCheckpointSaver[Any]) -> None:
        self._checkpointer = checkpointer

    def list(self) -> Sequence[ThreadSummary]:
        """All conversations that hold a finished turn, the last used first."""
        latest: dict[str, ThreadSummary] = {}
        seen: set[str] = set()
        for kept in self._checkpointer.list(None):  # newest first
            thread_id = str(kept.config["configurable"]["thread_id"])
            if thread_id in seen or kept.config["configurable"].get("checkpoint_ns"):
                continue
            seen.add(thread_id)
            if told := turns(kept.checkpoint["channel_values"].get("messages", [])):
                latest[thread_id] = ThreadSummary(thread_id, told[0].question, len(told), kept.checkpoint["ts"])
        return sorted(latest.values(), key=lambda thread: thread.last_used, reverse=True)

    def show(self, thread_id: str) -> Sequence[Turn]:
        """The turns of a conversation, oldest first.

        Raises:
            ThreadError: There is no such conversation.
        """
        kept = self._checkpointer.get_tuple({"configurable": {"thread_id": thread_id}})
        found = turns(kept.checkpoint["channel_values"].get("messages", [])) if kept else []
        if not found:
            raise ThreadError(f"there is no thread '{thread_id}'; `rag-agent threads list` shows those there are")
        return found

    def delete(self, thread_id: str) -> None:
        """Forget a conversation.

        Raises:
            ThreadError: There is no such conversation.
        """
        if self._checkpointer.get_tuple({"configurable": {"thread_id": thread_id}}) is None:
            raise ThreadError(f"there is no thread '{thread_id}'; `rag-agent threads list` shows those there are")
        self._checkpointer.delete_thread(thread_id)
