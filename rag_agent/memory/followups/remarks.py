"""Turns that are no question to the documents: remarks, work on the last answer, questions about the conversation itself.

One idea serves them all: such a turn is made of a small vocabulary and of words without content. Whatever else stands in it makes
it a question like any other ("Who translated the book?", "Good Morning America").
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from rag_agent.language import Talk, language
from rag_agent.memory.followups.phrases import TALKS, tokens

Remark = Literal["chat", "source", "why"]
_LONGEST = 200  # characters; a longer turn says more than a remark
_WORDS = re.compile(r"(\w{1,20})[\s-]?(?:words?|woorden|w[oö]rtern?|worten|mots|palabras)\b", re.IGNORECASE)
_ORDINAL = re.compile(r"(\d{1,4})(?:st|nd|rd|th|e|de|ste)")


class Recall(NamedTuple):
    """What of the conversation is asked for."""

    turn: int | None = None
    """Its number, counted from 1, where the question names one."""
    nth: int = 0
    """Which of those that match: 1 is the first, -1 the last, 0 the one that matches best."""
    about: str = ""
    """What it is about, "" where the question names nothing."""
    whole: bool = False
    """The whole conversation, told in short."""


def remark_of(question: str) -> Remark | None:
    """What a turn says of the answer before it: "chat" (thanks, praise, consent), "source" (doubt, where it is from), "why".

    None for any other turn.
    """
    return next((found for talk in TALKS if (found := _remark(question, talk))), None)


def _remark(question: str, talk: Talk) -> Remark | None:
    lows = _lows(question)
    said = set(lows)
    asking = "?" in question or (bool(lows) and lows[0] in talk.be | talk.do)
    if not lows or said & (talk.person - talk.thing - talk.be):
        return None
    if said & talk.why and len(lows) <= 4 and said <= talk.closed:
        return "why"
    if (
        said & talk.sure
        and not said & (talk.who | talk.which)
        and _made_of(lows, talk, talk.sure | talk.know | talk.answer | talk.yes | talk.source)
    ):
        if asking or not said <= talk.yes | talk.closed:
            return "source"
    if _made_of(lows, talk, talk.source | talk.says | talk.know | talk.answer | talk.please):
        asked = [low for low in lows if low in talk.how | talk.who]
        known = said & talk.know and said & talk.you and len(asked) == 1
        told = said & talk.says and (said & (talk.this | {"so"}) or len(lows) == 2) and said & (talk.how | talk.who | talk.which)
        if said & talk.source or known or told:
            return "source"
    if said & (talk.who | talk.which | talk.how) and (asking or lows[0] not in talk.yes - talk.meant):
        return "chat" if said & talk.speakers and said <= talk.closed and len(lows) <= 5 else None
    return "chat" if said & talk.yes and lows[0] not in talk.be and _made_of(lows, talk, talk.yes) else None


def is_transformation(question: str) -> bool:
    """Whether a turn only asks for the last answer in another form: shorter, translated, as a list, explained simply."""
    return any(_transforms(question, talk) for talk in TALKS)


def _transforms(question: str, talk: Talk) -> bool:
    lows = _lows(question)
    said = set(lows)
    words = talk.change | talk.shape | talk.answer | talk.please | talk.last | set(_numbers(talk)) | all_languages()
    if not lows or not _made_of(lows, talk, words):
        return False
    if said & talk.change:
        return not said & (talk.who | talk.which)
    if said & (talk.who | talk.which | talk.how):  # "What is that in Dutch?"
        return bool(said & all_languages() and said & (talk.this | talk.thing))
    return bool(said & (talk.shape | all_languages())) and lows[0] not in talk.be


def all_languages() -> frozenset[str]:
    """Names of languages, in all languages."""
    return frozenset().union(*(talk.languages for talk in TALKS))


def names_language(question: str) -> bool:
    """Whether a turn names a language, as one that asks for a translation does."""
    return bool(set(_lows(question)) & all_languages())


def word_limit(question: str) -> int | None:
    """The largest number of words a turn allows ("in 20 words"); None where it names none."""
    found = _WORDS.search(question)
    numbers = [_number(found[1].casefold(), talk) for talk in TALKS] if found else []
    return next((number for number in numbers if number), None)


def recall_of(question: str) -> Recall | None:
    """Read a question about the conversation itself; None for any other."""
    return next((found for talk in TALKS if (found := _recall(question, talk))), None)


def _recall(question: str, talk: Talk) -> Recall | None:
    found, lows = tokens(question), _lows(question)
    when = talk.earlier | talk.first | talk.last
    words = talk.answer | talk.conversation | talk.turn | talk.ask | talk.please | talk.sum_up | when | set(talk.nth)
    words |= set(_numbers(talk)) | (talk.shape if set(lows) & talk.sum_up else frozenset())
    about = next((i for i in range(2, len(lows)) if lows[i] in talk.about and not _made_of(lows[i:], talk, words)), len(lows))
    head, topic = lows[:about], found[about + 1 :]
    said = set(head)
    if not head or not _made_of(head, talk, words) or said & (talk.person - talk.be) or set(lows[about:]) & talk.document:
        return None
    if said & talk.sum_up and (said & talk.conversation or (said & talk.speakers and said & talk.ask)):
        return Recall(whole=True)
    reminds = any(low.startswith("rem") for low in head)
    asks = said & (talk.which | talk.how) or reminds
    if not asks or not said & talk.speakers or not said & (talk.ask | talk.answer | talk.turn):
        return None
    for low, after in zip(lows, lows[1:], strict=False):
        if low in talk.turn and (number := _number(after, talk)):
            return Recall(number)
    dated = bool(set(lows) & (when | set(talk.nth) | talk.conversation))
    elsewhere = not said & talk.you or (said & _modals(talk) and not reminds)
    if topic and not dated and elsewhere:  # "what did I say about taxes?", "what can you tell me about London?"
        return None
    nth = next((number for low in head if (number := _nth(low, talk))), 0)
    if not topic and not nth and said & talk.we and said & talk.ask:
        return Recall(whole=True)
    while topic and (topic[-1].low in when or topic[-1].low in talk.about):
        topic = topic[:-1]
    return Recall(nth=nth, about=question[topic[0].start : topic[-1].end] if topic else "")


def _nth(low: str, talk: Talk) -> int:
    if low in talk.nth:
        return talk.nth.index(low) + 1
    if match := _ORDINAL.fullmatch(low):
        return int(match[1])
    return 1 if low in talk.first else -1 if low in talk.last else 0


def _number(low: str, talk: Talk) -> int:
    return _numbers(talk).get(low) or (int(low) if low.isdigit() and len(low) <= 4 else 0)


def _modals(talk: Talk) -> frozenset[str]:
    known = language(talk.code)
    return known.modals if known else frozenset()


def _numbers(talk: Talk) -> Mapping[str, int]:
    known = language(talk.code)
    return known.numbers if known else {}


def _lows(question: str) -> list[str]:
    return [token.low for token in tokens(question[: _LONGEST + 1])] if len(question) <= _LONGEST else []


def _made_of(lows: Sequence[str], talk: Talk, words: frozenset[str] | set[str]) -> bool:
    return all(low in words or low in talk.closed or low.isdigit() or _ORDINAL.fullmatch(low) for low in lows)
