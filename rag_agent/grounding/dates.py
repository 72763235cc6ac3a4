"""Dates in running text, however they are written: `July 20, 1969`, `20 July 1969`, `the 20th of July`."""

from typing import NamedTuple

from rag_agent.grounding import lexicon
from rag_agent.grounding.numbers import Number


class Fact(NamedTuple):
    """A number at a token index, as it is written, and the stem of the word behind it (its unit)."""

    number: Number
    at: int
    shown: str
    unit: str


class Date(NamedTuple):
    """A date whose unknown parts are 0."""

    year: int
    month: int
    day: int

    def within(self, other: "Date") -> bool:
        """Say whether the other date has every part that this one names."""
        return all(mine in (0, theirs) for mine, theirs in zip(self, other, strict=True))


def near_fact(at: int, facts: list[Fact]) -> bool:
    """Say whether a number stands within three tokens: `may` is a month then, and a verb otherwise."""
    return any(abs(fact.at - at) <= 3 for fact in facts)


def read_dates(shown: list[str], low: list[str], facts: list[Fact]) -> tuple[tuple[Date, ...], frozenset[int]]:
    """Read dates around the month names, and ISO dates (2024-05-31); and where their numbers stand."""
    values = {fact.at: (int(v), fact) for fact in facts for v in fact.number.values if isinstance(v, float) and v == int(v)}
    dates = []
    used: set[int] = set()
    for at, token in enumerate(low):
        month = lexicon.MONTHS.get(token, 0)
        if month and (shown[at][0].isupper() or near_fact(at, facts)):
            before = _step(low, at, -1)
            after = _step(low, at, 1)
            day = next((values[i][0] for i in (before, after) if i in values and 1 <= values[i][0] <= 31), 0)
            behind_day = _step(low, after, 1) if after in values and values[after][0] == day else after
            year = next((values[i][0] for i in (behind_day,) if i in values and 1000 <= values[i][0] <= 2200), 0)
            if day or year or (token != "may" and token != "march" and token != "mar" and token != "mai"):
                dates.append(Date(year, month, day))
                used.update(i for i in (before, after, behind_day) if i in values and values[i][0] in (day, year))
        year = values.get(at, (0,))[0]
        if 1000 <= year <= 2200 and low[at + 1 : at + 2] == ["-"] == low[at + 3 : at + 4] and {at + 2, at + 4} <= set(values):
            if 1 <= values[at + 2][0] <= 12 and 1 <= values[at + 4][0] <= 31:
                dates.append(Date(year, values[at + 2][0], values[at + 4][0]))
                used.update((at, at + 2, at + 4))
    return tuple(dates), frozenset(used)


def _step(low: list[str], at: int, step: int) -> int:
    """Go to the next token that matters for a date: commas, dots, `of`, `the`, `de` are passed over."""
    at += step
    while 0 <= at < len(low) and low[at] in (",", ".", "of", "the", "de", "del", "den", "der"):
        at += step
    return at
