"""What a nearly verbatim claim puts in place of the source's words: one swapped name makes a quote a lie."""

from collections.abc import Iterable
from difflib import SequenceMatcher

from rag_agent.grounding import lexicon
from rag_agent.grounding.matching import Source, is_demonym
from rag_agent.grounding.objections import in_decade, opposite, passive
from rag_agent.grounding.reading import Reading, Word


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
    same_voice = passive(claim, 0, len(claim.tokens)) == passive(span.reading, 0, len(span.reading.tokens))
    for tag, i, j, k, m in steps:
        here, there = mine[i:j], theirs[k:m]
        if tag == "equal":
            continue
        if _negates(claim, here) != _negates(span.reading, there):
            if here or len(there) <= 2:  # a longer piece left out takes its negation with it
                yield "negation differs: a word of negation was put in or taken out"
        if tag == "replace" and max(len(here), len(there)) <= 4:
            yield from _replaced(claim, span, set(here), set(there))
        elif here and same_voice and not _moved_whole([claim.tokens[at] for at in here], span.reading):
            yield from _moved(claim, span, set(here))


def _negates(reading: Reading, piece: list[int]) -> bool:
    return any(at in reading.negations or reading.tokens[at] == "not" for at in piece)


def _moved_whole(piece: list[str], reading: Reading) -> bool:
    """A phrase of two or more words that stands somewhere else in the source as it is: `in February 1854`."""
    return len(piece) >= 2 and f" {' '.join(piece)} " in f" {' '.join(t for t in reading.tokens if t[0].isalnum())} "


def _moved(claim: Reading, span: Source, here: set[int]) -> Iterable[str]:
    """A name of the source that the claim puts into another place of the same sentence."""
    for word in claim.words:
        if word.at in here and _is_source_name(word, span):
            yield f"“{word.low}” stands in another place in the source"


def _replaced(claim: Reading, span: Source, here: set[int], there: set[int]) -> Iterable[str]:
    """Compare a few tokens of the claim with those that stand in their place in the source."""
    new = [word for word in claim.words if word.at in here]
    old = [word for word in span.reading.words if word.at in there]
    local = Source(span.reading, {word.key: [word] for word in old}, frozenset(word.low for word in old), "", frozenset())
    for word in new:
        if any(word.key == other.key or word.low == other.low for other in old) or (word.name and _demonym_of(word, old)):
            continue
        names = [other.low for other in old if other.name and all(other.key != w.key for w in new)]
        if names and (word.name or (not claim.cased and _is_source_name(word, span))):
            yield f"“{word.low}” stands where the source has “{names[0]}”"
        elif other := opposite(word, local, set()):
            yield f"“{word.low}” stands where the source has “{other.low}”"
    tokens, others = ({reading.tokens[at] for at in place} for reading, place in ((claim, here), (span.reading, there)))
    for low in tokens - others:
        for other_low in others & set(lexicon.SMALL_OPPOSITES.get(low, ())) - tokens:
            yield f"“{low}” stands where the source has “{other_low}”"
    mine = [fact for fact in claim.facts if fact.at in here]
    numbers = [fact for fact in span.reading.facts if fact.at in there]
    for fact in mine:
        if numbers and not any(fact.number.matches(other.number) or in_decade(fact, other) for other in numbers):
            yield f"“{fact.shown}” stands where the source has “{numbers[0].shown}”"


def _demonym_of(word: Word, others: list[Word]) -> bool:
    return any(is_demonym(word.low, other.low) or is_demonym(other.low, word.low) for other in others)


def _is_source_name(word: Word, span: Source) -> bool:
    return any(other.name == 2 for other in span.keys.get(word.key, ()))
