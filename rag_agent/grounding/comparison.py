"""Compare what a claim says with what a source says: what is covered, and what contradicts it, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from rag_agent.grounding import lexicon
from rag_agent.grounding.reading import Fact, Reading, Word

NUMBER_WEIGHT = 2.0  # a number says as much as a name
_DEMONYM_ENDINGS = ("ian", "ese", "an", "ish", "n", "ic", "i")


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a source bears on a claim.

    Attributes:
        coverage: Weighted share of the claim's words, names and numbers that the source has, in [0, 1].
        order: Share of the neighbouring matched words that stand in the same order in the source, in [0, 1].
        closeness: How near to each other neighbouring matched words stand in the source as in the claim, in [0, 1].
        objections: What speaks against support, in words; empty when nothing does.
        doubts: Missing words that alone do not decide.
        matched: Matched claim words and numbers.
    """

    coverage: float
    order: float
    closeness: float
    objections: tuple[str, ...]
    doubts: tuple[str, ...]
    matched: int


@dataclass(frozen=True, slots=True)
class Source:
    """One span of a passage, ready to be compared.

    Attributes:
        reading: The span itself.
        keys: Stem to the words that have it.
        lows: Its tokens, compounds and stems, for other writings of a word.
        around: Tokens of the rest of its passage: the full form of a name, the subject of a pronoun.
        acronyms: Initials of its runs of capitalised words (`FIFA`).
    """

    reading: Reading
    keys: dict[str, list[Word]]
    lows: frozenset[str]
    around: str
    acronyms: frozenset[str]


def source(reading: Reading, around: str = "") -> Source:
    """Prepare a span for comparing.

    Args:
        reading: What `Reader.read` made of the span.
        around: The passage in lower case, normalised.

    Returns:
        The span with its look-up tables.
    """
    keys: dict[str, list[Word]] = {}
    for word in reading.words:
        keys.setdefault(word.key, []).append(word)
    return Source(reading, keys, frozenset(reading.tokens) | reading.compounds, around, frozenset(_acronyms(reading)))


def compare(claim: Reading, span: Source, topic: frozenset[str] = frozenset()) -> Comparison:
    """Compare a claim with one span.

    Args:
        claim: The claim.
        span: The span that may support it.
        topic: Stems of the question: a word of the claim that only repeats them weighs half.

    Returns:
        Coverage, order and objections.
    """
    pairs: list[tuple[int, list[int]]] = []  # claim token, where it may stand in the source
    missing: list[Word] = []
    matches: dict[Word, list[Word]] = {}
    gained = total = 0.0
    seen: set[str] = set()
    for word in claim.words:
        quality, found = _match(word, claim, span)
        if word.key not in seen:
            weight = word.weight if claim.cased or not any(w.name == 2 for w in found) else 2.0
            weight *= 0.5 if word.key in topic and not quality else 1.0
            total += weight
            gained += weight * quality
            seen.add(word.key)
        if quality:
            matches[word] = found
            if found:
                pairs.append((word.at, [other.at for other in found]))
        else:
            missing.append(word)
    objections = [*_number_objections(claim, span, pairs), *_date_objections(claim, span)]
    counted = sum(fact.at not in claim.dated for fact in claim.facts) + len(claim.dates)
    absent = min(counted, len(objections))
    total += NUMBER_WEIGHT * counted
    gained += NUMBER_WEIGHT * (counted - absent)
    objections += _name_objections(claim, span, missing)
    objections += _polarity_objections(claim, span, matches, missing)
    objections += _degree_objections(claim, span)
    objections += _role_objections(claim, span, matches)
    order, closeness = _sequence(sorted(pairs))
    return Comparison(
        coverage=gained / total if total else 0.0,
        order=order,
        closeness=closeness,
        objections=tuple(dict.fromkeys(objections)),
        doubts=tuple(word.low for word in missing if word.weight >= 1.0),
        matched=len(matches) + counted - absent,
    )


