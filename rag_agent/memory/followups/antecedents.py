"""What the words that point back stand for: the state of a conversation, and the choice of an antecedent by type."""

from collections.abc import Sequence
from dataclasses import dataclass

from rag_agent.language import Talk, sentence_texts
from rag_agent.memory.followups.phrases import Name, Token, content, names, phrases, tokens


@dataclass(frozen=True)
class State:
    """What a conversation is about so far.

    Attributes:
        focus: What "it" or "they" would stand for now.
        question: The last question that was answered, said in full.
        answer: What it was answered with.
        corrected: The last question, answered or not: what a correction corrects.
        people: Names of persons, the latest first.
        said: The words of all that it was about.
    """

    focus: str = ""
    question: str = ""
    answer: str = ""
    corrected: str = ""
    people: tuple[str, ...] = ()
    said: frozenset[str] = frozenset()


def focus_of(question: str, talk: Talk) -> str:
    """What a question is about: the X of "the types of X", else its first name, else its first phrase; "" where it has none."""
    found = phrases(question, talk)
    named = [phrase for phrase in found if phrase.named and not phrase.text.isdigit() and phrase.preposition not in talk.where_to]
    owners = [phrase for phrase in found[1:] if phrase.preposition in talk.of] or [phrase for phrase in found if phrase.article]
    return (named or owners or found)[0].text if found else ""


def new_names(state: State, talk: Talk) -> list[Name]:
    """Names of the last answer that its question does not hold; first those of the sentence that says most of what was asked."""
    asked = content(state.question, talk)
    told = sorted(sentence_texts(state.answer), key=lambda text: -len(asked & content(text, talk)))
    return [name for text in told for name in names(text, talk) if not content(name.text, talk) <= asked]


def pointer(found: Sequence[Token], i: int, question: str, talk: Talk) -> str:
    """What word i of a turn points at outside the turn: "person", "thing", "several", "place", or "" for nothing."""
    low = found[i].low
    before = found[i - 1].low if i else ""
    after = found[i + 1].low if i + 1 < len(found) else ""
    kind = ""
    if found[i].text.isupper() and len(low) > 1 or (talk.code == "de" and found[i].text == "Sie" and i):
        return ""
    followed = bool(after) and after not in talk.closed
    if low in talk.clitic and low not in talk.this:
        owner = low in talk.her and followed and i > 0 and before not in talk.how | talk.which | talk.who
        turned = (talk.code == "nl" and i > 0 and after.startswith("ge")) or before in talk.who
        kind = "person" if owner else "thing" if low not in talk.her and (turned or _alone(after, talk)) else ""
    elif low in talk.this:
        # "that" before a noun is an article, and within a sentence it may begin a clause.
        kind = "thing" if not followed and (not after or before in talk.be | talk.do | talk.preposition | talk.link) else ""
    elif low in talk.there:
        kind = "" if before in talk.be | talk.do or after in talk.be | talk.do or (not before and followed) else "place"
    elif low in talk.person:
        kind = "person"
    elif low in talk.thing:
        kind = "several" if low in talk.several else "thing"
    elif low in talk.one:
        kind = "thing" if not followed and before not in talk.which | talk.how else ""
    return "" if kind and (_empty(found, i) or _inside(found, i, question, talk)) else kind


def _alone(after: str, talk: Talk) -> bool:
    return not after or after in talk.be | talk.do | talk.preposition | talk.link


def _empty(found: Sequence[Token], i: int) -> bool:
    """Whether a pronoun is there for grammar alone: "is it true that", "how long does it take to", "y a-t-il", "gibt es"."""
    lows = [token.low for token in found]
    if found[i].low == "it":
        after = lows[i + 1 : i + 4]
        return "that" in after[1:] or (bool(after) and after[0] in {"take", "takes", "took", "mean"} and "to" in lows[i + 2 :])
    return (found[i].low == "il" and "y" in lows and "a" in lows) or (found[i].low == "es" and "gibt" in lows)


def _inside(found: Sequence[Token], i: int, question: str, talk: Talk) -> bool:
    """Whether a pronoun stands for a phrase of its own turn: it opens a later clause, or says whose, behind a name."""
    before = [phrase for phrase in phrases(question, talk) if phrase.end <= found[i].start]
    if found[i].low in talk.her and any(phrase.named for phrase in before):
        return True
    for j in range(i, 0, -1):
        gap = question[found[j - 1].end : found[j].start]
        if any(c in ",;:.?!" for c in gap) or (j < i and found[j].low in talk.link):
            return any(phrase.end <= found[j].start for phrase in before)
        if found[j - 1].low not in talk.closed and not (j > 1 and found[j - 2].low in talk.how):
            return False
    return False


def antecedent(kind: str, state: State, talk: Talk) -> tuple[str, ...]:
    """What a pointing word stands for, by its type; () where the conversation holds nothing.

    The last answer comes first where the question before asked for what it names ("who", "which"), then that question's own
    subject, then the rest of the answer, then what was said earlier.
    """
    opening = {token.low for token in tokens(state.question)[:3]}
    asked_who = bool(opening & talk.who)
    new = new_names(state, talk)
    people = [name.text for name in new if name.is_person(talk) and (asked_who or not name.opening)]
    if kind == "person":
        own = [name.text for name in names(state.question, talk) if name.is_person(talk) and not name.opening]
        # "Who was Bach?" asks about him; "who painted it for the duke?" and "when did her nephew come?" about one it does not name.
        whole = [name for name in people if " " in name]  # "Columbia" may be anything
        order = [*people, *own] if "'s " in state.question else [*own, *people]
        if asked_who and not _who_is(state.question, talk):
            order = [*whole, *own, *people]
        return tuple((order or list(state.people))[:1]) or ((state.focus,) if state.focus else ())
    if kind == "several" and asked_who and len(people) > 1:
        return tuple(people[:2])
    if kind == "place":
        said = [name for name in names(state.question, talk) if not name.opening]
        places = [*new, *said] if opening & talk.which else [*said, *new]
        return tuple(name.text for name in places[:1]) or ((state.focus,) if state.focus else ())
    if kind == "thing" and talk.which & opening and _identity(state.question, talk):
        things = sorted((name for name in new if name.before not in talk.where_to), key=lambda name: name.opening)
        if things:
            return (things[0].text,)
    return (state.focus,) if state.focus else ()


def _who_is(question: str, talk: Talk) -> bool:
    found = tokens(question)
    return len(found) > 2 and found[1].low in talk.be and found[2].capital


def _identity(question: str, talk: Talk) -> bool:
    """Whether a question asks which thing something is, so that the answer names it: "which company built ..."."""
    found = tokens(question)
    return len(found) > 2 and found[0].low in talk.which and found[1].low not in talk.closed
