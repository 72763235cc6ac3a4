"""The nodes that search: `retrieve` and `grade`."""

import re
from collections.abc import Sequence
from typing import Any

from langchain_core.embeddings import Embeddings

from rag_agent import prompts
from rag_agent.answers import Hit
from rag_agent.grounding.choice import choose, probability, ranked
from rag_agent.grounding.disagreement import disagreement
from rag_agent.grounding.evidence import Evidence, gather
from rag_agent.grounding.passages import passages
from rag_agent.grounding.questions import parts
from rag_agent.index import Library
from rag_agent.workflows.state import AgentState, document_of, hit_of, unit_of

_WIDER = 3  # how many times as many chunks the second search brings
_OF_A_PART = 3  # chunks that each part of a question brings besides


class Retrieval:
    """Searches the documents and weighs what was found."""

    def __init__(self, library: Library, *, embeddings: Embeddings | None, k: int, refusal_threshold: float) -> None:
        self._library = library
        self._embeddings = embeddings
        self._k = k
        self._refusal_threshold = refusal_threshold

    def retrieve(self, state: AgentState) -> AgentState:
        """Search the documents, the second time wider; slips of the keyboard are mended first, and told."""
        attempt = state["attempt"] + 1
        queries, left_out = list(state["queries"]), list(state.get("left_out", []))
        if attempt == 1:
            mended = {query: self._mended(query) for query, _ in queries}
            queries = [(mended[query][0], weight) for query, weight in queries]
            left_out += dict.fromkeys(note for _, notes in mended.values() for note in notes)
        hits = self._library.search(queries, self._k if attempt == 1 else self._k * _WIDER)
        for part in parts(queries[0][0]):
            known = {(hit.file, hit.start) for hit in hits}
            found = self._library.search([(part, 1.0)], _OF_A_PART)
            hits = [*hits, *(hit for hit in found if (hit.file, hit.start) not in known)]
        return {
            "context": [document_of(hit) for hit in hits], "attempt": attempt, "queries": queries, "left_out": left_out,
        }  # fmt: skip

    def grade(self, state: AgentState) -> AgentState:
        """Make the turn's evidence of what was found, and weigh it: everything after only reads what comes out here."""
        hits = [hit_of(document) for document in state["context"]]
        evidence = self.evidence(state["queries"][0][0], hits)
        likely = 0.0 if evidence.missing else probability(evidence)
        return {
            "enough": likely >= self._refusal_threshold,
            "evidence": max(state.get("evidence", 0.0), likely),
            "missing": list(evidence.missing),
            "units": [unit_of(candidate) for candidate in ranked(evidence)],
            "quotes": _quotes(evidence),
            "passages": [vars(passage) for passage in passages(hits, self._library)],
        }

    def evidence(self, question: str, hits: Sequence[Hit]) -> Evidence:
        """What was found, measured against the question and each of its parts."""
        return gather(question, hits, self._library, embeddings=self._embeddings, parts=parts(question))

    def _mended(self, query: str) -> tuple[str, list[str]]:
        """A query without slips of the keyboard, and what was read for what. A name is no slip."""
        notes = []

        def read(match: re.Match[str]) -> str:
            word = match.group()
            right = self._library.mended(word) if word == word.lower() or match.start() == 0 else None
            if right is None:
                return word
            notes.append(prompts.MENDED.format(typed=word, read=right))
            return right

        return re.sub(r"(?<![\w.:/@_-])[^\W\d_]+(?![\w/@_-])", read, query), notes


def _quotes(evidence: Evidence) -> list[dict[str, Any]]:
    """The units that answer, as claims; one that contradicts the best is among them, and both are marked."""
    pair = disagreement(evidence) or ()
    chosen = choose(evidence)
    chosen += [candidate for candidate in pair if candidate not in chosen]
    return [{**unit_of(candidate), "disputed": candidate in pair} for candidate in chosen]
