"""What a question consists of: the several questions in one."""

import re

from rag_agent.language import LANGUAGES, detect, language

__all__ = ["parts"]

_ENDS = re.compile(r"(?<=[?？؟])\s+")
_LEAST = 2  # words of a part


def parts(question: str) -> list[str]:
    """The questions that a question consists of, where it asks several things; empty where it asks one.

    `Who built it, and when was it opened?` gives `["Who built it", "when was it opened?"]`. A new one begins behind a question
    mark, or where a word that joins is followed by one that asks.
    """
    known = language(detect(question) or "en") or language("en")
    assert known is not None and LANGUAGES
    asks, joins = ("|".join(map(re.escape, sorted(words))) for words in (known.question_words, known.joins))
    pieces = [
        piece.strip(" ,")
        for whole in _ENDS.split(" ".join(question.split()))
        for piece in re.split(rf"(?:,\s*|\s+)(?:{joins})\s+(?=(?:{asks})\b)", whole, flags=re.IGNORECASE)
    ]
    found = [piece for piece in pieces if len(piece.split()) >= _LEAST]
    return found if len(found) > 1 else []
