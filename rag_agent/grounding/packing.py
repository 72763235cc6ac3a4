"""What a model reads, by value: the sentences that are likeliest to answer first, as many as fit."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rag_agent.answers import Hit
from rag_agent.grounding.passages import Passage
from rag_agent.grounding.quotes import chances
from rag_agent.grounding.relevance import Matches


class Span(NamedTuple):
    """A sentence of a passage: `passages[passage].text[start:end]`."""

    passage: int
    start: int
    end: int


def by_value(found: Sequence[Passage], matches: Matches, hits: Sequence[Hit], bases: Sequence[int]) -> list[Span]:
    """The sentences of some passages, the likeliest to answer first.

    Args:
        found: The passages.
        matches: The question against the hits.
        hits: What the passages were made of.
        bases: Where the article of each hit begins in its file.
    """
    ranked = []
    for index in np.argsort(-chances(matches), kind="stable").tolist():
        sentence = matches.sentences[index]
        hit, base = hits[sentence.passages[0]], bases[sentence.passages[0]]
        start, end = base + sentence.start, base + sentence.end
        for number, one in enumerate(found):
            if (one.file, one.article) == (hit.file, hit.article) and one.start <= start and end <= one.end:
                ranked.append(Span(number, start - one.start, end - one.start))
    return ranked


def packed(texts: Sequence[str], ranked: Sequence[Span], count: int) -> list[tuple[int, str]]:
    """The passages with their `count` best sentences alone, the passage of the best sentence first.

    Args:
        texts: The passages.
        ranked: Their sentences, best first.
        count: How many sentences to keep; with all of them the passages are whole.

    Returns:
        The number of each passage that keeps a sentence, and what is left of it, with "…" where something is missing.
    """
    kept = ranked[:count]
    order = list(dict.fromkeys(span.passage for span in kept))
    if count == len(ranked):
        return [(number, texts[number]) for number in [*order, *(n for n in range(len(texts)) if n not in order)]]
    return [(number, _remaining(texts[number], number, ranked, kept)) for number in order]


def _remaining(text: str, number: int, ranked: Sequence[Span], kept: Sequence[Span]) -> str:
    own = sorted(span for span in ranked if span.passage == number)
    runs: list[list[Span]] = [[]]
    for span in own:
        if span in kept:
            runs[-1].append(span)
        elif runs[-1]:
            runs.append([])
    if len(runs[0]) == len(own):
        return text
    return " … ".join(text[run[0].start : run[-1].end] for run in runs if run)
