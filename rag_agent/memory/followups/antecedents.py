"""What the words that point back stand for: the state of a conversation, and the choice of an antecedent by type."""

import re
from dataclasses import dataclass, replace

from rag_agent.memory.followups.phrases import Phrase, is_relational, looks_plural, names, own_anchors, phrases, singular, tokens
from rag_agent.memory.followups.words import (
    ARTICLES,
    COMPARING,
    PREPOSITIONS,
    WHO,
    Language,
)

_READ = 2000  # characters of a question or an answer that are looked at


@dataclass(frozen=True)
class State:
    """What a conversation is about so far.

    Attributes:
        focus: What "it" or "they" would stand for now; two after a comparison.
        question: Last question, its pointers resolved.
        answer: Last answer, "" where there is none.
        anchors: Every phrase seen that names something, oldest first.
        turns: Turns read.
    """

    focus: tuple[str, ...] = ()
    question: str = ""
    answer: str = ""
    anchors: tuple[Phrase, ...] = ()
    turns: int = 0


@dataclass(frozen=True)
class Rewriting:
    """A turn said in full.

    Attributes:
        query: The full question.
        carried: What was put in from the conversation.
        pointed: A pronoun was resolved: the conversation stays on what it stood for.
        replaces: The turn changed the subject of the question before ("what about X?"): the query is the new stand-alone question.
    """

    query: str
    carried: tuple[str, ...]
    pointed: bool = False
    replaces: bool = False


def focus_of(question: str, language: Language) -> tuple[str, ...]:
    """Choose what a stand-alone question is about: the X of "the types of X", else its first naming phrase.

    Returns:
        One text, two where the question compares two things, () where it names nothing.
    """
    found = phrases(question, language)
    naming = [phrase for phrase in found if not phrase.empty and not _counted(question, phrase)]
    anchors = [phrase for phrase in naming if not phrase.relational]
    if not naming:
        return tuple(phrase.text for phrase in found[:1])
    if len(anchors) == 2 and any(token.low in COMPARING for token in tokens(question)):
        return (anchors[0].text, anchors[1].text)
    for i, phrase in enumerate(found[:-1]):
        after = found[i + 1]
        relation = phrase.relational and any(is_relational(token.low) for token in tokens(phrase.text))
        if relation and not after.empty and after.preposition and joined(question, phrase, after):
            return (after.text,)
    subjects = [phrase for phrase in naming if phrase.named and (phrase is naming[0] or not phrase.preposition)]
    return ((subjects or naming)[0].text,)


def joined(question: str, first: Phrase, second: Phrase) -> bool:
    """Say whether only prepositions and articles stand between two phrases."""
    between = [token.low for token in tokens(question[first.end : second.start])]
    return bool(between) and all(word in PREPOSITIONS or word in ARTICLES or word == "s" for word in between)


def _counted(question: str, phrase: Phrase) -> bool:
    """Recognise what is only counted: the barrels of "how many barrels"."""
    return re.search(r"\bhow (?:many|much)\s+$", question[: phrase.start], re.I) is not None


def advance(state: State, question: str, resolved: str, answer: str, kind: str, pointed: bool, language: Language) -> State:
    """Read one finished turn into the state.

    Args:
        state: Before the turn.
        question: As asked.
        resolved: As understood.
        answer: What was answered, "" where unknown.
        kind: Kind of the turn; social turns and transformations change nothing but the count.
        pointed: A pronoun was resolved, so the focus stays on what it stood for.
        language: Of the conversation.
    """
    if kind in ("chat", "transform"):
        return replace(state, turns=state.turns + 1)
    mine = own_anchors(question[:_READ], language)
    focus = state.focus
    if kind == "standalone":
        focus = focus_of(question[:_READ], language) or state.focus
    elif any(token.low in COMPARING for token in tokens(question[:_READ])) and mine and state.focus:
        focus = (state.focus[0], mine[0].text)
    return State(focus, resolved[:_READ], answer[:_READ], (*state.anchors, *mine), state.turns + 1)


def same_words(part: str, whole: str) -> bool:
    """Say whether every word of `part` is in `whole`, singular and lower case."""
    return {singular(t.low) for t in tokens(part)} <= {singular(t.low) for t in tokens(whole)}


def _people(text: str, language: Language) -> list[str]:
    """Names that look like a person's: two to four capitalised words, no digit, no "the" before."""
    apart = [part for name in names(text, language) for part in re.split(r"\s(?:and|en|y|et|und)\s", name)]
    found = [name for name in apart if 2 <= len(name.split()) <= 4 and not any(c.isdigit() for c in name)]
    return [
        name
        for name in found
        if not any(is_relational(word.lower()) for word in name.split())
        and f"the {name}" not in text
        and " of " not in name
        and " the " not in name
    ]


def antecedents(kind: str, low: str, state: State, language: Language) -> tuple[str, ...]:
    """Choose what a pointing word stands for, by its type.

    Args:
        kind: From `pointer_kind`.
        low: The word, lower case.
        state: The conversation before this turn.
        language: Of the conversation.

    Returns:
        The texts it stands for, best guess only; () where the conversation holds none.
    """
    first = next((token.low for token in tokens(state.question)), "")
    asked = own_anchors(state.question, language)
    new_people = [name for name in _people(state.answer, language) if not same_words(name, state.question)]
    if kind == "person":
        in_question = [phrase.text for phrase in reversed(asked) if phrase.named and not phrase.article]
        defined = len(asked) == 1 and asked[0].named and len(tokens(state.question)) <= 3 + len(asked[0].text.split())
        if first in WHO and not defined and new_people:
            return (new_people[0],)
        people = [text for text in in_question if _people(f"x {text}", language)]
        earlier = [p.text for p in reversed(state.anchors) if p.named and _people(f"x {p.text}", language)]
        focused = [text for text in state.focus if any(c.isupper() for c in text)]
        for choice in (people, new_people[:1], focused, in_question, earlier, list(state.focus)):
            if choice:
                return (choice[0],)
        return ()
    if kind == "place":
        anchors = [p for p in state.anchors if p.named]
        places = [p for p in anchors if p.preposition in {"in", "at", "to", "from"}] or anchors
        named = [text for text in state.focus if any(c.isupper() for c in text)]
        return (named[0],) if named else (places[-1].text,) if places else state.focus[:1]
    plural = low in language.plural or low in {"these", "those"}
    if plural and first in WHO and len(new_people) > 1:
        return tuple(new_people[:2])
    if first in {"which", "what"} and state.answer and not plural:
        answer_names = names(state.answer.split("\n")[0], language)
        asks_for_name = first == "which" or _what_noun(state.question, language)
        if asks_for_name and answer_names and not same_words(answer_names[0], state.question):
            return (answer_names[0],)
    if plural and len(state.focus) == 1 and not looks_plural(state.focus[0]):
        several = [phrase.text for phrase in asked if not phrase.named and not phrase.empty and looks_plural(phrase.text)]
        return tuple(several[:1]) or state.focus
    return state.focus if plural else state.focus[:1]


def _what_noun(question: str, language: Language) -> bool:
    """Recognise "what company built ...": a noun directly after the question word, so that the answer is one such thing."""
    found = tokens(question)
    return len(found) > 2 and found[0].low == "what" and found[1].low not in language.function
