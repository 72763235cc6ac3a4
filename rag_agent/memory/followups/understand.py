"""Read a new turn in the light of the conversation: stand-alone, follow-up, transformation of the last answer, or chat.

No model is called. A turn is a follow-up when something in it points outside itself: a pronoun without an antecedent in the same
turn, an ellipsis ("why?", "what about X?"), a pick from a list ("the second one"), a correction, or a noun that says nothing without
an "of what" ("the symptoms"). What it points at is the focus of the conversation, kept by reading the earlier turns in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rag_agent.memory.followups.antecedents import Rewriting, State, advance
from rag_agent.memory.followups.phrases import language_of
from rag_agent.memory.followups.recalls import recall_of
from rag_agent.memory.followups.rewriting import rewrite
from rag_agent.memory.followups.transforms import is_chat, is_transformation, other_language, word_limit

_TURNS = 30  # latest turns that are read for what the conversation is about
_QUESTIONS = 3  # earlier questions that stand beside a follow-up in its second query
_EVIDENCE = 400  # characters of the last answer that stand beside it in the third

Kind = Literal["standalone", "followup", "transform", "chat"]


@dataclass(frozen=True)
class Turn:
    """One finished turn of a conversation.

    Attributes:
        question: As the user typed it.
        answer: As shown; leave it "" for a refusal, which is evidence of nothing.
    """

    question: str
    answer: str = ""


@dataclass(frozen=True)
class Understood:
    """A turn as understood.

    Attributes:
        kind: What to do with it.
        query: The question to search for and to show; the turn itself, untouched, unless `kind` is "followup".
        carried: Texts taken over from the conversation into `query`.
        queries: Queries and weights for reciprocal rank fusion, the strongest first; () where no search is needed.
        max_words: The number of words a transformation may have, None where it names none.
    """

    kind: Kind
    query: str
    carried: tuple[str, ...] = ()
    queries: tuple[tuple[str, float], ...] = ()
    max_words: int | None = None


def understand(question: str, history: Sequence[Turn] = ()) -> Understood:
    """Understand a turn of a conversation without a model.

    Args:
        question: The new turn.
        history: Earlier turns, the oldest first; without answers it works on the questions alone.

    Returns:
        The kind of the turn, the query that says it in full, and the weighted queries to search for. A turn that needs nothing from the
        conversation comes back with `query == question`.
    """
    if is_chat(question):
        return Understood("chat", question)
    language = language_of([turn.question for turn in history[-4:]] + [question])
    state = read(history)
    if history and is_transformation(question) and not other_language(question, state.question):
        return Understood("transform", question, max_words=word_limit(question))
    rewriting = rewrite(question, state, language) if history else None
    if rewriting is None:
        return Understood("standalone", question, queries=((question, 1.0),))
    return Understood("followup", rewriting.query, rewriting.carried, _queries(question, rewriting, history))


def read(history: Sequence[Turn]) -> State:
    """Read finished turns into the state of the conversation."""
    return _read(tuple(history[-_TURNS:]))


@lru_cache(maxsize=256)
def _read(history: tuple[Turn, ...]) -> State:
    """`read`, remembered: a conversation that went on by a turn costs the reading of that turn."""
    if not history:
        return State()
    state, turn, first = _read(history[:-1]), history[-1], len(history) == 1
    language = language_of([earlier.question for earlier in history[-4:]])
    kind: Kind = "standalone"
    rewriting: Rewriting | None = None
    if is_chat(turn.question) or (not first and recall_of(turn.question)):
        kind = "chat"
    elif not first and is_transformation(turn.question) and not other_language(turn.question, state.question):
        kind = "transform"
    elif not first:
        rewriting = rewrite(turn.question, state, language)
        kind = "followup" if rewriting else "standalone"
    resolved = rewriting.query if rewriting else turn.question
    if rewriting and rewriting.replaces:
        kind, question = "standalone", rewriting.query
    else:
        question = turn.question
    return advance(state, question, resolved, turn.answer, kind, bool(rewriting and rewriting.pointed), language)


def _queries(question: str, rewriting: Rewriting, history: Sequence[Turn]) -> tuple[tuple[str, float], ...]:
    """Weighted queries of a follow-up: said in full; with the last questions; with the last answer's evidence.

    Repeating the full question keeps it the heaviest part of the longer queries, for word counts and for vectors alike. The bare
    question is not among them: it ranks by words that mean nothing without the conversation.
    """
    said = rewriting.query
    asked = " ".join(turn.question for turn in history[-_QUESTIONS:])
    found = [(said, 1.0), (f"{asked} {said} {said} {said}", 0.5)]
    if history[-1].answer:
        found.append((f"{said} {said} {history[-1].answer[:_EVIDENCE]}", 0.5))
    return tuple(found)
