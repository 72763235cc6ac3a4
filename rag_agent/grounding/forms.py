"""Tokens of a text in forms that can be compared: dates, numbers and units written in two ways are one.

`20 July 1969`, `July 20, 1969` and `1969-07-20`; `1,600` and `1600`; `5 km` and `5 kilometres`. Everything else, small words
and punctuation included, is itself.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from rag_agent.language import LANGUAGES, Language, language
from rag_agent.language.words import WORD, fold, plain

# Names of months and units need no language: those of the five files never disagree where a number stands beside them.
_ALL = [known for code in LANGUAGES if (known := language(code))]
_MONTHS = {word: number for one in _ALL for word, number in one.months.items()}
_UNITS = {word: symbol for one in _ALL for word, symbol in one.units.items()}
_SMALL = frozenset[str]().union(*(one.small_words for one in _ALL))
NEGATIONS = frozenset[str]().union(*(one.negations for one in _ALL))
"""Of all languages that have a file, for a text whose language cannot be told."""
_SYMBOLS = "|".join(sorted(set(_UNITS.values()), key=len, reverse=True))
_SCALE = 1000  # "5 million", but "five hundred" in nobody's digits
_TOKEN = re.compile(
    r"\d{4}-\d\d-\d\d(?!\w)"
    r"|(?:\d{1,3}(?: \d{3})+|\d+(?:[.,:]\d+)*)" + rf"(?=(?:{_SYMBOLS})?(?!\w))"
    rf"|{WORD}|\S",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d")
_GROUPED = re.compile(r"\d{1,3}(?:(?P<by>[., ])\d{3})(?:(?P=by)\d{3})*")
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|º|ª)?", re.IGNORECASE)
_YEAR = re.compile(r"1\d{3}|20\d\d")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_LINE_END = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010][ \t]*\r?\n[ \t]*(?=[^\W\d_])")
_POWERS = str.maketrans({char: f"^{digit}" for digit, char in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})  # else 10³ were 103
_MARKUP = re.compile(r"`+|\*\*|__(?=\w)|(?<=\w)__")


Date = tuple[int, int, int]
"""Year, month and day; 0 where a part is not told."""


class Token(NamedTuple):
    """One token.

    Attributes:
        key: What it is compared by: the folded word, or the value of a date, number or unit.
        raw: As written.
        kind: `word`, `mark` (punctuation and symbols), `number`, `unit`, `date`.
        opens: It is the first word of its sentence or clause, where a capital means nothing.
    """

    key: str
    raw: str
    kind: str
    opens: bool = False

    @property
    def named(self) -> bool:
        """Whether a capital, not that of a sentence's beginning, makes it a name."""
        return self.kind == "word" and self.raw[:1].isupper() and not self.opens


def tokens(text: str, known: Language | None, *, joined: bool = True) -> list[Token]:
    """Read a text's tokens.

    Args:
        text: A sentence or clause.
        known: Its language; None compares numbers as they are written.
        joined: A word broken at a line's end loses its hyphen; False keeps it ("well-" and "known").
    """
    text = _MARKUP.sub("", _LINE_END.sub("" if joined else "-", text).translate(_POWERS))
    found: list[Token] = []
    for raw in _TOKEN.findall(re.sub(r"(?<=\d)[–−](?=\d)", "-", plain(text))):
        found.append(_token(raw, found, known))
    first = next((at for at, token in enumerate(found) if token.kind != "mark"), None)
    if first is not None:
        found[first] = found[first]._replace(opens=True)
    return _with_dates(_with_scales(found, known), known)


def same(one: Token, other: Token, *, caseless: bool = False) -> bool:
    """Say whether two tokens mean the same; a capital counts, except at a sentence's beginning ("us" is not the US)."""
    if one.kind != other.kind or one.key != other.key:
        return False
    if one.raw == other.raw or one.kind in ("number", "date", "unit"):
        return True
    shout = any(len(token.raw) > 1 and token.raw.isupper() for token in (one, other))
    return not shout and (caseless or ((one.opens or other.opens) and one.raw[1:] == other.raw[1:]))


def dates(found: Sequence[Token]) -> set[Date]:
    """The times that tokens tell: whole dates, a month with its year, a year alone."""
    told: set[Date] = set()
    for at, token in enumerate(found):
        following = found[at + 1] if at + 1 < len(found) else None
        if token.kind == "date":
            year, month, day = map(int, token.key.split("-"))
            told.add((year, month, day))
        elif _YEAR.fullmatch(token.raw) and (following is None or not _counted(following)):
            told.add((int(token.raw), _month(found, at - 1) if at else 0, 0))
    return told


