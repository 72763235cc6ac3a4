"""What speaks against support although the words are there: numbers, dates, names, polarity, degree, roles."""

from collections.abc import Iterator, Sequence

from rag_agent.grounding import lexicon
from rag_agent.grounding.dates import Fact
from rag_agent.grounding.matching import Source
from rag_agent.grounding.reading import Reading, Word


def number_objections(claim: Reading, span: Source, pairs: list[tuple[int, list[int]]]) -> list[str]:
    """Compare numbers and dates.

    Args:
        claim: The claim.
        span: The source.
        pairs: Where claim tokens stand in the source; the numbers that were found are added.

    Returns:
        One objection, in words, for each number or date that the source does not have.
    """
    return [*_number_objections(claim, span, pairs), *_date_objections(claim, span)]


def against(claim: Reading, span: Source, matches: dict[Word, list[Word]], missing: list[Word]) -> list[str]:
    """Collect the objections that are not about numbers.

    Args:
        claim: The claim.
        span: The source.
        matches: Claim words and the source words that they match.
        missing: Claim words without a match.

    Returns:
        Objections in words.
    """
    return [
        *_name_objections(claim, span, missing),
        *_polarity_objections(claim, span, matches, missing),
        *_reservation_objections(claim, span),
        *_degree_objections(claim, span),
        *_role_objections(claim, span, matches),
    ]


def _number_objections(claim: Reading, span: Source, pairs: list[tuple[int, list[int]]]) -> Iterator[str]:
    """Each number of the claim must be in the span, with the same unit where the span says one of it."""
    for fact in claim.facts:
        if fact.at in claim.dated:
            continue  # compared as a date
        same = [other for other in span.reading.facts if fact.number.matches(other.number) or in_decade(fact, other)]
        one = fact.number.values == {1.0} and fact.number.kind == "plain" and fact.shown.lower() == "one"
        if not same and not (one and _single(span, fact)):
            yield f"the number {fact.shown} is not in the source"
        elif same:
            unit = [other for other in same if not _unit_differs(fact, other, span)]
            if not unit:
                yield f"the number {fact.shown} counts something else in the source"
            pairs.append((fact.at, [other.at for other in unit or same]))


def in_decade(fact: Fact, other: Fact) -> bool:
    """1987 lies in the 1980s."""
    if fact.number.kind != "decade" or other.number.kind != "plain":
        return False
    return any(
        isinstance(v, float) and isinstance(w, float) and v <= w < v + 10 for v in fact.number.values for w in other.number.values
    )


def _single(span: Source, fact: Fact) -> bool:
    """`one` as a pronoun or article needs no number in the span."""
    tokens = span.reading.tokens
    return any(t in ("a", "an", "single", "only", "1st", "each") for t in tokens) or not fact.unit


_MEASURES = frozenset(
    "kilomet met mile km m cm mm feet foot ft inch yard acr hectar kilogram kg gram g pound lb ton tonn liter gallon "
    "second minut hour day week month year decad centuri dollar euro percent degre celsius fahrenheit".split()
)


def _unit_differs(fact: Fact, other: Fact, span: Source) -> bool:
    """Units differ when both are measures and not the same: 5 km is not 5 miles; 5 percent is not 5 dollars."""
    return fact.unit in _MEASURES and other.unit in _MEASURES and fact.unit[:4] != other.unit[:4]


def _date_objections(claim: Reading, span: Source) -> Iterator[str]:
    """A date of the claim must be one date of the span, not parts of several."""
    for date in claim.dates:
        if not any(date.within(other) for other in span.reading.dates):
            parts = [str(date.day) if date.day else "", _month_name(date.month), str(date.year) if date.year else ""]
            yield f"the date {' '.join(part for part in parts if part)} is not in the source"


def _month_name(month: int) -> str:
    return next((name.capitalize() for name, number in lexicon.MONTHS.items() if number == month), "")


