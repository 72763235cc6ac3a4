"""Numbers in running text: digits, words, ordinals, percentages, decades and Roman numerals as comparable values."""

import re
from typing import NamedTuple

_UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen "
        "eighteen nineteen".split()
    )
}
_TENS = {w: 10 * v for v, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SCALES |= {"miljoen": 10**6, "miljard": 10**9, "millionen": 10**6, "milliarden": 10**9, "millones": 10**6}
_SCALES |= {"millions": 10**6, "milioni": 10**6, "milhões": 10**6, "mn": 10**6, "bn": 10**9}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth "
        "sixteenth seventeenth eighteenth nineteenth twentieth".split(),
        start=1,
    )
}
_ORDINALS |= {f"{word[:-1]}ieth": value for word, value in _TENS.items()} | {"hundredth": 100, "thousandth": 1000}
# Counting words of other languages that are no English words.
_OTHER = {
    "twee": 2, "drie": 3, "vier": 4, "vijf": 5, "zes": 6, "zeven": 7, "acht": 8, "negen": 9, "tien": 10, "twaalf": 12,
    "zwei": 2, "drei": 3, "fünf": 5, "sechs": 6, "sieben": 7, "neun": 9, "zehn": 10, "zwölf": 12,
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "sept": 7, "huit": 8, "neuf": 9, "dix": 10, "douze": 12,
    "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9, "diez": 10,
    "tre": 3, "quattro": 4, "cinque": 5, "sette": 7, "nove": 9, "dieci": 10,
    "dois": 2, "duas": 2, "três": 3, "quatro": 4, "oito": 8, "dez": 10,
}  # fmt: skip
_ROMAN = re.compile(r"(?=[IVXLC]{1,7}$)C{0,3}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})$")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_DIGITS = re.compile(r"(\d+(?:[.,'\u00a0\u202f]\d+)*)(st|nd|rd|th|er|ème|º|ª|'?s)?$", re.IGNORECASE)


class Number(NamedTuple):
    """A number as written: its possible values, and what kind of number it is.

    Attributes:
        values: What it may mean; two where the writing leaves it open (`1.200` is 1200 or 1.2).
        kind: `plain`, `ordinal` (20th), `decade` (1980s), `roman` (matches plain and ordinal) or `code` (1.2.3, B52).
        length: Tokens that it takes up.
    """

    values: frozenset[float | str]
    kind: str
    length: int

    def matches(self, other: "Number") -> bool:
        """Say whether both may be the same number of the same kind."""
        kinds = {self.kind, other.kind}
        same_kind = len(kinds) == 1 or ("roman" in kinds and kinds <= {"roman", "plain", "ordinal"})
        return same_kind and not self.values.isdisjoint(other.values)


def read_number(tokens: list[str], at: int) -> Number | None:
    """Read the number that begins at a token.

    Args:
        tokens: Tokens as written; hyphenated words are separate tokens (`twenty`, `-`, `one`).
        at: Index of the first token of the number.

    Returns:
        The number with all its tokens, or None where no number begins.
    """
    token = tokens[at]
    if token[0].isdigit():
        return _from_digits(tokens, at)
    if any(char.isdigit() for char in token):
        return Number(frozenset({token.casefold()}), "code", 1)
    low = token.casefold()
    if low in _OTHER:
        return Number(frozenset({float(_OTHER[low])}), "plain", 1)
    if at and len(token) > 1 and _ROMAN.match(token) and tokens[at - 1][:1].isupper():
        return Number(frozenset({float(_roman(token))}), "roman", 1)
    return _from_words(tokens, at)


def _from_digits(tokens: list[str], at: int) -> Number:
    match = _DIGITS.match(tokens[at])
    if match is None:
        return Number(frozenset({tokens[at].casefold()}), "code", 1)
    digits, suffix = match.group(1), (match.group(2) or "").lower()
    values: frozenset[float | str] = frozenset(_digit_values(digits))
    if suffix.endswith("s") and len(digits) in (2, 4) and suffix != "st":
        return Number(values, "decade", 1)
    if suffix:
        return Number(values, "ordinal", 1)
    length = 1
    while at + length < len(tokens) and (scale := _SCALES.get(tokens[at + length].casefold())):
        values = frozenset(round(value * scale, 6) for value in values if isinstance(value, float))
        length += 1
    kind = "code" if any(isinstance(value, str) for value in values) else "plain"
    return Number(values, kind, length)


def _digit_values(digits: str) -> set[float | str]:
    """Read separators both ways where the writing leaves it open."""
    parts = re.split(r"[.,'\u00a0\u202f]", digits)
    if len(parts) == 1:
        return {float(digits)}
    marks = re.findall(r"[.,'\u00a0\u202f]", digits)
    grouped = len(parts[0]) <= 3 and all(len(part) == 3 for part in parts[1:])
    found: set[float | str] = set()
    if grouped and len(set(marks)) == 1 and parts[0] != "0":
        found.add(float("".join(parts)))
    if len(parts) == 2 and marks[0] in ".," and not (found and marks[0] == ","):
        found.add(float(".".join(parts)))
    if len(parts) > 2 and len(set(marks[:-1])) == 1 and marks[-1] != marks[0] and all(len(p) == 3 for p in parts[1:-1]):
        found.add(float("".join(parts[:-1]) + "." + parts[-1]))
    return found or {digits}


def _roman(token: str) -> int:
    values = [_ROMAN_VALUES[char] for char in token]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def _from_words(tokens: list[str], at: int) -> Number | None:  # noqa: C901 - one small grammar, read in one pass
    """Read `two hundred and five`, `ninety-seven`, `nineteen sixty-nine`, `twenty-first`, `a hundred`."""
    total, current, length, position = 0, 0, 0, at
    ordinal = started = False
    last = 10**18
    while position < len(tokens) and not ordinal:
        low = tokens[position].casefold()
        joiner = low in ("-", "and") and started
        if joiner and position + 1 < len(tokens) and (low == "-" or current >= 100 or total):
            following = tokens[position + 1].casefold()
            next_small = _small(following)
            # `sixty-nine` and `hundred and five` go on, `five and six` and `nine-year` do not
            if next_small is not None and (low == "-") == (20 <= last < 100) and next_small[0] < last:
                position += 1
                continue
            break
        small = _small(low)
        if small is not None:
            value, ordinal = small
            if started and 13 <= current <= 20 and total == 0 and 10 <= value <= 99 and not ordinal:
                current, last = current * 100 + value, value  # nineteen sixty(-nine)
            elif started and value >= last:
                ordinal = False
                break
            else:
                current, last = current + value, value
        elif low in _SCALES and (started or low in ("hundred", "thousand", "million", "billion", "trillion")):
            if not started and not (at and tokens[at - 1].casefold() in ("a", "one", "per")):
                return None
            scale = _SCALES[low]
            if scale == 100:
                current = (current or 1) * 100
            else:
                total, current = total + (current or 1) * scale, 0
            last = scale
        else:
            break
        started = True
        position += 1
        length = position - at
    if not length:
        return None
    return Number(frozenset({float(total + current)}), "ordinal" if ordinal else "plain", length)


def _small(word: str) -> tuple[int, bool] | None:
    """Value below 100 of a counting word, and whether it is an ordinal."""
    if word in _ORDINALS:
        return _ORDINALS[word], True
    value = _UNITS.get(word, _TENS.get(word))
    return None if value is None else (value, False)
