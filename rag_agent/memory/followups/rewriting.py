"""Say a turn in full: put what it leans on into the question, so that it can be searched for and shown."""

import re
from collections.abc import Sequence

from rag_agent.memory.followups.antecedents import Rewriting, State, antecedents, same_words
from rag_agent.memory.followups.phrases import Token, own_anchors, phrases, tokens
from rag_agent.memory.followups.pointers import pointer_kind
from rag_agent.memory.followups.relations import QUESTION_WORDS, append, insert, open_relation, repeated_head, the
from rag_agent.memory.followups.subjects import correction, language_swap, pick, with_subject
from rag_agent.memory.followups.words import (
    AUXILIARIES,
    LIGHT,
    PREPOSITIONS,
    UNSPACED_PRONOUNS,
    WHO,
    Language,
)

_LONGEST = 400  # characters; a longer turn says enough by itself


def rewrite(question: str, state: State, language: Language) -> Rewriting | None:
    """Say a turn in full.

    Args:
        question: The turn.
        state: The conversation before it.
        language: Of the conversation.

    Returns:
        None for a turn that stands alone.
    """
    if not state.question or len(question) > _LONGEST or not tokens(question):
        return None
    for attempt in (
        _unspaced,
        language_swap,
        correction,
        pick,
        _ellipsis,
        _pointers,
        repeated_head,
        open_relation,
    ):
        found = attempt(question, state, language)
        if found is not None:
            return found
    return None


def _unspaced(question: str, state: State, language: Language) -> Rewriting | None:
    """Scripts without spaces: a pronoun inside, or a very short turn, leans on the question before."""
    unspaced = re.search(r"[\u3040-\u30ff\u3400-\u9fff]", question) is not None
    if unspaced and any(pronoun in question for pronoun in UNSPACED_PRONOUNS):
        return Rewriting(f"{state.question} {question}", (state.question,), pointed=True)
    return None


def _ellipsis(  # noqa: C901 - the forms of an ellipsis, tried one after the other
    question: str, state: State, language: Language
) -> Rewriting | None:
    """Complete turns that are no whole question: "why?", "what about X?", "and in 1990?"."""
    found = tokens(question)
    if not found:
        return None
    if all(
        token.low in language.function or token.low in {"come", "example", "tell", "more", "go", "explain"} for token in found
    ):
        pointing = any(pointer_kind(found, i, question, language) for i in range(len(found)))
        if not pointing and len(found) <= 5:
            return Rewriting(f"{question.rstrip()} {state.question}", (state.question,))
        if not pointing:
            return None
    adverbial = language.wh - {"who", "what", "which", *WHO, "wat", "qué", "cuál", "quoi", "was"}
    content = [token for token in found if token.low not in language.function and token.low not in adverbial]
    if language.code != "en" and found[0].low in adverbial and len(content) == 1 and not content[0].capital and state.focus:
        if not any(pointer_kind(found, i, question, language) for i in range(len(found))):
            return append(question, state)  # languages that leave the pronoun out: "¿Cuándo murió?"
    low = " ".join(question.lower().replace("’", "'").split())
    opener = next((one for one in language.openers if low.startswith((one + " ", one + ", "))), None)
    if opener is None:
        return None
    rest = " ".join(question.split())[len(opener) :].strip(" ,")
    start = tokens(rest)
    if not start:
        return None
    if any(pointer_kind(start, i, rest, language) for i in range(len(start))):
        return _pointers(rest, state, language)
    clause = start[0].low in AUXILIARIES or (start[0].low in language.function and start[0].low in QUESTION_WORDS)
    if clause:
        return _clause(rest, state, language)
    inside = phrases(rest, language)
    if start[0].low in PREPOSITIONS:
        return Rewriting(f"{state.question.rstrip(' ?.!')} {rest}", (state.question.rstrip(" ?.!"),))
    if inside and all(phrase.relational for phrase in inside):
        return insert(rest, inside, len(inside) - 1, state) if state.focus else None
    return with_subject(rest.rstrip(" ?.!"), state, language)


def _clause(rest: str, state: State, language: Language) -> Rewriting | None:
    """Complete "and who stayed in orbit?": a whole clause whose opener says that it goes on from the turn before."""
    other = repeated_head(rest, state, language) or open_relation(rest, state, language)
    if other is not None:
        return other
    mine = own_anchors(rest, language)
    if any(phrase.named for phrase in mine) or not state.focus:
        return None
    return append(rest, state)


def _pointers(question: str, state: State, language: Language) -> Rewriting | None:
    """Put what pronouns stand for in their place."""
    found = tokens(question)
    pieces: list[str] = []
    carried: list[str] = []
    done = 0
    for i, token in enumerate(found):
        kind = pointer_kind(found, i, question, language) or _ones(found, i, language)
        if not kind:
            continue
        texts = antecedents("thing" if kind in ("one", "demonstrative") else kind, token.low, state, language)
        texts = tuple(text for text in texts if not same_words(text, question)) or _another(question, state, language)
        if not texts:
            continue
        joined_texts = " and ".join(the(text, state) for text in texts)
        after = found[i + 1].low if i + 1 < len(found) else ""
        possessive = token.low in language.possessive and after and (after not in language.function)
        pieces.append(question[done : token.start])
        if any(text in carried for text in texts):
            pieces.append(question[token.start : token.start + len(token.low)])
        elif question[: token.start].endswith("-"):  # est-elle née
            pieces.append(f"{token.text} ({joined_texts})")
        elif kind == "place" and (found[i - 1].low not in PREPOSITIONS if i else True):
            pieces.append(f"{_IN[language.code]} {joined_texts}")
        elif language.code == "en":
            pieces.append(joined_texts + (("'" if joined_texts.endswith("s") else "'s") if possessive else ""))
        else:  # word order and case differ: keep the word, add what it stands for
            pieces.append(
                f"{question[token.start : token.start + len(token.low)]} ({joined_texts})" if possessive else joined_texts
            )
        carried.extend(text for text in texts if text not in carried)
        done = token.start + len(token.low)
    if not carried:
        return None
    pieces.append(question[done:])
    return Rewriting("".join(pieces), tuple(carried), pointed=True)


def _another(question: str, state: State, language: Language) -> tuple[str, ...]:
    """Another phrase of the last question, where the turn already names the likeliest antecedent."""
    others = [phrase.text for phrase in own_anchors(state.question, language) if not phrase.empty]
    return tuple([text for text in others if not same_words(text, question)][:1])


_IN = {"en": "in", "nl": "in", "es": "en", "fr": "à", "de": "in"}


def _ones(found: Sequence[Token], i: int, language: Language) -> str:
    """Recognise "popular ones", "which one": a noun left out."""
    if language.code != "en" or found[i].low not in {"one", "ones"}:
        return ""
    after = found[i + 1].low if i + 1 < len(found) else ""
    before = found[i - 1].low if i else ""
    if found[i].low == "ones":
        return "one"
    return (
        "one"
        if (not after or after in language.function) and (before in LIGHT or before in {"which", "the", "this", "that"})
        else ""
    )
