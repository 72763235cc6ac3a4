"""Noun phrases by stop-word borders, names, and lists: enough grammar to find what a turn is about, without a tagger."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag_agent.memory.followups.words import (
    ARTICLES,
    ASKING,
    AUXILIARIES,
    LANGUAGES,
    LIGHT,
    PREPOSITIONS,
    RELATIONAL,
    SUBJECTS,
    VAGUE,
    VERBS,
    WEAK_VERBS,
    WHO,
    Language,
)

_WORD = re.compile(r"[^\W_]+(?=-(?:t-)?(?:ils?|elles?)\b)|[^\W_]+(?:[.'’\-][^\W_]+)*\.?(?<=[A-Z]\.)|[^\W_]+(?:[.'’\-][^\W_]+)*")
_POSSESSIVE = re.compile(r"['’](?:s|re|ll|ve|d|m|t)?$", re.I)
_GLUE = re.compile(r"^['’\"“”‘]?(?:s['’])?\s*['’\"“”‘]?$")
_BE = frozenset("is are was were be been being am".split())
_NAME_LINKS = frozenset("of and the de la van von der den du di del al".split())


@dataclass(frozen=True)
class Token:
    """One word: its text, where it stands, and its lower-case form without a possessive ending."""

    text: str
    start: int
    end: int
    low: str

    @property
    def capital(self) -> bool:
        """True for a word with an upper-case letter."""
        return any(c.isupper() for c in self.text)


@dataclass(frozen=True)
class Phrase:
    """A run of content words.

    Attributes:
        text: As it stands in the turn, without possessive ending.
        start: First character.
        end: One past the last character.
        named: It holds a capitalised word that is not merely the first word of the sentence.
        relational: Its head says nothing alone ("the main symptoms").
        definite: "the", "this", "that", "these", "those" stands before it.
        preposition: The preposition before it, "" where there is none.
        article: "the" stands before it.
    """

    text: str
    start: int
    end: int
    named: bool
    relational: bool
    definite: bool
    preposition: str
    article: bool = False

    @property
    def empty(self) -> bool:
        """True for adjectives and bare nouns of relation or time, which name nothing at all ("the main types")."""
        if self.named:
            return False
        lows = self.text.lower().split()
        return all(low in LIGHT or is_relational(low) for low in lows) or (len(lows) == 1 and singular(lows[0]) in VAGUE)

    @property
    def head(self) -> str:
        """The last word, singular, lower case."""
        return singular(self.text.lower().split()[-1])


def tokens(text: str) -> list[Token]:
    """Split a text into words; "What's" gives "what", "D.C." stays whole."""
    found = []
    for match in _WORD.finditer(text):
        word = match.group()
        found.append(Token(word, match.start(), match.end(), _POSSESSIVE.sub("", word).lower().replace("’", "'")))
    return found


def singular(word: str) -> str:
    """Take the English plural ending off a lower-case word ("buses" becomes "bus", "types" becomes "type")."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def is_relational(word: str) -> bool:
    """Say whether a lower-case word names a relation only ("symptoms"), in either number."""
    return word in RELATIONAL or singular(word) in RELATIONAL or (word.endswith("s") and word[:-1] in RELATIONAL)


def language_of(texts: Sequence[str]) -> Language:
    """Guess the language by counting function words.

    Args:
        texts: Turns, the newest last; later turns count no more than earlier ones.

    Returns:
        The language with the largest count; English where nothing is recognised or at a tie.
    """
    seen = [token.text.lower() for text in texts for token in tokens(text[:400])]
    return max(LANGUAGES, key=lambda language: sum(word in language.function for word in seen))


def _is_border(found: Sequence[Token], i: int, language: Language, run: Sequence[Token]) -> bool:
    """Say whether token i ends a noun phrase: a function word, a verb, an adverb."""
    token = found[i]
    if token.low in language.function or token.text.lower() in language.function:
        return not (token.capital and i > 0 and len(token.text) > 1 and token.text.isupper())  # "US", "IT" are names
    if language.code != "en" or (token.capital and i > 0):
        return False
    before = found[i - 1].low if i else ""
    if token.low in ASKING:
        return not (before in ARTICLES or before in PREPOSITIONS)
    if token.low in WEAK_VERBS and before in SUBJECTS:
        return True
    if token.low in VERBS and token.low.endswith("ing"):
        return True
    if token.low in VERBS:
        noun_place = before in ARTICLES or (before in PREPOSITIONS and before != "to")
        return not noun_place and (bool(run) or i == 0 or before in AUXILIARIES or before in language.function)
    if token.low.endswith("ly") and len(token.low) > 4:
        return True
    if token.low.endswith("ing") and len(token.low) > 5 and before in _BE:
        return True
    return (
        token.low.endswith("ed") and len(token.low) > 4 and (bool(run) or before in SUBJECTS or before in WHO or before == "what")
    )


