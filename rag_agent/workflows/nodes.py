"""The nodes of `agent_graph`: plain methods named by verbs, over what was bound when the graph was built."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langgraph.config import get_stream_writer
from langgraph.runtime import get_runtime

from rag_agent import prompts
from rag_agent.answers import Answer, Citation, Hit, Kind
from rag_agent.errors import TurnStoppedError
from rag_agent.grounding.evidence import weigh
from rag_agent.grounding.instructions import is_quotable
from rag_agent.grounding.passages import Passage, passages, readable
from rag_agent.grounding.quotes import best_quotes
from rag_agent.grounding.relevance import Matches, match
from rag_agent.grounding.relevance import Passage as Chunk
from rag_agent.grounding.sentences import sentence_texts, sentences
from rag_agent.grounding.showing import Span, showable
from rag_agent.grounding.support import SupportCheck
from rag_agent.grounding.template import neutralise
from rag_agent.grounding.transforming import resting_on, shortened
from rag_agent.index import Library
from rag_agent.memory.followups import Turn as PastTurn
from rag_agent.memory.followups import names_language, understand
from rag_agent.memory.history import fit, shorten
from rag_agent.memory.transcript import Turn, last_turns, turn_messages
from rag_agent.workflows.state import AgentState, TurnContext

_WIDER = 3  # how many times as many chunks the second search brings
_NEAREST = 8  # sentences of the nearest passage that a refusal may begin with
_HISTORY = 20  # turns of conversation that a question is read in the light of
_MARK = re.compile(r" ?\[\d+\]")
_DECLINED = re.compile(
    r"\b(?:I(?:'m| am) (?:sorry|afraid)|I (?:can(?:no|')t|am (?:not able|unable))|as an AI)\b.{0,80}\b"
    r"(?:assist|help|comply|fulfil|discuss|provide|answer|request|content)",
    re.IGNORECASE | re.DOTALL,
)


class Reads(Protocol):
    """How far the model's reading is trusted."""

    @property
    def well(self) -> bool:
        """Whether the model is large enough for the long prompt."""

    @property
    def aloud(self) -> bool:
        """Whether its own words may answer."""


