"""A question against the passages that the search found, sentence by sentence.

The choice of quotes and the decision to answer or refuse look at the same evidence: how alike a sentence and the
question are, and which of the question's words stand in or around it. It is gathered here once; the sentences are
embedded in one call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rag_agent.grounding.asking import asking_words, asks_for, gives
from rag_agent.language import sentences

__all__ = ["Matches", "Passage", "Sentence", "Words", "headline", "match"]

WINDOW = 1500  # characters read on both sides of a chunk: holds the two longest sentences that the splitter makes
_HEAD_WORDS, _HEAD_LENGTH = 8, 80
_STOPS = ".!?…。！？"


class Words(Protocol):
    """Cuts text into comparable terms; `rag_agent.index.tokens.Analyser` is one."""

    def terms(self, text: str) -> list[str]:
        """The stemmed terms of a text."""
        ...

    def query_terms(self, query: str) -> list[str]:
        """The distinct stemmed terms of a question, without function words."""
        ...


class Embedder(Protocol):
    """What is used of a LangChain `Embeddings` object."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        ...

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        ...


class Passage(NamedTuple):
    """A chunk that the search found, in the text that it was cut from.

    Attributes:
        source: Names the text; passages with equal `source` have equal `text`.
        text: The article around the chunk (or, from a foreign store, the chunk alone).
        start: First character of the chunk in `text`.
        end: Character behind its last one.
        similarity: Cosine of the chunk and the question; None lets `match` embed the chunk.
    """

    source: str
    text: str
    start: int
    end: int
    similarity: float | None = None


class Sentence(NamedTuple):
    """A whole sentence that a passage holds or touches.

    Attributes:
        passages: Indices of the passages that hold a part of it, best first.
        start: First character in the text of the passages.
        end: Character behind its last one.
        before: The sentence before it ("" at the beginning of a text).
        after: The sentence behind it.
        head: The headline of its text ("" where there is none).
        text: The sentence itself.
    """

    passages: tuple[int, ...]
    start: int
    end: int
    before: str
    after: str
    head: str
    text: str


@dataclass(frozen=True)
class Matches:
    """What was measured. Arrays run over `sentences`, or over `passages` where their names say so.

    Attributes:
        question: The question.
        passages: The passages, best first.
        sentences: Every sentence of the passages, in the order of the passages, then of the text.
        weights: The question's terms and how telling each one is.
        similarity: Cosine of each sentence, read under its headline, and the question.
        own: Share of the question's terms, weighed, that the sentence and its headline hold.
        back: The same with the sentence before it.
        around: The same with both neighbours.
        gives: 1 where the sentence holds something of the kind that is asked for.
        passage_similarity: Cosine of each passage and the question.
        passage_terms: The terms of each passage and its headline.
        head_share: Share of the question's terms, weighed, that the headline above each passage holds.
        by_words: No embeddings were compared; both similarities are 0 throughout.
    """

    question: str
    passages: tuple[Passage, ...]
    sentences: tuple[Sentence, ...]
    weights: dict[str, float]
    similarity: NDArray[np.float64]
    own: NDArray[np.float64]
    back: NDArray[np.float64]
    around: NDArray[np.float64]
    gives: NDArray[np.float64]
    passage_similarity: NDArray[np.float64]
    passage_terms: tuple[frozenset[str], ...]
    head_share: NDArray[np.float64]
    by_words: bool = False

    @cached_property
    def passage_share(self) -> NDArray[np.float64]:
        """Share of the question's terms, weighed, that each passage and its headline hold."""
        return np.array([_share(self.weights, terms) for terms in self.passage_terms])


def headline(text: str) -> str:
    """Give the headline of a text: a short first line or sentence without a full stop, or with capitals in most words.

    Returns:
        The headline as it stands; "" where the text begins at once.
    """
    opening = text[:300]
    spans = sentences(opening)
    if not spans or spans[0][1] >= len(text.rstrip()):
        return ""
    first = opening[slice(*spans[0])]
    words = first.split()
    if len(words) > _HEAD_WORDS or len(first) > _HEAD_LENGTH:
        return ""
    long = [word for word in words if len(word) > 3 and word[0].isalpha()] or words
    capitals = sum(word[0].isupper() for word in long)
    return first if first[-1] not in _STOPS or 2 * capitals >= len(long) else ""