# --- words ---------------------------------------------------------------------------------------------------------


def _match(word: Word, claim: Reading, span: Source) -> tuple[float, list[Word]]:
    """Find a claim word in the span: itself, a synonym, a compound, a demonym, an acronym, a close relative."""
    if word.key in span.keys:
        return 1.0, span.keys[word.key]
    if word.low in span.lows or _joined(word, claim) & span.lows:
        return 1.0, []
    if word.name and (word.low in span.acronyms or (found := _demonym(word.low, span))):
        return (1.0, []) if word.low in span.acronyms else (0.9, found)
    if word.name == 2:
        return 0.0, []
    groups = lexicon.SYNONYMS.get(word.low) or lexicon.SYNONYMS.get(lexicon.IRREGULAR.get(word.low, "")) or _group(word.key)
    if groups:
        for other in span.reading.words:
            if groups & (lexicon.SYNONYMS.get(other.low) or _group(lexicon.IRREGULAR.get(other.low, other.key))):
                return 0.9, [other]
    for other in span.reading.words:
        if _related(word.key, other.key):
            return 0.8, [other]
    return 0.0, []


def _group(key: str) -> frozenset[int]:
    return lexicon.SYNONYMS.get(key) or lexicon.SYNONYMS.get(key + "e") or frozenset()


def _related(key: str, other: str) -> bool:
    """Say whether two stems differ in their ending only: `obedi` and `obedient`, `variat` and `variet`."""
    shared = 0
    for a, b in zip(key, other, strict=False):
        if a != b:
            break
        shared += 1
    return shared >= 5 and shared >= 0.7 * max(len(key), len(other))


def _joined(word: Word, claim: Reading) -> set[str]:
    """Compounds of the claim in which the word takes part: `co-operate`, `line break` for `linebreak`."""
    return {
        joined
        for joined in claim.compounds
        if len(joined) > len(word.low) and (joined.startswith(word.low) or joined.endswith(word.low))
    }


def _demonym(low: str, span: Source) -> list[Word]:
    """Find the country of a demonym or the other way round: Italian, Italy; French, France."""
    bases = {lexicon.DEMONYMS.get(low, low), low}
    found = []
    for word in span.reading.words:
        if word.name and (
            lexicon.DEMONYMS.get(word.low, word.low) in bases or _is_demonym(low, word.low) or _is_demonym(word.low, low)
        ):
            found.append(word)
    return found


def _is_demonym(adjective: str, country: str) -> bool:
    for ending in _DEMONYM_ENDINGS:
        base = adjective.removesuffix(ending)
        if base != adjective and len(base) >= 4 and country.startswith(base) and len(country) - len(base) <= 2:
            return True
    return False


def _acronyms(reading: Reading) -> Iterable[str]:
    """Initials of two or more capitalised words in a row, with `of` and `and` left out."""
    initials, last = "", -9
    for word in reading.words:
        near = word.at - last <= 1 or (word.at - last == 2 and reading.tokens[word.at - 1] in ("of", "and", "for", "the", "-"))
        initials = (initials if near else "") + word.low[0] if word.name else ""
        last = word.at
        if len(initials) >= 2:
            yield initials


# --- objections ----------------------------------------------------------------------------------------------------


def _number_objections(claim: Reading, span: Source, pairs: list[tuple[int, list[int]]]) -> Iterable[str]:
    """Each number of the claim must be in the span, with the same unit where the span says one of it."""
    for fact in claim.facts:
        if fact.at in claim.dated:
            continue  # compared as a date
        same = [other for other in span.reading.facts if fact.number.matches(other.number) or _in_decade(fact, other)]
        one = fact.number.values == {1.0} and fact.number.kind == "plain" and fact.shown.lower() == "one"
        if not same and not (one and _single(span, fact)):
            yield f"the number {fact.shown} is not in the source"
        elif same:
            unit = [other for other in same if not _unit_differs(fact, other, span)]
            if not unit:
                yield f"the number {fact.shown} counts something else in the source"
            pairs.append((fact.at, [other.at for other in unit or same]))