def _runs(text: str, found: Sequence[Token], language: Language) -> list[list[int]]:
    """Group token numbers into runs without a border or punctuation inside; names keep "of" and "and" between capitals."""
    runs: list[list[int]] = []
    run: list[int] = []

    def close() -> None:
        if run:
            runs.append(run.copy())
            run.clear()

    for i, token in enumerate(found):
        if run and not _GLUE.match(text[found[i - 1].end : token.start]):
            close()
        if _is_border(found, i, language, [found[j] for j in run]):
            links_names = (
                run
                and token.low in _NAME_LINKS
                and found[i - 1].capital
                and i - 1 > 0
                and i + 1 < len(found)
                and found[i + 1].capital
                and not (found[i - 1].text.isupper() and token.low == "and")
            )
            if not links_names:
                close()
                continue
        run.append(i)
    close()
    return runs


def _trim(found: Sequence[Token], run: list[int]) -> list[int]:
    """Take words that name nothing off both ends, unless nothing else is there or a name would be cut."""
    start, end = 0, len(run)
    while start < end - 1 and found[run[start]].low in LIGHT and not (found[run[start]].capital and run[start] > 0):
        start += 1
    while end - 1 > start and found[run[end - 1]].low in LIGHT and not found[run[end - 1]].capital:
        end -= 1
    return run[start:end]


def phrases(text: str, language: Language) -> list[Phrase]:
    """Find the noun phrases of a turn.

    Args:
        text: A question or another short text.
        language: Whose function words end a phrase.

    Returns:
        Phrases in the order of the text. A phrase of adjectives alone ("the largest") counts as relational.
    """
    found = tokens(text)
    out = []
    for run in _runs(text, found, language):
        before = found[run[0] - 1].low if run[0] else ""
        two_before = found[run[0] - 2].low if run[0] > 1 else ""
        kept = _trim(found, run)
        lows = [found[i].low for i in kept]
        named = any(found[i].capital and (i > 0 or found[i].text[1:] != found[i].text[1:].lower()) for i in kept)
        named = named or (kept[0] == 0 and len(kept) > 1 and all(found[i].capital for i in kept))
        light = all(low in LIGHT or is_relational(low) for low in lows)
        light = light or (len(lows) == 1 and singular(lows[0]) in VAGUE)
        relational = language.code == "en" and not named and (light or is_relational(lows[-1]))
        start, last = found[kept[0]].start, found[kept[-1]]
        surface = _POSSESSIVE.sub("", text[start : last.end])
        preposition = before if before in PREPOSITIONS else two_before if two_before in PREPOSITIONS else ""
        if before not in PREPOSITIONS and before not in ARTICLES:
            preposition = ""
        definite = before in {"the", "this", "that", "these", "those"}
        out.append(Phrase(surface, start, start + len(surface), named, relational, definite, preposition, before == "the"))
    return out


def own_anchors(question: str, language: Language) -> list[Phrase]:
    """Phrases of a turn that name something by themselves."""
    return [phrase for phrase in phrases(question, language) if not phrase.relational]


def looks_plural(text: str) -> bool:
    """Say whether a phrase is plural by its form: an English, Dutch or Spanish ending, or "A and B"."""
    return " and " in text or singular(text.lower().split()[-1]) != text.lower().split()[-1]


def names(text: str, language: Language) -> list[str]:
    """Find runs of capitalised words in running text, first words of sentences only when a further capital follows."""
    found = tokens(text)
    out: list[str] = []
    for run in _runs(text, found, language):
        part: list[int] = []
        for i in [*run, -1]:
            link = i >= 0 and part and found[i].low in _NAME_LINKS
            if i >= 0 and (found[i].text[:1].isupper() or link):
                part.append(i)
                continue
            while part and not found[part[-1]].text[:1].isupper():
                part.pop()
            if part:
                opening = part[0] == 0 or re.search(r"[.!?:]\s*$|\n\s*$", text[: found[part[0]].start]) is not None
                if len(part) > 1 or not opening or i < 0:
                    out.append(_POSSESSIVE.sub("", text[found[part[0]].start : found[part[-1]].end]))
            part = []
    return out


def listed_items(answer: str) -> list[str]:
    """Read the items an answer enumerates: bullet or numbered lines, else the longest "A, B and C" of one sentence.

    Returns:
        The items in their order, [] where the answer enumerates nothing.
    """
    lines = re.findall(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)])\s+(.+?)\s*$", answer, flags=re.M)
    if len(lines) > 1:
        return [re.split(r"\s[-–—]\s|:\s", line)[0].strip(" .;*") for line in lines]
    best: list[str] = []
    for clause in re.split(r"(?<=[.!?])\s+|[;:]", answer):
        parts = clause.split(",")
        for last, part in enumerate(parts):
            joined = re.split(r"(?:^|\s)\s*(?:and|or|en|y|et|und)\s+", part, maxsplit=1)
            if len(joined) == 2:
                items = [one.strip(" .!?") for one in [*parts[:last], *joined]]
                best = max(best, [one for one in items if one], key=len)
                break
    return [_inner_item(item, i, len(best)) for i, item in enumerate(best)]


def _inner_item(item: str, i: int, count: int) -> str:
    """Cut the sentence's start off the first item and its end off the last one, by their names where they have some."""
    if i not in (0, count - 1) or len(item.split()) == 1 or item.split()[-1][:1].isupper() and i:
        return re.sub(r"^(?:the|a|an)\s+", "", item)
    found = names(item, LANGUAGES[0]) or [p.text for p in phrases(item, LANGUAGES[0])] or [item]
    return found[-1] if i == 0 else found[0]
