"""The best sentences as the answer: which ones, and how many.

The replies of a model of 135 million parameters hold the answer in a third of cases, the sentences chosen here in
nine of ten. Six measures with round weights (conditional logit on XQuAD, `eval_answers_lab.py --fit`) give each
sentence a chance of holding the answer; then sentences are quoted as long as they earn their words: one where the
case is clear, up to four where it is open.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_agent.grounding.relevance import Matches

__all__ = ["Quote", "best_quotes", "chances", "count_words", "measures"]

# Weights per unit of each measure; shares and cosines run from 0 to 1.
SENTENCE_SIMILARITY = 4.5
PASSAGE_SIMILARITY = 10.0
OWN_TERMS = 4.0
TERMS_AROUND = 2.5
PASSAGE_TERMS = 5.0
GIVES_KIND = 2.0

MAX_WORDS = 90
MAX_QUOTES = 4
PRICE = 0.002  # chance of holding the answer that each further word must bring: a sentence of 25 words, 5 %

_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_LEANS_BACK = re.compile(
    r"[\"'“‘(]*(?:he|she|it|they|his|her|its|their|this|these|those|such|hij|zij|ze|él|ella|il|elle|er|sie)\b", re.I
)


class Quote(NamedTuple):
    """A verbatim span of a passage's text.

    Attributes:
        passage: Index of the passage that holds it.
        start: First character in the text of that passage.
        end: Character behind its last one.
        score: Chance, 0 to 1, that it holds the answer, given that one of the sentences does; 0 where it is shown
            only because the sentence behind it begins with a pronoun.
    """

    passage: int
    start: int
    end: int
    score: float


def measures(matches: Matches) -> NDArray[np.float64]:
    """Give the six measures of each sentence as rows, in the order of the weights above; all run from 0 to 1."""
    near, share = matches.passage_similarity, matches.passage_share
    columns = (
        matches.similarity,
        [max(near[i] for i in sentence.passages) for sentence in matches.sentences],
        matches.own,
        matches.around,
        [max(share[i] for i in sentence.passages) for sentence in matches.sentences],
        matches.gives,
    )
    return np.column_stack([np.asarray(column, float) for column in columns])


def chances(matches: Matches) -> NDArray[np.float64]:
    """Give each sentence's chance of holding the answer, given that one of them does; they sum to 1.

    Args:
        matches: What `rag_agent.grounding.relevance.match` measured.
    """
    weights = (SENTENCE_SIMILARITY, PASSAGE_SIMILARITY, OWN_TERMS, TERMS_AROUND, PASSAGE_TERMS, GIVES_KIND)
    logits = measures(matches) @ np.array(weights)
    powers = np.exp(logits - (logits.max() if len(logits) else 0.0))
    result: NDArray[np.float64] = powers / max(float(powers.sum()), 1e-300)
    return result


def best_quotes(
    matches: Matches,
    *,
    usable: Sequence[bool] | None = None,
    max_words: int = MAX_WORDS,
    max_quotes: int = MAX_QUOTES,
    price: float = PRICE,
) -> list[Quote]:
    """Choose the sentences that answer.

    The likeliest sentence is always taken; each next one, by falling chance, where it fits and is worth its words.

    Args:
        matches: What `rag_agent.grounding.relevance.match` measured.
        usable: Which of its sentences may be chosen; None is all of them.
        max_words: Most words of all quotes together; only the first sentence alone may exceed it.
        max_quotes: Most sentences, pronoun carriers not counted.
        price: Least chance per word for each sentence after the first; 0 fills up to `max_words`.

    Returns:
        Quotes in reading order: passages by their best sentence, then by place in the text; no two overlap. Empty
        where the passages hold no sentence.

    Raises:
        ValueError: `max_words` or `max_quotes` is below 1.
    """
    if max_words < 1 or max_quotes < 1:
        raise ValueError("max_words and max_quotes must be at least 1")
    chance = chances(matches)
    chosen: dict[int, float] = {}
    used = 0
    for index in np.argsort(-chance, kind="stable").tolist():
        words = count_words(matches.sentences[index].text)
        if usable is not None and not usable[index]:
            continue
        if chosen and (used + words > max_words or chance[index] < price * words):
            continue
        chosen[index] = float(chance[index])
        used += words
        if len(chosen) == max_quotes:
            break
    _add_carriers(matches, chosen, max_words - used, usable)
    return _in_reading_order(matches, chosen)


def count_words(text: str) -> int:
    """Count words as white space separates them; two characters count as one word in scripts without spaces."""
    spaced, characters = _UNSPACED.subn(" ", text)
    return len(spaced.split()) + (characters + 1) // 2


def _add_carriers(matches: Matches, chosen: dict[int, float], room: int, usable: Sequence[bool] | None) -> None:
    """Add the sentence before one that begins with a pronoun, likeliest first, while there is room."""
    places = {(matches.passages[s.passages[0]].source, s.end): i for i, s in enumerate(matches.sentences)}
    for index in list(chosen):
        sentence = matches.sentences[index]
        if not _LEANS_BACK.match(sentence.text) or not sentence.before:
            continue
        text = matches.passages[sentence.passages[0]].text
        end = len(text[: sentence.start].rstrip())
        before = places.get((matches.passages[sentence.passages[0]].source, end))
        if before is None or before in chosen or (usable is not None and not usable[before]):
            continue
        words = count_words(matches.sentences[before].text)
        if words <= room:
            chosen[before] = 0.0
            room -= words


def _in_reading_order(matches: Matches, chosen: dict[int, float]) -> list[Quote]:
    best: dict[str, int] = {}
    for place, index in enumerate(chosen):
        best.setdefault(matches.passages[matches.sentences[index].passages[0]].source, place)

    def order(index: int) -> tuple[int, int]:
        sentence = matches.sentences[index]
        return best[matches.passages[sentence.passages[0]].source], sentence.start

    ordered = [(matches.sentences[index], chosen[index]) for index in sorted(chosen, key=order)]
    return [Quote(sentence.passages[0], sentence.start, sentence.end, score) for sentence, score in ordered]
