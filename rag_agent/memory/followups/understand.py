"""Read a new turn in the light of the conversation, without a model.

A turn is a follow-up where something in it points outside itself: a pronoun without an antecedent in the same turn, a part of a
question ("what about X?"), a pick ("the second one"), a correction, or a question that names nothing and repeats nothing. What it
points at is in the last answer or is what the conversation is about, which is found by reading the earlier turns in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from rag_agent.language import Talk
from rag_agent.memory.followups.antecedents import State, focus_of
from rag_agent.memory.followups.phrases import content, names, talk_of, tokens
from rag_agent.memory.followups.remarks import is_transformation, names_language, recall_of, remark_of, word_limit
from rag_agent.memory.followups.rewriting import Rewriting, rewrite

_TURNS = 30  # latest turns that are read for what the conversation is about
_LONGEST = 400  # characters; a longer turn says enough by itself
_READ = 2000  # characters of an answer that are looked at
_QUESTIONS = 3  # earlier questions that stand beside a follow-up in its second query
_EVIDENCE = 400  # characters of the last answer that stand beside it in the third
_PEOPLE = 20

Kind = Literal["standalone", "followup", "why", "transform", "source", "chat"]


@dataclass(frozen=True)
class Turn:
    """One finished turn of a conversation.

    Attributes:
        question: As the user typed it.
        answer: What was said, in the words of the documents where it stands on quotes.
        refused: It was not answered: it says nothing of what the conversation is about.
    """

    question: str
    answer: str = ""
    refused: bool = False


@dataclass(frozen=True)
class Understood:
    """A turn as understood.

    Attributes:
        kind: What to do with it: search ("standalone", "followup", "why"), work on the last answer ("transform"), tell where
            that comes from ("source"), or talk ("chat").
        query: The question to search for and to show; the turn itself unless `kind` is "followup" or "why".
        queries: Queries and weights for reciprocal rank fusion, the strongest first; () where no search is needed. The first is
            `query`, or the turn as typed where nothing in it points outside it, so that it may as well stand alone.
        max_words: The number of words a transformation may have, None where it names none.
        sure: It cannot stand alone, or does so plainly; false for a follow-up that may as well stand alone.
    """

    kind: Kind
    query: str
    queries: tuple[tuple[str, float], ...] = ()
    max_words: int | None = None
    sure: bool = True


def understand(question: str, history: Sequence[Turn] = ()) -> Understood:
    """Understand a turn of a conversation without a model.

    Args:
        question: The new turn.
        history: Earlier turns, the oldest first; without answers it works on the questions alone.

    Returns:
        The kind of the turn, the query that says it in full, and the weighted queries to search for. A turn that needs nothing
        from the conversation comes back with `query == question`.
    """
    state = read(history)
    kind = _kind(question, state)
    if kind == "chat" or (kind == "source" and history):
        return Understood(kind, question)
    if kind == "transform" and history:
        return Understood(kind, question, max_words=word_limit(question))
    talk = _talk(question, history)
    if kind == "why" and state.question:
        why = Rewriting(f"{question} {state.question} {state.answer}"[:_EVIDENCE].strip())
        return Understood("why", why.query, _queries(question, why, state, history))
    found = rewrite(_plain(question, talk), state, talk) if history and len(question) <= _LONGEST else None
    if found is None:
        return Understood("standalone", question, queries=((question, 1.0),))
    return Understood("followup", found.query, _queries(question, found, state, history), sure=found.sure)


def own_words(question: str, history: Sequence[Turn]) -> set[str]:
    """The words of a turn that carry content of their own: "Collins" of "No, I meant Collins"."""
    talk = _talk(question, history)
    said = tokens(_plain(question, talk))
    start = next((i for i, token in enumerate(said) if token.low not in talk.meant), 0)
    return {token.text for token in said[start:] if token.low not in talk.closed | talk.meant}


def _kind(question: str, state: State) -> Kind:
    """What a turn is by its words alone; "standalone" for any question."""
    if remark := remark_of(question):
        return remark
    # "And in Dutch?" after "What is moon in French?" asks that again.
    if is_transformation(question) and not (names_language(question) and names_language(state.question)):
        return "transform"
    return "standalone"


def _talk(question: str, history: Sequence[Turn]) -> Talk:
    return talk_of(question, [turn.question for turn in history[-4:]])


def _plain(question: str, talk: Talk) -> str:
    """A turn without white space beyond single blanks, and without thanks before the question."""
    text = " ".join(question.split())
    at = next((place for place, sign in enumerate(text) if sign in ",.!"), -1)
    words = {token.low for token in tokens(text[:at])} if at > 0 else set()
    greets = bool(words) and words <= talk.yes and not words & talk.meant and text[at + 1 :].strip()
    return text[at + 1 :].strip() if greets else text


def read(history: Sequence[Turn]) -> State:
    """Read finished turns into the state of the conversation."""
    return _read(tuple(history[-_TURNS:]))


@lru_cache(maxsize=256)
def _read(history: tuple[Turn, ...]) -> State:
    """`read`, remembered: a conversation that went on by a turn costs the reading of that turn."""
    if not history:
        return State()
    state, turn = _read(history[:-1]), history[-1]
    if _kind(turn.question, state) != "standalone" or recall_of(turn.question):
        return state
    talk = _talk(turn.question, history[:-1])
    text = _plain(turn.question, talk)[:_READ]
    found = rewrite(text, state, talk) if len(text) <= _LONGEST else None
    if found and not found.sure and turn.answer and not content(state.focus, talk) <= content(turn.answer, talk):
        found = None  # the answer speaks of something else: the turn stood alone
    resolved = found.query if found else text
    if turn.refused:
        return replace(state, corrected=resolved)
    focus = found.subject or state.focus if found else focus_of(resolved, talk) or state.focus
    answer = turn.answer[:_READ]
    said = [name.text for name in (*names(resolved, talk), *names(answer, talk)) if name.is_person(talk) and not name.opening]
    people = tuple(dict.fromkeys([*said, *state.people]))[:_PEOPLE]
    return State(focus, resolved, answer, resolved, people, state.said | content(resolved, talk))


def _queries(question: str, rewriting: Rewriting, state: State, history: Sequence[Turn]) -> tuple[tuple[str, float], ...]:
    """Queries of a follow-up: said in full; with the last questions; with the last answer; first as typed, where it may stand alone.

    Repeating the question keeps it the heaviest part of the longer queries, for word counts and for vectors alike.
    """
    said = rewriting.query
    asked = " ".join([turn.question for turn in history if not turn.refused][-_QUESTIONS:])
    found = [said, f"{asked} {said} {said} {said}"]
    if state.answer:
        found.append(f"{said} {said} {state.answer[:_EVIDENCE]}")
    return tuple((text, 1.0) for text in (found if rewriting.sure else [question, *found]))