def _in_decade(fact: Fact, other: Fact) -> bool:
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


def _date_objections(claim: Reading, span: Source) -> Iterable[str]:
    """A date of the claim must be one date of the span, not parts of several."""
    for date in claim.dates:
        if not any(date.within(other) for other in span.reading.dates):
            parts = [str(date.day) if date.day else "", _month_name(date.month), str(date.year) if date.year else ""]
            yield f"the date {' '.join(part for part in parts if part)} is not in the source"


def _month_name(month: int) -> str:
    return next((name.capitalize() for name, number in lexicon.MONTHS.items() if number == month), "")


def _name_objections(claim: Reading, span: Source, missing: list[Word]) -> Iterable[str]:
    """Names must be in the span; the rest of a name may stand elsewhere in the passage, and so may a pronoun's subject."""
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


def _polarity_objections(claim: Reading, span: Source, matches: dict[Word, list[Word]], missing: list[Word]) -> Iterable[str]:
    """What the claim negates the source must negate, and the other way round; opposites count as a negation."""
    for word, found in matches.items():
        if found and all(other.negated != word.negated for other in found):
            yield f"negation differs at “{word.low}”"
    keys = {word.key for word in claim.words}
    heads_known = any(word.negated for word in claim.words)
    if claim.negations and not span.reading.negations:
        if not (heads_known and any(w.negated and _opposite(w, span, keys) for w in missing)):
            yield "negation differs: the source does not negate"
    elif len(claim.negations) == 0 and span.reading.negations and not any(w.negated for w in span.reading.words):
        yield "negation differs: the source negates"
    for low in set(claim.tokens) - set(span.reading.tokens):
        for other_low in set(lexicon.SMALL_OPPOSITES.get(low, ())) & set(span.reading.tokens) - set(claim.tokens):
            yield f"opposite: “{low}” in the claim, “{other_low}” in the source"
    for word in missing:
        if (other := _opposite(word, span, keys)) and word.negated == other.negated:
            yield f"opposite: “{word.low}” in the claim, “{other.low}” in the source"


def _opposite(word: Word, span: Source, keys: set[str]) -> Word | None:
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
        longer, shorter = sorted((word.low, other.low), key=len, reverse=True)
        if len(shorter) >= 4 and any(longer == prefix + shorter for prefix in lexicon.NEGATIVE_PREFIXES):
            return other
    return None


def _antonym_groups(word: Word) -> frozenset[int]:
    base = lexicon.IRREGULAR.get(word.low, word.low)
    table = lexicon.ANTONYMS
    return table.get(word.low) or table.get(base) or table.get(word.key) or table.get(word.key + "e") or frozenset()


def _degree_objections(claim: Reading, span: Source) -> Iterable[str]:
    """`the largest` is not `the seventh-largest`."""
    ranked = list(_ranked(span.reading))
    mine = {word: rank for rank, word in _ranked(claim)}
    for token in dict.fromkeys(word for _, word in ranked):
        ranks = [rank for rank, word in ranked if word == token]
        if token in claim.tokens and token not in mine and span.reading.tokens.count(token) == len(ranks):
            yield f"the source says {ranks[0]} {token}"


def _ranked(reading: Reading) -> Iterable[tuple[str, str]]:
    """Superlatives behind an ordinal above the first: (`seventh`, `largest`)."""
    for fact in reading.facts:
        if fact.number.kind == "ordinal" and fact.number.values != {1.0}:
            at = fact.at + fact.number.length
            at += reading.tokens[at : at + 1] == ("-",)
            token = reading.tokens[at] if at < len(reading.tokens) else ""
            if token == "most" or (token.endswith("est") and len(token) > 4):
                yield fact.shown, token


