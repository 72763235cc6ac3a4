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
    if code not in LANGUAGES:
        return None
    fields: dict[str, Any] = tomllib.loads((_FILES / f"{code}.toml").read_text(encoding="utf-8"))
    return Language(code=code, **{name: _read(name, value) for name, value in fields.items()})


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