def _name_objections(claim: Reading, span: Source, missing: list[Word]) -> Iterator[str]:
    """Names must be in the span; the rest of a name and a pronoun's subject may stand elsewhere in the passage."""
    strangers = [word for word in missing if _is_name(word, claim)]
    unknown = [w.low for w in strangers if not _full_name(w, claim, span) and not _subject(w, claim, span, missing)]
    if unknown:
        yield f"names not in the source: {', '.join(unknown)}"


def _is_name(word: Word, claim: Reading) -> bool:
    return (word.name == 2 or (word.name == 1 and not word.low.endswith(("ly", "ing", "ed")))) or word.low in lexicon.WEEKDAYS


def _full_name(word: Word, claim: Reading, span: Source) -> bool:
    """`Paul McCartney` where the span says `McCartney` and its passage says `Paul McCartney`."""
    for neighbour in claim.words:
        if neighbour.name and abs(neighbour.at - word.at) == 1 and neighbour.key in span.keys:
            first, second = sorted((word, neighbour), key=lambda w: w.at)
            if f"{first.low} {second.low}" in span.around:
                return True
    return False


def _subject(word: Word, claim: Reading, span: Source, missing: list[Word]) -> bool:
    """The span begins with a pronoun, and the claim puts a name of the passage in its place."""
    if word.low not in span.around:
        return False
    strangers = [w for w in span.reading.words if w.name == 2 and all(w.key != c.key for c in claim.words)]
    pronouns = [at for at, token in enumerate(span.reading.tokens) if token in lexicon.PRONOUNS]
    first = min((w.at for w in span.reading.words if w.name == 2), default=1 << 30)
    if not pronouns or (strangers and min(w.at for w in strangers) < pronouns[0]) or pronouns[0] > first:
        return False
    before = [w for w in claim.words if w.at < word.at and w not in missing]
    return not before and span.reading.tokens[pronouns[0]] not in claim.tokens


def _polarity_objections(claim: Reading, span: Source, matches: dict[Word, list[Word]], missing: list[Word]) -> Iterator[str]:
    """What the claim negates the source must negate, and the other way round; opposites count as a negation."""
    for word, found in matches.items():
        if found and all(other.negated != word.negated for other in found):
            yield f"negation differs at “{word.low}”"
    keys = {word.key for word in claim.words}
    heads_known = any(word.negated for word in claim.words)
    if claim.negations and not span.reading.negations:
        if not (heads_known and any(w.negated and opposite(w, span, keys) for w in missing)):
            yield "negation differs: the source does not negate"
    elif not claim.negations and _negated_before(span.reading) & keys:
        yield "negation differs: the source negates"
    for low in set(claim.tokens) - set(span.reading.tokens):
        for other_low in set(lexicon.SMALL_OPPOSITES.get(low, ())) & set(span.reading.tokens) - set(claim.tokens):
            yield f"opposite: “{low}” in the claim, “{other_low}” in the source"
    for word in missing:
        if (other := opposite(word, span, keys)) and word.negated == other.negated:
            yield f"opposite: “{word.low}” in the claim, “{other.low}” in the source"


def _reservation_objections(claim: Reading, span: Source) -> Iterator[str]:
    """What the source doubts, excepts or calls false, a claim may not say without that."""
    for kind, found in _reservations(span.reading.tokens).items():
        if kind not in _reservations(claim.tokens):
            yield f"the source says it with “{found}”"


def _reservations(tokens: Sequence[str]) -> dict[str, str]:
    """The kinds of reservation in a sentence, each with the word that makes it."""
    found: dict[str, str] = {}
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else ""
        if token in lexicon.INTENDS and following != "to" or token == "may" and not _is_modal(tokens, at):
            continue
        kind = lexicon.RESERVATIONS.get(token)
        if kind:
            found.setdefault(kind, token)
    return found


def _is_modal(tokens: Sequence[str], at: int) -> bool:
    """Tell the verb from the month: "in May", "May 1931", "3 May"."""
    before, after = tokens[at - 1] if at else "", tokens[at + 1] if at + 1 < len(tokens) else ""
    return after.isalpha() and at > 0 and before.isalpha() and before not in lexicon.BEFORE_MONTH


