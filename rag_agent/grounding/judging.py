"""What stands on which unit, with a judge for what is said in other words.

A judge gives the probability that a text says what a sentence says: a classifier of natural language inference, or a large
reader's "yes". It is asked only where nothing that can be compared speaks against it: each number, date and name of the
sentence is in the unit, and both are negated or neither is. In a language that has no file, negation cannot be told, and no
judge is asked.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from rag_agent.grounding.forms import NEGATIONS, Token, dates, tokens
from rag_agent.grounding.standing import Standing, standing
from rag_agent.grounding.template import neutralise
from rag_agent.language import Language, detect, language

Judge = Callable[[str, str], float]
"""Asked with a text and a sentence: the probability, 0 to 1, that the text says what the sentence says."""

THRESHOLD = 0.5
"""Probability from which a judge counts that names no `threshold` of its own."""
_ASKED = 2  # units that a judge is asked about: those that share most words with the sentence


class Stood(NamedTuple):
    """What a sentence stands on.

    Attributes:
        standing: `quote`, `restated`, `judged`; None where it stands on none of the units.
        unit: The index of the unit it stands on; of the nearest one where it stands on none; -1 where there are no units.
    """

    standing: Literal["quote", "restated", "judged"] | None
    unit: int


def standing_of(sentence: str, units: Sequence[str], judge: Judge | None = None) -> Stood:
    """Find the unit that a sentence stands on.

    Args:
        sentence: One sentence of a draft.
        units: Texts that it may stand on, the likeliest first: at a tie the first is taken.
        judge: Asked where no unit holds the sentence word for word; None leaves such a sentence without standing. Its word
            counts from the probability that it names as its `threshold`.
    """
    found = [standing(sentence, unit) for unit in units]
    strict: tuple[Standing, ...] = ("quote", "restated")
    for one in strict:
        if one in found:
            return Stood(one, found.index(one))
    said = _content(sentence)
    nearest = sorted(range(len(units)), key=lambda at: -len(said & _content(units[at])))
    if judge is not None:
        threshold = getattr(judge, "threshold", THRESHOLD)
        for at in nearest[:_ASKED]:
            described = all(language(code) for text in (sentence, units[at]) if (code := detect(text)))
            if described and not missing(sentence, units[at]):
                if judge(neutralise(units[at]), neutralise(sentence)) >= threshold:
                    return Stood("judged", at)
    return Stood(None, nearest[0] if nearest else -1)


def missing(sentence: str, unit: str) -> str:
    """Say which hard fact of a sentence a unit does not hold, in words for `left_out`; "" where it holds them all."""
    known = [language(detect(text)) or language(detect(unit)) for text in (sentence, unit)]
    said, read = (tokens(text, one) for text, one in zip((sentence, unit), known, strict=True))
    held = {token.key for token in read} | {str(year) for year, _, _ in dates(read)}
    for at, token in enumerate(said):
        value = token.kind in ("number", "unit") or _may_name(token, at > 0, known[0])
        if value and token.key not in held:
            return f"{token.raw} is not in the source"
    if not all(any(all(a in (0, b) for a, b in zip(one, other, strict=True)) for other in dates(read)) for one in dates(said)):
        return "a date of it is not in the source"
    if _negated(said, known[0]) != _negated(_nearest_clause(read, said), known[1]):
        return "a negation is on one side only"
    return ""


def _may_name(token: Token, within: bool, known: Language | None) -> bool:
    """A capital within a sentence is a name's; at its beginning it may be."""
    return token.kind == "word" and token.raw[0].isupper() and (within or not known or token.key not in known.small_words)


def _negated(clause: Sequence[Token], known: Language | None) -> bool:
    negations = known.negations if known else NEGATIONS
    return any(token.key in negations or token.key.endswith("n't") for token in clause)


def _nearest_clause(read: Sequence[Token], said: Sequence[Token]) -> list[Token]:
    """The clause of a unit that shares most words with the sentence: another one may well be negated."""
    clauses: list[list[Token]] = [[]]
    for token in read:
        if token.key in {".", ",", ";", ":", "!", "?"}:
            clauses.append([])
        clauses[-1].append(token)
    keys = {token.key for token in said}
    return max(clauses, key=lambda clause: len(keys & {token.key for token in clause}))


def _content(text: str) -> set[str]:
    known = language(detect(text))
    return {token.key for token in tokens(text, known) if token.kind != "mark" and not (known and token.key in known.small_words)}
