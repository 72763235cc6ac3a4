"""Two sources that answer one question differently: both must be shown, whichever ranks higher.

It is looked for narrowly, since two sentences that share their words are far more often about two things than at odds. Either
both are the same but for one piece, and that piece is what is asked for: another number, date or name, or a negation. Or both
hold all that is asked about, and tell another time or another number of the same unit.
"""

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher

import numpy as np

from rag_agent.grounding.asking import asks_for
from rag_agent.grounding.choice import chances
from rag_agent.grounding.evidence import Candidate, Evidence
from rag_agent.grounding.forms import NEGATIONS, Date, Token, dates, tokens
from rag_agent.language import detect, language

_LIKELY = 6  # units that are compared, those that most likely hold the answer
_HELD = 0.3  # share of the question's terms that sentences hold which differ in one piece
_HELD_ALL = 0.9  # and those that are said in different words
_EQUAL = 0.6  # share of the longer sentence that is the same where one piece differs
_OTHERS = 3  # units of other texts that each is compared with


def disagreement(evidence: Evidence) -> tuple[Candidate, Candidate] | None:
    """Find one of the likeliest units and one of another text that contradicts it; None where the sources do not disagree."""
    chance = chances(evidence)
    likely = [evidence.candidates[n] for n in np.argsort(-chance, kind="stable")[:_LIKELY].tolist()]
    sources = [(candidate.file, candidate.article) for candidate in likely]
    held = [0.0 if candidate.withheld else candidate.own for candidate in likely]
    texts = [candidate.unit.text for candidate in likely]
    for at in range(len(likely)):
        if found := contradicting(evidence.question, texts[at:], sources[at:], held[at:]):
            return likely[at], likely[at + found]
    return None


def contradicting(question: str, texts: Sequence[str], sources: Sequence[Hashable], held: Sequence[float]) -> int | None:
    """Find the text that contradicts the first.

    Args:
        question: What was asked.
        texts: What may answer it, the likeliest first.
        sources: Where each stands; two of one source are not compared.
        held: Share, 0 to 1, of the question's terms that each holds; 0 for one that may not be shown.

    Returns:
        Its index; None where none of the next three of other sources does.
    """
    others = [n for n in range(1, len(texts)) if sources[n] != sources[0] and held[n] >= _HELD]
    if not others or held[0] < _HELD:
        return None
    known = language(detect(texts[0]))
    asked, mine = tokens(question, known), tokens(texts[0], known)
    for other in others[:_OTHERS]:
        theirs = tokens(texts[other], known)
        alike = abs(held[0] - held[other]) < 0.01 and _one_piece_differs(asks_for(question), asked, mine, theirs)
        if alike or (min(held[0], held[other]) >= _HELD_ALL and _values_differ(asks_for(question), asked, mine, theirs)):
            return other
    return None


def _one_piece_differs(kind: str, asked: Sequence[Token], mine: Sequence[Token], theirs: Sequence[Token]) -> bool:
    sides = [[token for token in side if token.kind != "mark"] for side in (mine, theirs)]
    keys = [[token.key for token in side] for side in sides]
    steps = SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes()
    changes = [(sides[0][i:j], sides[1][k:m]) for step, i, j, k, m in steps if step != "equal"]
    same = sum(j - i for step, i, j, _, _ in steps if step == "equal")
    if len(changes) != 1 or same < _EQUAL * max(map(len, sides)):
        return False
    pieces = changes[0]
    if any(all(token.key in NEGATIONS for token in piece) for piece in pieces if piece) and not all(pieces):
        return True
    if not all(pieces) or kind in ("date", "number") and _agree(dates(pieces[0]), dates(pieces[1])):
        return False
    if all(_valued(piece) for piece in pieces):
        return kind in ("date", "number", "")
    # Who won in 1969 and who in 1970 may be one and the same: another name answers only where none is shared.
    known = {token.key for token in asked}
    names = [{token.key for token in side if _is_name(token)} - known for side in sides]
    return all(any(_is_name(token) for token in piece) for piece in pieces) and not names[0] & names[1]


def _values_differ(kind: str, asked: Sequence[Token], mine: Sequence[Token], theirs: Sequence[Token]) -> bool:
    if kind not in ("date", "number") or any(token.key in NEGATIONS for token in (*mine, *theirs)):
        return False
    names = [{token.key for token in side if token.named} for side in (mine, theirs)]
    if names[0] - names[1] and names[1] - names[0]:
        return False  # of two things
    times = [dates(side) - dates(asked) for side in (mine, theirs)]
    if kind == "date":
        return all(times) and not _agree(*times)
    numbers = [{(token.key, follows.key) for token, follows in zip(side, side[1:], strict=False) if _counts(token, follows)}
               for side in (mine, theirs)]  # fmt: skip
    units = {unit for _, unit in numbers[0]} & {unit for _, unit in numbers[1]}
    return times[0] == times[1] and bool(units) and all(n not in numbers[1] for n in numbers[0] if n[1] in units)


def _valued(piece: Sequence[Token]) -> bool:
    return any(token.kind in ("number", "date") for token in piece)


def _is_name(token: Token) -> bool:
    return token.kind == "word" and token.raw[0].isupper()


def _counts(token: Token, follows: Token) -> bool:
    return token.kind == "number" and follows.kind in ("word", "unit") and not dates([token])


def _agree(one: set[Date], other: set[Date]) -> bool:
    """Whether two times may be the same, one of them told more exactly."""
    return any(all(not a or not b or a == b for a, b in zip(x, y, strict=True)) for x in one for y in other)
