from collections.abc import Sequence

import numpy as np
import pytest

from rag_agent.index.ranking import RankingWeights, fuse, rank, reciprocal_rank_fusion

TEXTS = [
    "Alpha one two three four five six seven.",
    "Beta one two three is something wholly different here.",
    "Alpha one two three four five six seven.",
    "Gamma stands alone with words that nobody else has used.",
]


def texts(rows: Sequence[int]) -> list[str]:
    return [TEXTS[row] for row in rows]


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


OWN = np.arange(4)


def test_weighted_sum_of_scaled_scores() -> None:
    weights = RankingWeights(article_best=0)
    assert fuse(floats(0.5, 0.25), floats(0, 8), np.arange(2), weights=weights) == pytest.approx([0.6, 0.7])


def test_units_do_not_matter() -> None:
    one = rank(floats(0.9, 0.5, 0.1, 0.7), floats(0, 3, 1, 2), OWN, texts)
    other = rank(floats(0.9, 0.5, 0.1, 0.7), floats(0, 300, 100, 200), OWN, texts)
    assert one == other


def test_scores_fall_and_stay_in_the_unit_interval() -> None:
    found = rank(floats(0.9, 0.5, 0.95, 0.7), floats(3, 0, 3, 2), OWN, texts, ceiling=10)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= min(scores) and max(scores) <= 1


def test_better_evidence_gives_a_higher_score_at_the_same_place() -> None:
    weak = rank(floats(0.2, 0.1, 0, 0), floats(1, 0, 0, 0), OWN, texts, ceiling=10)[0]
    strong = rank(floats(0.8, 0.1, 0, 0), floats(8, 0, 0, 0), OWN, texts, ceiling=10)[0]
    assert weak[0] == strong[0] == 0
    assert weak[1] < strong[1]


def test_repeated_text_comes_after_the_rest() -> None:
    found = rank(floats(0.9, 0.5, 0.89, 0.4), floats(0, 0, 0, 0), OWN, texts, k=4)
    assert [index for index, _ in found] == [0, 1, 3, 2]


def test_longer_text_around_the_same_words_is_no_repetition() -> None:
    pair = [
        "one two three four five six seven",
        "one two three four five six seven and then much more that is new to all",
    ]
    found = rank(floats(0.9, 0.8, 0.1), floats(0, 0, 0), np.arange(3), lambda r: [(pair + ["x"])[i] for i in r], k=3)
    assert [index for index, _ in found] == [0, 1, 2]


def test_a_copy_with_another_number_is_no_repetition() -> None:
    bridge = "The bridge over the sound was opened to carts and carriages in the spring of 1931 by the mayor and her sister"
    copies = [bridge, bridge.replace("1931", "1932"), bridge.replace("1931", "a year")]
    weights = RankingWeights(article_best=0)
    found = rank(
        floats(0.9, 0.8, 0.7, 0.1), floats(0, 0, 0, 0), OWN, lambda r: [(copies + ["x"])[i] for i in r], k=4, weights=weights
    )
    assert [index for index, _ in found] == [0, 1, 3, 2]


def test_a_good_article_lifts_its_chunks() -> None:
    dense, lexical = floats(0.9, 0.5, 0.2, 0.52), floats(0, 0, 0, 0)
    assert [i for i, _ in rank(dense, lexical, np.array([0, 0, 1, 1]), lambda r: [str(i) * 9 for i in r], k=2)] == [
        0,
        1,
    ]


def test_quoted_phrase_leads() -> None:
    found = rank(floats(0.9, 0.5, 0.1, 0.8), floats(0, 0, 0, 0), OWN, texts, literal=np.array([False, True, False, False]))
    assert found[0][0] == 1


@pytest.mark.parametrize("dense", [floats(0, 0, 0, 0), floats(-1, -1, -1, -1)])
def test_missing_vectors_leave_the_words(dense: np.ndarray) -> None:
    found = rank(dense, floats(0, 0, 0, 2), OWN, texts, k=2)
    assert found[0][0] == 3
    assert all(np.isfinite(score) for _, score in found)


def test_values_that_are_no_numbers_count_as_zero() -> None:
    found = rank(floats(np.nan, 0.1, 0.2, np.inf), floats(0, 0, 0, 0), OWN, texts, k=4)
    assert [index for index, _ in found[:2]] == [2, 1]
    assert all(np.isfinite(score) for _, score in found)


def test_nothing_to_rank() -> None:
    assert rank(floats(), floats(), np.empty(0, np.int64), texts) == []
    assert rank(floats(1), floats(1), np.arange(1), texts, k=0) == []


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 dense, 1 lexical"):
        rank(floats(1, 1), floats(1), np.arange(2), texts)


def test_reciprocal_rank_fusion_by_hand() -> None:
    found = dict(reciprocal_rank_fusion(floats(3, 2, 1), floats(1, 3, 2)))
    assert found == pytest.approx({0: 1 / 61 + 1 / 63, 1: 1 / 62 + 1 / 61, 2: 1 / 63 + 1 / 62})
