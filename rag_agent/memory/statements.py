"""What a user states of themselves or asks to keep, read from their own words without a model; and which statements are one fact.

Only the beginning of a turn counts, as far as it is made of statements: what stands behind a question, in quotation marks, in
pasted text or on further lines is material, and no statement of whoever typed it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag_agent.language import Language, detect, language, sentence_texts
from rag_agent.memory.followups import names_language, recall_of, remark_of
from rag_agent.memory.followups.phrases import Token, singular, talk_of, tokens

__all__ = [
    "Fact", "Stated", "Statement", "asks_for_all", "asks_of_other", "fact_of", "is_personal", "is_wish", "replaces", "share_of",
    "stated", "words_of",
]  # fmt: skip

_LONGEST = 400  # characters; a longer turn is pasted text
_SUBJECT = 5  # words between "my" and its verb
_WISHED = 5  # words from the beginning of a wish to what is wished
_QUOTES = tuple("\"'“”„‘’«»`>")


@dataclass(frozen=True)
class Statement:
    """A statement of a user, in their own words."""

    text: str
    """As typed, without what asks to keep it."""
    asked: bool = False
    """It was asked to be kept, in so many words."""
    wish: bool = False
    """It is a wish for all answers to come."""
    corrects: bool = False
    """It was led in as a correction ("no", "actually")."""


@dataclass(frozen=True)
class Stated:
    """What a turn states."""

    statements: tuple[Statement, ...] = ()
    whole: bool = False
    """Whether it says nothing else."""


@dataclass(frozen=True)
class Fact:
    """A statement taken apart: two of one subject and relation are the same fact, of which the later holds."""

    words: frozenset[str]
    """What it says: the words with content, those of one relation alike."""
    subject: frozenset[str]
    """Of whom or what; empty for the user."""
    relation: str
    """Of which a subject has one at a time ("name"), or ""."""
    named: bool
    """Whether its value is a name or a number."""
    changes: bool
    """Whether it says that something else held before."""


def stated(turn: str) -> Stated:
    """The statements that a turn begins with, as typed by a person."""
    text = turn.strip()
    if len(text) > _LONGEST or "\n" in text:
        return Stated()
    known = [_known(text), *filter(None, [language(detect(text))])]
    found: list[Statement] = []
    for sentence in sentence_texts(text):
        read = next((read for one in known if (read := list(_read(sentence, one)))), [])
        if not read and remark_of(sentence) != "chat":
            return Stated(tuple(found))
        found += read
    return Stated(tuple(found), whole=bool(found))


def is_personal(question: str) -> bool:
    """Whether a question is about whoever asks: it speaks in the first person, and asks neither what may be done nor how."""
    known, found = _known(question), [token.low for token in tokens(question[: _LONGEST + 1])]
    talk = known.talk
    asks = talk.who | talk.which | talk.how | known.stating.tells
    asking = question.rstrip().endswith("?") or (bool(found) and found[0] in asks)
    if not asking or len(question) > _LONGEST or not set(found) & talk.i:
        return False
    asked = recall_of(question)
    if asked and (asked.turn or asked.nth or asked.whole):
        return False
    pairs = set(zip(found, found[1:], strict=False))
    if any((modal, i) in pairs or (i, modal) in pairs for modal in known.modals for i in talk.i):
        return False
    how = next((place for place, low in enumerate(found) if low in ("how", "hoe", "comment", "cómo")), None)
    if how is None or not set(found[how + 1 : how + 2]) & (talk.do - {"did", "had"}):
        return True
    return bool(set(found[how + 3 : how + 4]) & known.stating.states)  # "How do I like my coffee?"


def asks_for_all(question: str) -> bool:
    """Whether a question asks for everything that is kept: "what do you know about me?"."""
    known, found = _known(question), {token.low for token in tokens(question[: _LONGEST + 1])}
    said = found - known.talk.closed - known.stating.tells - known.talk.about
    return is_personal(question) and not said and bool(found & known.stating.tells) and bool(found & known.talk.you)


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """The words of a text that carry content, those of one relation alike ("called" and "name")."""
    known = _known(text)
    return frozenset(_words(tokens(text), known))


@lru_cache(maxsize=4096)
def fact_of(text: str) -> Fact:
    """A statement taken apart."""
    known, found = _known(text), tokens(text)
    verb = _verb_of(found, known)
    if found[verb + 1 : verb + 2] and found[verb + 1].low in known.talk.i and found[0].low not in known.talk.i:
        found = [*found[verb + 1 :], found[verb], *found[:verb]]  # "Green is my favourite colour"
        verb = len(found) - verb - 1
    before, behind = set(_words(found[:verb], known)), _words(found[verb:], known)
    relation, owner = _relation(before, behind, found[verb : verb + 1], known)
    value = [token for token in found[verb + 1 :] if token.low not in known.talk.closed or token.low.isdigit()]
    return Fact(
        frozenset(_words(found, known)),
        frozenset((before | owner) - {relation}),
        relation,
        any(token.capital or any(map(str.isdigit, token.low)) for token in value),
        any(token.low in known.stating.now for token in found),
    )


def replaces(new: Statement, old: str, likeness: float) -> bool:
    """Whether a statement takes the place of an older one: it says the same, says more, or gives the same thing another value.

    Args:
        new: What is stated now.
        old: What was stated before.
        likeness: The cosine of the two, on the common scale.
    """
    later, earlier = fact_of(new.text), fact_of(old)
    if earlier.words and earlier.words <= later.words:
        return True
    if new.wish or is_wish(old):
        return new.wish and is_wish(old) and names_language(new.text) and names_language(old)
    if later.relation and later.relation == earlier.relation:
        return _one_within_other(later.subject, earlier.subject)
    if later.relation or earlier.relation:
        return False
    if later.subject != earlier.subject:
        return False
    if len(later.subject) > 1 or (later.subject and later.named and earlier.named):
        return True
    return (later.changes or new.corrects) and likeness >= _LIKE


_LIKE = 0.5


def share_of(question: str, statement: str) -> float:
    """The share of a question's words that a statement holds, 0 to 1; that both tell a relation, of two dogs, say, is none."""
    asked, fact = words_of(question), fact_of(statement)
    of, other = _asked_of(question, fact), fact.subject
    if not asked or (of and other and not of & fact.words):
        return 0.0
    return len(asked & fact.words) / len(asked)


