"""One `Evidence` a turn: what was found, cut into units, and how each bears on the question. Made once, then only read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag_agent import prompts
from rag_agent.answers import Citation, Hit
from rag_agent.documents.outline import Outline
from rag_agent.grounding.asking import asks_for, gives, place_of, stands_in, wanted, which
from rag_agent.grounding.identity import identities, is_code
from rag_agent.grounding.instructions import is_instruction
from rag_agent.grounding.units import Unit, is_title, units
from rag_agent.language import sentence_texts

__all__ = ["Candidate", "Evidence", "gather"]

Vector = NDArray[np.float32]

_HEADINGS = 2  # lines that a unit stands under, the nearest, that may be shown with it
_CONTEXT = 300
"""Characters of what a unit stands under that are compared with it; the nearest headings stay."""


class Words(Protocol):
    """Cuts text into comparable terms; `rag_agent.index.tokens.Analyser` is one."""

    def terms(self, text: str) -> list[str]:
        """The stemmed terms of a text."""

    def query_terms(self, query: str) -> list[str]:
        """The distinct stemmed terms of a question, without function words."""


class Embedder(Protocol):
    """What is used of a LangChain `Embeddings` object."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""


class Documents(Protocol):
    """What is asked of a library."""

    def outline(self, hit: Hit) -> tuple[int, Outline]:
        """The text that a hit lies in, and where it begins in its file."""

    def vector(self, query: str) -> Vector | None:
        """The vector of a question, of length 1."""

    def words(self) -> Words:
        """What cuts texts into terms."""

    def idf(self, term: str) -> float:
        """How telling a term is."""

    def knows(self, word: str) -> bool:
        """Whether any document holds a word, or the number in it."""

    def scale(self) -> Callable[[Any], Any] | None:
        """Reads cosines on the common scale; None where they tell nothing."""

    def chunks(self) -> int:
        """How many chunks were searched."""


@dataclass(frozen=True)
class Candidate:
    """A unit where it stands, and how it bears on the question; shares and cosines run from 0 to 1."""

    unit: Unit
    file: str
    article: int
    page: int | None
    base: int
    """Where the text that the unit was cut from begins in its file."""
    similarity: float
    """Cosine of the question and the unit under its headings; 0 where there are no embeddings."""
    passage: float
    """Cosine of the question and the nearest chunk that holds the unit."""
    rank: float
    """Score of the best chunk that holds the unit, as a share of the best of all."""
    gives: bool
    """Whether the question asks for a person, a place, a date, a number or a reason, and the unit holds one that it does not."""
    first: bool
    """Whether it is the first unit under its heading, which often says what the section is about."""
    own: float
    """Share of the question's terms, weighed by rarity, that the unit and what it stands under hold."""
    under: float
    """The same of what it stands under alone."""
    rest: float
    """Share of those of the question's terms that it does not stand under which the unit holds; 1 where it stands under all."""
    rest_around: float
    """The same with the sentences beside it."""
    pairs: float
    """Share of the question's pairs of neighbouring terms, one of them no function word, that stand so in the unit or right
    above it: "base fee", "delete cascade" say more together than apart."""
    headed: tuple[str, ...]
    """What it stands under that must be shown with it: what holds the asked version, number or date where the unit does not."""
    named: float
    """Share of the question's identifiers and numbers that the unit and what it stands under hold, and in a row, an item or a
    pair of its names, too: prose names its subject once and goes on about it. 1 where there are none."""
    withheld: str = ""
    """Why it may not be shown; "" where it may."""

    @property
    def shown(self) -> str:
        """What is shown of it: its text, below what it stands under where only that holds what is asked."""
        return "\n".join([*self.headed, self.unit.text])

    @property
    def citation(self) -> Citation:
        """Its quote as a citation."""
        unit = self.unit
        section = " — ".join(unit.context)
        return Citation(self.file, self.article, self.base + unit.start, self.base + unit.end, unit.quote, self.page, section)


@dataclass(frozen=True)
class Evidence:
    """What one turn knows."""

    question: str
    hits: tuple[Hit, ...]
    """The chunks that the search found, best first."""
    candidates: tuple[Candidate, ...]
    """Their units, in the order of the hits, then of the text."""
    terms: dict[str, float]
    """The question's terms, and how telling each one is."""
    missing: tuple[str, ...] = ()
    """Its names, identifiers and numbers that stand nowhere in what was found, nor in titles, headings and file names."""
    unknown: tuple[str, ...] = ()
    """Those of them that no document holds."""
    chunks: int = 0
    """How many chunks were searched."""
    by_words: bool = False
    """No embeddings were compared; all cosines are 0."""
    parts: tuple["Evidence", ...] = field(default=(), repr=False)
    """The same for each part of a question that asks several things."""


