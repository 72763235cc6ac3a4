"""The nodes that end a turn over documents, `respond` and `refuse`, and the `Answer` that every turn ends in."""

import re
from collections.abc import Iterable, Mapping, Sequence

from langgraph.config import get_stream_writer

from rag_agent.answers import Answer, Citation, Hit, Kind, Remembered, Sentence
from rag_agent.index import Library
from rag_agent.language.voice import Voice
from rag_agent.memory.transcript import Turn, turn_messages
from rag_agent.visible import visible_line
from rag_agent.workflows.context import varied
from rag_agent.workflows.state import AgentState, disputed, hit_of, is_waiting

_NEAREST = 160  # characters of the nearest unit that a refusal tells
_ENDED = re.compile(r"[.!?:;…。！？][\"'”’»)\]]*(?: \[\d+\])?$")


class Responding:
    """Makes the answer out of the state."""

    def __init__(self, library: Library | None, name: str, voice: Voice | None = None) -> None:
        self._library = library
        self._name = name
        self.voice = voice or Voice()

    def say(self, state: AgentState, name: str, /, **values: object) -> str:
        """A sentence of the program's own, in the language of the turn."""
        return self.voice.say(name, state["question"], **values)

    def respond(self, state: AgentState) -> AgentState:
        """Put the sentences together, each with the number of its citation."""
        write = get_stream_writer()
        citations: list[Citation] = []
        sentences: list[Sentence] = []
        shown: list[str] = []
        left_out = list(state.get("left_out", []))
        if disputed(state["claims"]):
            shown.append(self.say(state, "DISAGREE"))
            write({"type": "sentence", "text": shown[-1]})
        for claim in state["claims"]:
            citation = Citation(**claim["citation"])
            if not self._holds(citation):  # never shown, whatever went wrong before
                left_out.append(f"not shown, its quote is not in {visible_line(citation.file)}: “{claim['text']}”")
                continue
            if citation not in citations:
                citations.append(citation)
            number = citations.index(citation)
            sentences.append(Sentence(claim["text"], claim.get("standing", "quote"), (number,)))
            shown.append(f"{claim['text']} [{number + 1}]")
            write({"type": "sentence", "text": shown[-1], "standing": sentences[-1].standing})
        if not citations:
            return self.refuse({**state, "left_out": left_out})
        kind: Kind = "quote" if all(claim["kind"] == "quote" for claim in state["claims"]) else "generated"
        return self.answered(
            state, _joined(shown), kind, citations=tuple(citations), sentences=tuple(sentences), left_out=left_out
        )

    def refuse(self, state: AgentState) -> AgentState:
        """Say that the documents do not answer, what was searched, and the nearest thing found."""
        text = self.say(state, "REFUSAL")
        if units := [unit for unit in state.get("units", []) if not unit["withheld"]]:
            start = " ".join(units[0]["text"].split())
            start = start if len(start) <= _NEAREST else start[:_NEAREST].rsplit(" ", 1)[0] + " …"
            file = visible_line(units[0]["citation"]["file"])
            text += self.say(state, "SEARCHED", searched=visible_line(self._documents.name), file=file, text=start)
        else:
            text += self.say(state, "SEARCHED_NOTHING", searched=visible_line(self._documents.name))
        for word in state.get("missing", []):
            nearest = self._documents.nearest(word)
            near = {"nearest": nearest} if nearest else {}
            text += self.say(state, "MISSING_NEAREST" if nearest else "MISSING", word=word, **near)
        for number, memory in enumerate(_memories(state), start=1):
            text += f" {self.remembered(state, memory, number)}"
        return self.answered(state, text, "refusal", left_out=state.get("left_out", []))

    def answered(
        self,
        state: AgentState,
        text: str,
        kind: Kind,
        *,
        citations: tuple[Citation, ...] = (),
        sentences: tuple[Sentence, ...] = (),
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
            sentences: Its statements with their standing.
            left_out: What is not shown, in words.
            files: Fingerprints of the cited files; None takes those of now.
            docs: The root of the documents that are cited; None is the one of now.
        """
        answer = Answer(
            text=text,
            kind=kind,
            citations=citations,
            sentences=sentences,
            context=tuple(hit_of(document) for document in state.get("context", [])),
            query=state["queries"][0][0],
            model=varied("model") or self._name,
            usage=state.get("usage", {}),
            left_out=tuple(left_out),
            evidence=state.get("evidence"),
            question=state["question"],
            memories=_memories(state),
        )
        if files is None:
            hashes = {citation.file: self._documents.fingerprint(citation.file) for citation in citations}
            files = {file: hashed for file, hashed in hashes.items() if hashed}
        turn = Turn(state["question"], answer, docs or self.root, files)
        said = turn_messages(turn)
        return {"answer": answer.to_dict(), "messages": said[1:] if is_waiting(state) else said}

    def remembered(self, state: AgentState, memory: Remembered, number: int) -> str:
        """A memory told as what it is: what the user said, where and when, with a mark of its own."""
        text, thread = visible_line(memory.text), visible_line(memory.thread_id or "")
        if memory.turn is None:
            return self.say(state, "MEMORY_ADDED", text=text, time=memory.time[:10], number=number)
        return self.say(state, "MEMORY", text=text, thread=thread, turn=memory.turn, time=memory.time[:10], number=number)

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

    def _holds(self, citation: Citation) -> bool:
        """Whether the quote stands where the citation says."""
        hit = Hit(citation.file, citation.article, citation.start, citation.end, citation.quote, 0.0)
        base, outline = self._documents.outline(hit)
        return outline.reading.text[citation.start - base : citation.end - base] == citation.quote


def _memories(state: AgentState) -> tuple[Remembered, ...]:
    """What was kept of this turn, and what bore on it."""
    found = [Remembered(**one) for one in (*state.get("remembered", []), *state.get("kept", []))]
    return tuple({one.id: one for one in found}.values())


def _joined(shown: Sequence[str]) -> str:
    """Sentences follow each other; a piece of one, and what has lines of its own, stand apart."""
    text = ""
    for one in shown:
        apart = "\n" in one or "\n" in text.rpartition("\n\n")[2] or not _ENDED.search(text)
        text += ("\n\n" if apart and text else " " if text else "") + one
    return text
