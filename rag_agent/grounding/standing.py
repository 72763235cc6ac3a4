"""Whether a sentence stands on a quote, word for word and with no model: "exactness decides truth".

Each token of the sentence, small words and punctuation included, must stand in the quote in order, from the beginning of a
sentence or clause to its end. Inside a clause nothing is dropped, added or moved, so that a negation, a condition or a
quantity cannot get lost in any language there is. What a language's file knows widens that: dates, numbers and units may
take another form, and an aside between commas or a clause behind a semicolon may go, as long as no word in it restricts,
doubts, attributes, negates, quantifies or conditions. Failing is cheap: the quote itself is shown instead.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from rag_agent.grounding.forms import Token, same, tokens
from rag_agent.language import LANGUAGES, Language, detect, language, sentence_texts

Standing = Literal["quote", "restated"]
"""`quote`: verbatim and whole. `restated`: word for word, by deletions that take nothing away, and equal forms."""

_TERMINAL = frozenset({".", "!", "...", "…", "。", "！", "．"})
_RESERVATIONS = frozenset[str]().union(*(known.reservations for code in LANGUAGES if (known := language(code))))
_OPEN = frozenset({":", '"', "?", "(", ")"})  # in what is dropped, these may say whose words the rest is
_NAME = 5  # most words of a name in apposition: "the mayor, Anna Maria van der Lund, ..."
_ASIDE = 10  # and of one that begins with an article: "Anna Lund, the mayor of Oslo at the time, ..."


def standing(sentence: str, quote: str) -> Standing | None:
    """Say whether one text stands on another.

    Args:
        sentence: What is said: one sentence, or more that follow each other in the quote.
        quote: What it shall stand on: a sentence, a paragraph, a row of a table.

    Returns:
        "quote" where it is verbatim (but for white space, quotation marks and words broken at a line's end) and whole in
        the quote; "restated" where it is word for word, by deletions that take nothing away and equal forms of dates,
        numbers and units; None where it says anything else, or leaves a restriction out.
    """
    flat = " ".join(quote.split())
    code = detect(flat)
    found: Standing | None = None
    # A line's end may part two words or two sentences, and a hyphen there may belong to the word.
    for text, joined in dict.fromkeys(((quote, True), (flat, True), (quote, False))):
        unit = _unit(text, code, joined)
        said = [token for one in sentence_texts(sentence) for token in tokens(one, language(code), joined=joined)]
        said = said[: _end(said)]
        if not any(token.kind != "mark" for token in said):
            return None
        caseless = sentence == sentence.lower() or quote == quote.lower()
        for start in unit.starts:
            way = _way(said, unit, start, caseless)
            if way == "quote":
                return "quote"
            found = found or way
    return found


class _Unit:
    """A quote's tokens, where a sentence on it may begin and end, and what it may leave out."""

    def __init__(self, quote: str, known: Language | None, joined: bool) -> None:
        self.known = known
        self.tokens: list[Token] = []
        self.starts: list[int] = []
        self.ends: set[int] = set()
        self.drops: dict[int, list[int]] = defaultdict(list)  # from a token to those that may follow it
        clauses: list[tuple[int, int]] = []
        for text in sentence_texts(quote):
            base = len(self.tokens)
            self.tokens += tokens(text, known, joined=joined)
            end = base + _end(self.tokens[base:])
            clauses += self._sentence(base, end)
        if known:
            for left, right in zip(clauses, clauses[1:], strict=False):
                self._subject(known, left, right[0])

    def _sentence(self, base: int, end: int) -> list[tuple[int, int]]:
        """Take in one sentence; gives its clauses."""
        if sum(token.key == '"' for token in self.tokens[:base]) % 2 == 0:  # else it is somebody's words
            self.starts.append(base)
        self.ends.add(end)
        borders = [at for at in range(base, end) if self.tokens[at].key == ";"]
        for at in borders:
            if at + 1 < end:
                self.tokens[at + 1] = self.tokens[at + 1]._replace(opens=True)
            if not self._reserved(base, at):
                self.starts.append(at + 1)
            if self._stands_alone(at + 1, end):
                self.ends.add(at)
        clauses = list(zip([base, *(at + 1 for at in borders)], [*borders, end], strict=True))
        if self.known:
            for clause in clauses:
                self._connective(self.known, *clause)
                self._asides(self.known, *clause)
        return clauses

    def _reserved(self, start: int, end: int) -> bool:
        """Whether a stretch holds a word that may take something back, or marks of other people's words."""
        reservations = self.known.reservations if self.known else _RESERVATIONS
        return any(
            (token.key in reservations and not (self.known and token.named and _is_time(self.known, token)))  # 1 May
            or token.key in _OPEN
            or token.key.endswith("n't")
            for token in self.tokens[start:end]
        )

    def _stands_alone(self, start: int, end: int) -> bool:
        """Whether a clause that follows may go: it has a subject of its own, and takes nothing back."""
        if not self.known or start >= end or self._reserved(start, end):
            return False
        first = self.tokens[start]
        return first.key in self.known.articles | self.known.subjects or first._replace(opens=False).named

    def _connective(self, known: Language, start: int, end: int) -> None:
        """`However, the bridge ...`: the word that only ties a sentence to the one before may go."""
        if start in self.starts and start + 2 < end and self.tokens[start].key in known.connectives:
            comma = self.tokens[start + 1].key == ","
            if comma or self.tokens[start + 1].key in known.articles | known.subjects:
                self.starts.append(start + 1 + comma)
                self.tokens[self.starts[-1]] = self.tokens[self.starts[-1]]._replace(opens=True)

    def _asides(self, known: Language, start: int, end: int) -> None:
        """What stands between a comma and the next, or the end, and may go."""
        commas = [at for at in range(start + 1, end) if self.tokens[at].key == ","]
        for at in commas:
            for close in (*(comma for comma in commas if comma > at + 1), end):
                if close <= at + 1 or self._reserved(at + 2, close):
                    continue
                if self._is_relative(known, at, close, close == end) or self._is_apposition(known, start, at, close, end):
                    self.drops[at] += [close, close + 1] if close < end else [close]
                elif close == end and commas[0] == at and self._is_coordinate(known, at, end):
                    self.drops[at].append(close)

    def _is_relative(self, known: Language, comma: int, close: int, last: bool) -> bool:
        """`, which is long,`, `, in which ...`: behind a comma it is told besides.

        At a sentence's end it must follow a name or a thing: "the bank failed, which ..." may take back the whole.
        """
        before = self.tokens[comma - 2 : comma]
        if last and not any(token.named or token.key in known.articles or token.kind != "word" for token in before):
            return False
        first, second = self.tokens[comma + 1], self.tokens[min(comma + 2, close - 1)]
        opens = first.key in known.relatives or (first.key in known.function_words and second.key in known.relatives)
        return opens and close - comma > 2 and self.tokens[comma - 1].key not in known.small_words

    def _is_apposition(self, known: Language, start: int, comma: int, close: int, end: int) -> bool:
        """`the mayor, Anna Lund,`, `Anna Lund, the mayor of Oslo,`; not `Paris, Texas,` and not a member of `A, B or C`."""
        if any(token.key in known.choices for token in self.tokens[start:end]):
            return False
        inner, before = self.tokens[comma + 1 : close], self.tokens[max(start, comma - 3) : comma]
        definite = any(token.key in known.articles for token in before)
        if all(token.named for token in inner):
            return definite and len(inner) <= _NAME
        named = before[-1].named or (len(before) == 1 and before[-1].raw[:1].isupper())
        if len(inner) > 2 and inner[2].key not in known.function_words:
            return False  # "the bishop joked" has the form of "the oldest bridge"; "the mayor of Oslo" does not
        plain = not any(
            token.key in (known.pronouns | known.question_words) - known.articles or token.kind != "word" for token in inner
        )
        # German clauses that restrict look alike, but end in a verb: "Hunde, die an der Leine sind, ..."
        plain = plain and (bool(known.relatives) or inner[-1].named)
        return inner[0].key in known.articles and (named or definite) and plain and len(inner) <= _ASIDE

    def _is_coordinate(self, known: Language, comma: int, end: int) -> bool:
        """`, and the mayor resigned` at the end, which is no member of a list and opens with no preposition."""
        if end - comma < 4 or self.tokens[comma + 1].key not in known.joins:
            return False
        first = self.tokens[comma + 2].key
        return first in known.articles | known.subjects or self.tokens[comma + 2].named

    def _subject(self, known: Language, clause: tuple[int, int], following: int) -> None:
        """`The reserve is open ...; it is closed ...`: the pronoun may be the subject, where nothing else can be meant."""
        start, end = clause
        pronoun = self.tokens[following].key if following < len(self.tokens) else ""
        if self.tokens[start].key not in known.agreeing.get(pronoun, ()):
            return
        for stop in range(start + 2, min(start + 4, end)):
            subject, rest = self.tokens[start + 1 : stop], self.tokens[stop:end]
            small = known.small_words | known.pronouns
            told = [token for token in rest if token.kind == "word" and token.key not in small and not _is_time(known, token)]
            others = any(token.named and not _is_time(known, token) for token in rest)
            others = others or any(token.key in known.articles | known.pronouns or token.kind == "mark" for token in rest)
            plain = all(token.kind == "word" and token.key not in small for token in subject)
            if plain and len(told) == 1 and not others and not self._reserved(stop, end):
                self.drops[stop].append(following + 1)


@lru_cache(256)
def _unit(quote: str, code: str | None, joined: bool) -> _Unit:
    return _Unit(quote, language(code), joined)


def _way(said: Sequence[Token], unit: _Unit, start: int, caseless: bool) -> Standing | None:
    """Walk both token by token; the better way to an end."""
    paths: list[tuple[int, int, Standing]] = [(0, start, "quote")]
    seen = set()
    found: Standing | None = None
    while paths:
        path = at, place, way = paths.pop()
        if path in seen:
            continue
        seen.add(path)
        if at == len(said) and place in unit.ends:
            if way == "quote":
                return way
            found = way
        if at:
            paths += [(at, behind, "restated") for behind in unit.drops.get(place, ())]
            if said[at - 1].kind == "date":  # July 20, 1969, they ...; on 20 July 1969 they ...
                if at < len(said) and said[at].key == ",":
                    paths.append((at + 1, place, "restated"))
                if place < len(unit.tokens) and unit.tokens[place].key == ",":
                    paths.append((at, place + 1, "restated"))
        if at < len(said) and place < len(unit.tokens) and same(said[at], unit.tokens[place], caseless=caseless):
            alike = said[at].raw == unit.tokens[place].raw or said[at].kind in ("word", "mark")
            paths.append((at + 1, place + 1, way if alike else "restated"))
    return found


def _end(found: Sequence[Token]) -> int:
    """Where a sentence ends without its full stop; a question mark stays: a question states nothing."""
    end = len(found)
    while end and found[end - 1].key in _TERMINAL:
        end -= 1
    return end


def _is_time(known: Language, token: Token) -> bool:
    return token.kind == "date" or token.key in known.months or token.key in known.weekdays