def gather(
    question: str,
    hits: Sequence[Hit],
    documents: Documents,
    *,
    embeddings: Embedder | None,
    centre: Vector | None = None,
) -> Evidence:
    """Cut what was found into units and measure each against the question; units are embedded in one call.

    Args:
        question: The question, said in full.
        hits: What the search found, best first.
        documents: Where it was found.
        embeddings: What made the vectors of the documents; None compares by words alone.
        centre: What units are compared with instead of the question, (dimensions,), where it asks what a text is about.
    """
    placed = _placed(hits, documents)
    vectors = None
    if embeddings is not None and placed:
        texts = [f"{one.unit.under[-_CONTEXT:]} — {one.unit.text}" if one.unit.context else one.unit.text for one in placed]
        distinct = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        embedded = _unit_rows(np.asarray(embeddings.embed_documents(list(distinct)), np.float32))
        vectors = embedded[[distinct[text] for text in texts]]
    measure = _Measure(hits, documents, placed, vectors, embeddings is None, centre)
    return measure.evidence(question)


@dataclass(frozen=True)
class _Placed:
    unit: Unit
    hits: tuple[int, ...]
    file: str
    article: int
    page: int | None
    base: int
    first: bool


def _placed(hits: Sequence[Hit], documents: Documents) -> list[_Placed]:
    """The units of the hits, each once."""
    texts: dict[tuple[str, int], tuple[Outline, list[int]]] = {}
    for number, hit in enumerate(hits):
        base, outline = documents.outline(hit)
        texts.setdefault((hit.file, base), (outline, []))[1].append(number)
    found: list[_Placed] = []
    for (file, base), (outline, members) in texts.items():
        spans = [(hits[n].start - base, hits[n].end - base) for n in members]
        headings: set[tuple[str, ...]] = set()
        for unit in units(outline, spans, PurePosixPath(file).suffix.lower()):
            holders = [n for n, (start, end) in zip(members, spans, strict=True) if unit.start < end and start < unit.end]
            nearest = min(members, key=lambda n: abs(hits[n].start - base - unit.start))
            hit = hits[(holders or [nearest])[0]]
            first = bool(unit.context) and not unit.before and unit.context not in headings
            headings.add(unit.context)
            found.append(_Placed(unit, tuple(holders or [nearest]), file, hit.article, hit.page, base, first))
    return sorted(found, key=lambda one: (one.hits[0], one.unit.start))


