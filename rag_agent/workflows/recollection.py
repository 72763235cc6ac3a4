"""The nodes of memory across conversations: `keep`, what the user states of themselves, and `recollect`, what bears on the turn.

Memories lie in the store that the graph was compiled with, or that a LangGraph server brings; without one, and outside of a
thread, nothing is kept and nothing is recalled. Only the human's own words of this turn become memories: no document, no reply.
"""

from collections.abc import Sequence
from typing import Any

from langgraph.config import get_config, get_store

from rag_agent.answers import Remembered, Sentence
from rag_agent.memory.memories import BEARS, HELPS, Memories, Mind
from rag_agent.memory.statements import asks_for_all, is_personal, stated
from rag_agent.memory.transcript import pairs
from rag_agent.visible import visible_line
from rag_agent.workflows.context import varied
from rag_agent.workflows.responding import Responding
from rag_agent.workflows.state import AgentState, before
from rag_agent.workflows.writer import Writer

__all__ = ["Recollection"]

_NEAR = 0.15  # how far behind the best memory others still answer beside it
_TOGETHER = 3
_TOLD = 5  # memories that a model is told
_RECENT = 10  # turns of a conversation that a model is shown anyway


class Recollection:
    """Keeps and recalls what the user states."""

    def __init__(self, writer: Writer, responding: Responding, mind: Mind | None, user: str, *, has_documents: bool) -> None:
        """Name how statements are compared, None to keep none, and whose they are where a run names nobody."""
        self._writer = writer
        self._responding = responding
        self._mind = mind
        self._user = user
        self._has_documents = has_documents

    def keep(self, state: AgentState) -> AgentState:
        """Keep what the turn states of its user. One that says nothing else ends here, where there are documents to ask."""
        memories, said = self._memories(), stated(state["question"])
        assert memories is not None  # else no way leads here
        turn = len(pairs(before(state))) + 1
        kept: list[Remembered] = []
        corrected = False
        for statement in said.statements:
            made, former = memories.add(statement, thread_id=_thread(), turn=turn)
            kept.append(made)
            corrected |= any(one.text.casefold() != made.text.casefold() for one in former)
        update: AgentState = {"kept": [one.to_dict() for one in kept]}
        if not (said.whole and self._has_documents):
            return update
        told = [self._responding.say(state, "KEPT", text=visible_line(one.text), number=n) for n, one in enumerate(kept, 1)]
        if corrected:
            told.append(self._responding.say(state, "KEPT_INSTEAD"))
        return {**update, **self._answered({**state, **update}, told, kept)}

    def recollect(self, state: AgentState) -> AgentState:
        """Answer from memories where the question is about its user; else bring to mind what a model or a refusal is to tell."""
        memories, question = self._memories(), state["question"]
        assert memories is not None
        if is_personal(question) and not self._tells_model_only:
            found = memories.list() if asks_for_all(question) else self._answering(memories, question)
            if found:
                told = [self._responding.remembered(state, one, number) for number, one in enumerate(found, start=1)]
                return self._answered(state, told, found)
        if self._has_documents and not self._writer.answers:
            near = memories.recall(question, 1, HELPS) if is_personal(question) else ()
            return {"remembered": [found.memory.to_dict() for found in near]} if near else {}
        bearing = [found.memory for found in memories.recall(question, _TOLD, HELPS)]
        told_now = {one["id"] for one in state.get("kept", [])}
        chosen = [one for one in (*memories.wishes(), *bearing) if one.id not in told_now and not self._shown(one, state)]
        return {"remembered": [one.to_dict() for one in chosen]} if chosen else {}

    def ways(self, state: AgentState) -> str | None:
        """The node of these that a turn goes to first; None where memory has no part in it."""
        memories = self._memories()
        if memories is None:
            return None
        if stated(state["question"]).statements:
            return "keep"
        return self.after_keep(state)

    def after_keep(self, state: AgentState) -> str | None:
        """`recollect`, where there is a memory that may bear on the turn, or None."""
        memories = self._memories()
        bears = is_personal(state["question"]) or self._writer.answers or not self._has_documents
        return "recollect" if memories is not None and bears and memories.any() else None

    # --- parts -----------------------------------------------------------------------------------------------------------

    @property
    def _tells_model_only(self) -> bool:
        """In plain chat a model that reads well answers itself, and is told what bears on the question."""
        return not self._has_documents and self._writer.reads_well

    def _memories(self) -> Memories | None:
        """Those of the running turn's user; None where nothing is to be kept."""
        if self._mind is None or _thread() is None:
            return None
        try:
            store = get_store()
        except (RuntimeError, KeyError):
            return None
        return Memories(store, _user() or self._user, self._mind) if store is not None else None

    def _answering(self, memories: Memories, question: str) -> Sequence[Remembered]:
        found = memories.recall(question, _TOGETHER, BEARS)
        return [one.memory for one in found if one.score >= found[0].score - _NEAR]

    def _shown(self, memory: Remembered, state: AgentState) -> bool:
        """Whether the model reads the turn itself, among the last ones of this conversation."""
        now = len(pairs(before(state)))
        return memory.thread_id == _thread() and memory.turn is not None and now - _RECENT < memory.turn <= now

    def _answered(self, state: AgentState, told: Sequence[str], memories: Sequence[Remembered]) -> AgentState:
        sentences = tuple(Sentence(text, "remembered", ()) for text in told)
        state = {**state, "remembered": [one.to_dict() for one in memories], "kept": []}
        return self._responding.answered(state, " ".join(told), "remembered", sentences=sentences)


def _thread() -> str | None:
    try:
        thread = get_config().get("configurable", {}).get("thread_id")
    except RuntimeError:  # a node that is called by itself
        return None
    return str(thread) if thread is not None else None


def _user() -> str | None:
    """Whom a server has found the caller to be, else whom the run's context names."""
    known: Any = get_config().get("configurable", {}).get("langgraph_auth_user_id")
    return str(known) if known else varied("user")
