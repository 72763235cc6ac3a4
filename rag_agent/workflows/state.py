"""The state of `agent_graph`: messages that are kept, and what one turn needs on its way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from langchain_core.documents import Document
from langchain_core.messages import AnyMessage
from langgraph.channels import UntrackedValue
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from rag_agent.answers import Hit
from rag_agent.grounding.packing import Span
from rag_agent.grounding.passages import Passage

TurnKind = Literal["standalone", "followup", "why", "transform", "source", "recall", "chat"]


@dataclass(frozen=True)
class TurnContext:
    """What a caller hands to one turn beside the state: a way to call it off."""

    stopped: Callable[[], bool] = lambda: False
    """Asked between tokens; once true, the turn ends without an answer."""


class AgentState(TypedDict, total=False):
    """Only `messages` is checkpointed; the rest lives for one turn, so that a thread grows by what was said alone."""

    messages: Annotated[list[AnyMessage], add_messages]
    """The finished turns: a question and its answer each."""

    question: Annotated[str, UntrackedValue]
    """The input: what was asked, as typed."""

    turn: Annotated[TurnKind, UntrackedValue]
    """What kind of turn it is, in the light of the conversation."""

    queries: Annotated[list[tuple[str, float]], UntrackedValue]
    """What to search for, with weights; the first is the question said in full."""

    max_words: Annotated[int | None, UntrackedValue]
    """How long a transformed answer may be."""

    recalled: Annotated[list[int], UntrackedValue]
    """The turns that a question about the conversation asks for, counted from 1."""

    attempt: Annotated[int, UntrackedValue]
    """How many searches there were."""

    context: Annotated[list[Document], UntrackedValue]
    """The passages that were found; those that are read, after grading."""

    enough: Annotated[bool, UntrackedValue]
    """Whether the evidence speaks for an answer in the context."""

    evidence: Annotated[float, UntrackedValue]
    """The probability, 0 to 1, that one of the searches brought the answer."""

    missing: Annotated[list[str], UntrackedValue]
    """Words of the question that nothing found holds."""

    ranked: Annotated[list[Span], UntrackedValue]
    """The sentences of the context, the likeliest to answer first."""

    quotes: Annotated[list[dict[str, Any]], UntrackedValue]
    """The best sentences of the context, as claims with a `score`, in reading order; two are `disputed` where the
    sources disagree."""

    draft: Annotated[str, UntrackedValue]
    """The model's reply, unchecked."""

    claims: Annotated[list[dict[str, Any]], UntrackedValue]
    """The sentences to show: `text`, `kind` and the `citation` each stands on."""

    usage: Annotated[dict[str, int], UntrackedValue]
    """Tokens read and written so far in this turn."""

    left_out: Annotated[list[str], UntrackedValue]
    """What did not fit or did not pass, in words."""

    answer: Annotated[dict[str, Any], UntrackedValue]
    """The output: an `Answer` as plain values."""


def document_of(found: Hit | Passage) -> Document:
    """A hit or passage as the state holds it."""
    metadata = {name: value for name, value in vars(found).items() if name != "text"}
    return Document(page_content=found.text, metadata=metadata)


def hit_of(document: Document) -> Hit:
    """A hit or passage of the state as a hit."""
    return Hit(text=document.page_content, **document.metadata)


def passage_of(document: Document) -> Passage:
    """A passage of the state."""
    return Passage(text=document.page_content, **document.metadata)


def disputed(claims: Sequence[dict[str, Any]]) -> bool:
    """Whether two of the claims contradict each other."""
    return sum(bool(claim.get("disputed")) for claim in claims) > 1
