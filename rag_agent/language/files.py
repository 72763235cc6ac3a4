"""What is known of a language: one file in `data/` each, with the same fields."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from rag_agent.language.words import fold

_FILES = files("rag_agent.language") / "data"
LANGUAGES = tuple(sorted(file.name.removesuffix(".toml") for file in _FILES.iterdir() if file.name.endswith(".toml")))
"""The codes of the languages that have a file."""


@dataclass(frozen=True)
class Abbreviations:
    """Words, without their full stop, whose full stop need not end a sentence."""

    before_name: frozenset[str]
    before_number: frozenset[str]
    inside: frozenset[str]
    """Never at a sentence's end."""
    may_end: frozenset[str]


@dataclass(frozen=True)
class Talk:
    """What a conversation is made of. Words are parted at hyphens and apostrophes, too; the fields may overlap."""

    code: str
    """Of the language."""
    the: frozenset[str]
    """Definite articles, and demonstratives that stand before a noun."""
    a: frozenset[str]
    preposition: frozenset[str]
    of: frozenset[str]
    """Those prepositions that tie a noun to the one before it."""
    where_to: frozenset[str]
    """Those of place and direction: a name behind one is no person."""
    be: frozenset[str]
    do: frozenset[str]
    """Auxiliaries that stand before their subject in a question, and send the verb behind it."""
    link: frozenset[str]
    """What a clause begins with."""
    who: frozenset[str]
    which: frozenset[str]
    how: frozenset[str]
    """Question words that stand for no noun."""
    thing: frozenset[str]
    several: frozenset[str]
    """Those pronouns of `thing` that stand for more than one."""
    person: frozenset[str]
    her: frozenset[str]
    """Those pronouns that stand before a noun and say whose it is."""
    there: frozenset[str]
    clitic: frozenset[str]
    """Pronouns where no noun follows, articles or auxiliaries where one does; a language may have none."""
    this: frozenset[str]
    """Demonstratives that stand alone."""
    one: frozenset[str]
    """What stands for a noun that was named before ("ones")."""
    other: frozenset[str]
    """Words that compare with what was named before."""
    i: frozenset[str]
    we: frozenset[str]
    you: frozenset[str]
    light: frozenset[str]
    """Further words without content of their own, such as the commonest verbs."""
    opener: tuple[tuple[str, ...], ...]
    """First words of a turn that may be only a part of a question, the longest first."""
    meant: frozenset[str]
    """Words of a correction."""
    back: frozenset[str]
    """Words that name a subject before the question about it ("back to X: ...")."""
    nth: tuple[str, ...]
    """First, second, ..."""
    first: frozenset[str]
    last: frozenset[str]
    yes: frozenset[str]
    """Thanks, greetings, praise and consent."""
    sure: frozenset[str]
    """Doubt about an answer."""
    source: frozenset[str]
    """What an answer comes from."""
    says: frozenset[str]
    know: frozenset[str]
    """What the one who answers did to find it out."""
    why: frozenset[str]
    change: frozenset[str]
    """Verbs for work on an answer, and what they make of it."""
    sum_up: frozenset[str]
    """Those that tell a whole conversation in short."""
    shape: frozenset[str]
    """What an answer can become."""
    languages: frozenset[str]
    please: frozenset[str]
    """What else stands in such a request."""
    answer: frozenset[str]
    """What answers and questions are called."""
    conversation: frozenset[str]
    turn: frozenset[str]
    ask: frozenset[str]
    """Verbs of speaking with each other."""
    earlier: frozenset[str]
    about: frozenset[str]
    document: frozenset[str]
    """Texts in which somebody else may have asked or said something."""

    @cached_property
    def closed(self) -> frozenset[str]:
        """All words without content: what a phrase ends at."""
        known = language(self.code)
        assert known is not None
        return known.small_words.union(
            self.the, self.a, self.preposition, self.be, self.do, self.link, self.who, self.which, self.how, self.thing,
            self.person, self.her, self.there, self.this, self.one, self.other, self.speakers, self.light,
        )  # fmt: skip

    @cached_property
    def speakers(self) -> frozenset[str]:
        """The two who speak with each other."""
        return self.i | self.we | self.you


@dataclass(frozen=True)
class Stating:
    """How a user states something of themselves, or asks to keep it. Phrases are runs of words, parted as those of `Talk`."""

    remember: tuple[tuple[str, ...], ...]
    """What asks to keep what follows, the longest first."""
    my: frozenset[str]
    """What stands before a thing or person of the speaker's."""
    states: frozenset[str]
    """Verbs behind the speaker that tell a fact of theirs."""
    calls: tuple[tuple[str, ...], ...]
    """Other first words of a statement."""
    passing: frozenset[str]
    """What behind such a verb tells of a moment, a question or a complaint; "-ing" is any word with that ending."""
    lasting: frozenset[str]
    """What ends like that and tells a fact."""
    wishes: tuple[tuple[str, ...], ...]
    """What begins a wish for all answers to come."""
    wish: frozenset[str]
    """What is wished: one of these verbs stands at its beginning."""
    now: frozenset[str]
    """Words by which what was said before no longer holds."""
    same: Mapping[str, str]
    """Words that tell the same relation ("called", "name"), each with the first of its row."""
    one: frozenset[str]
    """Those relations of which a subject has one at a time."""
    tells: frozenset[str]
    """Verbs by which one asks for what was told."""


