"""The nodes that search: `retrieve` and `grade`."""

from collections.abc import Sequence
from typing import Any

from langchain_core.embeddings import Embeddings

from rag_agent.answers import Citation, Hit
from rag_agent.grounding.disagreement import disagreement
from rag_agent.grounding.evidence import weigh
from rag_agent.grounding.instructions import is_quotable
from rag_agent.grounding.packing import by_value
from rag_agent.grounding.passages import passages, readable
from rag_agent.grounding.quotes import Quote, best_quotes
from rag_agent.grounding.relevance import Matches, Sentence, match
from rag_agent.grounding.relevance import Passage as Chunk
from rag_agent.index import Library
from rag_agent.workflows.quoting import Quoting
from rag_agent.workflows.state import AgentState, document_of, hit_of

_WIDER = 3  # how many times as many chunks the second search brings


class Retrieval:
    """Searches the documents and weighs what was found."""

    def __init__(
        self, library: Library, quoting: Quoting, *, embeddings: Embeddings | None, k: int, refusal_threshold: float
    ) -> None:
        self._library = library
        self._quoting = quoting
        self._embeddings = embeddings
        self._k = k
        self._refusal_threshold = refusal_threshold

    def retrieve(self, state: AgentState) -> AgentState:
        """Search the documents, the second time wider."""
        attempt = state["attempt"] + 1
        k = self._k if attempt == 1 else self._k * _WIDER
        return {"context": [document_of(hit) for hit in self._library.search(state["queries"], k)], "attempt": attempt}

    def grade(self, state: AgentState) -> AgentState:
        """Weigh whether the hits can hold an answer, choose the best quotes, and leave out what is beside the point."""
        hits = [hit_of(document) for document in state["context"]]
        question = state["queries"][0][0]
        matches, bases = self._matches(question, hits)
        evidence = weigh(matches, self._library.words(), threshold=self._refusal_threshold)
        read = passages(_relevant(hits, matches), self._library)
        return {
            "context": [document_of(passage) for passage in read],
            "enough": evidence.enough,
            "evidence": max(state.get("evidence", 0.0), evidence.probability),
            "missing": list(evidence.missing),
            "ranked": by_value(read, matches, hits, bases),
            "quotes": self._quoting.shown(question, _quoted(hits, matches, bases)),
        }

    def _matches(self, question: str, hits: Sequence[Hit]) -> tuple[Matches, list[int]]:
        """The question against the hits, and where the article of each hit begins in its file."""
        around = [self._library.around(hit) for hit in hits]
        chunks = [
            Chunk(f"{hit.file}\0{hit.article}\0{base}", article, hit.start - base, hit.end - base, hit.similarity)
            for hit, (base, article) in zip(hits, around, strict=True)
        ]
        found = match(question, chunks, words=self._library.words(), idf=self._library.idf, embeddings=self._embeddings)
        return found, [base for base, _ in around]


def _relevant(hits: Sequence[Hit], matches: Matches) -> list[Hit]:
    """The hits worth reading: at least half as near to the question, in sense and in words, as the nearest."""
    near = matches.passage_similarity + matches.passage_share
    bar = 0.5 * max(near, default=0.0)
    return [hit for hit, nearness in zip(hits, near, strict=True) if nearness >= bar]


def _quoted(hits: Sequence[Hit], matches: Matches, bases: Sequence[int]) -> list[dict[str, Any]]:
    """The best quotes as claims; a sentence that contradicts the best one is among them, and both are marked."""
    usable = [is_quotable(matches.passages[s.passages[0]].text, s.start, s.end) for s in matches.sentences]
    quotes = best_quotes(matches, usable=usable) if matches.sentences else []
    pair = disagreement(matches, hits)
    disputed = [matches.sentences[index] for index in pair or ()]
    quotes += [Quote(s.passages[0], s.start, s.end, 0.0) for s in disputed if not any(_is(s, quote) for quote in quotes)]
    claims = []
    for quote in quotes:
        hit, base = hits[quote.passage], bases[quote.passage]
        text = matches.passages[quote.passage].text[quote.start : quote.end]
        citation = Citation(hit.file, hit.article, base + quote.start, base + quote.end, text, hit.page)
        claims.append(
            {
                "text": readable(text), "kind": "quote", "citation": citation.to_dict(), "score": quote.score,
                "disputed": any(_is(sentence, quote) for sentence in disputed),
            }
        )  # fmt: skip
    return claims


def _is(sentence: Sentence, quote: Quote) -> bool:
    return (sentence.passages[0], sentence.start, sentence.end) == (quote.passage, quote.start, quote.end)
