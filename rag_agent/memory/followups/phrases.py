"""Words, phrases and names: what a turn speaks of, by its closed-class words and its capitals, without a tagger."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rag_agent.language import LANGUAGES, Talk, language

TALKS = tuple(known.talk for code in ("en", *LANGUAGES) if (known := language(code)))
_WORD = re.compile(r"[^\W_]+")
_GLUE = frozenset((" ", "-", "'", "’", "/", "&", " & ", ".", "_"))
_LINKED = 3  # small words between the capitals of one name ("of the")
_SAMPLE = 60  # words of a turn by which its language is told


@dataclass(frozen=True)
class Token:
    """A word: where it stands, and its lower-case form. Apostrophes and hyphens part words."""

    text: str
    start: int
    end: int
    low: str

    @property
    def capital(self) -> bool:
        """Whether it begins with an upper-case letter."""
        return self.text[0].isupper()


@dataclass(frozen=True)
class Phrase:
    """A run of words that carry content.

    Attributes:
        text: As it stands in the turn.
        start: First character.
        end: One past the last character.
        named: It holds a capital that is not merely the first word's, or a digit.
        article: What stands before it: a definite article, or "".
        preposition: The preposition before it and its article, or "".
    """

    text: str
    start: int
    end: int
    named: bool
    article: str
    preposition: str


def tokens(text: str) -> list[Token]:
    """Split a text into words."""
    return [Token(m.group(), m.start(), m.end(), m.group().casefold()) for m in _WORD.finditer(text)]


def talk_of(question: str, before: Sequence[str] = ()) -> Talk:
    """The language of a turn by its closed-class words, at a tie by those of the turns before it; English where all are alike."""

    def known(texts: Sequence[str]) -> list[str]:
        return [token.low for text in texts for token in tokens(text[:400])[:_SAMPLE]]

    asked, said = known([question]), known(before)
    return max(TALKS, key=lambda talk: (sum(word in talk.closed for word in asked), sum(word in talk.closed for word in said)))


def content(text: str, talk: Talk) -> set[str]:
    """The words of a text that carry content, lower case and in the singular."""
    return {singular(token.low) for token in tokens(text) if token.low not in talk.closed}


def singular(word: str) -> str:
    """A lower-case word without a plural "s": enough to see that "whales" were named as "whale"."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def phrases(text: str, talk: Talk, *, whole: bool = True) -> list[Phrase]:
    """The phrases of a turn, or of a part of one that has no verb (`whole` false), in their order."""
    found = tokens(text)
    out = []
    for run in (_without_predicate(found, run, talk) if whole else run for run in _runs(text, found, talk)):
        if not run:
            continue
        first, last = run[0], run[-1]
        named = any(_is_name(found, i) for i in run)
        article = found[first - 1].low if first and found[first - 1].low in talk.the else ""
        at = _before(found, first, talk)
        preposition = found[at].low if at >= 0 and found[at].low in talk.preposition else ""
        start, end = found[first].start, found[last].end
        out.append(Phrase(text[start:end], start, end, named, article, preposition))
    return out


def _before(found: Sequence[Token], i: int, talk: Talk) -> int:
    """The word before a phrase and its article; -1 where there is none."""
    i -= 1
    while i >= 0 and found[i].low in talk.the | talk.a | talk.her:
        i -= 1
    return i


def _is_name(found: Sequence[Token], i: int) -> bool:
    token = found[i]
    later = i > 0 or token.text[1:] != token.text[1:].lower()
    return (token.capital and later) or token.text[0].isdigit()


def _runs(text: str, found: Sequence[Token], talk: Talk) -> list[list[int]]:
    """Words in a row without a border between them; small words between two capitals stay inside a name."""
    known = language(talk.code)
    titles = known.abbreviations.before_name if known else frozenset()
    runs: list[list[int]] = []
    run: list[int] = []
    for i, token in enumerate(found):
        gap = text[found[i - 1].end : token.start] if i else ""
        abbreviated = gap == ". " and token.capital and (i > 0 and found[i - 1].low in titles or len(found[i - 1].text) == 1)
        if run and gap not in _GLUE and not abbreviated:
            runs.append(run)
            run = []
        shouted = i > 0 and len(token.text) > 1 and token.text.isupper() and not text.isupper()  # "US" is no pronoun
        if token.low not in talk.closed or shouted or (run and _in_a_name(found, i, talk)):
            run.append(i)
        elif run:
            runs.append(run)
            run = []
    return [kept for kept in [*runs, run] if kept]


