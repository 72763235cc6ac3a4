"""The nodes that choose what is shown: `verify` keeps what stands on a quote, `quote` lets the documents speak."""

import re
from typing import Literal

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from rag_agent import prompts
from rag_agent.answers import without_marks
from rag_agent.errors import SettingsError
from rag_agent.grounding.instructions import is_quotable
from rag_agent.grounding.support import Judge, SupportCheck
from rag_agent.grounding.template import neutralise
from rag_agent.language import sentence_texts
from rag_agent.workflows.quoting import Quoting, cited
from rag_agent.workflows.state import AgentState, passage_of
from rag_agent.workflows.writer import Writer, usage_after

_DECLINED = re.compile(
    r"\b(?:I(?:'m| am) (?:sorry|afraid)|I (?:can(?:no|')t|am (?:not able|unable))|as an AI)\b.{0,80}\b"
    r"(?:assist|help|comply|fulfil|discuss|provide|answer|request|content)",
    re.IGNORECASE | re.DOTALL,
)
_YES = re.compile(r"\W*yes\b", re.IGNORECASE)

JudgeSetting = Literal["builtin", "model"] | Judge
"""Who decides beside the hard checks: the share of words, the chat model, or a function."""


class Verification:
    """Checks sentences against the passages."""

    def __init__(self, quoting: Quoting, writer: Writer, judge: JudgeSetting) -> None:
        self._quoting = quoting
        self._writer = writer
        self._judge = judge

    def verify(self, state: AgentState) -> AgentState:
        """Keep those sentences of the reply that stand on a quote."""
        found = [passage_of(document) for document in state["context"]]
        question = state["queries"][0][0]
        replies: list[BaseMessage] = []
        check = SupportCheck([passage.text for passage in found], question=question, judge=self._asked(replies))
        claims, left_out = [], list(state["left_out"])
        for sentence in _claims(state["draft"]):
            support = check.check(sentence)
            if not support.supported:
                left_out.append(f"not shown, {support.reason}: “{sentence}”")
                continue
            citation = cited(found[support.passage], support.start, support.end)
            claims.append({"text": sentence, "kind": "generated", "citation": citation.to_dict()})
        shown = self._quoting.shown(question, [claim for claim in claims if is_quotable(str(claim["text"]))])
        left_out += [prompts.NOT_SHOWN] * (len(claims) - len(shown))
        if _DECLINED.search(state["draft"]) and not shown:
            left_out = [*state["left_out"], prompts.MODEL_DECLINED]
        return {"claims": shown, "left_out": left_out, "usage": usage_after(state, *replies)}

    def quote(self, state: AgentState) -> AgentState:
        """Let the best sentences of the documents answer."""
        return {"claims": state["quotes"]}

    def _asked(self, replies: list[BaseMessage]) -> Judge | None:
        """The judge of this turn; what the chat model says as one is added to the replies.

        Raises:
            SettingsError: The chat model is to judge and is too small for it.
        """
        if not isinstance(self._judge, str):
            return self._judge
        if self._judge == "builtin":
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


def _claims(draft: str) -> list[str]:
    """The sentences of a reply, without the marks of citation that some models write, and without "no answer"."""
    if prompts.NO_ANSWER.rstrip(".").casefold() in draft.casefold():
        return []
    return [sentence for text in sentence_texts(draft) if (sentence := " ".join(without_marks(text).split()))]