def _counted(token: Token) -> bool:
    """Whether a word behind a number may be what is counted: 1932 visitors."""
    return token.kind == "unit" or (token.kind == "word" and token.raw.islower() and token.key not in _SMALL)


def _token(raw: str, before: Sequence[Token], known: Language | None) -> Token:
    low = fold(raw)
    if before and before[-1].kind == "number" and (low in _UNITS or raw in _UNITS.values()):
        return Token(_UNITS.get(low, raw), raw, "unit")
    if _NUMBER.match(raw) and not raw[-1].isalpha():
        return Token(_number(raw, known), raw, "number")
    if known and (value := _value(low, known)) > 1 and not (len(raw) > 1 and raw.isupper()):
        return Token(str(value), raw, "number")
    return Token(low, raw, "word" if any(char.isalnum() for char in raw) else "mark")


def _number(raw: str, known: Language | None) -> str:
    """Digits without what parts their thousands; whatever stands behind the decimal mark stays: 3.10 is not 3.1."""
    whole, mark, fraction = raw.partition(known.decimal) if known else (raw, "", "")
    grouped = _GROUPED.fullmatch(whole)
    if grouped and (grouped["by"] == " " or (known and grouped["by"] == known.thousands)):
        whole = whole.replace(grouped["by"], "")
        mark = mark and "."
    return f"{whole}{mark}{fraction}"


def _value(low: str, known: Language) -> int:
    tens, _, ones = low.partition("-")
    if ones:
        value, rest = known.numbers.get(tens, 0), known.numbers.get(ones, 0)
        return value + rest if value in range(20, 100, 10) and 0 < rest < 10 else 0
    return known.numbers.get(low, 0)


def _with_scales(found: list[Token], known: Language | None) -> list[Token]:
    """`5 million` as 5000000."""
    made: list[Token] = []
    for token in found:
        last = made[-1] if made else None
        scale = known.numbers.get(fold(token.raw), 0) if known and token.kind == "number" else 0
        if last and last.kind == "number" and scale >= _SCALE and re.fullmatch(r"\d+(?:[.,]\d+)?", last.key):
            value = Decimal(last.key.replace(",", ".")) * scale
            key = str(int(value)) if value == int(value) else str(value)
            made[-1] = last._replace(key=key, raw=f"{last.raw} {token.raw}")
        else:
            made.append(token)
    return made


def _with_dates(found: list[Token], known: Language | None) -> list[Token]:
    made: list[Token] = []
    at = 0
    while at < len(found):
        length, date = _date(found, at, known)
        if length:
            made.append(Token(date, " ".join(token.raw for token in found[at : at + length]), "date", found[at].opens))
        else:
            made.append(found[at])
        at += length or 1
    return made


def _date(found: Sequence[Token], at: int, known: Language | None) -> tuple[int, str]:
    """The date that begins at a token: how many tokens it takes, and `year-month-day`, 0 where a part is not told."""
    raw = found[at].raw
    if re.fullmatch(r"\d{4}-\d\d-\d\d", raw):
        return 1, "-".join(str(int(part)) for part in raw.split("-"))
    if (dotted := _DOTTED.fullmatch(raw)) and known and known.decimal == "," and int(dotted[2]) <= 12:
        return 1, f"{int(dotted[3])}-{int(dotted[2])}-{int(dotted[1])}"

    def skipped(place: int, *marks: str) -> int:
        while place < len(found) and found[place].key in marks:
            place += 1
        return place

    start = at + 1 if found[at].key == "the" else at
    if day := _day(found, start):
        behind = skipped(start + 1, "of", "de", ".")
        month = _month(found, behind)
        behind += 1
    elif (month := _month(found, at)) and (day := _day(found, at + 1)):
        behind = at + 2
    if not (day and month):
        return 0, ""
    year_at = skipped(behind, "of", "de", "del", ",")
    year = found[year_at].key if year_at < len(found) and _YEAR.fullmatch(found[year_at].raw) else ""
    return (year_at + 1 if year else behind) - at, f"{year or 0}-{month}-{day}"


def _day(found: Sequence[Token], at: int) -> int:
    match = _DAY.fullmatch(found[at].raw) if at < len(found) else None
    return int(match[1]) if match and 1 <= int(match[1]) <= 31 else 0


def _month(found: Sequence[Token], at: int) -> int:
    return _MONTHS.get(found[at].key, 0) if at < len(found) and found[at].kind == "word" else 0
