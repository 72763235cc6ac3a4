"""The nodes that end a turn over documents, `respond` and `refuse`, and the `Answer` that every turn ends in."""

from collections.abc import Iterable, Mapping

from langgraph.config import get_stream_writer

from rag_agent import prompts
from rag_agent.answers import Answer, Citation, Kind
from rag_agent.grounding.passages import readable
from rag_agent.grounding.sentences import sentences
from rag_agent.index import Library
from rag_agent.memory.transcript import Turn, turn_messages
from rag_agent.visible import visible_line
from rag_agent.workflows.quoting import Quoting, cited
from rag_agent.workflows.state import AgentState, disputed, hit_of, passage_of

_NEAREST = 8  # sentences of the nearest passage that a refusal may begin with


class Responding:
    """Makes the answer out of the state."""

    def __init__(self, library: Library | None, quoting: Quoting | None, name: str) -> None:
        self._library = library
        self._quoting = quoting
        self._name = name

    def respond(self, state: AgentState) -> AgentState:
        """Put the sentences together, each with the number of its citation."""
        write = get_stream_writer()
        citations: list[Citation] = []
        shown: list[str] = []
        left_out = list(state.get("left_out", []))
        if disputed(state["claims"]):
            shown.append(prompts.DISAGREE)
            write({"type": "sentence", "text": prompts.DISAGREE})
        for claim in state["claims"]:
            citation = Citation(**claim["citation"])
            if not self._quotes.holds(citation):  # never shown, whatever went wrong before
                left_out.append(f"not shown, its quote is not in {visible_line(citation.file)}: “{claim['text']}”")
                continue
            if citation not in citations:
                citations.append(citation)
            shown.append(f"{claim['text']} [{citations.index(citation) + 1}]")
            write({"type": "sentence", "text": shown[-1]})
        if not citations:
            return self.refuse({**state, "left_out": left_out})
        kind: Kind = "quote" if all(claim["kind"] == "quote" for claim in state["claims"]) else "generated"
        return self.answered(state, " ".join(shown), kind, citations=tuple(citations), left_out=left_out)

    def refuse(self, state: AgentState) -> AgentState:
        """Say that the documents do not answer, what was searched, and the nearest thing found."""
        text = prompts.REFUSAL
        if state.get("context"):
            nearest = passage_of(state["context"][0])
            quotes = [cited(nearest, *span) for span in sentences(nearest.text)[:_NEAREST]]
            claims = self._quotes.shown(state["queries"][0][0], [{"citation": quote.to_dict()} for quote in quotes])
            start = readable(claims[0]["citation"]["quote"]) if claims else "…"
            start = start if len(start) <= 120 else start[:120].rsplit(" ", 1)[0] + " …"
            text += prompts.SEARCHED.format(
                searched=visible_line(self._documents.name), file=visible_line(nearest.file), text=start
            )
        else:
            text += prompts.SEARCHED_NOTHING.format(searched=visible_line(self._documents.name))
        if missing := state.get("missing"):
            text += prompts.MISSING.format(words=", ".join(f"“{word}”" for word in missing))
        return self.answered(state, text, "refusal", left_out=state.get("left_out", []))

    def answered(
        self,
        state: AgentState,
        text: str,
        kind: Kind,
        *,
        citations: tuple[Citation, ...] = (),
        left_out: Iterable[str] = (),
        files: Mapping[str, str] | None = None,
        docs: str | None = None,
    ) -> AgentState:
        """End the turn: the answer, and the two messages that are kept of it.

        Args:
            state: Of the turn.
            text: What is shown.
            kind: What it is.
            citations: What it stands on.
            left_out: What is not shown, in words.
            files: Fingerprints of the cited files; None takes those of now.
            docs: The root of the documents that are cited; None is the one of now.
        """
        answer = Answer(
            text=text,
            kind=kind,
            citations=citations,
            context=tuple(hit_of(document) for document in state.get("context", [])),
            query=state["queries"][0][0],
            model=self._name,
            usage=state.get("usage", {}),
            left_out=tuple(left_out),
            evidence=state.get("evidence"),
            question=state["question"],
        )
        if files is None:
            hashes = {citation.file: self._documents.fingerprint(citation.file) for citation in citations}
            files = {file: hashed for file, hashed in hashes.items() if hashed}
        turn = Turn(state["question"], answer, docs or self.root, files)
        return {"answer": answer.to_dict(), "messages": turn_messages(turn)}

    @property
    def root(self) -> str | None:
        """The root of the documents, where there is one."""
        return self._library.root if self._library else None

    def changed(self, files: Mapping[str, str]) -> list[str]:
        """Those of some files whose text is not the one of these fingerprints any more."""
        return [file for file, then in files.items() if self._documents.fingerprint(file) != then]

    @property
    def _documents(self) -> Library:
        assert self._library is not None  # a graph without documents has no way to these nodes
        return self._library

    @property
    def _quotes(self) -> Quoting:
        assert self._quoting is not None  # as above
        return self._quoting
