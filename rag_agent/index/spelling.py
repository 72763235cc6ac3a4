"""Slips of the keyboard, mended by the words of the documents; and the nearest thing to a name that does not occur."""

import re
from functools import cache
from typing import TYPE_CHECKING

from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from rag_agent.index.lexical import BM25, Texts
from rag_agent.index.tokens import fold
from rag_agent.language import language

if TYPE_CHECKING:
    from spellchecker import SpellChecker

_SHORTEST = 4  # letters of a word that may be a slip
_ROWS = 20  # chunks in which a word is looked up
_NEAR = 0.88  # least similarity of the nearest name, by Jaro and Winkler
_DICTIONARIES = ("en", "nl", "de", "fr", "es", "it", "pt", "ru")  # of pyspellchecker; in other languages nothing is mended


def mended(word: str, code: str, bm25: BM25, texts: Texts) -> str | None:
    """The word of the documents that an unknown word is most likely a slip of, as it is written there.

    The `code` is that of the question's language, in which a word may be right. One letter may be wrong, missing, too many or
    swapped with its neighbour, and two in words of eight letters or more (optimal string alignment). A word that a dictionary
    knows is no slip.
    """
    low = fold(word)
    if not low.isalpha() or len(low) < _SHORTEST or any(map(bm25.frequency, bm25.analyser.terms(low))):
        return None
    stem = bm25.analyser.stem(low)
    most = 2 if len(low) >= 8 else 1
    found = process.extract(stem, bm25.vocabulary, scorer=OSA.distance, score_cutoff=most, limit=20)
    near = [(term, distance) for term, distance, _ in found if term.isalpha() and term[0] == stem[0]]
    if not near or _is_word(low, code):
        return None
    term = min(near, key=lambda one: (one[1], -bm25.frequency(one[0])))[0]
    return _as_written(term, bm25, texts)


def nearest(name: str, bm25: BM25, texts: Texts) -> str | None:
    """The term of the documents that is most like a name which does not occur, as it is written there."""
    near = process.extract(fold(name), bm25.vocabulary, scorer=JaroWinkler.normalized_similarity, score_cutoff=_NEAR, limit=20)
    found = next((one for one in near if abs(len(one[0]) - len(name)) <= len(name) // 3), None)
    parts = [part for part in re.split(r"[_./:-]", fold(name)) if len(part) > 2]
    if found is None and len(parts) > 1:  # "query_cache_size": what shares most of its parts
        shared = [(sum(part in term for part in parts), -len(term), term) for term in bm25.vocabulary if "_" in term]
        best = max(shared, default=(0, 0, ""))
        return _as_written(best[2], bm25, texts) if best[0] >= 2 else None
    return _as_written(found[0], bm25, texts) if found and not found[0].isdigit() else None


def _as_written(term: str, bm25: BM25, texts: Texts) -> str:
    """The plainest word of the first few chunks that hold a term: "password", not "--no-password"."""
    words = [word for text in texts(bm25.rows(term)[:_ROWS].tolist()) for word in re.findall(r"[\w.:/@+-]*\w", text)]
    return min((word for word in dict.fromkeys(words) if term in bm25.analyser.terms(word)), key=len, default=term)


@cache
def _dictionary(code: str) -> "SpellChecker":
    from spellchecker import SpellChecker

    return SpellChecker(language=code)


def _is_word(low: str, code: str) -> bool:
    known = language(code)
    if known is not None and low in known.small_words:
        return True
    return code not in _DICTIONARIES or bool(_dictionary(code).known([low]))
