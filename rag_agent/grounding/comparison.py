"""Compare what a claim says with what a source says: what is covered, in which order, and what contradicts it."""

from dataclasses import dataclass

from rag_agent.grounding import lexicon
from rag_agent.grounding.matching import Source, match
from rag_agent.grounding.objections import against, number_objections, passive
from rag_agent.grounding.reading import Reading, Word, is_kana, is_unspaced

NUMBER_WEIGHT = 2.0  # a number says as much as a name


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a source bears on a claim.

    Attributes:
        coverage: Weighted share of the claim's words, names and numbers that the source has, in [0, 1].
        order: Share of the neighbouring matched words that stand in the same order in the source, in [0, 1].
        closeness: How near to each other neighbouring matched words stand in the source as in the claim, in [0, 1].
        objections: What speaks against support, in words; empty when nothing does.
        foreign: Words that the source has not and that say something: what is left when the question's words and the
            words that say next to nothing ("great", "used") are taken away.
        matched: Matched claim words and numbers.
    """

    coverage: float
    order: float
    closeness: float
    objections: tuple[str, ...]
    foreign: tuple[str, ...]
    matched: int


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
        quality, found = match(word, claim, span)
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
    objections = number_objections(claim, span, pairs)
    counted = sum(fact.at not in claim.dated for fact in claim.facts) + len(claim.dates)
    absent = min(counted, len(objections))
    total += NUMBER_WEIGHT * counted
    gained += NUMBER_WEIGHT * (counted - absent)
    objections += against(claim, span, matches, missing)
    order, closeness = _sequence(sorted(pairs))
    if passive(claim, 0, len(claim.tokens)) != passive(span.reading, 0, len(span.reading.tokens)):
        order = max(order, 1 - order)  # `invented by Leibniz`, `Leibniz invented`
    return Comparison(
        coverage=gained / total if total else 0.0,
        order=order,
        closeness=closeness,
        objections=tuple(dict.fromkeys(objections)),
        foreign=tuple(word.low for word in missing if _is_foreign(word, span, topic)),
        matched=len(matches) + counted - absent,
    )


def _is_foreign(word: Word, span: Source, topic: frozenset[str]) -> bool:
    """Say whether a missing word says something that is neither in the source nor in the question."""
    if is_unspaced(word.low[0]):  # pairs of characters: where a phrase is moved, its border makes a new pair of old ones
        return not is_kana(word.low) and any(char not in span.lows for char in word.low)
    return word.key not in topic and word.low not in lexicon.LIGHT


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