def _role_objections(claim: Reading, span: Source, matches: dict[Word, list[Word]]) -> Iterable[str]:
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
        if _passive(claim, left[0], right[0]) == _passive(span.reading, start, end):
            yield f"the roles are turned round: “{left[2].low}” and “{right[2].low}”"


_BREAKS = frozenset(",;:.()")


def substitutions(claim: Reading, span: Source) -> Iterable[str]:
    """Find what a nearly verbatim claim puts in place of the source's words: another name, number or opposite.

    Args:
        claim: The claim.
        span: The span that it nearly repeats.

    Yields:
        One objection for each replaced word; nothing where less than 0.6 of the claim's words stand in the same order.
    """
    mine = [at for at, token in enumerate(claim.tokens) if token[0].isalnum()]
    theirs = [at for at, token in enumerate(span.reading.tokens) if token[0].isalnum()]
    matcher = SequenceMatcher(None, [claim.tokens[at] for at in mine], [span.reading.tokens[at] for at in theirs], autojunk=False)
    steps = matcher.get_opcodes()
    if sum(j - i for tag, i, j, _, _ in steps if tag == "equal") < 0.6 * len(mine):
        return
    for tag, i, j, k, m in steps:
        if tag != "replace" or max(j - i, m - k) > 4:
            continue
        yield from _replaced(claim, span, set(mine[i:j]), set(theirs[k:m]))


def _replaced(claim: Reading, span: Source, here: set[int], there: set[int]) -> Iterable[str]:
    """Compare a few tokens of the claim with those that stand in their place in the source."""
    new = [word for word in claim.words if word.at in here]
    old = [word for word in span.reading.words if word.at in there]
    local = Source(span.reading, {word.key: [word] for word in old}, frozenset(word.low for word in old), "", frozenset())
    for word in new:
        if any(word.key == other.key or word.low == other.low for other in old) or (word.name and _demonym_of(word, old)):
            continue
        names = [other.low for other in old if other.name == 2 and all(other.key != w.key for w in new)]
        if names and (word.name == 2 or (not claim.cased and _is_source_name(word, span))):
            yield f"“{word.low}” stands where the source has “{names[0]}”"
        elif other := _opposite(word, local, set()):
            yield f"“{word.low}” stands where the source has “{other.low}”"
    mine = [fact for fact in claim.facts if fact.at in here]
    numbers = [fact for fact in span.reading.facts if fact.at in there]
    for fact in mine:
        if numbers and not any(fact.number.matches(other.number) or _in_decade(fact, other) for other in numbers):
            yield f"“{fact.shown}” stands where the source has “{numbers[0].shown}”"


def _demonym_of(word: Word, others: list[Word]) -> bool:
    return any(_is_demonym(word.low, other.low) or _is_demonym(other.low, word.low) for other in others)


def _is_source_name(word: Word, span: Source) -> bool:
    return any(other.name == 2 for other in span.keys.get(word.key, ()))


def _passive(reading: Reading, start: int, end: int) -> bool:
    return any(
        token in ("by", "door", "von", "par", "por", "da", "dal", "of", "from", "than") for token in reading.tokens[start:end]
    )


def _sequence(pairs: list[tuple[int, list[int]]]) -> tuple[float, float]:
    """Compare the sequence of the matched words: share of steps that go forward, and how well the distances agree.

    Fewer than two matches have no sequence: nothing is out of order, and nothing shows that they belong together.
    """
    if len(pairs) < 2:
        return 1.0, 0.5
    forward = closeness = 0.0
    previous_at, positions = pairs[0]
    previous = positions[0]
    for at, positions in pairs[1:]:
        gap = at - previous_at
        position = min(positions, key=lambda p: (p <= previous, abs(p - previous - gap)))
        forward += position > previous
        closeness += 1 / (1 + min(abs(abs(p - previous) - gap) for p in positions))
        previous_at, previous = at, position
    return forward / (len(pairs) - 1), closeness / (len(pairs) - 1)
