"""Which units answer, where no reader says so, and whether any does.

A linear score over a few measures orders the units; it is fitted leave-one-corpus-out over unlike corpora
(`scripts/fit_choice.py`), and its weights are the same for prose, tables, lists and code, since a unit is compared under
what it stands under. A logistic regression over the measures of the best units says whether to answer at all.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag_agent.grounding.evidence import Candidate, Evidence

__all__ = ["THRESHOLD", "chances", "choose", "outermost", "probability", "ranked"]

# Weights of the measures of a candidate, per unit of each.
SIMILARITY = 6.7
RANK = 4.3
REST = 2.1
REST_AROUND = 1.2
PAIRS = 1.5
GIVES = 2.8
FIRST = 0.6
NAMED = 2.6

MAX_WORDS = 90
MAX_UNITS = 4
PRICE = 0.004
"""The chance of holding the answer that each further word must bring."""
LEAST_WORDS = 15
"""What a shorter unit costs: a date or two words are cheap, and say little by themselves."""
RECORDS = ("row", "pair")

# Log odds of an answer: even where a chunk and a unit of it together reach 1.0 and a tenth of what CHUNKS counts.
WEIGHT = 6.0
BIAS = -5.9
CHUNKS = -0.6
"""For each standard deviation by which the best of n chunks that say nothing of the question is expected to stand out,
sqrt(2 ln n): what little likeness means among five thousand chunks, and that it means something among five."""
# Where no cosines are to be had, the words alone decide.
WORDS_WEIGHT = 12.0
WORDS_BIAS = -6.6
ABSENT = 1.5
"""What a name or number that stands elsewhere in the documents, and not in what was found, takes off the log odds."""
TERMS = 0.5
THRESHOLD = 0.5


def ranked(evidence: Evidence) -> list[Candidate]:
    """The candidates, the likeliest to answer first."""
    order = np.argsort(-_scores(evidence.candidates), kind="stable")
    return [evidence.candidates[number] for number in order.tolist()]


def _scores(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    rows = [
        SIMILARITY * c.similarity + RANK * c.rank + REST * c.rest + REST_AROUND * c.rest_around + PAIRS * c.pairs
        + GIVES * c.gives + FIRST * c.first + NAMED * c.named
        for c in candidates
    ]  # fmt: skip
    return np.array(rows, dtype=np.float64)


def chances(evidence: Evidence) -> NDArray[np.float64]:
    """Each candidate's chance of answering, given that one of them does; they sum to 1."""
    scores = _scores(evidence.candidates)
    powers = np.exp(scores - scores.max()) if len(scores) else scores
    result: NDArray[np.float64] = powers / max(float(powers.sum()), 1e-300)
    return result


def choose(evidence: Evidence) -> list[Candidate]:
    """The units to show: the likeliest, and each further one that is worth its words; of each part of the question, one.

    Returns:
        Units in reading order: files by their best unit, then by place; none within another.
    """
    chosen: list[tuple[Candidate, float]] = []
    for part in evidence.parts:
        if best := _best(part, []):
            chosen.append((best[0][0], 1.0))
            chosen = _distinct(chosen)
    for candidate, chance in _best(evidence, [one for one, _ in chosen]):
        chosen.append((candidate, chance))
    chosen = _distinct(chosen)
    first: dict[tuple[str, int], int] = {}
    for place, (candidate, _) in enumerate(chosen):
        first.setdefault((candidate.file, candidate.article), place)
    return [c for c, _ in sorted(chosen, key=lambda one: (first[(one[0].file, one[0].article)], one[0].unit.start))]


def _best(evidence: Evidence, shown: Sequence[Candidate]) -> list[tuple[Candidate, float]]:
    chance = chances(evidence)
    chosen: list[tuple[Candidate, float]] = []
    used = sum(words(one.unit.text) for one in shown)
    said = {one.unit.text for one in shown}
    most: dict[str, float] = {}
    for one in evidence.candidates:
        if one.unit.kind in RECORDS and not one.withheld:
            most[one.file] = max(most.get(one.file, 0.0), one.own)
    for number in np.argsort(-chance, kind="stable").tolist():
        candidate, likely = list_or_item(evidence, evidence.candidates[number]), float(chance[number])
        if candidate.withheld or candidate.unit.text in said or (chosen and candidate.named < chosen[0][0].named):
            continue  # what lacks the name or number that the best unit holds is about something else
        cost = words(candidate.unit.text)
        if (chosen or shown) and (used + cost > MAX_WORDS or likely < PRICE * max(cost, LEAST_WORDS)):
            continue
        if candidate.unit.kind in RECORDS and candidate.own < most.get(candidate.file, 0.0):
            continue  # another row of the same file holds more of what is asked for
        if not any(_within(candidate, one) for one in [*shown, *(c for c, _ in chosen)]):
            chosen.append((candidate, likely))
            used += cost
            said.add(candidate.unit.text)
        if len(chosen) + len(shown) >= MAX_UNITS:
            break
    return chosen


def list_or_item(evidence: Evidence, candidate: Candidate) -> Candidate:
    """The list that an item belongs to, or the one item of a list that is asked for.

    An item is asked for where it holds words of the question that its list does not stand under; of a list it is taken where it
    alone holds all that the list holds, and is no step: steps are told all.
    """
    if candidate.unit.kind == "item" and candidate.own <= candidate.under:
        holders = [c for c in evidence.candidates if c.unit.kind == "list" and _within(candidate, c) and not c.withheld]
        return holders[0] if holders else candidate
    if candidate.unit.kind == "list":
        items = [c for c in evidence.candidates if c.unit.kind == "item" and _within(c, candidate) and not c.withheld]
        asked = [c for c in items if c.own > c.under and c.own >= candidate.own and not c.unit.quote[0].isdigit()]
        return asked[0] if len(asked) == 1 else candidate
    return candidate


def _within(one: Candidate, other: Candidate) -> bool:
    return one.file == other.file and other.unit.start <= one.unit.start and one.unit.end <= other.unit.end


def outermost(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those of some units, each given once, that do not stand in another."""
    return [one for one in candidates if not any(one is not other and _within(one, other) for other in candidates)]


def _distinct(chosen: Sequence[tuple[Candidate, float]]) -> list[tuple[Candidate, float]]:
    """Without those that stand in another."""
    kept: list[tuple[Candidate, float]] = []
    for candidate, chance in chosen:
        if any(_within(candidate, one) for one, _ in kept):
            continue
        kept = [(one, likely) for one, likely in kept if not _within(one, candidate)]
        kept.append((candidate, chance))
    return kept


def words(text: str) -> int:
    """Words as white space separates them."""
    return len(text.split())


def probability(evidence: Evidence) -> float:
    """The probability that the evidence holds an answer, 0 to 1, where half of all questions have one."""
    usable = [candidate for candidate in evidence.candidates if not candidate.withheld]
    if not usable or evidence.unknown:
        return 0.0
    # Where a heading holds the version or number that is asked for, its words count, too.
    closest = max(c.passage + TERMS * max(c.rest_around, c.own * bool(c.headed)) for c in usable)
    best = max(c.similarity + TERMS * max(c.rest, c.own * bool(c.headed)) for c in usable)
    chance = CHUNKS * math.sqrt(2.0 * math.log(max(1, evidence.chunks)))
    weight, bias = (WORDS_WEIGHT, WORDS_BIAS) if evidence.by_words else (WEIGHT, BIAS + chance)
    return 1.0 / (1.0 + math.exp(-(weight * (closest + best) + bias - ABSENT * len(evidence.missing))))
