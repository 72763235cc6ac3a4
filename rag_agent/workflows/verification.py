"""The nodes that choose what is shown: `verify` keeps what stands on a quote, `quote` lets the documents speak."""

import re
from collections.abc import Callable
from functools import partial
from typing import Literal

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from rag_agent import prompts
from rag_agent.errors import SettingsError
from rag_agent.grounding.answering import told
from rag_agent.grounding.draft import read_draft
from rag_agent.grounding.judging import Judge, standing_of
from rag_agent.grounding.passages import Passage
from rag_agent.grounding.quotable import quotables
from rag_agent.grounding.template import neutralise
from rag_agent.index import Library
from rag_agent.language.voice import Voice
from rag_agent.workflows.context import varied
from rag_agent.workflows.state import AgentState, hit_of
from rag_agent.workflows.writer import Writer, usage_after

_DECLINED = re.compile(
    r"\b(?:I(?:'m| am) (?:sorry|afraid)|I (?:can(?:no|')t|am (?:not able|unable))|as an AI)\b.{0,80}\b"
    r"(?:assist|help|comply|fulfil|discuss|provide|answer|request|content)",
    re.IGNORECASE | re.DOTALL,
)
_YES = re.compile(r"\W*yes\b", re.IGNORECASE)

JudgeSetting = Literal["auto", "builtin", "model"] | Judge
"""Who decides beside the hard checks: the chat model where it is large enough, nobody, the chat model, or a function."""


class Verification:
    """Checks sentences against the units."""

    def __init__(
        self,
        library: Library,
        writer: Writer,
        judge: JudgeSetting,
        judges: Callable[[str], JudgeSetting] | None = None,
        voice: Voice | None = None,
    ) -> None:
        self._voice = voice or Voice()
        self._judges = judges
        self._library = library
        self._writer = writer
        self._judge = judge

    def verify(self, state: AgentState) -> AgentState:
        """Keep those sentences of the reply that stand on a unit; in place of any other comes the unit it was taken from."""
        read = [Passage(**values) for values in state["passages"]]
        question = state["queries"][0][0]
        draft = read_draft(state["draft"], read, question)
        units = quotables(read, [hit_of(document) for document in state["context"]], self._library)
        replies: list[BaseMessage] = []
        judge = self._asked(replies)

        def say(name: str, /, **values: object) -> str:
            return self._voice.say(name, state["question"], **values)

        shown, left_out = told(draft, units, question, self._library, partial(standing_of, judge=judge), say)
        claims = [
            {
                "text": one.text, "standing": one.standing, "citation": one.citation.to_dict(),
                "kind": "generated" if one.said else "quote",
            }
            for one in shown
        ]  # fmt: skip
        if _DECLINED.search(state["draft"]) and not claims:
            left_out = [say("MODEL_DECLINED")]
        return {
            "claims": claims, "declined": draft.declined, "left_out": [*state["left_out"], *left_out],
            "usage": usage_after(state, *replies),
        }  # fmt: skip

    def quote(self, state: AgentState) -> AgentState:
        """Let the best sentences of the documents answer."""
        return {"claims": state["quotes"]}

    def _chosen(self) -> JudgeSetting:
        """The judge that the turn's context names, else the one of the graph."""
        name = varied("judge")
        if name is None:
            return self._judge
        if self._judges is None:
            raise SettingsError(f"context: judge is {name!r}, and this graph has one judge alone; leave it out")
        return self._judges(name)

    def _asked(self, replies: list[BaseMessage]) -> Judge | None:
        """The judge of this turn; what the chat model says as one is added to the replies.

        Raises:
            SettingsError: The chat model is to judge and is too small for it.
        """
        chosen = self._chosen()
        if not isinstance(chosen, str):
            return chosen
        if chosen == "builtin" or (chosen == "auto" and not self._writer.judges):
            return None
        if not self._writer.reads_well:
            raise SettingsError(
                "judge: this model is too small to judge; set builtin or huggingface:<id>, or name a larger model"
            )

        def judge(quote: str, sentence: str) -> float:
            task = prompts.JUDGE.format(quote=neutralise(quote), sentence=neutralise(sentence))
            replies.append(self._writer.aside([SystemMessage(prompts.JUDGE_SYSTEM), HumanMessage(task)]))
            return 1.0 if _YES.match(str(replies[-1].text)) else 0.0

        return judge
