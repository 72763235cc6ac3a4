"""Answer or refuse, by evidence: do the passages found speak of what was asked?

Two signs decide, and neither grows with the size of the index or the length of the question, so that one threshold
serves a folder of three files and a large library. The weights come from a logistic regression over questions whose
articles were in the index or were taken out of it (`eval_answers_lab.py --fit`), rounded. How far the best sentence
stands above the others would help on such data, but it refuses what several documents repeat; so it is not asked.
"""

import math
from typing import NamedTuple

import numpy as np

from rag_agent.grounding.relevance import Matches, Words

__all__ = ["THRESHOLD", "Evidence", "Signs", "missing_words", "signs", "weigh"]

# Log odds of an answer: WEIGHT * (closest + best) + BIAS; even odds where the two are 0.70 on average. The bias leans
# towards answering by 0.4: a quote that does not help is seen at once, an answer withheld is not.
WEIGHT = 6.0
BIAS = -8.4
THRESHOLD = 0.5
# The cosines are MiniLM's. Where others or none are to be had, the words alone decide. `eval_answers.py --only refusals
# --by-words --limit 200` fits 11.8 and -6.2; -6.6 answers 0.825 and refuses 0.930 of XQuAD (balanced 0.877), -5.8 0.865 and
# 0.855 (0.860). On ClapNQ, where the right article lacks the answer, words alone are near chance (0.545).
WORDS_WEIGHT = 12.0
WORDS_BIAS = -6.6
TERMS = 0.5  # worth of all the question's terms, in units of cosine


class Signs(NamedTuple):
    """What speaks for an answer.

    Terms of the question that stand in the headline of a text do not count: they say that it is on the subject,
    not that it answers.

    Attributes:
        closest: Cosine of a passage and the question plus half the share of the question's terms (weighed by rarity)
            that it holds; of the best passage, at most 1.5.
        best: The same of the best sentence, whose terms include those of the sentence before it.
    """

    closest: float
    best: float


class Evidence(NamedTuple):
    """The decision and its grounds.

    Attributes:
        probability: Of the passages holding an answer, 0 to 1, where half of all questions have one.
        enough: Whether to answer.
        signs: What was measured.
        missing: Words of the question that no passage holds, as written, for the text of a refusal.
    """

    probability: float
    enough: bool
    signs: Signs
    missing: tuple[str, ...]


def weigh(matches: Matches, words: Words, *, threshold: float = THRESHOLD) -> Evidence:
    """Decide whether to answer.

    Args:
        matches: What `rag_agent.grounding.relevance.match` measured.
        words: Cuts text into terms, as for `match`.
        threshold: Least probability for an answer: higher refuses more.

    Returns:
        The decision; without passages, a refusal.
    """
    found = signs(matches)
    weight, bias = (WORDS_WEIGHT, WORDS_BIAS) if matches.by_words else (WEIGHT, BIAS)
    odds = weight * (found.closest + found.best) + bias
    probability = 1.0 / (1.0 + math.exp(-odds)) if matches.passages else 0.0
    return Evidence(probability, probability >= threshold, found, missing_words(matches, words))


def signs(matches: Matches) -> Signs:
    """Measure the signs; both are 0 without a passage, and `best` is `closest` where no passage holds a sentence."""
    if not matches.passages:
        return Signs(0.0, 0.0)
    heads = matches.head_share
    closest = float((matches.passage_similarity + TERMS * (matches.passage_share - heads)).max())
    if not matches.sentences:
        return Signs(closest, closest)
    own_heads = np.array([heads[sentence.passages[0]] for sentence in matches.sentences])
    return Signs(closest, float((matches.similarity + TERMS * (matches.back - own_heads)).max()))


def missing_words(matches: Matches, words: Words) -> tuple[str, ...]:
    """Give the words of the question that no passage and no headline holds, as they are written, in order."""
    held = {term for terms in matches.passage_terms for term in terms}
    lacking = {term for term in matches.weights if term not in held}
    found = [word.strip("\"'“”‘’«»()[]¿?¡!.,;:…？！。、") for word in matches.question.split()]
    return tuple(dict.fromkeys(word for word in found if word and (own := set(words.query_terms(word))) and own <= lacking))
