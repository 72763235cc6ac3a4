"""One ranking out of several: dense similarity and BM25, joined by a weighted sum of scores.

Scores are divided by the best of their kind for the question, so that the two kinds weigh alike whatever their units
(a convex combination; Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval", find it ahead of
reciprocal rank fusion, and so does the table of `eval_retrieval.py`). A chunk also gains from its article: from the
article's words as a whole and from its best chunk, since an answer often stands beside the passage that names its subject.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag_agent.index.matrix import best_first
from rag_agent.index.tokens import fold

__all__ = ["RankingWeights", "fuse", "rank", "reciprocal_rank_fusion"]

Texts = Callable[[Sequence[int]], list[str]]
Scores = NDArray[np.float32]

_SHINGLE = 3
_POOL = 50
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class RankingWeights:
    """How much each kind of evidence counts; only the proportions matter.

    `dense` and `lexical` weigh the chunk itself, `article_words` the BM25 score of its article, `article_best` the best
    chunk of its article, `literal` a quoted phrase of the question that stands in the chunk. A chunk repeats a better one
    that holds the share `duplicate` of its word triples and all its numbers; a longer chunk around the same words adds
    something and stays, and so does a copy that gives another year: it contradicts the first.
    """

    dense: float = 0.6
    lexical: float = 0.4
    article_words: float = 0.1
    article_best: float = 0.5
    literal: float = 0.5
    duplicate: float = 0.8


def rank(
    dense: Scores,
    lexical: Scores,
    articles: NDArray[np.int64],
    texts: Texts,
    *,
    k: int = 8,
    article_lexical: Scores | None = None,
    literal: NDArray[np.bool_] | None = None,
    ceiling: float | None = None,
    weights: RankingWeights | None = None,
) -> list[tuple[int, float]]:
    """Order chunks for a question, best first.

    Args:
        dense: Cosine similarity of every chunk; zeros where there are no embeddings.
        lexical: BM25 score of every chunk.
        articles: Article number of every chunk, counted from 0.
        texts: Hands over the texts of chunks, for telling near-duplicates.
        k: How many to return at most.
        article_lexical: BM25 score of every chunk's article (`BM25.article_scores`).
        literal: Which chunks hold the quoted phrases of the question (`BM25.phrase_rows`).
        ceiling: The highest possible lexical score (`BM25.ceiling`). With it the scores say how well the question is
            met, without it only how well it is met by vectors.
        weights: Other weights than the measured ones.

    Returns:
        Index and score of at most `k` chunks. Scores lie between 0 and 1 and never rise from one rank to the next. A
        near-duplicate of a better chunk comes only where there is nothing else.

    Raises:
        ValueError: The arrays differ in length.
    """
    weights = given = weights or RankingWeights()
    if not len(dense) == len(lexical) == len(articles):
        raise ValueError(f"one value a chunk is needed: {len(dense)} dense, {len(lexical)} lexical, {len(articles)} articles")
    if not len(dense) or k < 1:
        return []
    similarity, coverage = _best(dense, lexical, ceiling)
    if coverage is not None and similarity > 0:
        # Words that hold less of the question than its vectors are near to, as in another language, tell less of the order.
        # German and Spanish questions over English passages with multilingual-e5-small: hit@1 0.595 -> 0.650, 0.610 -> 0.660;
        # English ones unchanged (scripts/eval_languages.py, 200 each).
        telling = min(1.0, coverage / similarity**2)
        weights = replace(weights, lexical=telling * weights.lexical, article_words=telling * weights.article_words)
    fused = fuse(dense, lexical, articles, article_lexical=article_lexical, literal=literal, weights=weights)
    best = best_first(fused, max(_POOL, 4 * k))
    order = _duplicates_last(best, texts, k, weights.duplicate)[:k]
    confidence = _confidence(similarity, coverage, given)
    scores = np.minimum.accumulate(np.clip(fused[order] * confidence, 0.0, 1.0))
    return [(int(index), float(score)) for index, score in zip(order, scores, strict=True)]


def fuse(
    dense: Scores,
    lexical: Scores,
    articles: NDArray[np.int64],
    *,
    article_lexical: Scores | None = None,
    literal: NDArray[np.bool_] | None = None,
    weights: RankingWeights | None = None,
) -> Scores:
    """Join the evidence into one score a chunk, at most 1 (see `rank` for the arguments)."""
    weights = weights or RankingWeights()
    own = weights.dense * _scaled(dense) + weights.lexical * _scaled(lexical)
    whole = weights.dense + weights.lexical
    total = own.copy()
    if weights.article_best:
        best = np.full(int(articles.max()) + 1, -np.inf, np.float32)
        np.maximum.at(best, articles, own)
        total += weights.article_best * best[articles]
        whole += weights.article_best * whole
    if article_lexical is not None and weights.article_words:
        total += weights.article_words * _scaled(article_lexical)
        whole += weights.article_words
    if literal is not None and literal.any():
        total += weights.literal * literal
        whole += weights.literal
    joined: Scores = (total / whole).astype(np.float32)
    return joined


def reciprocal_rank_fusion(*rankings: Scores, constant: float = 60.0, depth: int = 100) -> list[tuple[int, float]]:
    """The baseline: each ranking gives 1 / (constant + place) to its first `depth` chunks (Cormack and others 2009)."""
    fused: dict[int, float] = {}
    for scores in rankings:
        for place, index in enumerate(best_first(scores, depth).tolist(), start=1):
            fused[index] = fused.get(index, 0.0) + 1.0 / (constant + place)
    return sorted(fused.items(), key=lambda item: -item[1])


def _scaled(scores: Scores) -> Scores:
    """Scores with the best at 1; all zero where nothing scores above zero."""
    clean = np.asarray(scores, np.float32)
    if not np.isfinite(clean).all():
        clean = np.nan_to_num(clean, nan=0.0, posinf=0.0, neginf=0.0)
    best = float(clean.max())
    return clean / np.float32(best) if best > 0 else np.zeros_like(clean)


def _best(dense: Scores, lexical: Scores, ceiling: float | None) -> tuple[float, float | None]:
    """The best cosine, and the share of the question that the best words hold, 0 to 1 each; None where that cannot be told."""
    similarity = min(1.0, max(0.0, float(np.nan_to_num(dense).max())))
    if not ceiling or ceiling <= 0:
        return similarity, None
    return similarity, min(1.0, float(lexical.max()) / ceiling)


def _confidence(similarity: float, coverage: float | None, weights: RankingWeights) -> float:
    """How good the best evidence is, 0 to 1: one factor for the whole ranking, so it never changes the order."""
    if coverage is None:
        return similarity or 1.0
    return (weights.dense * similarity + weights.lexical * coverage) / (weights.dense + weights.lexical)


def _duplicates_last(order: NDArray[np.int64], texts: Texts, k: int, bar: float) -> NDArray[np.int64]:
    """Move chunks that repeat a better one behind the rest; stops comparing once `k` different ones are found."""
    kept: list[tuple[int, frozenset[tuple[str, ...]], frozenset[str]]] = []
    repeated: list[int] = []
    for index, text in zip(order.tolist(), texts(order.tolist()), strict=True):
        if len(kept) == k:
            break
        shingles, numbers = _shingles(text), frozenset(_NUMBER.findall(text))
        if any(len(shingles & other) >= bar * len(shingles) and numbers <= others for _, other, others in kept):
            repeated.append(index)
        else:
            kept.append((index, shingles, numbers))
    return np.array([index for index, *_ in kept] + repeated, np.int64)


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Word triples of a text; characters where there are too few words to tell (short texts, scripts without spaces)."""
    folded = fold(text)
    words: Sequence[str] = folded.split()
    if len(words) < 2 * _SHINGLE:
        words = "".join(words)
    return frozenset(tuple(words[i : i + _SHINGLE]) for i in range(max(1, len(words) - _SHINGLE + 1)))