@dataclass(frozen=True)
class Language:
    """One language; words are folded as `words` gives them."""

    code: str
    name: str
    thousands: str
    """What parts the thousands of a number, beside a space."""
    decimal: str
    """What parts its whole from its fraction."""
    function_words: frozenset[str]
    """Articles, prepositions, conjunctions, auxiliaries."""
    articles: frozenset[str]
    question_words: frozenset[str]
    pronouns: frozenset[str]
    subjects: frozenset[str]
    """Pronouns of the third person that a clause may begin with."""
    agreeing: Mapping[str, frozenset[str]]
    """Those that can stand for one thing told before only, and the articles of such a thing."""
    negations: frozenset[str]
    quantifiers: frozenset[str]
    modals: frozenset[str]
    """With words of doubt and intention."""
    conditions: frozenset[str]
    """Words that restrict what is said: conditions, exceptions, times, reasons."""
    attributions: frozenset[str]
    """Words that say who says or believes it."""
    joins: frozenset[str]
    """Words between the members of a list that all hold."""
    choices: frozenset[str]
    """Words between the members of a list of which one holds."""
    connectives: frozenset[str]
    """Words at the head of a sentence that only tie it to the one before."""
    relatives: frozenset[str]
    """Words that open, behind a comma, what is merely told besides; none where a comma stands before any relative clause."""
    months: Mapping[str, int]
    """The number of each month by its names, from 1."""
    weekdays: Mapping[str, int]
    """The number of each day by its names, from 1 for Monday."""
    numbers: Mapping[str, int]
    """The value of each cardinal number by its words."""
    units: Mapping[str, str]
    """The symbol of each unit by its words."""
    abbreviations: Abbreviations = field(repr=False)
    talk: Talk = field(repr=False)
    stating: Stating = field(repr=False)

    @cached_property
    def reservations(self) -> frozenset[str]:
        """Words that restrict, doubt, attribute, negate, quantify or condition what is said."""
        return self.negations | self.quantifiers | self.modals | self.conditions | self.attributions

    @cached_property
    def small_words(self) -> frozenset[str]:
        """Words that say little by themselves: every class of words but names of times, numbers and units, and speech verbs."""
        return (
            self.function_words | self.question_words | self.pronouns | self.negations | self.quantifiers | self.modals
            | self.conditions
        )  # fmt: skip


@lru_cache
def language(code: str | None) -> Language | None:
    """What is known of a language.

    Args:
        code: An ISO 639-1 code, as `detect` gives it.

    Returns:
        The language; None where it has no file.
    """
    if code is None or code not in LANGUAGES:
        return None
    values: dict[str, Any] = tomllib.loads((_FILES / f"{code}.toml").read_text(encoding="utf-8"))
    talk, stating = _talk(code, values.pop("talk")), _stating(values.pop("stating"))
    read: dict[str, Any] = {name: _read(name, value) for name, value in values.items()}
    return Language(code=code, talk=talk, stating=stating, **read)


def _read(name: str, value: Any) -> Any:
    if name in ("name", "thousands", "decimal"):
        return value
    if name == "abbreviations":
        return Abbreviations(**{kind: frozenset(words.split()) for kind, words in value.items()})
    if isinstance(value, str):
        return frozenset(fold(value).split())
    rows = [line.split() for line in value]
    if name == "units":  # a symbol's case means something: Mb is no MB
        return {fold(word): symbol for symbol, *words in rows for word in words}
    rows = [[fold(word) for word in row] for row in rows]
    if name == "agreeing":
        return {pronoun: frozenset(articles) for pronoun, *articles in rows}
    if name in ("months", "weekdays"):
        return {word: number for number, row in enumerate(rows, start=1) for word in row}
    return {word: int(key) for key, *words in rows for word in words}


def _talk(code: str, values: Mapping[str, Any]) -> Talk:
    read: dict[str, Any] = {name: frozenset(fold(words).split()) for name, words in values.items() if isinstance(words, str)}
    read["nth"] = tuple(fold(values["nth"]).split())
    read["opener"] = tuple(tuple(phrase.split()) for phrase in values["opener"])
    return Talk(code=code, **read)


def _stating(values: Mapping[str, Any]) -> Stating:
    read: dict[str, Any] = {name: frozenset(fold(words).split()) for name, words in values.items() if isinstance(words, str)}
    for name in ("remember", "calls", "wishes"):
        read[name] = tuple(sorted((tuple(fold(phrase).split()) for phrase in values[name]), key=len, reverse=True))
    read["same"] = {word: row.split()[0] for row in map(fold, values["same"]) for word in row.split()}
    return Stating(**read)
