"""Which turn a question about the conversation itself asks for."""

from collections.abc import Sequence

from langchain_core.messages import AnyMessage

from rag_agent.memory.followups import recall_of
from rag_agent.memory.history import relevance
from rag_agent.memory.transcript import pairs


def recalled(question: str, messages: Sequence[AnyMessage]) -> int | None:
    """The number of the turn that a question asks for, counted from 1.

    It may be larger than the number of turns, where the question names one. None where it asks for none, or nothing was said
    about what it names: then it is a question like any other.
    """
    asked, said = recall_of(question), pairs(messages)
    if asked is None or not said:
        return None
    if not asked.about:
        number = asked.turn or asked.nth
        return number if number > 0 else len(said)
    scores = relevance(said, asked.about)
    # What was asked about the conversation repeats the words, and answers nothing by itself.
    scores = [0.0 if recall_of(str(turn.text)) else score for (turn, _), score in zip(said, scores, strict=True)]
    found = [place for place, score in enumerate(scores, start=1) if score > max(0.0, 0.5 * max(scores))]
    if not found or asked.nth > len(found):
        return None
    if asked.nth:
        return found[asked.nth - 1 if asked.nth > 0 else -1]
    return max(found, key=lambda number: (scores[number - 1], number))
