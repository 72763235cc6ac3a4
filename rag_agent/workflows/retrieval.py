"""The nodes that search: `retrieve` and `grade`."""

import re
from collections.abc import Sequence
from typing import Any

from langchain_core.embeddings import Embeddings

from rag_agent import prompts
from rag_agent.answers import Hit
from rag_agent.grounding.choice import choose, probability, ranked
from rag_agent.grounding.disagreement import disagreement
from rag_agent.grounding.evidence import Evidence, Vector, gather
from rag_agent.grounding.passages import passages
from rag_agent.grounding.questions import parts
from rag_agent.grounding.survey import Survey, named_files, survey
from rag_agent.index import Library
from rag_agent.workflows.context import varied
from rag_agent.workflows.state import AgentState, document_of, hit_of, unit_of

_WIDER = 3  # how many times as many chunks the second search brings
_MOST_FILES = 20  # files that are listed
_OF_A_SUMMARY = 6  # chunks that a summary is made of
_OF_A_PART = 3  # chunks that each part of a question brings besides


class Retrieval:
    """Searches the documents and weighs what was found."""

    def __init__(self, library: Library, *, embeddings: Embeddings | None, k: int, refusal_threshold: float) -> None:
        self._library = library
        self._embeddings = embeddings
        self._k = k
        self._refusal_threshold = refusal_threshold
        self._asked: dict[str, Vector] = {}

    def retrieve(self, state: AgentState) -> AgentState:
        """Search the documents, the second time wider; slips of the keyboard are mended first, and told."""
        attempt, k = state["attempt"] + 1, varied("k") or self._k
        queries, left_out = list(state["queries"]), list(state.get("left_out", []))
        if attempt == 1:
            mended = {query: self._mended(query) for query, _ in queries}
            queries = [(mended[query][0], weight) for query, weight in queries]
            left_out += dict.fromkeys(note for _, notes in mended.values() for note in notes)
        files = self._library.files()
        about = survey(queries[0][0], files, self._embeddings, self._asked)
        if about is not None:
            return {**self._surveyed(about, files, left_out), "attempt": attempt, "queries": queries}
        within = named_files(queries[0][0], files)
        hits = self._library.search(queries, k if attempt == 1 else k * _WIDER, within)
        for part in parts(queries[0][0]):
            known = {(hit.file, hit.start) for hit in hits}
            found = self._library.search([(part, 1.0)], _OF_A_PART, within)
            hits = [*hits, *(hit for hit in found if (hit.file, hit.start) not in known)]
        return {
            "context": [document_of(hit) for hit in hits], "attempt": attempt, "queries": queries, "left_out": left_out,
            "survey": "",
        }  # fmt: skip

    def _surveyed(self, about: Survey, files: Sequence[str], left_out: list[str]) -> AgentState:
        """What the documents themselves say of what they are: the opening of each, or the chunks that say most."""
        shown = (about.files or files)[:_MOST_FILES]
        if about.kind == "files":
            hits = [hit for file in shown for hit in self._library.central([file], 1)]
            if len(shown) < len(files):
                left_out = [*left_out, prompts.FILES_LEFT_OUT.format(shown=len(shown), files=len(files))]
        else:
            hits = self._library.central(about.files, _OF_A_SUMMARY)
        return {"context": [document_of(hit) for hit in hits], "left_out": left_out, "survey": about.kind}

    def grade(self, state: AgentState) -> AgentState:
        """Make the turn's evidence of what was found, and weigh it: everything after only reads what comes out here."""
        hits = [hit_of(document) for document in state["context"]]
        if state.get("survey"):
            return self._overview(state["survey"], hits)
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

    def _overview(self, kind: str, hits: Sequence[Hit]) -> AgentState:
        """A unit of each chunk, in reading order: the first of each file where files are asked for, else the nearest to it all."""
        claims = []
        for hit in hits:
            evidence = self.evidence(hit.text, [hit])
            usable = [candidate for candidate in evidence.candidates if not candidate.withheld]
            if not usable:
                continue
            best = max(usable, key=lambda candidate: candidate.similarity) if kind == "summary" else usable[0]
            title = best.unit.context[0] if best.unit.context else best.unit.text
            unit = unit_of(best)
            claims.append(unit if kind == "summary" else {**unit, "text": f"{hit.file}: {title}"})
        claims = list({claim["text"]: claim for claim in claims}.values())
        found = [vars(passage) for passage in passages(hits, self._library)] if kind == "summary" else []
        return {
            "enough": bool(claims), "evidence": 1.0 if claims else 0.0, "missing": [], "units": claims, "quotes": claims,
            "passages": found,
        }  # fmt: skip

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
