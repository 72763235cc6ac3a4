"""The nodes that search: `retrieve` and `grade`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langchain_core.embeddings import Embeddings

from rag_agent import prompts
from rag_agent.answers import Hit
from rag_agent.grounding.asking import place_of, stands_in
from rag_agent.grounding.choice import choose, outermost, probability, ranked
from rag_agent.grounding.disagreement import disagreement
from rag_agent.grounding.evidence import Candidate, Evidence, Vector, gather
from rag_agent.grounding.identity import is_pasted
from rag_agent.grounding.passages import passages
from rag_agent.grounding.questions import parts
from rag_agent.grounding.survey import Survey, named_files, survey
from rag_agent.index import Library
from rag_agent.index.library import Queries
from rag_agent.language import detect
from rag_agent.language.voice import Voice
from rag_agent.workflows.context import varied
from rag_agent.workflows.state import AgentState, document_of, hit_of, unit_of

_WIDER = 3  # how many times as many chunks the second search brings
_MOST_FILES = 20  # files that are listed
_OF_A_SUMMARY = 6  # chunks that a summary is made of
_WORDS_OF_A_SUMMARY = 120
_OF_A_PART = 4  # chunks that each part of a question is answered from


class Retrieval:
    """Searches the documents and weighs what was found."""

    def __init__(
        self, library: Library, *, embeddings: Embeddings | None, k: int, refusal_threshold: float, voice: Voice | None = None
    ) -> None:
        self._library = library
        self._voice = voice or Voice()
        self._given = embeddings
        self._k = k
        self._refusal_threshold = refusal_threshold
        self._asked: dict[str, Vector] = {}

    @property
    def _embeddings(self) -> Embeddings | None:
        """What units are compared with: the embeddings of the index, where their cosines tell anything."""
        return self._given if self._given is not None and self._library.scale() is not None else None

    def retrieve(self, state: AgentState) -> AgentState:
        """Search the documents, the second time wider; slips of the keyboard are mended first, and told."""
        attempt, k = state["attempt"] + 1, varied("k") or self._k
        queries, left_out = list(state["queries"]), list(state.get("left_out", []))
        if attempt == 1:
            read = [self.read(query) for query, _ in queries]
            queries = [(query, weight) for (query, _), (_, weight) in zip(read, queries, strict=True)]
            left_out += dict.fromkeys(note for _, notes in read for note in notes)
        files = self._library.files()
        about = survey(queries[0][0], files, self._library, self._embeddings, self._asked)
        if about is not None:
            return {**self._surveyed(about, files, queries, left_out), "attempt": attempt, "queries": queries}
        within = named_files(queries[0][0], files)
        hits = self._library.search(queries, k if attempt == 1 else k * _WIDER, within)
        return {
            "context": [document_of(hit) for hit in hits], "attempt": attempt, "queries": queries, "left_out": left_out,
            "survey": "",
        }  # fmt: skip

    def _surveyed(self, about: Survey, files: Sequence[str], queries: Queries, left_out: list[str]) -> AgentState:
        """What the documents themselves say of what they are: how each begins, or the chunks that say most."""
        kind: str = about.kind
        if about.place:
            hits = self._library.search(queries, self._k * _WIDER, about.files)
        elif kind == "files":
            shown = files[:_MOST_FILES]
            hits = self._library.openings(shown)
            if len(shown) < len(files):
                left_out = [*left_out, prompts.FILES_LEFT_OUT.format(shown=len(shown), files=len(files))]
        elif not about.files and len(files) > _OF_A_SUMMARY:
            kind = "openings"
            central = list(dict.fromkeys(hit.file for hit in self._library.central((), _WIDER * _OF_A_SUMMARY)))[:_OF_A_SUMMARY]
            hits = self._library.openings(central)
            left_out = [*left_out, prompts.OPENINGS.format(shown=len(central), files=len(files))]
        else:
            hits = self._library.central(about.files, _OF_A_SUMMARY)
        return {"context": [document_of(hit) for hit in hits], "left_out": left_out, "survey": kind}

    def grade(self, state: AgentState) -> AgentState:
        """Make the turn's evidence of what was found, and weigh it: everything after only reads what comes out here."""
        hits = [hit_of(document) for document in state["context"]]
        if state.get("survey"):
            return self._overview(state, hits)
        evidence, hits = self.evidence(state["queries"][0][0], hits)
        likely = probability(evidence)
        return {
            "context": [document_of(hit) for hit in hits],
            "enough": likely >= self._refusal_threshold,
            "evidence": max(state.get("evidence", 0.0), likely),
            "missing": list(evidence.unknown or evidence.missing),
            "units": [unit_of(candidate) for candidate in ranked(evidence)],
            "quotes": _quotes(evidence),
            "passages": [vars(passage) for passage in passages(hits, self._library)],
        }

    def _overview(self, state: AgentState, hits: Sequence[Hit]) -> AgentState:
        """What says most: the opening of each file where files are asked for, else the units nearest to what it is all about."""
        if state["survey"] in ("files", "openings"):
            named = state["survey"] == "files"
            claims = [claim for hit in hits if (claim := self._opening(hit, named=named))]
            return {"enough": bool(claims), "evidence": 1.0, "missing": [], "units": claims, "quotes": claims, "passages": []}
        centre = self._library.centre(sorted({hit.file for hit in hits}))
        evidence = gather("", hits, self._library, embeddings=self._embeddings, centre=centre)
        said: dict[str, Candidate] = {}
        words = 0
        place = place_of(state["queries"][0][0])
        candidates = [c for c in evidence.candidates if not place or stands_in(place, c.unit.context, c.page)]
        for candidate in sorted(candidates, key=lambda one: -one.similarity):
            length = len(candidate.unit.text.split())
            if not candidate.withheld and candidate.unit.kind != "code" and words + length <= _WORDS_OF_A_SUMMARY:
                words += length
                said.setdefault(candidate.unit.text, candidate)
        chosen = sorted(outermost(list(said.values())), key=lambda one: (one.file, one.unit.start))
        claims = [unit_of(candidate) for candidate in chosen]
        found = [vars(passage) for passage in passages(hits, self._library)]
        return {"enough": bool(claims), "evidence": 1.0, "missing": [], "units": claims, "quotes": claims, "passages": found}

    def _opening(self, hit: Hit, *, named: bool) -> dict[str, Any] | None:
        """A file by what it says first, or by its name and title."""
        for candidate in gather("", [hit], self._library, embeddings=None).candidates:
            if not candidate.withheld and (named or candidate.unit.kind == "sentence"):
                unit = candidate.unit
                title = (*unit.context, unit.text)[0].partition("\n")[0]
                return {**unit_of(candidate), **({"text": f"{hit.file}: {title}"} if named else {})}
        return None

    def evidence(self, question: str, hits: Sequence[Hit]) -> tuple[Evidence, list[Hit]]:
        """What was found, measured against the question, and what was found for each of its parts; and all hits together."""
        whole = gather(question, hits, self._library, embeddings=self._embeddings)
        found, asked = list(hits), []
        for part in parts(question):
            own = self._library.search([(part, 1.0)], _OF_A_PART)
            asked.append(gather(part, own, self._library, embeddings=self._embeddings))
            known = {(hit.file, hit.start) for hit in found}
            found += [hit for hit in own if (hit.file, hit.start) not in known]
        return replace(whole, parts=tuple(asked)), found

    def read(self, query: str) -> tuple[str, list[str]]:
        """A query without slips of the keyboard, and what was read for what. A name is no slip."""
        code, asked = detect(query) or "en", query
        query, notes = (query.replace('"', " ") if is_pasted(query) else query), []

        def right(match: re.Match[str]) -> str:
            word = match.group()
            mended = self._library.mended(word, code) if word == word.lower() or match.start() == 0 else None
            if mended is None:
                return word
            notes.append(self._voice.say("MENDED", asked, typed=word, read=mended))
            return mended

        return re.sub(r"(?<![\w.:/@_-])[^\W\d_]+(?![\w/@_-]|[.:]\w)", right, query), notes


def _quotes(evidence: Evidence) -> list[dict[str, Any]]:
    """The units that answer, as claims; one that contradicts the best is among them, and both are marked."""
    pair = disagreement(evidence) or ()
    chosen = choose(evidence)
    chosen += [candidate for candidate in pair if candidate not in chosen]
    return [{**unit_of(candidate), "disputed": candidate in pair} for candidate in chosen]
