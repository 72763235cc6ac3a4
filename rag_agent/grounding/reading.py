"""What a sentence says in comparable pieces: content words, names, numbers, dates and what is negated."""

import re
import unicodedata
from typing import NamedTuple

import Stemmer

from rag_agent.grounding import lexicon
from rag_agent.grounding.dates import Date, Fact, near_fact, read_dates
from rag_agent.grounding.numbers import Number, read_number

# Scripts that put no spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han. Each character is a token.
_UNSPACED = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"
_TOKEN = re.compile(
    _UNSPACED + r"|"
    r"\d+(?:[.,]\d+)*(?=(?:[kcm]?m|[km]?g|mph|ft|lb|[kmg]b|[kmgt]?hz|[kmg]w|bn|mn|[ap]m)\b)"  # 5km -> 5, km
    r"|\d+(?:[.,]\d+)*(?:st|nd|rd|th|'?s)?(?![^\W_])"
    r"|[^\W_]+(?:'[^\W\d_]+)?|[^\w\s]",
    re.IGNORECASE,
)
_CJK_NUMBER = re.compile(
    r"[一二三四五六七八九十百千万億亿〇零两兩]{2,}|[一二三四五六七八九十两兩](?=[年月日個个人次座名位岁歳つ])"
)
_REPAIRS = (
    (re.compile(rf"(?<={_UNSPACED})(?=[^\W_])|(?<=\w)(?={_UNSPACED})"), " "),
    (re.compile(r"(\w)[-\u00ad\u2010][ \t]*\r?\n[ \t]*(?=[a-zà-öø-ÿ])"), r"\1"),  # a word broken at a line end
    (re.compile("\u00ad|\u200b|\ufeff"), ""),
    (re.compile(r"\s+"), " "),
    (re.compile(r"[’‘ʼ`´](?=\w)|[’ʼ´]"), "'"),
    (re.compile(r"(?<=\w) ?' ?(?=(?:s|t|re|ve|ll|d|m)\b)"), "'"),  # tokenised: `it ' s`, `world 's`
    (re.compile(r"(?<=\w) (?=n't\b)"), ""),
    (re.compile(r"(?<![\d.,])(\d{1,3})((?: [.,] \d{3})+)(?! ?\d)"), lambda m: re.sub(r"\s", "", m.group())),
    (re.compile(r"\b(?:[A-Za-z]\.){2,}[A-Za-z]?(?![a-z])"), lambda m: m.group().replace(".", "")),  # U.S. -> US
    (re.compile(r"\bunited states(?: of america)?\b|\bUSA?\b|(?<=\bthe )us\b|(?<!th )(?<!tin )(?<!ral )\bamerica\b",
                re.IGNORECASE), "USA"),
    (re.compile(r"\bunited kingdom\b|\bUK\b", re.IGNORECASE), "UK"),
    (re.compile(r"%"), " percent "), (re.compile(r"\$"), " dollar "), (re.compile(r"€"), " euro "),
    (re.compile(r"£"), " pound "), (re.compile(r"\bper cent\b"), "percent"),
)  # fmt: skip


ASIDE = 0.25  # share of the usual weight for what a reply says about itself or only asks
_SELF = frozenset("i i'm i've i'd i'll im my me we we're".split())


class Word(NamedTuple):
    """A content word.

    Attributes:
        key: Stem (or character pair) under which equal words meet.
        low: The word in lower case.
        at: Token index.
        weight: Share in the claim; names weigh most, light words little.
        name: 2 for a capital inside the sentence, 1 for one that begins it, 0 for neither.
        negated: The first content word behind a negation.
    """

    key: str
    low: str
    at: int
    weight: float
    name: int
    negated: bool