def asks_of_other(question: str, statement: str) -> bool:
    """Whether a question asks for another relation than a statement tells, or for the user's and it tells another's."""
    fact, asked = fact_of(statement), words_of(question)
    if not fact.relation:
        return False
    if fact.relation not in asked:
        return bool(asked & _relations(_known(question)))  # it asks for another one
    of = _asked_of(question, fact)
    return bool(of) != bool(fact.subject) and not of & fact.words


def _asked_of(question: str, fact: Fact) -> frozenset[str]:
    """Of whom or what a question asks for the relation of a fact; empty for the user, or where it asks for none."""
    asked = words_of(question)
    return asked - {fact.relation} if fact.relation and fact.relation in asked else frozenset()


def _verb_of(found: Sequence[Token], known: Language) -> int:
    """Where what is said of a subject begins."""
    verbs = [place for place, token in enumerate(found) if place and token.low in _be(known)]
    told = known.stating.states | known.stating.same.keys()
    return next(iter(verbs), next((place for place, token in enumerate(found) if token.low in told), 0))


def _relation(before: set[str], behind: Sequence[str], verb: Sequence[Token], known: Language) -> tuple[str, set[str]]:
    """The relation that a statement tells, or ""; and of what, where that stands behind the verb ("I have a dog called Rex")."""
    one = _relations(known)
    if found := sorted(before & one):
        return found[0], set()
    own = bool(verb) and (verb[0].low in _be(known) or known.stating.same.get(verb[0].low) in one)
    if own:
        return next((word for word in behind[:2] if word in one), ""), set()
    place = next((place for place, word in enumerate(behind) if place and word in one), 0)
    return (behind[place], {behind[place - 1]}) if place else ("", set())


# --- reading ------------------------------------------------------------------------------------------------------------


def _known(text: str) -> Language:
    known = language(talk_of(text).code)
    assert known is not None  # every talk has its language
    return known


def _be(known: Language) -> frozenset[str]:
    """Forms of "to be", with that of "I'm"."""
    return known.talk.be | {"m"}


def _read(sentence: str, known: Language) -> Iterator[Statement]:
    """The statements of a sentence; none where it is anything else."""
    found, asks = tokens(sentence), sentence.rstrip().endswith("?")
    if not found or sentence.startswith(_QUOTES):
        return
    for start in range(_openers(found, known) + 1):
        lows = [token.low for token in found[start:]]
        phrase = _begins(lows, known.stating.remember)
        if phrase and (not asks or lows[0] in known.modals | known.talk.do) and _is_worth_keeping(lows[len(phrase) :], known):
            yield Statement(_text(sentence, found[start + len(phrase) :]), asked=True, wish=_wishes(lows[len(phrase) :], known))
            return
        if asks:
            continue
        if _wishes(lows, known):
            yield Statement(_text(sentence, found[start:]), asked=True, wish=True)
            return
        if _states(lows, known) or (start and _corrects(lows, known)):
            corrects = any(token.low in known.stating.now | known.talk.meant for token in found[:start])
            yield from (Statement(_text(sentence, one), corrects=corrects) for one in _clauses(found[start:], known))
            return


def _openers(found: Sequence[Token], known: Language) -> int:
    """How many words at the beginning only lead to a statement: "Hi", "and", "actually", "no"."""
    leading = (known.talk.yes | known.talk.meant | known.stating.now | known.joins | known.connectives) - known.talk.i
    count = 0
    while count < len(found) - 1 and found[count].low in leading:
        count += 1
    return count