class Nodes:
    """What the nodes work with, and the nodes."""

    def __init__(
        self,
        model: BaseChatModel,
        library: Library | None,
        *,
        embeddings: Embeddings | None,
        system: str | None,
        k: int,
        reads: Reads,
        refusal_threshold: float,
        name: str,
    ) -> None:
        self._model = model
        self._library = library
        self._embeddings = embeddings
        self._system = system
        self._k = k
        self._reads = reads
        self._refusal_threshold = refusal_threshold
        self._name = name

    # --- nodes ---------------------------------------------------------------------------------------------------------

    def contextualize(self, state: AgentState) -> AgentState:
        """Read the question in the light of the conversation."""
        question = state["question"]
        messages = state.get("messages", [])
        # Where the reading begins moves every ten turns only, so that what was read before is remembered.
        past = [_past(turn) for turn in last_turns(messages, _HISTORY + len(messages) // 2 % 10)]
        read = understand(question, past)
        queries = list(read.queries) or [(question, 1.0)]
        kind = read.kind if self._library is not None or read.kind == "transform" else "chat"
        return {"turn": kind, "queries": [(read.query, queries[0][1]), *queries[1:]], "max_words": read.max_words, "attempt": 0}

    def retrieve(self, state: AgentState) -> AgentState:
        """Search the documents, the second time wider."""
        attempt = state["attempt"] + 1
        k = self._k if attempt == 1 else self._k * _WIDER
        return {"context": [_document(hit) for hit in self._documents.search(state["queries"], k)], "attempt": attempt}

    def grade(self, state: AgentState) -> AgentState:
        """Weigh whether the hits can hold an answer, choose the best quotes, and leave out what is beside the point."""
        hits = [_hit(document) for document in state["context"]]
        matches, bases = self._matches(state["queries"][0][0], hits)
        evidence = weigh(matches, self._documents.words(), threshold=self._refusal_threshold)
        read = passages(_relevant(hits, matches), self._documents)
        return {
            "context": [_document(passage) for passage in read],
            "enough": evidence.enough,
            "evidence": max(state.get("evidence", 0.0), evidence.probability),
            "missing": list(evidence.missing),
            "quotes": self._shown(state["queries"][0][0], _quoted(hits, matches, bases)),
        }

    def generate(self, state: AgentState) -> AgentState:
        """Let the model answer from the passages."""
        question = state["queries"][0][0]
        messages = self._long_prompt(state, question) if self._reads.well else self._short_prompt(state, question)
        reply = self._reply(messages)
        return {"draft": str(reply.text).strip(), "usage": _usage(state, reply)}

    def verify(self, state: AgentState) -> AgentState:
        """Keep those sentences of the reply that stand on a quote."""
        found = [_passage(document) for document in state["context"]]
        check = SupportCheck([passage.text for passage in found], question=state["queries"][0][0])
        claims, left_out = [], []
        for sentence in _claims(state["draft"]):
            support = check.check(sentence)
            if not support.supported:
                left_out.append(f"not shown, {support.reason}: “{sentence}”")
                continue
            citation = _citation(found[support.passage], support.start, support.end)
            claims.append({"text": sentence, "kind": "generated", "citation": citation.to_dict()})
        shown = self._shown(state["queries"][0][0], [claim for claim in claims if is_quotable(str(claim["text"]))])
        left_out += [prompts.NOT_SHOWN] * (len(claims) - len(shown))
        if _DECLINED.search(state["draft"]) and not shown:
            left_out = [prompts.MODEL_DECLINED]
        return {"claims": shown, "left_out": left_out}

    def quote(self, state: AgentState) -> AgentState:
        """Let the best sentences of the documents answer."""
        return {"claims": state["quotes"]}

    def respond(self, state: AgentState) -> AgentState:
        """Put the sentences together, each with the number of its citation."""
        write = get_stream_writer()
        citations: list[Citation] = []
        shown: list[str] = []
        left_out = list(state.get("left_out", []))
        for claim in state["claims"]:
            citation = Citation(**claim["citation"])
            if not self._holds(citation):  # never shown, whatever went wrong before
                left_out.append(f"not shown, its quote is not in {citation.file}: “{claim['text']}”")
                continue
            if citation not in citations:
                citations.append(citation)
            shown.append(f"{claim['text']} [{citations.index(citation) + 1}]")
            write({"type": "sentence", "text": shown[-1]})
        if not shown:
            return self.refuse({**state, "left_out": left_out})
        kind: Kind = "quote" if all(claim["kind"] == "quote" for claim in state["claims"]) else "generated"
        return self._answered(state, " ".join(shown), kind, citations=tuple(citations), left_out=left_out)

    def refuse(self, state: AgentState) -> AgentState:
        """Say that the documents do not answer, what was searched, and the nearest thing found."""
        text = prompts.REFUSAL
        if state.get("context"):
            nearest = _passage(state["context"][0])
            quotes = [_citation(nearest, *span) for span in sentences(nearest.text)[:_NEAREST]]
            claims = self._shown(state["queries"][0][0], [{"citation": quote.to_dict()} for quote in quotes])
            start = readable(claims[0]["citation"]["quote"]) if claims else "…"
            start = start if len(start) <= 120 else start[:120].rsplit(" ", 1)[0] + " …"
            text += prompts.SEARCHED.format(searched=self._documents.name, file=nearest.file, text=start)
        else:
            text += prompts.SEARCHED_NOTHING.format(searched=self._documents.name)
        if missing := state.get("missing"):
            text += prompts.MISSING.format(words=", ".join(f"“{word}”" for word in missing))
        return self._answered(state, text, "refusal", left_out=state.get("left_out", []))

    def transform(self, state: AgentState) -> AgentState:
        """Let the model work on the last answer: shorten it, translate it."""
        [turn] = last_turns(state["messages"], 1)
        last, limit = turn.answer, state.get("max_words")
        last_text = _MARK.sub("", last.text)
        shown = shorten(self._model, lambda text: self._task(text, state["question"]), neutralise(last_text))
        reply = self._reply(shown.messages, shown=True)
        text = str(reply.text).strip()
        left_out = [*shown.left_out]
        # A small model makes things up here too. A translation has other words; nothing here can check it.
        if not self._reads.well and not names_language(state["question"]):
            text, unsupported = resting_on(last_text, text)
            left_out += unsupported
        if limit and len(text.split()) > limit:
            left_out.append(f"cut to {limit} words")
            text = shortened(text, limit)
        state = {**state, "usage": _usage(state, reply)}
        return self._answered(state, text, "transformed", citations=last.citations, left_out=left_out, files=turn.files)

    def converse(self, state: AgentState) -> AgentState:
        """Talk: the model and the conversation, no documents."""
        if self._library is not None and not self._reads.well:
            return self._answered(state, prompts.SMALL_TALK, "chat")  # a small model's small talk is worse than none
        shown = fit(self._model, self._role(), state.get("messages", []), state["question"])
        reply = self._reply(shown.messages, shown=True)
        state = {**state, "usage": _usage(state, reply)}
        return self._answered(state, str(reply.text).strip(), "chat", left_out=shown.left_out)

    # --- routes --------------------------------------------------------------------------------------------------------

    def after_contextualize(self, state: AgentState) -> Literal["retrieve", "transform", "converse"]:
        """A turn that only transforms the last answer, or only chats, goes past retrieval."""
        return {"transform": "transform", "chat": "converse"}.get(state["turn"], "retrieve")  # type: ignore[return-value]

    def after_grade(self, state: AgentState) -> Literal["generate", "quote", "retrieve", "refuse"]:
        """Too little evidence: one wider search, then refusal."""
        if state["enough"]:
            return "generate" if self._reads.aloud else "quote"
        return "retrieve" if state["attempt"] == 1 else "refuse"

    def after_verify(self, state: AgentState) -> Literal["respond", "retrieve", "quote"]:
        """Nothing of the reply stands: one wider search, then the best quotes; a small model gets no second try."""
        if state["claims"]:
            return "respond"
        return "retrieve" if state["attempt"] == 1 and self._reads.well else "quote"

    def after_quote(self, state: AgentState) -> Literal["respond", "refuse"]:
        """No quote: refusal."""
        return "respond" if state["claims"] else "refuse"

    # --- parts ---------------------------------------------------------------------------------------------------------

    @property
    def _documents(self) -> Library:
        assert self._library is not None  # contextualize sends every turn without documents past these nodes
        return self._library

    def _matches(self, question: str, hits: Sequence[Hit]) -> tuple[Matches, list[int]]:
        """The question against the hits, and where the article of each hit begins in its file."""
        around = [self._documents.around(hit) for hit in hits]
        chunks = [
            Chunk(f"{hit.file}\0{hit.article}\0{base}", article, hit.start - base, hit.end - base, hit.similarity)
            for hit, (base, article) in zip(hits, around, strict=True)
        ]
        documents = self._documents
        found = match(question, chunks, words=documents.words(), idf=documents.idf, embeddings=self._embeddings)
        return found, [base for base, _ in around]

    def _role(self) -> SystemMessage:
        return SystemMessage(self._system or prompts.SYSTEM)

    def _task(self, answer: str, instruction: str) -> list[BaseMessage]:
        return [self._role(), HumanMessage(prompts.TRANSFORM.format(answer=answer, instruction=instruction))]

    def _long_prompt(self, state: AgentState, question: str) -> list[BaseMessage]:
        fenced = [
            prompts.PASSAGE.format(number=n, file=neutralise(document.metadata["file"]), text=neutralise(document.page_content))
            for n, document in enumerate(state["context"], start=1)
        ]
        prompt = prompts.ANSWER.format(passages="\n\n".join(fenced), question=question, sentences=10, no_answer=prompts.NO_ANSWER)
        role = f"{self._system}\n\n{prompts.DOCUMENTS_SYSTEM}" if self._system else prompts.DOCUMENTS_SYSTEM
        return [SystemMessage(role), HumanMessage(prompt)]

    def _short_prompt(self, state: AgentState, question: str) -> list[BaseMessage]:
        text = neutralise(" ".join(neutralise(claim["text"]) for claim in state["quotes"]))  # a marker in two halves, too
        messages: list[BaseMessage] = [SystemMessage(prompts.SMALL_SYSTEM)]
        for asked, answered in prompts.SMALL_EXAMPLES:
            messages += [HumanMessage(asked), AIMessage(answered)]
        return [*messages, HumanMessage(prompts.SMALL_QUESTION.format(text=text, question=question))]

    def _reply(self, messages: list[BaseMessage], *, shown: bool = False) -> BaseMessage:
        """The model's reply, read token by token so that it can be called off; `shown` hands the tokens on.

        Raises:
            TurnStoppedError: The caller called the turn off.
        """
        write = get_stream_writer()
        context = get_runtime(TurnContext).context
        whole: AIMessageChunk | None = None
        for chunk in self._model.stream(messages):  # raising ends the stream, and with it the generation
            if context and context.stopped():
                raise TurnStoppedError("the turn was called off")
            if shown and (text := str(chunk.text)):
                write({"type": "token", "text": text})
            whole = chunk if whole is None else whole + chunk
        return whole if whole is not None else AIMessage("")

    def _holds(self, citation: Citation) -> bool:
        article, start, end = self._placed(citation)
        return article[start:end] == citation.quote

    def _shown(self, question: str, claims: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those claims whose quotes may be shown."""
        spans = [self._span(Citation(**claim["citation"])) for claim in claims]
        documents = self._documents
        may = showable(question, spans, words=documents.words(), idf=documents.idf, embeddings=self._embeddings)
        return [claim for claim, shown in zip(claims, may, strict=True) if shown]

    def _span(self, citation: Citation) -> Span:
        """A quote in its article and the two beside it: what parts articles, an attack can write too."""
        article, start, end = self._placed(citation)
        hit = Hit(citation.file, citation.article, citation.start, citation.end, citation.quote, 0.0)
        own = citation.start - start
        before, after = (self._documents.around(replace(hit, article=hit.article + step)) for step in (-1, 1))
        left = f"{before[1]}\n\n" if before[0] < own else ""
        right = f"\n\n{after[1]}" if after[0] > own + end else ""
        return Span(left + article + right, len(left) + start, len(left) + end)

    def _placed(self, citation: Citation) -> tuple[str, int, int]:
        """The article that a quote stands in, and where."""
        hit = Hit(citation.file, citation.article, citation.start, citation.end, citation.quote, 0.0)
        base, article = self._documents.around(hit)
        return article, citation.start - base, citation.end - base

    def _answered(
        self,
        state: AgentState,
        text: str,
        kind: Kind,
        *,
        citations: tuple[Citation, ...] = (),
        left_out: Iterable[str] = (),
        files: Mapping[str, str] | None = None,
    ) -> AgentState:
        answer = Answer(
            text=text,
            kind=kind,
            citations=citations,
            context=tuple(_hit(document) for document in state.get("context", [])),
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
        turn = Turn(state["question"], answer, self._documents.root if self._library else None, files)
        return {"answer": answer.to_dict(), "messages": turn_messages(turn)}


def _past(turn: Turn) -> PastTurn:
    # A refusal is evidence of nothing, least of all of what "it" is.
    return PastTurn(turn.question, "" if turn.answer.refused else _MARK.sub("", turn.answer.text))


def _claims(draft: str) -> list[str]:
    """The sentences of a reply, without the marks of citation that some models write, and without "no answer"."""
    if prompts.NO_ANSWER.rstrip(".").casefold() in draft.casefold():
        return []
    return [sentence for text in sentence_texts(draft) if (sentence := " ".join(_MARK.sub("", text).split()))]


def _usage(state: AgentState, reply: BaseMessage) -> dict[str, int]:
    """Tokens so far and those of one more reply."""
    told = getattr(reply, "usage_metadata", None) or {}
    before = state.get("usage", {})
    return {key: before.get(key, 0) + int(told[key]) for key in ("input_tokens", "output_tokens") if key in told} or before


def _citation(passage: Passage, start: int, end: int) -> Citation:
    begin = passage.start + start
    return Citation(passage.file, passage.article, begin, passage.start + end, passage.text[start:end], passage.page)


def _relevant(hits: Sequence[Hit], matches: Matches) -> list[Hit]:
    """The hits worth reading: at least half as near to the question, in sense and in words, as the nearest."""
    near = matches.passage_similarity + matches.passage_share
    bar = 0.5 * max(near, default=0.0)
    return [hit for hit, nearness in zip(hits, near, strict=True) if nearness >= bar]


def _quoted(hits: Sequence[Hit], matches: Matches, bases: Sequence[int]) -> list[dict[str, Any]]:
    """The best quotes as claims."""
    claims = []
    usable = [is_quotable(matches.passages[s.passages[0]].text, s.start, s.end) for s in matches.sentences]
    for quote in best_quotes(matches, usable=usable) if matches.sentences else []:
        hit, base = hits[quote.passage], bases[quote.passage]
        text = matches.passages[quote.passage].text[quote.start : quote.end]
        citation = Citation(hit.file, hit.article, base + quote.start, base + quote.end, text, hit.page)
        claims.append({"text": readable(text), "kind": "quote", "citation": citation.to_dict()})
    return claims


def _document(found: Hit | Passage) -> Document:
    """A hit or passage as the state holds it."""
    metadata = {name: value for name, value in vars(found).items() if name != "text"}
    return Document(page_content=found.text, metadata=metadata)


def _hit(document: Document) -> Hit:
    return Hit(text=document.page_content, **document.metadata)


def _passage(document: Document) -> Passage:
    return Passage(text=document.page_content, **document.metadata)
