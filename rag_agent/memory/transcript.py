"""Turns as messages, and messages as turns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from pydantic import TypeAdapter

from rag_agent.answers import Answer
from rag_agent.errors import ThreadError

ANSWER_KEY = "rag_agent"
"""Where an `Answer` travels in the metadata of its AI message: as JSON text, since every turn copies all messages before it,
and a text costs nothing to copy. (Files of earlier versions hold a dict.)"""


_ANSWERS = TypeAdapter(Answer)
_DOCS: TypeAdapter[str | None] = TypeAdapter(str | None)
_FILES: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
CITATIONS_KEY = "citations"
"""Where the citations stand in that metadata for other programs, as plain values; `[1]` in the text is the first."""


@dataclass(frozen=True)
class Turn:
    """A question and its answer."""

    question: str
    answer: Answer
    docs: str | None = None
    """The root of the documents that were asked."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The SHA-256 of the text of each file that the answer cites, as it was then."""


def turn_messages(turn: Turn) -> list[AnyMessage]:
    """A finished turn as it is kept in the state: what was asked, and the reply with its `Answer`."""
    # The passages are not kept: they are in the index, and would make up most of the file.
    answer = {**turn.answer.to_dict(), "context": []}
    kept: dict[str, Any] = {"answer": answer, "docs": turn.docs, "files": dict(turn.files)}
    text = json.dumps(kept, ensure_ascii=False)
    citations = [citation.to_dict() for citation in turn.answer.citations]
    told = AIMessage(turn.answer.text, additional_kwargs={ANSWER_KEY: text, CITATIONS_KEY: citations})
    return [HumanMessage(turn.question), told]


def turns(messages: Iterable[AnyMessage | BaseMessage]) -> list[Turn]:
    """The finished turns among some messages; messages of other programs count as plain chat."""
    return [_turn(question, reply) for question, reply in pairs(messages)]


def pairs(messages: Iterable[AnyMessage | BaseMessage]) -> list[tuple[HumanMessage, AIMessage]]:
    """The questions and replies of the finished turns. A reply that only calls tools finishes nothing."""
    found: list[tuple[HumanMessage, AIMessage]] = []
    question: HumanMessage | None = None
    for message in messages:
        if isinstance(message, HumanMessage):
            question = message
        elif isinstance(message, AIMessage) and question is not None and not message.tool_calls:
            found.append((question, message))
            question = None
    return found


def last_turns(messages: Sequence[AnyMessage | BaseMessage], count: int) -> list[Turn]:
    """The latest finished turns, without reading those before them."""
    questions = 0
    for place in range(len(messages) - 1, -1, -1):
        questions += isinstance(messages[place], HumanMessage)
        if questions > count:
            return turns(messages[place + 1 :])[-count:]
    return turns(messages)[-count:]


def count_turns(messages: Any) -> int | None:
    """How many finished turns a channel holds; None for a channel that holds no messages."""
    if not isinstance(messages, list) or not all(isinstance(message, BaseMessage) for message in messages):
        return None
    return len(pairs(messages))


def first_question(messages: Any) -> str | None:
    """The first question of a channel that holds messages."""
    if not isinstance(messages, list):
        return None
    asked = next((str(message.text) for message in messages if isinstance(message, HumanMessage)), None)
    return asked.encode("utf-8", "replace").decode() if asked else None


def _turn(question: HumanMessage, reply: AIMessage) -> Turn:
    kept = reply.additional_kwargs.get(ANSWER_KEY)
    if not kept:
        return Turn(str(question.text), Answer(str(reply.text), "chat", question=str(question.text)))
    try:
        values = json.loads(kept) if isinstance(kept, str) else kept
        # Whoever can write the file, or an export, can write anything: only what has the types of an answer is one.
        answer = _ANSWERS.validate_python({name: value for name, value in values["answer"].items() if name != "refused"})
        return Turn(
            str(question.text), answer, _DOCS.validate_python(values["docs"]), _FILES.validate_python(values.get("files", {}))
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        said = str(error).partition("\n")[0]
        raise ThreadError(f"a stored answer is not what was written ({said}); delete the thread, or rewind it") from error
