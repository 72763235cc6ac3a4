"""Which turns a question about the conversation itself asks for."""

from collections.abc import Sequence

from langchain_core.messages import AnyMessage

from rag_agent.memory.followups import is_transformation, recall_of, remark_of
from rag_agent.memory.history import relevance
from rag_agent.memory.transcript import pairs


def recalled(question: str, messages: Sequence[AnyMessage]) -> list[int] | None:
    """The numbers of the turns that a question asks for, counted from 1: one, or all.

    One may be larger than the number of turns, where the question names it. None where it asks for none, or nothing was said
    about what it names: then it is a question like any other.
    """
    asked, said = recall_of(question), pairs(messages)
    if asked is None or not said:
        return None
    if asked.whole:
        told = [number for number, (turn, _) in enumerate(said, start=1) if not _aside(str(turn.text))]
        return told or None
    if not asked.about:
        number = asked.turn or asked.nth
        return [number if number > 0 else len(said)]
    scores = relevance(said, asked.about)
    # What was asked about the conversation repeats the words, and answers nothing by itself.
    scores = [0.0 if recall_of(str(turn.text)) else score for (turn, _), score in zip(said, scores, strict=True)]
    found = [place for place, score in enumerate(scores, start=1) if score > max(0.0, 0.5 * max(scores))]
    if not found or asked.nth > len(found):
        return None
    if asked.nth:
        return [found[asked.nth - 1 if asked.nth > 0 else -1]]
    return [max(found, key=lambda number: (scores[number - 1], number))]


def _aside(question: str) -> bool:
    """Whether a turn says nothing that a summary of the conversation would tell."""
    return remark_of(question) is not None or recall_of(question) is not None or is_transformation(question)
