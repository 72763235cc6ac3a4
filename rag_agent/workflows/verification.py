"""The nodes that choose what is shown: `verify` keeps what stands on a quote, `quote` lets the documents speak."""

import re
from typing import Literal

from rag_agent import prompts
from rag_agent.answers import without_marks
from rag_agent.errors import SettingsError
from rag_agent.grounding.instructions import is_quotable
from rag_agent.grounding.judging import Judge, standing_of
from rag_agent.language import sentence_texts, sentences
from rag_agent.models.judge import ReaderJudge
from rag_agent.workflows.quoting import Quoting, cited
from rag_agent.workflows.state import AgentState, passage_of
from rag_agent.workflows.writer import Writer, usage_after

_DECLINED = re.compile(
    r"\b(?:I(?:'m| am) (?:sorry|afraid)|I (?:can(?:no|')t|am (?:not able|unable))|as an AI)\b.{0,80}\b"
    r"(?:assist|help|comply|fulfil|discuss|provide|answer|request|content)",
    re.IGNORECASE | re.DOTALL,
)

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
        judge = self._asked()
        spans = [(passage, *span) for passage in found for span in sentences(passage.text)]
        units = [passage.text[start:end] for passage, start, end in spans]
        claims, left_out = [], list(state["left_out"])
        for sentence in _claims(state["draft"]):
            stood = standing_of(sentence, units, judge)
            if stood.standing is None:
                left_out.append(prompts.NO_STANDING.format(sentence=sentence))
                continue
            citation = cited(*spans[stood.unit])
            claims.append({"text": sentence, "kind": "generated", "citation": citation.to_dict()})
        shown = self._quoting.shown(question, [claim for claim in claims if is_quotable(str(claim["text"]))])
        left_out += [prompts.NOT_SHOWN] * (len(claims) - len(shown))
        if _DECLINED.search(state["draft"]) and not shown:
            left_out = [*state["left_out"], prompts.MODEL_DECLINED]
        return {"claims": shown, "left_out": left_out, "usage": usage_after(state, *getattr(judge, "replies", ()))}

    def quote(self, state: AgentState) -> AgentState:
        """Let the best sentences of the documents answer."""
        return {"claims": state["quotes"]}

    def _asked(self) -> Judge | None:
        """The judge of this turn.

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
        return ReaderJudge(self._writer.model, self._writer.aside)


def _claims(draft: str) -> list[str]:
    """The sentences of a reply, without the marks of citation that some models write, and without "no answer"."""
    if prompts.NO_ANSWER.rstrip(".").casefold() in draft.casefold():
        return []
    return [sentence for text in sentence_texts(draft) if (sentence := " ".join(without_marks(text).split()))]
