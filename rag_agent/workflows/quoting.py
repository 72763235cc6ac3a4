"""Quotes in their articles: where each stands, and whether it may be shown in answer to the question."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langchain_core.embeddings import Embeddings

from rag_agent.answers import Citation, Hit
from rag_agent.grounding.passages import Passage
from rag_agent.grounding.showing import Span, showable
from rag_agent.index import Library


class Quoting:
    """Looks at the quotes of claims where they stand."""

    def __init__(self, library: Library, embeddings: Embeddings | None) -> None:
        self._library = library
        self._embeddings = embeddings

    def shown(self, question: str, claims: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those claims whose quotes may be shown."""
        spans = [self._span(Citation(**claim["citation"])) for claim in claims]
        library = self._library
        may = showable(question, spans, words=library.words(), idf=library.idf, embeddings=self._embeddings)
        return [claim for claim, shown in zip(claims, may, strict=True) if shown]

    def holds(self, citation: Citation) -> bool:
        """Whether the quote stands where the citation says."""
        article, start, end = self._placed(citation)
        return article[start:end] == citation.quote

    def _span(self, citation: Citation) -> Span:
        """A quote in its article and the two beside it: what parts articles, an attack can write too."""
        article, start, end = self._placed(citation)
        hit = _hit(citation)
        own = citation.start - start
        before, after = (self._library.around(replace(hit, article=hit.article + step)) for step in (-1, 1))
        left = f"{before[1]}\n\n" if before[0] < own else ""
        right = f"\n\n{after[1]}" if after[0] > own + end else ""
        return Span(left + article + right, len(left) + start, len(left) + end)

    def _placed(self, citation: Citation) -> tuple[str, int, int]:
        """The article that a quote stands in, and where."""
        base, article = self._library.around(_hit(citation))
        return article, citation.start - base, citation.end - base


def cited(passage: Passage, start: int, end: int) -> Citation:
    """The citation of a span of a passage."""
    begin = passage.start + start
    return Citation(passage.file, passage.article, begin, passage.start + end, passage.text[start:end], passage.page)


def _hit(citation: Citation) -> Hit:
    return Hit(citation.file, citation.article, citation.start, citation.end, citation.quote, 0.0)
