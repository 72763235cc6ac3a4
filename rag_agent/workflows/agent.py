"""`agent_graph`: documents and conversation together; what is shown is checked, or it is not shown."""

from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, StateGraph

from rag_agent.grounding.evidence import THRESHOLD
from rag_agent.index import Library
from rag_agent.models.capability import is_calibrated, is_capable
from rag_agent.workflows.nodes import Nodes
from rag_agent.workflows.state import AgentState, TurnContext

AnswerSetting = Literal["auto", "generate", "quote"]


def agent_graph(
    model: BaseChatModel,
    library: Library | None = None,
    *,
    embeddings: Embeddings | None = None,
    system: str | None = None,
    k: int = 6,
    answer: AnswerSetting = "auto",
    refusal_threshold: float = THRESHOLD,
    name: str = "",
) -> "StateGraph[AgentState, Any, Any, Any]":
    """`contextualize -> retrieve -> grade -> generate -> verify -> respond`, with a wider search, quotes and refusal as ways out.

    Compile it with a saver to remember by `thread_id`; the input is `question`, the output `answer` (an `Answer` as plain
    values), and `messages` holds the finished turns.

    Args:
        model: Any LangChain chat model.
        library: The documents; None is plain chat.
        embeddings: What compares sentences with the question. The weights of quotes and refusal were measured with
            all-MiniLM-L6-v2; with any other model, or None, sentences are compared by their words alone.
        system: The assistant's role.
        k: How many chunks to retrieve.
        answer: Whose words answer; "auto" takes the model's where it is large enough to be a reader, else quotes.
        refusal_threshold: Least probability of an answer in the passages found for which one is given, 0 to 1.
        name: The model's name for `Answer.model`.
    """
    nodes = Nodes(
        model,
        library,
        embeddings=embeddings if is_calibrated(embeddings) else None,
        system=system,
        k=k,
        reads=_Reads(model, answer),
        refusal_threshold=refusal_threshold,
        name=name,
    )
    builder = StateGraph(AgentState, context_schema=TurnContext)
    for node in (
        nodes.contextualize, nodes.retrieve, nodes.grade, nodes.generate, nodes.verify, nodes.quote, nodes.respond,
        nodes.refuse, nodes.transform, nodes.converse,
    ):  # fmt: skip
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "contextualize")
    builder.add_conditional_edges("contextualize", nodes.after_contextualize, ["retrieve", "transform", "converse"])
    builder.add_edge("retrieve", "grade")
    builder.add_conditional_edges("grade", nodes.after_grade, ["generate", "quote", "retrieve", "refuse"])
    builder.add_edge("generate", "verify")
    builder.add_conditional_edges("verify", nodes.after_verify, ["respond", "retrieve", "quote"])
    builder.add_conditional_edges("quote", nodes.after_quote, ["respond", "refuse"])
    for last in ("respond", "refuse", "transform", "converse"):
        builder.add_edge(last, END)
    return builder


@dataclass
class _Reads:
    """Whether the model's own words may answer, found out at the first question: a server may have to be asked."""

    model: BaseChatModel
    answer: AnswerSetting
    _known: bool | None = None

    @property
    def well(self) -> bool:
        """Whether the model is large enough for the long prompt."""
        if self._known is None:
            self._known = is_capable(self.model)
        return self._known

    @property
    def aloud(self) -> bool:
        """Whether it generates at all."""
        return self.answer == "generate" or (self.answer == "auto" and self.well)
