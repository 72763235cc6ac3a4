"""Memories as a model is told them, and those that its reply rests on."""

from collections.abc import Iterator, Sequence

from langchain_core.messages import SystemMessage

from rag_agent import prompts
from rag_agent.answers import Remembered
from rag_agent.grounding.template import neutralise
from rag_agent.memory.statements import words_of

__all__ = ["memories_text", "resting", "with_memories"]


def memories_text(memories: Sequence[Remembered]) -> str:
    """Memories as a part of a prompt, marked as what they are; "" where there are none."""
    lines = [prompts.REMEMBERED_LINE.format(text=neutralise(one.text)) for one in memories]
    return "\n".join([prompts.REMEMBERED, *lines]) if lines else ""


def with_memories(role: SystemMessage, memories: Sequence[Remembered]) -> SystemMessage:
    """A role that knows some memories."""
    told = memories_text(memories)
    return SystemMessage(f"{role.text}\n\n{told}") if told else role


def resting(reply: str, question: str, memories: Sequence[Remembered]) -> Iterator[tuple[int, Remembered]]:
    """The memories of which a reply says something that the question does not, with their numbers from 1."""
    said = words_of(reply) - words_of(question)
    for number, memory in enumerate(memories, start=1):
        if words_of(memory.text) & said:
            yield number, memory
