"""Two sources that answer one question differently: both must be shown, whichever ranks higher.

It is looked for narrowly, since two sentences that share their words are far more often about two things than at odds:
both must hold what the question asks for, in different texts. Then either they hold the same words of the question and
differ in one piece alone ("opened in 1931", "opened in 1932"), or both hold nearly all its words and give other dates,
or other numbers of the same unit, and no other names.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np

from rag_agent.answers import Hit
from rag_agent.grounding.asking import asks_for
from rag_agent.grounding.dates import Date
from rag_agent.grounding.instructions import is_quotable
from rag_agent.grounding.matching import match, source
from rag_agent.grounding.quotes import chances
from rag_agent.grounding.reading import Reader, Reading, detect_language
from rag_agent.grounding.relevance import Matches
from rag_agent.grounding.substitutions import substitutions

_LIKELY = 0.3  # least chance of holding the answer, as a share of the best sentence's
_HELD = 0.9  # least share of the question's terms, weighed, that two different sentences hold
_HELD_ALIKE = 0.3  # and two that differ in one piece
_EQUAL = 0.6  # least share of the longer sentence that is the same where one piece differs
_OTHERS = 3  # sentences of other texts that are compared with the best one


def disagreement(matches: Matches, hits: Sequence[Hit]) -> tuple[int, int] | None:
    """Find the best sentence and one of another text that contradicts it.

    Args:
        matches: The question against the hits.
        hits: What was found, best first; two of one article are one source.

    Returns:
        The indices of both sentences, the likelier one first; None where the sources do not disagree.
    """
    chance = chances(matches)
    order = np.argsort(-chance, kind="stable").tolist()
    if not order or not _answers(matches, order[0]):
        return None
    best = order[0]
    others = [
        index
        for index in order[1:]
        if chance[index] >= _LIKELY * chance[best]
        and _source(matches, hits, index) != _source(matches, hits, best)
        and _answers(matches, index)
    ]
    reader = Reader(detect_language(matches.sentences[best].text))
    question, kind = reader.read(matches.question), asks_for(matches.question)
    mine = reader.read(matches.sentences[best].text)
    for index in others[:_OTHERS]:
        theirs = reader.read(matches.sentences[index].text)
        held = matches.own[[best, index]]
        alike = held.min() == held.max() and _one_piece_differs(kind, question, mine, theirs)
        if alike or (held.min() >= _HELD and _values_differ(kind, question, mine, theirs)):
            return best, index
    return None


def _source(matches: Matches, hits: Sequence[Hit], index: int) -> tuple[str, int]:
    hit = hits[matches.sentences[index].passages[0]]
    return hit.file, hit.article


def _answers(matches: Matches, index: int) -> bool:
    """Whether a sentence holds words of the question and what it asks for, and may be quoted."""
    sentence = matches.sentences[index]
    text = matches.passages[sentence.passages[0]].text
    return bool(matches.own[index] >= _HELD_ALIKE and matches.gives[index]) and is_quotable(text, sentence.start, sentence.end)


def _one_piece_differs(kind: str, question: Reading, mine: Reading, theirs: Reading) -> bool:
    """The same sentence but for one piece, which is what is asked for: another name or number, an opposite or a negation."""
    left, right = ([token for token in reading.tokens if token[0].isalnum()] for reading in (mine, theirs))
    steps = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    same = sum(j - i for tag, i, j, _, _ in steps if tag == "equal")
    if not _is_asked_for(
        kind, question, mine, theirs, [piece for tag, i, j, k, m in steps if tag != "equal" for piece in (left[i:j], right[k:m])]
    ):
        return False
    if sum(tag != "equal" for tag, *_ in steps) != 1 or same < _EQUAL * max(len(left), len(right)):
        return False
    return any(substitutions(mine, source(theirs))) and any(substitutions(theirs, source(mine)))


def _is_asked_for(kind: str, question: Reading, mine: Reading, theirs: Reading, pieces: Sequence[Sequence[str]]) -> bool:
    """Whether what differs can be the answer: who won in 1969 and in 1970 may be one and the same."""
    numeric = [any(token[0].isdigit() for token in piece) for piece in pieces if piece]
    if kind in ("date", "number"):
        return True
    if all(numeric) and kind:
        return False
    known = {word.key for word in question.words}
    names = [{word.key for word in reading.words if word.name == 2} - known for reading in (mine, theirs)]
    return kind not in ("person", "place") or not names[0] & names[1]


def _values_differ(kind: str, question: Reading, mine: Reading, theirs: Reading) -> bool:
    """Two answers to "when" or "how many" about the same names, neither negated."""
    if kind not in ("date", "number") or mine.negations or theirs.negations or _other_names(mine, theirs):
        return False
    if kind == "date":
        left, right = (_dates(reading) - _dates(question) for reading in (mine, theirs))
        return bool(left and right) and not any(_agree(one, other) for one in left for other in right)
    if (_dates(mine) ^ _dates(theirs)) - _dates(question):
        return False  # of two times
    left_facts, right_facts = (
        [fact for fact in reading.facts if fact.unit and fact.at not in reading.dated] for reading in (mine, theirs)
    )
    pairs = [(one, other) for one in left_facts for other in right_facts if one.unit == other.unit]
    return bool(pairs) and not any(one.number.matches(other.number) for one, other in pairs)


def _other_names(mine: Reading, theirs: Reading) -> bool:
    """Whether each names something that the other does not."""
    return all(
        any(word.name == 2 and not match(word, one, source(other))[0] for word in one.words)
        for one, other in ((mine, theirs), (theirs, mine))
    )


def _dates(reading: Reading) -> set[Date]:
    years = {
        Date(int(value), 0, 0)
        for fact in reading.facts
        if fact.at not in reading.dated and fact.number.kind == "plain" and not fact.unit
        for value in fact.number.values
        if isinstance(value, float) and 1000 <= value <= 2200
    }
    return set(reading.dates) | years


def _agree(one: Date, other: Date) -> bool:
    return all(not a or not b or a == b for a, b in zip(one, other, strict=True))
