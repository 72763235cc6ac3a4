"""Find the words of a claim in a source: the same stem, a synonym, a compound, a demonym, an acronym."""

from collections.abc import Iterable
from dataclasses import dataclass

from rag_agent.grounding import lexicon
from rag_agent.grounding.reading import Reading, Word

_DEMONYM_ENDINGS = ("ian", "ese", "an", "ish", "n", "ic", "i")


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


def match(word: Word, claim: Reading, span: Source) -> tuple[float, list[Word]]:
    """Find a claim word in the span.

    Args:
        word: A word of the claim.
        claim: The claim, for the neighbours that may form a compound with the word.
        span: The source.

    Returns:
        Quality (1 the same word, 0.9 a synonym or demonym, 0.8 another ending, 0 none) and the words that match.
    """
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
    tokens, at = claim.tokens, word.at
    around = [tokens[i] if 0 <= i < len(tokens) else "" for i in range(at - 2, at + 3)]
    left = around[0] if around[1] == "-" else around[1]
    right = around[4] if around[3] == "-" else around[3]
    joined = {left + word.low if left.isalpha() else "", word.low + right if right.isalpha() else ""}
    return joined - {"", word.low}


def _demonym(low: str, span: Source) -> list[Word]:
    """Find the country of a demonym or the other way round: Italian, Italy; French, France."""
    bases = {lexicon.DEMONYMS.get(low, low), low}
    found = []
    for word in span.reading.words:
        if word.name and (
            lexicon.DEMONYMS.get(word.low, word.low) in bases or is_demonym(low, word.low) or is_demonym(word.low, low)
        ):
            found.append(word)
    return found


def is_demonym(adjective: str, country: str) -> bool:
    """Say whether two words in lower case may be a demonym and its place (`italian`, `italy`), by their endings."""
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