class _Measure:
    def __init__(
        self, hits: Sequence[Hit], documents: Documents, placed: Sequence[_Placed], vectors: Vector | None, by_words: bool,
        centre: Vector | None,
    ) -> None:  # fmt: skip
        self._hits, self._documents, self._placed, self._vectors = hits, documents, placed, vectors
        self._by_words, self._centre = by_words, centre
        self._sets: dict[str, frozenset[str]] = {"": frozenset()}
        self._words = documents.words()

    def evidence(self, question: str) -> Evidence:
        weights = {term: self._documents.idf(term) for term in self._words.query_terms(wanted(question))}
        query = self._centre if self._centre is not None else None if self._by_words else self._documents.vector(question)
        cosines = np.zeros(len(self._placed)) if query is None or self._vectors is None else self._vectors @ query
        scale = self._documents.scale()
        cosines = scale(cosines) if scale is not None else cosines
        named, kind = identities(question), asks_for(question)
        pairs = {pair for pair in self._pairs(question) if not weights.keys().isdisjoint(pair)}
        best = max((hit.score for hit in self._hits), default=0.0) or 1.0
        found = []
        for one, cosine in zip(self._placed, cosines.tolist(), strict=True):
            unit = one.unit
            if is_title(unit) and frozenset(self._words.query_terms(unit.text)) <= weights.keys():
                continue  # it says what is asked about, and nothing of it
            # The sentence before it, which it leans on, is beside it and not above it.
            above_it = [line for line in unit.context if line != unit.before]
            terms, under = self._terms(unit.text), self._terms(one.file, *above_it)
            around = terms | self._terms(unit.before, unit.after)
            above, own = _share(weights, under), _share(weights, terms | under)
            whole = _share(weights, around | under)
            found.append(
                Candidate(
                    unit, one.file, one.article, one.page, one.base, cosine,
                    max((self._hits[n].similarity or 0.0) for n in one.hits),
                    max(self._hits[n].score for n in one.hits) / best,
                    bool(kind) and (gives(kind, unit.text, question) or (kind == "way" and unit.kind == "code")),
                    one.first,
                    own, above,
                    _beyond(own, above), _beyond(whole, above),
                    len(pairs & self._pairs(" ".join([*unit.context[-1:], unit.text]))) / max(1, len(pairs)),
                    self._headed(one.unit, [word for one in named if len(one) == 1 and is_code(word := one[0])], kind, question),
                    self._named(named, one),
                    prompts.GIVES_ORDER if any(map(is_instruction, [unit.quote, *sentence_texts(unit.quote)])) else "",
                )
            )  # fmt: skip
        if place := place_of(question):
            found = [c for c in found if stands_in(place, c.unit.context, c.page)] or found
        return Evidence(
            question, tuple(self._hits), tuple(found), weights, *self._lacking(named), self._documents.chunks(), query is None
        )

    def _lacking(self, named: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Which identities what was found lacks, and which of them all documents lack: of a phrase nobody can say that."""
        lacking = [identity for identity in named if not self._held(identity)]
        nowhere = [one for one in lacking if len(one) > 1 or not self._documents.knows(one[0])]
        return tuple(" ".join(one) for one in lacking), tuple(" ".join(one) for one in nowhere)

    def _held(self, identity: tuple[str, ...]) -> bool:
        """Whether the words of an identity stand together in a chunk or a unit, with what it stands under."""
        if len(identity) > 1:  # a command, a title: the words behind each other
            phrase = " ".join(identity).casefold()
            said = [text for one in self._placed for text in (one.unit.text, *one.unit.context)] + [
                hit.text for hit in self._hits
            ]
            return any(phrase in " ".join(text.casefold().split()) for text in said)
        texts = [self._terms(one.unit.text, one.file, *one.unit.context) for one in self._placed]
        return any(self._stands(identity, text) for text in [*texts, *(self._terms(hit.text) for hit in self._hits)])

    def _named(self, named: Sequence[tuple[str, ...]], one: _Placed) -> float:
        wanted = [identity for identity in named if one.unit.kind in ("row", "item", "pair") or any(map(is_code, identity))]
        text = self._terms(one.unit.text, one.file, *one.unit.context)
        return sum(self._stands(identity, text) for identity in wanted) / len(wanted) if wanted else 1.0

    def _headed(self, unit: Unit, codes: Sequence[str], kind: str, question: str) -> tuple[str, ...]:
        """The lines that a unit stands under which hold what the question names or asks for, and the unit does not."""
        own, lines = self._terms(unit.text), unit.context[len(unit.context) > 1 :][-_HEADINGS:]  # not the title
        if sought := self._terms(which(question)):  # "Which branch ...?" under "Branch North"
            telling = [line for line in unit.context if sought < self._terms(line) and not self._terms(line) - sought <= own]
            if telling:
                return tuple(telling[-1:])
        if unit.kind == "pair" or unit.before in lines:
            return ()
        if own <= self._terms(question):  # it says again what is asked
            return lines
        lacking = [code for code in codes if not self._stands((code,), own)]
        wanted = [line for line in lines if any(self._stands((code,), self._terms(line)) for code in lacking)]
        if not wanted and kind in ("date", "number") and not gives(kind, unit.text, question):
            wanted = [line for line in lines[::-1] if gives(kind, line, question)][:1]
        return tuple(wanted)

    def _stands(self, identity: tuple[str, ...], text: frozenset[str]) -> bool:
        """Of a word with joints, the whole must stand there ("max_wal_size"), or all its parts ("report.txt")."""
        return all(self._whole(word) in text or self._terms(word) <= text for word in identity)

    def _whole(self, word: str) -> str:
        return next(iter(self._words.terms(word)), word)

    def _pairs(self, text: str) -> set[tuple[str, str]]:
        return set(pairwise(self._words.terms(text)))

    def _terms(self, *parts: str) -> frozenset[str]:
        for part in parts:
            if part not in self._sets:
                self._sets[part] = frozenset(self._words.terms(part))
        return frozenset().union(*(self._sets[part] for part in parts))


def _share(weights: dict[str, float], terms: frozenset[str]) -> float:
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in terms) / total if total else 0.0


def _beyond(share: float, above: float) -> float:
    """The share of what is left when a part of it is taken away."""
    return (share - above) / (1.0 - above) if above < 1.0 - 1e-9 else 1.0


def _unit_rows(vectors: Vector) -> Vector:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vector = vectors / np.maximum(norms, 1e-9)
    return unit
