"""The nodes of conversation: `contextualize` reads a turn in its light; `transform` and `converse` need no search."""

from collections.abc import Sequence
from typing import Any, Literal

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.config import get_stream_writer

from rag_agent import prompts
from rag_agent.answers import Remembered, without_marks
from rag_agent.grounding.template import neutralise
from rag_agent.grounding.transforming import resting_on, shortened
from rag_agent.memory.followups import Turn as PastTurn
from rag_agent.memory.followups import names_language, rewriting_prompt, understand, usable_rewriting
from rag_agent.memory.history import fit, shorten
from rag_agent.memory.recall import recalled
from rag_agent.memory.told import resting, with_memories
from rag_agent.memory.transcript import Turn, last_turns
from rag_agent.models.window import as_many
from rag_agent.workflows.responding import Responding
from rag_agent.workflows.state import AgentState, TurnKind, before, question_of
from rag_agent.workflows.writer import Writer, cut_short, usage_after

_HISTORY = 20  # turns of conversation that a question is read in the light of
_SHOWN = 6  # of which so many are shown to a model that says a follow-up in full


class Conversation:
    """Turns in the light of those before them."""

    def __init__(self, writer: Writer, responding: Responding, *, has_documents: bool) -> None:
        self._writer = writer
        self._responding = responding
        self._has_documents = has_documents

    def contextualize(self, state: AgentState) -> AgentState:
        """Read the question in the light of the conversation."""
        question = question_of(state)
        # What a turn that failed has left behind is no part of this one.
        left: Any = dict.fromkeys(state.keys() - {"messages"})
        state = {"messages": state.get("messages", []), "question": question}
        return {**left, "question": question, "asked": question, **self._read(state)}

    def _read(self, state: AgentState) -> AgentState:
        """What kind of turn it is, and what to search for."""
        question, messages = state["question"], before(state)
        if numbers := recalled(question, messages):
            return {"turn": "recall", "recalled": numbers, "queries": [(question, 1.0)]}
        # Where the reading begins moves every ten turns only, so that what was read before is remembered.
        past = [_past(turn) for turn in last_turns(messages, _HISTORY + len(messages) // 2 % 10)]
        read = understand(question, past)
        queries = list(read.queries) or [(question, 1.0)]
        kind: TurnKind = read.kind if self._has_documents or read.kind == "transform" else "chat"
        update: AgentState = {"turn": kind, "queries": queries, "max_words": read.max_words, "attempt": 0}
        if kind in ("followup", "why") and read.sure and self._writer.rewrites:
            answered = [turn for turn in past if not turn.refused]
            update.update(self._rewritten(state, answered[-_SHOWN:], queries))
        return update

    def _rewritten(self, state: AgentState, past: Sequence[PastTurn], queries: list[tuple[str, float]]) -> AgentState:
        """The first query in the model's words, where they can be used."""
        question = state["question"]

        def prompt(count: int) -> list[BaseMessage]:
            return rewriting_prompt(question, past[len(past) - count :])

        count = as_many(self._writer.model, prompt, len(past))
        if not count:
            return {}
        reply = self._writer.aside(prompt(count))
        rewriting = usable_rewriting(str(reply.text), question, past)
        first = (rewriting, queries[0][1]) if rewriting else queries[0]
        return {"queries": [first, *queries[1:]], "usage": usage_after(state, reply)}

    def transform(self, state: AgentState) -> AgentState:
        """Let the model work on the last answer: shorten it, translate it."""
        [turn] = last_turns(before(state), 1)
        last, limit = turn.answer, state.get("max_words")
        last_text = without_marks(last.text)
        shown = shorten(self._writer.model, lambda text: self._task(text, state["question"]), neutralise(last_text))
        reply = self._writer.reply(shown.messages, shown=True)
        text = str(reply.text).strip()
        left_out = [*shown.left_out, *cut_short(reply)]
        if names_language(state["question"]):
            left_out.append(self._responding.say(state, "TRANSLATION_UNCHECKED"))
        else:
            # A small model makes things up; a large one may use other words, but no other names, numbers or dates.
            text, unsupported = resting_on(last_text, text, freely=self._writer.reads_well)
            left_out += unsupported
        if limit and len(text.split()) > limit:
            left_out.append(f"cut to {limit} words")
            text = shortened(text, limit)
        state = {**state, "usage": usage_after(state, reply)}
        return self._responding.answered(
            state, text, "transformed", citations=last.citations, left_out=left_out, files=turn.files, docs=turn.docs
        )

    def converse(self, state: AgentState) -> AgentState:
        """Talk: the model and the conversation, no documents."""
        if self._has_documents and not self._writer.reads_well:
            # A small model's small talk is worse than none.
            return self._responding.answered(state, self._responding.say(state, "SMALL_TALK"), "chat")
        asides: list[BaseMessage] = []

        def ask(prompt: list[BaseMessage]) -> str:
            asides.append(self._writer.aside(prompt))
            return str(asides[-1].text)

        messages = before(state)
        # A small model makes things up; the first sentences of the turns do not.
        memories = [Remembered(**one) for one in state.get("remembered", [])]
        role = with_memories(self._writer.role, memories)
        shown = fit(self._writer.model, role, messages, state["question"], ask if self._writer.reads_well else None)
        reply = self._writer.reply(shown.messages, shown=True)
        state = {**state, "usage": usage_after(state, *asides, reply)}
        text = str(reply.text).strip()
        for number, one in resting(text, state["question"], memories):
            told = f"\n\n{self._responding.remembered(state, one, number)}"
            get_stream_writer()({"type": "token", "text": told})
            text += told
        return self._responding.answered(state, text, "chat", left_out=[*shown.left_out, *cut_short(reply)])

    def after_contextualize(self, state: AgentState) -> Literal["retrieve", "transform", "recall", "source", "converse"]:
        """A turn that works on the last answer or asks for an earlier one, doubts, or only chats, goes past retrieval."""
        turn = state["turn"]
        if turn in ("transform", "recall", "source"):
            return turn
        return "converse" if turn == "chat" else "retrieve"

    def _task(self, answer: str, instruction: str) -> list[BaseMessage]:
        return [self._writer.role, HumanMessage(prompts.TRANSFORM.format(answer=answer, instruction=instruction))]


def _past(turn: Turn) -> PastTurn:
    """A turn as the next one is read in its light: with the quotes, where the answer has other words."""
    text = without_marks(turn.answer.text)
    quotes = [" ".join(citation.quote.split()) for citation in turn.answer.citations]
    answer = " ".join([text, *(quote for quote in quotes if quote not in text)])
    return PastTurn(turn.question, "" if turn.answer.refused else answer, turn.answer.refused)
