"""The node that lets the model answer from the passages: `generate`."""

from collections.abc import Sequence
from typing import Any

from langgraph.config import get_stream_writer

from rag_agent import prompts
from rag_agent.answers import Citation, Remembered
from rag_agent.grounding.draft import draft_messages
from rag_agent.grounding.passages import Passage
from rag_agent.memory.told import memories_text
from rag_agent.models.window import as_many
from rag_agent.workflows.state import AgentState
from rag_agent.workflows.writer import Writer, cut_short, usage_after

_ROOM = 6000
"""Characters that are read: about 1,500 tokens, half a minute for a model of 1.5 billion parameters on two processor cores."""


class Generation:
    """Puts the question before the model with as many passages as are worth the wait and fit."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def generate(self, state: AgentState) -> AgentState:
        """Let the model answer from the passages, the likeliest first; the best quotes are told while it reads."""
        if state["attempt"] == 1:
            write = get_stream_writer()
            for claim in state["quotes"]:
                write({"type": "quote", "text": claim["text"], "standing": "quote"})
        everything = [Passage(**values) for values in state["passages"]]
        found = _within_room(everything)
        question = state["queries"][0][0]
        left_out = list(state.get("left_out", []))
        system = self._system(state)
        count = self._fitting(question, found, system)
        if not count:  # the window holds no passage whole: the units that are likeliest to answer, then
            found = _as_passages(state["units"])
            count = self._fitting(question, found, system)
        if count < len(found) or len(found) < len(everything):
            left_out.append(prompts.PASSAGES_LEFT_OUT.format(shown=count, passages=max(len(found), len(everything))))
        read = found[:count]
        update: AgentState = {"draft": "", "passages": [vars(passage) for passage in read], "left_out": left_out}
        if not read:
            return update  # without a passage its reply could stand on nothing
        # Nobody is shown an unchecked word, in no stream and no mode.
        reply = self._writer.aside(draft_messages(question, read, system))
        left_out += cut_short(reply)
        return {**update, "draft": str(reply.text).strip(), "usage": usage_after(state, reply), "left_out": left_out}

    def _fitting(self, question: str, found: Sequence[Passage], system: str | None) -> int:
        """How many of some passages fit the window."""
        return as_many(self._writer.model, lambda n: draft_messages(question, found[:n], system), len(found))

    def _system(self, state: AgentState) -> str | None:
        """The role, with what the user stated that bears on the turn: it may say what is meant, and is no source."""
        told = memories_text([Remembered(**one) for one in state.get("remembered", [])])
        return "\n\n".join(filter(None, [self._writer.system, told])) or None


def _within_room(found: Sequence[Passage]) -> list[Passage]:
    """The first passages as far as there is room, but at least one."""
    kept: list[Passage] = []
    used = 0
    for passage in found:
        used += len(passage.text)
        if kept and used > _ROOM:
            break
        kept.append(passage)
    return kept


def _as_passages(units: Sequence[dict[str, Any]]) -> list[Passage]:
    """The units that may be shown, each as a passage of its own."""
    usable = [(unit["text"], Citation(**unit["citation"])) for unit in units if not unit["withheld"]]
    return [
        Passage(number, one.file, one.article, one.start, one.end, text, f"{one.file} — {one.section}".rstrip(" —"), one.page)
        for number, (text, one) in enumerate(usable, start=1)
    ]
