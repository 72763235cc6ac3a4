"""Measures of answers, and how sure they are: SQuAD's comparison of texts, balanced accuracy, bootstrap intervals."""

import re
import string
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 1000
"""How often the bootstrap draws."""
_MARK = re.compile(r" ?\[\d+\]")
_PUNCTUATION = str.maketrans("", "", string.punctuation)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A figure with the interval that holds it in 95 % of draws of other questions of the same sort."""

    value: float
    low: float
    high: float
    n: int
    """How many questions, sentences or citations it was taken over."""

    def __str__(self) -> str:
        """As in a table: `0.914 [0.892, 0.938]`."""
        digits = 3 if abs(self.value) < 10 else 1
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def plain(text: str) -> str:
    """An answer without its marks of citation."""
    return _MARK.sub("", text)


def normalise(text: str) -> str:
    """A text as SQuAD compares it (Rajpurkar et al. 2016): lower case, without punctuation and articles, spaces folded."""
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(re.sub(r"\b(?:a|an|the)\b", " ", bare).split())


def contains(text: str, answers: Sequence[str]) -> bool:
    """Whether a text holds one of the answers, both normalised."""
    whole = normalise(text)
    return any((wanted := normalise(answer)) and wanted in whole for answer in answers)


def exact(text: str, answers: Sequence[str]) -> bool:
    """Whether a text is one of the answers, both normalised."""
    return any(normalise(text) == normalise(answer) for answer in answers)


def f1(text: str, answers: Sequence[str]) -> float:
    """The harmonic mean of precision and recall of the words of the best answer, normalised, 0 to 1."""
    said = normalise(text).split()

    def one(answer: str) -> float:
        wanted = normalise(answer).split()
        common = sum((Counter(said) & Counter(wanted)).values())
        return 2 * common / (len(said) + len(wanted)) if said or wanted else 0.0

    return max(map(one, answers), default=0.0)


def bootstrap(
    groups: Sequence[Hashable], statistic: Callable[[NDArray[np.int64]], float], rounds: int = ROUNDS, seed: int = 0
) -> Measure:
    """A statistic with its percentile bootstrap interval of 95 %; whole groups are drawn, since their members are alike.

    Args:
        groups: The group of each row: its conversation, article, or context.
        statistic: Of the rows with these numbers (a row may come more than once); NaN where they do not give it.
        rounds: How often to draw.
        seed: Of the draws.
    """
    members: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    blocks = [np.array(block, dtype=np.int64) for block in members.values()]
    generator = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([blocks[i] for i in generator.integers(0, len(blocks), len(blocks))])) for _ in range(rounds)
    ]
    value = float(statistic(np.arange(len(groups), dtype=np.int64)))
    known = [one for one in drawn if one == one]
    low, high = np.percentile(known, (2.5, 97.5)) if known else (value, value)
    return Measure(value, float(low), float(high), len(groups))


def mean(values: Sequence[float] | Floats, groups: Sequence[Hashable] | None = None) -> Measure:
    """The mean of values with its interval; without groups each stands alone."""
    array = np.asarray(values, dtype=np.float64)
    return bootstrap(range(len(array)) if groups is None else groups, lambda rows: float(array[rows].mean()))


def median(values: Sequence[float] | Floats, groups: Sequence[Hashable] | None = None) -> Measure:
    """The median of values with its interval."""
    array = np.asarray(values, dtype=np.float64)
    return bootstrap(range(len(array)) if groups is None else groups, lambda rows: float(np.median(array[rows])))


def balanced_accuracy(accepted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """The mean of two shares: of the true ones accepted, and of the others not; 0.5 is chance, NaN without one of them."""
    if truth.all() or not truth.any():
        return float("nan")
    return float((accepted[truth].mean() + (~accepted[~truth]).mean()) / 2)


def balanced(accepted: Sequence[bool] | NDArray[np.bool_], truth: Sequence[bool], groups: Sequence[Hashable]) -> Measure:
    """Balanced accuracy with its interval."""
    decided, right = np.asarray(accepted, dtype=np.bool_), np.asarray(truth, dtype=np.bool_)
    return bootstrap(groups, lambda rows: balanced_accuracy(decided[rows], right[rows]))


def auroc(scores: Floats, truth: NDArray[np.bool_]) -> float:
    """The chance that a true one scores above another one, ties counting half (Mann-Whitney); NaN without one of them."""
    positive = int(truth.sum())
    negative = len(truth) - positive
    if not positive or not negative:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def best_threshold(scores: Floats, truth: NDArray[np.bool_], near: float = 0.5) -> float:
    """The threshold of the best balanced accuracy, halfway between two scores; of equal ones the nearest to `near`."""
    known = np.unique(np.concatenate([scores, [0.0, 1.0]]))
    cuts = [near, *((known[:-1] + known[1:]) / 2).tolist()]
    return float(max(cuts, key=lambda cut: (round(balanced_accuracy(scores >= cut, truth), 9), -abs(cut - near))))


def cross_validated(scores: Floats, truth: NDArray[np.bool_], groups: Sequence[Hashable], count: int = 5) -> NDArray[np.bool_]:
    """Whether each is accepted, by the threshold that is best for the groups of the other folds."""
    fold_of = folds(groups, count)
    accepted = np.zeros(len(truth), dtype=np.bool_)
    for fold in range(count):
        inside = fold_of == fold
        accepted[inside] = scores[inside] >= best_threshold(scores[~inside], truth[~inside])
    return accepted


def folds(groups: Sequence[Hashable], count: int = 5, seed: int = 0) -> NDArray[np.int64]:
    """The fold of each row, 0 to count - 1; rows of one group stay together."""
    names: list[Any] = sorted(set(groups), key=str)
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {names[i]: place % count for place, i in enumerate(order.tolist())}
    return np.array([fold[group] for group in groups], dtype=np.int64)