def _in_a_name(found: Sequence[Token], i: int, talk: Talk) -> bool:
    """Whether a small word stands between two capitals: Bank of England, Vincent van Gogh."""
    if not (found[i - 1].capital or found[i - 1].low in talk.preposition or found[i - 1].low in talk.the):
        return False
    small = talk.of | talk.the | {"van", "von", "de", "la", "da", "di", "del", "der", "den"}
    for token in found[i : i + _LINKED]:
        if token.low not in small:
            return token.capital and token.low not in talk.closed
    return False


def _without_predicate(found: Sequence[Token], run: list[int], talk: Talk) -> list[int]:
    """A run without the verb or adjective that belongs to the question: "did Netflix shift", "was the chapel built".

    Where an auxiliary opens the question, or follows a question word, its subject comes next and the predicate behind; where
    "who" or "what" opens it, or nothing does, the verb comes first.
    """
    first, last = run[0], run[-1]
    at = _before(found, first, talk)
    before = found[at].low if at >= 0 else ""
    after = found[last + 1].low if last + 1 < len(found) else ""
    stranded = after in talk.preposition and last + 2 == len(found)
    inverted = before in talk.do or (before in talk.be and (at == 0 or found[at - 1].low in talk.how or stranded))
    if len(run) > 1 and inverted:
        capitals = [i for i in run if found[i].capital]
        return [i for i in run if i <= capitals[-1]] if capitals else run[:-1] if len(run) == 2 or before in talk.be else run
    opens = at < 0 or before in talk.who | talk.how or (before in talk.which and found[first].low.endswith(("s", "ed")))
    if opens and first == at + 1 and (at < 0 or not found[first].capital):
        if len(run) == 1:
            return [] if after in talk.closed and after else run
        return run[1:] if at >= 0 and before not in talk.how else run
    return run


class Name(NamedTuple):
    """A name in running text, and what stands before it."""

    text: str
    before: str
    opening: bool
    """It is one word, the first of a sentence, where any word has a capital."""

    def is_person(self, talk: Talk) -> bool:
        """Whether it can be a person's: no article and no preposition of place before it, and no digit in it."""
        noun = talk.code == "de" and " " not in self.text  # every noun has a capital
        placed = self.before in talk.where_to or self.before in talk.the
        known = language(talk.code)
        time = known is not None and self.text.casefold() in {*known.months, *known.weekdays}
        return not (noun or placed or time or self.text.isupper() or any(c.isdigit() for c in self.text))


def names(text: str, talk: Talk) -> list[Name]:
    """The names of running text, in their order."""
    found = tokens(text)
    out: list[Name] = []
    for run in _runs(text, found, talk):
        part: list[int] = []
        for i in [*run, -1]:
            small = i >= 0 and bool(part) and (found[i].low in talk.closed or _particle(found, i))
            if i >= 0 and (found[i].capital or small):
                part.append(i)
                continue
            while part and not found[part[-1]].capital:
                part.pop()
            if part:
                first = part[0]
                gap = text[found[first - 1].end : found[first].start] if first else "."
                opening = len(part) == 1 and any(c in ".!?:\n" for c in gap)
                before = found[first - 1].low if first and not any(c in ".!?:\n" for c in gap) else ""
                out.append(Name(text[found[first].start : found[part[-1]].end], before, opening))
            part = []
    return out


def _particle(found: Sequence[Token], i: int) -> bool:
    """A short word in lower case between two capitals: Antonio da Ponte."""
    return i + 1 < len(found) and len(found[i].text) <= 3 and found[i + 1].capital
