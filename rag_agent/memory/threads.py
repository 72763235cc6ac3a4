"""Conversations as things one can list, read and delete."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver

from rag_agent.answers import Answer
from rag_agent.errors import ThreadError

ANSWER_KEY = "rag_agent"
"""Where an `Answer` travels in the metadata of its AI message."""


@dataclass(frozen=True)
class Turn:
    """A question and its answer."""

    question: str
    answer: Answer
    docs: str | None = None
    """The root of the documents that were asked."""


@dataclass(frozen=True)
class ThreadSummary:
    """A line of `threads list`."""

    thread_id: str
    title: str
    """The first question."""
    turns: int
    last_used: str
    """Date and time of the last turn, ISO 8601, UTC."""


def turn_messages(turn: Turn) -> list[AnyMessage]:
    """A finished turn as it is kept in the state: what was asked, and the reply with its `Answer`."""
    # The passages are not kept: they are in the index, and would make up most of the file.
    kept: dict[str, Any] = {**turn.answer.to_dict(), "context": []}
    return [
        HumanMessage(turn.question),
        AIMessage(turn.answer.text, additional_kwargs={ANSWER_KEY: {"answer": kept, "docs": turn.docs}}),
    ]


def turns(messages: Iterable[AnyMessage | BaseMessage]) -> list[Turn]:
    """The finished turns among some messages; messages of other programs count as plain chat."""
    found: list[Turn] = []
    question: str | None = None
    for message in messages:
        if isinstance(message, HumanMessage):
            question = str(message.text)
        elif isinstance(message, AIMessage) and question is not None:
            kept = message.additional_kwargs.get(ANSWER_KEY)
            answer = Answer.from_dict(kept["answer"]) if kept else Answer(str(message.text), "chat", question=question)
            found.append(Turn(question, answer, kept["docs"] if kept else None))
            question = None
    return found


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