def _negated_before(reading: Reading) -> set[str]:
    """Stems right before a negation that has no content word behind it: Dutch and German negate so (`won niet`)."""
    heads = {word.at for word in reading.words if word.negated}
    loose = [at for at in reading.negations if not any(at < head <= at + 5 for head in heads)]
    return {word.key for word in reading.words for at in loose if 0 < at - word.at <= 3}


def opposite(word: Word, span: Source, keys: set[str]) -> Word | None:
    """Find the opposite of a claim word in the span, unless the claim has it too."""
    base = lexicon.IRREGULAR.get(word.low, word.low)
    groups = (
        lexicon.ANTONYMS.get(word.low)
        or lexicon.ANTONYMS.get(base)
        or lexicon.ANTONYMS.get(word.key)
        or lexicon.ANTONYMS.get(word.key + "e")
    )
    for other in span.reading.words:
        if other.key in keys:
            continue
        if groups and groups & _antonym_groups(other):
            return other
        longer, shorter = (word.low, other.low) if len(word.low) > len(other.low) else (other.low, word.low)
        if len(shorter) >= 4 and longer.endswith(shorter) and longer.removesuffix(shorter) in lexicon.NEGATIVE_PREFIXES:
            return other
    return None


def _antonym_groups(word: Word) -> frozenset[int]:
    base = lexicon.IRREGULAR.get(word.low, word.low)
    table = lexicon.ANTONYMS
    return table.get(word.low) or table.get(base) or table.get(word.key) or table.get(word.key + "e") or frozenset()


def _degree_objections(claim: Reading, span: Source) -> Iterator[str]:
    """`the largest` is not `the seventh-largest`."""
    ranked = list(_ranked(span.reading))
    mine = {word: rank for rank, word in _ranked(claim)}
    for token in dict.fromkeys(word for _, word in ranked):
        ranks = [rank for rank, word in ranked if word == token]
        if token in claim.tokens and token not in mine and span.reading.tokens.count(token) == len(ranks):
            yield f"the source says {ranks[0]} {token}"


def _ranked(reading: Reading) -> Iterator[tuple[str, str]]:
    """Superlatives behind an ordinal above the first: (`seventh`, `largest`)."""
    for fact in reading.facts:
        if fact.number.kind == "ordinal" and fact.number.values != {1.0}:
            at = fact.at + fact.number.length
            at += reading.tokens[at : at + 1] == ("-",)
            token = reading.tokens[at] if at < len(reading.tokens) else ""
            if token == "most" or (token.endswith("est") and len(token) > 4):
                yield fact.shown, token


def _role_objections(claim: Reading, span: Source, matches: dict[Word, list[Word]]) -> Iterator[str]:
    """`A beat B` is not `B beat A`: both sides of a shared word change places, and the voice stays the same."""
    line = sorted((word.at, [other.at for other in found], word) for word, found in matches.items() if found)
    for index in range(1, len(line) - 1):
        at, middles, word = line[index]
        if word.name == 2 or word.weight < 1 or len(middles) > 1:
            continue
        middle = middles[0]
        # The nearest words on either side that stand on one side of the shared word only.
        left = next((x for x in reversed(line[:index]) if min(x[1]) > middle or max(x[1]) < middle), None)
        right = next((x for x in line[index + 1 :] if min(x[1]) > middle or max(x[1]) < middle), None)
        if left is None or right is None or not max(right[1]) < middle < min(left[1]):
            continue
        start, end = max(right[1]), min(left[1])
        if max(right[0] - left[0], end - start) > 12 or _BREAKS & set(span.reading.tokens[start:end]):
            continue
        if passive(claim, left[0], right[0]) == passive(span.reading, start, end):
            yield f"the roles are turned round: “{left[2].low}” and “{right[2].low}”"


_BREAKS = frozenset(",;:.()")


def passive(reading: Reading, start: int, end: int) -> bool:
    """Say whether a stretch of tokens looks passive: it has `by` or its like in another language."""
    return any(token in ("by", "door", "von", "par", "por", "da", "dal") for token in reading.tokens[start:end])