class Reading(NamedTuple):
    """Everything that the check compares about one sentence.

    Attributes:
        tokens: Tokens in lower case, punctuation included.
        words, facts, dates: Content words, numbers and dates in order; a date's numbers are facts too.
        dated: Token indices of the numbers that belong to a date.
        negations: Token indices of the negating words.
        compounds: Neighbouring tokens written as one, for `co-operate` and words broken at line ends.
        cased: The sentence has capitals, so that a word without one is no name.
    """

    tokens: tuple[str, ...]
    words: tuple[Word, ...]
    facts: tuple[Fact, ...]
    dates: tuple[Date, ...]
    dated: frozenset[int]
    negations: tuple[int, ...]
    compounds: frozenset[str]
    cased: bool


def detect_language(text: str) -> str:
    """Guess the language by its stop words.

    Args:
        text: A sentence or more; the first 5,000 characters are looked at.

    Returns:
        A name that the Snowball stemmer knows; `english` where no list fits better.
    """
    tokens = re.findall(r"[^\W\d_]+", text[:5000].lower())
    hits = {language: sum(token in words for token in tokens) for language, words in lexicon.STOP.items()}
    best = max(hits, key=lambda language: hits[language])
    return best if hits[best] > hits["english"] else "english"


def normalise(text: str) -> str:
    """Undo what differs between two writings of one sentence: line-end hyphens, tokenised spacing, quotes, U.S./USA."""
    text = unicodedata.normalize("NFKC", text)
    for pattern, replacement in _REPAIRS:
        text = pattern.sub(replacement, text)
    return text


class Reader:
    """Reads sentences of one language; holds the stemmer and nothing that changes."""

    def __init__(self, language: str = "english") -> None:
        """Choose the language.

        Args:
            language: As `detect_language` gives it.

        Raises:
            KeyError: Snowball has no stemmer of that name.
        """
        self.language = language
        self._stem = Stemmer.Stemmer(language).stemWord
        self._stop = lexicon.STOP.get(language, frozenset()) | (lexicon.STOP["english"] if language == "english" else frozenset())
        self._english = language == "english"
        self._negation = lexicon.NEGATION if self._english else lexicon.NEGATION_OTHER | _romance_no(language)

    def key(self, low: str) -> str:
        """Give the stem of a word in lower case, irregular forms and British spelling undone."""
        if self._english:
            low = lexicon.IRREGULAR.get(low.removesuffix("'s"), low.removesuffix("'s"))
            low = re.sub(r"our(?=s?$|ed$|ing$|ite)", "or", low) if len(low) > 5 else low
            low = re.sub(r"is(?=e[ds]?$|ing$|ation)", "iz", low) if len(low) > 6 else low
            low = re.sub(r"tre(?=s?$)", "ter", low)
        stem: str = self._stem(low)
        return stem

    def read(self, text: str) -> Reading:
        """Take a sentence apart.

        Args:
            text: One sentence, or two neighbouring ones.

        Returns:
            Its pieces; empty for text without words.
        """
        shown = [match.group() for match in _TOKEN.finditer(normalise(text))]
        low = [token.lower() for token in shown]
        facts, taken = self._facts(shown, low)
        dates, dated = read_dates(shown, low, facts)
        months = {at for at in range(len(low)) if low[at] in lexicon.MONTHS and near_fact(at, facts)}
        negations = tuple(at for at in range(len(low)) if self._negates(low, at))
        aside = _asides(low) if self._english else frozenset()
        negations = tuple(at for at in negations if at not in aside)
        words: list[Word] = []
        pending = -9
        for at, token in enumerate(low):
            if at in negations:
                pending = at
            elif not token[0].isalnum():
                pending = pending if token in "'\"-" else -9
            elif at not in taken and at not in months:
                found = self._words(shown, low, at, 0 < at - pending <= 5 and pending >= 0)
                pending = -9 if found else pending
                words.extend(w._replace(weight=w.weight * ASIDE) if at in aside and w.name < 2 else w for w in found)
        compounds = frozenset(
            a + b for a, between, b in zip(low, low[1:], low[2:], strict=False) if between == "-" and a.isalpha() and b.isalpha()
        ) | frozenset(a + b for a, b in zip(low, low[1:], strict=False) if a.isalpha() and b.isalpha())
        cased = any(token[0].isupper() for token in shown[1:] if token not in ("USA", "UK", "I"))
        return Reading(tuple(low), tuple(words), tuple(facts), dates, dated, negations, compounds, cased)

    def _negates(self, low: list[str], at: int) -> bool:
        token = low[at]
        following = low[at + 1] if at + 1 < len(low) else ""
        if is_unspaced(token):
            return any("".join(low[at : at + len(mark)]) == mark for mark in lexicon.NEGATION_CJK)
        if following in lexicon.NOT_NEGATING or (token == "no" and following == "."):
            return False
        return token in self._negation or token.endswith("n't")

    def _words(self, shown: list[str], low: list[str], at: int, negated: bool) -> list[Word]:
        token = low[at].removesuffix("'s").removesuffix("'")
        if is_unspaced(token):
            following = low[at + 1] if at + 1 < len(low) and is_unspaced(low[at + 1]) else ""
            alone = not following and not (at and is_unspaced(low[at - 1]))
            pair = token + following
            return [Word(pair, pair, at, 0.2 if is_kana(pair) else 0.5, 0, False)] if following or alone else []
        if token in self._stop or "'" in token and token.split("'")[0] in self._stop or token == "":
            return []
        begins = at == 0 or all(not part[0].isalnum() for part in low[:at]) or low[at - 1] in (".", "?", "!", ":")
        capital = shown[at][0].isupper()
        name = 0 if not capital else 1 if begins else 2
        if len(token) == 1 and not name:
            return []
        light = token in lexicon.LIGHT or token.endswith("ly")
        weight = 2.0 if name == 2 or token in lexicon.WEEKDAYS else 0.4 if light and self._english else 1.0
        return [Word(self.key(token), token, at, weight, name, negated)]

    def _facts(self, shown: list[str], low: list[str]) -> tuple[list[Fact], set[int]]:
        facts: list[Fact] = []
        taken: set[int] = set()
        at = 0
        while at < len(shown):
            number = _unspaced_number(low, at) if is_unspaced(low[at]) else None
            if number is None and low[at][0].isalnum() and not is_unspaced(low[at]):
                number = read_number(shown, at)
            if number is None:
                at += 1
                continue
            behind = [token for token in low[at + number.length : at + number.length + 2] if token[0].isalpha()]
            unit = self.key(behind[0]) if behind and behind[0] not in self._stop else ""
            facts.append(Fact(number, at, " ".join(shown[at : at + number.length]), unit))
            taken.update(range(at, at + number.length))
            at += number.length
        return facts, taken


