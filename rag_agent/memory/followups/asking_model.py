"""A follow-up said in full by a capable model: what it is asked, and whether its words can be used."""

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from rag_agent import prompts
from rag_agent.grounding.template import neutralise
from rag_agent.index.tokens import Analyser
from rag_agent.language import sentences
from rag_agent.memory.followups.understand import Turn, own_words

_ANSWER, _LAST_ANSWER = 400, 2000  # characters of an answer, and of the last one, that are shown
_LONGER, _SHORTEST = 3, 60  # a rewriting has at most so many times the characters of the turn, or of so many
_MARKS = ("?", "？", "؟")


def rewriting_prompt(question: str, history: Sequence[Turn]) -> list[BaseMessage]:
    """What to ask a model for the stand-alone form of a question.

    Args:
        question: As typed.
        history: The turns to show, the oldest first; the answer of the last one whole as far as it goes.
    """
    # Answers are made of documents, so their text is data here too.
    lengths = [_ANSWER] * (len(history) - 1) + [_LAST_ANSWER]
    told = "\n".join(
        prompts.REWRITE_TURN.format(question=turn.question, answer=neutralise(turn.answer[:length]))
        for turn, length in zip(history, lengths, strict=True)
    )
    return [SystemMessage(prompts.REWRITE_SYSTEM), HumanMessage(prompts.REWRITE.format(conversation=told, question=question))]


def usable_rewriting(reply: str, question: str, history: Sequence[Turn]) -> str | None:
    """The question that a model made of a turn, or None where it is not one, or says what nobody said.

    It must be a single sentence, a question if the turn was one, not much longer than it, none that was asked before; its content
    words must be those of the turn and the conversation, and those of the turn must all be there.
    """
    text = reply.strip().strip("\"'“”").strip()
    if "\n" in text or len(text) > _LONGER * max(len(question), _SHORTEST) or len(sentences(text)) != 1:
        return None
    if question.rstrip().endswith(_MARKS) and not text.endswith(_MARKS):
        return None
    said = [part for turn in history for part in (turn.question, turn.answer)]
    analyser = Analyser.detect([question, *said])
    words = set(analyser.query_terms(text))
    asked = [set(analyser.query_terms(one)) for one in (question, *(turn.question for turn in history))]
    known = {term for part in (question, *said) for term in analyser.terms(part)}
    own = {term for word in own_words(question, history) for term in analyser.terms(word)}
    return text if words <= known and own <= set(analyser.terms(text)) and words not in asked else None
