"""The nodes that choose what is shown: `verify` keeps what stands on a quote, `quote` lets the documents speak."""

import re

from rag_agent import prompts
from rag_agent.answers import Citation, without_marks
from rag_agent.grounding.instructions import is_quotable
from rag_agent.grounding.passages import Passage
from rag_agent.grounding.sentences import sentence_texts
from rag_agent.grounding.support import SupportCheck
from rag_agent.index import Library
from rag_agent.workflows.responding import placed
from rag_agent.workflows.state import AgentState, passage_of

_DECLINED = re.compile(
    r"\b(?:I(?:'m| am) (?:sorry|afraid)|I (?:can(?:no|')t|am (?:not able|unable))|as an AI)\b.{0,80}\b"
    r"(?:assist|help|comply|fulfil|discuss|provide|answer|request|content)",
    re.IGNORECASE | re.DOTALL,
)


class Verification:
    """Checks sentences against the passages."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def verify(self, state: AgentState) -> AgentState:
        """Keep those sentences of the reply that stand on a quote."""
        found = [passage_of(document) for document in state["context"]]
        check = SupportCheck([passage.text for passage in found], question=state["queries"][0][0])
        claims, left_out = [], list(state["left_out"])
        for sentence in _claims(state["draft"]):
            support = check.check(sentence)
            if not support.supported:
                left_out.append(f"not shown, {support.reason}: “{sentence}”")
                continue
            citation = _citation(found[support.passage], support.start, support.end)
            if not (self._quotable(citation) and is_quotable(sentence)):
                left_out.append("not shown, the document gives an order or asks a question there")
            else:
                claims.append({"text": sentence, "kind": "generated", "citation": citation.to_dict()})
        if _DECLINED.search(state["draft"]) and not claims:
            left_out = [*state["left_out"], prompts.MODEL_DECLINED]
        return {"claims": claims, "left_out": left_out}

    def quote(self, state: AgentState) -> AgentState:
        """Let the best sentences of the documents answer."""
        return {"claims": [claim for claim in state["quotes"] if self._quotable(Citation(**claim["citation"]))]}

    def _quotable(self, citation: Citation) -> bool:
        return is_quotable(*placed(self._library, citation))


def _claims(draft: str) -> list[str]:
    """The sentences of a reply, without the marks of citation that some models write, and without "no answer"."""
    if prompts.NO_ANSWER.rstrip(".").casefold() in draft.casefold():
        return []
    return [sentence for text in sentence_texts(draft) if (sentence := " ".join(without_marks(text).split()))]


def _citation(passage: Passage, start: int, end: int) -> Citation:
    begin = passage.start + start
    return Citation(passage.file, passage.article, begin, passage.start + end, passage.text[start:end], passage.page)