def _asides(low: list[str]) -> frozenset[int]:
    """Token indices of clauses about the speaker ("I'm not sure, but") and of questions: they claim next to nothing."""
    found: set[int] = set()
    start = sentence = 0
    for at, token in enumerate([*low, "."]):
        if token in (",", ".", "!", "?", ";", "but", "although", "though"):
            head = next((word for word in low[start:at] if word not in ("and", "so", "that", "'", '"', "well", "oh")), "")
            if head in _SELF:
                found.update(range(start, at))
            start = at + 1
        if token == "?":
            found.update(range(sentence, at))
        if token in (".", "!", "?"):
            sentence = at + 1
    return frozenset(found)


def _romance_no(language: str) -> frozenset[str]:
    return frozenset({"no"}) if language in ("spanish", "italian") else frozenset()


def is_unspaced(token: str) -> bool:
    """Say whether a token is a character of a script that puts no spaces between words."""
    return len(token) == 1 and re.match(_UNSPACED, token) is not None


def _unspaced_number(low: list[str], at: int) -> Number | None:
    """Read a run of Chinese numerals, or one of them before a counter: it must stand in the source as it is."""
    match = _CJK_NUMBER.match("".join(token if len(token) == 1 else " " for token in low[at : at + 20]))
    return Number(frozenset({match.group()}), "code", len(match.group())) if match else None


def is_kana(pair: str) -> bool:
    """Say whether a text is of hiragana only: endings and particles."""
    return all("\u3040" <= char <= "\u309f" for char in pair)