def match(
    question: str,
    passages: Sequence[Passage],
    *,
    words: Words,
    idf: Callable[[str], float],
    embeddings: Embedder | None,
    question_vector: Sequence[float] | None = None,
) -> Matches:
    """Measure a question against passages.

    Costs one call of `embed_documents` over about 16 sentences for six chunks of 500 characters.

    Args:
        question: The question, as it was searched for.
        passages: What the search found, best first. Six are enough; more cost time and find little.
        words: Cuts text into terms; the one that the index uses.
        idf: How telling a term is in the user's documents: above 0, highest for a term that none of them holds.
        embeddings: The model that embedded the documents. Vectors need not have length 1. None compares by words alone.
        question_vector: The question's vector where the search has it already.

    Raises:
        ValueError: A passage's span lies outside its text.
    """
    for passage in passages:
        if not 0 <= passage.start <= passage.end <= len(passage.text):
            raise ValueError(f"passage {passage.start}:{passage.end} lies outside its text of {len(passage.text)} characters")
    found = _sentences(passages)
    heads = {passage.source: headline(passage.text) for passage in passages}
    content = words.query_terms(question)
    asking = set(words.query_terms(asking_words(question)))
    weights = {term: idf(term) for term in [t for t in content if t not in asking] or content}
    cosines, similar = _similarities(question, found, passages, embeddings, question_vector)

    sets: dict[str, frozenset[str]] = {"": frozenset()}

    def terms(*parts: str) -> frozenset[str]:
        for part in parts:
            if part not in sets:
                sets[part] = frozenset(words.terms(part))
        return frozenset().union(*(sets[part] for part in parts))

    kind = asks_for(question)
    return Matches(
        question=question,
        passages=tuple(passages),
        sentences=found,
        weights=weights,
        similarity=cosines,
        own=np.array([_share(weights, terms(s.head, s.text)) for s in found]),
        back=np.array([_share(weights, terms(s.head, s.before, s.text)) for s in found]),
        around=np.array([_share(weights, terms(s.head, s.before, s.text, s.after)) for s in found]),
        gives=np.array([float(gives(kind, s.text, question)) for s in found]),
        passage_similarity=similar,
        passage_terms=tuple(frozenset(terms(heads[p.source], p.text[p.start : p.end])) for p in passages),
        by_words=embeddings is None,
        head_share=np.array([_share(weights, terms(heads[p.source])) for p in passages]),
    )


def _similarities(
    question: str,
    found: Sequence[Sentence],
    passages: Sequence[Passage],
    embeddings: Embedder | None,
    question_vector: Sequence[float] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The cosine of the question and each sentence, and each passage."""
    if embeddings is None:
        return np.zeros(len(found)), np.zeros(len(passages))
    query = _unit(np.asarray(embeddings.embed_query(question) if question_vector is None else question_vector, float))
    unknown = [i for i, passage in enumerate(passages) if passage.similarity is None]
    texts = [f"{s.head} {s.text}" if s.head else s.text for s in found]
    texts += [passages[i].text[passages[i].start : passages[i].end] for i in unknown]
    distinct = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    vectors = _unit(np.asarray(embeddings.embed_documents(list(distinct)), float)) if texts else np.zeros((0, len(query)))
    cosines = (vectors @ query)[np.array([distinct[text] for text in texts], dtype=np.intp)]
    similar = np.array([passage.similarity or 0.0 for passage in passages])
    similar[unknown] = cosines[len(found) :]
    return cosines[: len(found)], similar


def _sentences(passages: Sequence[Passage]) -> tuple[Sentence, ...]:
    """List the sentences that the passages hold or touch, each once and whole, without headlines and fragments."""
    found: list[Sentence] = []
    for source in dict.fromkeys(passage.source for passage in passages):
        members = [i for i, passage in enumerate(passages) if passage.source == source]
        text = passages[members[0]].text
        head = headline(text)
        spans = _spans(text, [passages[i] for i in members])
        for place, (start, end) in enumerate(spans):
            holders = tuple(i for i in members if passages[i].start < end and start < passages[i].end)
            own = text[start:end]
            if not holders or (head and own == head) or not _says_something(own):
                continue
            before = text[slice(*spans[place - 1])] if place else ""
            after = text[slice(*spans[place + 1])] if place + 1 < len(spans) else ""
            found.append(Sentence(holders, start, end, before, after, head, own))
    return tuple(sorted(found, key=lambda s: (s.passages[0], s.start)))


def _spans(text: str, passages: Sequence[Passage]) -> list[tuple[int, int]]:
    """Split a text into sentences where passages lie: a book is not read as a whole for one chunk of it."""
    windows: list[list[int]] = []
    for low, high in sorted((max(0, p.start - WINDOW), min(len(text), p.end + WINDOW)) for p in passages):
        if windows and low <= windows[-1][1]:
            windows[-1][1] = max(windows[-1][1], high)
        else:
            windows.append([low, high])
    spans: list[tuple[int, int]] = []
    for low, high in windows:
        inside = [(low + start, low + end) for start, end in sentences(text[low:high])]
        # The window may cut its first and last sentence; no passage reaches that far.
        spans += inside[int(low > 0) : len(inside) - int(high < len(text))]
    return spans


def _says_something(sentence: str) -> bool:
    """Tell a sentence from a fragment: three words, or six characters of a script that has no case ("他在月球上。")."""
    letters = [char for char in sentence if char.isalpha()]
    return len(sentence.split()) >= 3 or (len(letters) >= 6 and not any(c.isupper() or c.islower() for c in letters))


def _share(weights: dict[str, float], terms: frozenset[str]) -> float:
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in terms) / total if total else 0.0


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: NDArray[np.float64] = vectors / np.where(norms > 0, norms, 1.0)
    return unit