def _begins(lows: Sequence[str], phrases: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return next((phrase for phrase in phrases if tuple(lows[: len(phrase)]) == phrase), ())


def _is_worth_keeping(lows: Sequence[str], known: Language) -> bool:
    """Whether there is something to remember behind "remember": no question, and more than a pronoun."""
    talk = known.talk
    return len(lows) > 1 and lows[0] not in talk.who | talk.which | talk.how and any(low not in talk.closed for low in lows)


def _wishes(lows: Sequence[str], known: Language) -> bool:
    return bool(_begins(lows, known.stating.wishes)) and len(lows) > 2 and bool(set(lows[:_WISHED]) & known.stating.wish)


def is_wish(text: str) -> bool:
    """Whether a statement is a wish for all answers to come."""
    return _wishes([token.low for token in tokens(text)], _known(text))


def _states(lows: Sequence[str], known: Language) -> bool:
    """Whether a clause tells a lasting fact of whoever says it."""
    stating, talk = known.stating, known.talk
    if phrase := _begins(lows, stating.calls):
        return _lasts(lows[len(phrase) :], known, phrase[0])
    if len(lows) > 2 and lows[0] in stating.states and lows[1] in talk.i:  # "Nu woon ik in Leiden"
        return _lasts(lows[2:], known, lows[0])
    if not lows or lows[0] not in talk.i:
        return False
    beside = talk.i | talk.light | stating.now | known.quantifiers | known.negations
    place = 1
    while place < len(lows) and lows[place] in beside and lows[place] not in stating.states:
        place += 1
    if place < len(lows) and lows[place] in stating.states:
        return _lasts(lows[place + 1 :], known, lows[place])
    return lows[0] in stating.my and _owns(lows, known)


def _owns(lows: Sequence[str], known: Language) -> bool:
    """Whether a clause tells a lasting fact of a thing or person of whoever says it: "my passport expires in 2031"."""
    told = known.stating.states | known.stating.same.keys()
    verbs = [place for place, low in enumerate(lows[: _SUBJECT + 2]) if place > 1 and low in _be(known) | told]
    verb = next((place for place in verbs if lows[place] in _be(known)), verbs[0] if verbs else 0)
    if not verb or set(lows[1:verb]) & (known.talk.answer | known.stating.passing - known.talk.preposition):
        return False
    value = lows[verb + 1 :]
    return _lasts(value, known, lows[verb]) or (len(value) > 1 and value[0] in known.talk.preposition)


def _corrects(lows: Sequence[str], known: Language) -> bool:
    """Whether a clause behind "actually" or "no" gives a thing of the speaker's its value: "green is my favourite colour"."""
    be = next((place for place, low in enumerate(lows) if low in _be(known)), 0)
    return bool(be) and len(lows) > be + 2 and lows[be + 1] in known.talk.i and not set(lows) & known.stating.passing


def _lasts(lows: Sequence[str], known: Language, verb: str) -> bool:
    """Whether what stands behind a verb is more than a moment, a question or a complaint."""
    stating, talk = known.stating, known.talk
    endings = tuple(word[1:] for word in stating.passing if word.startswith("-"))

    def passes(low: str) -> bool:
        ends = verb in _be(known) and len(low) > 4 and low.endswith(endings)
        return low not in stating.lasting and (ends or low in stating.passing)

    beside = talk.a | stating.now | known.negations | talk.light | {"t"}
    rest = [low for low in lows if passes(low) or low not in beside or low in stating.lasting]
    if not rest:
        return False
    return not passes(rest[0]) or (rest[0] in talk.preposition and verb not in _be(known) | talk.do)


def _clauses(found: Sequence[Token], known: Language) -> Iterator[Sequence[Token]]:
    """The statements that "and" ties together, each a fact of its own."""
    start = 0
    for place in range(2, len(found) - 2):
        if found[place].low in known.joins and found[place + 1].low in known.talk.i:
            if _states([token.low for token in found[place + 1 :]], known):
                yield found[start:place]
                start = place + 1
    yield found[start:]


def _text(sentence: str, found: Sequence[Token]) -> str:
    """The words of a sentence from one to another, and what closes it but a full stop."""
    end = len(sentence) if sentence[found[-1].end :].strip(" .!?,;:") else found[-1].end
    last = tokens(sentence)[-1].end == found[-1].end
    return sentence[found[0].start : end if last else found[-1].end].strip()


def _words(found: Sequence[Token], known: Language) -> list[str]:
    same, stating = known.stating.same, known.stating
    small = known.talk.closed | stating.now | stating.tells
    return [same.get(low) or singular(low) for token in found if (low := token.low) in same or low not in small]


def _relations(known: Language) -> frozenset[str]:
    """The relations of which a subject has one at a time."""
    return frozenset(known.stating.same.get(low, low) for low in known.stating.one)


def _one_within_other(one: frozenset[str], other: frozenset[str]) -> bool:
    return one == other or (bool(one) and bool(other) and (one <= other or other <= one))
