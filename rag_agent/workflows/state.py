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
from rag_agent.grounding.evidence import Candidate

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
    """Names, identifiers and numbers of the question that nothing found holds."""

    survey: Annotated[str, UntrackedValue]
    """What a question about the documents themselves asks for: "files", "summary"; "" for any other question."""

    units: Annotated[list[dict[str, Any]], UntrackedValue]
    """What may be quoted of what was found, the likeliest to answer first: see `unit_of`."""

    quotes: Annotated[list[dict[str, Any]], UntrackedValue]
    """Those of the units that answer by themselves, in reading order."""

    passages: Annotated[list[dict[str, Any]], UntrackedValue]
    """What a reader is given, after `generate` what it was given: the fields of `rag_agent.grounding.passages.Passage`."""

    draft: Annotated[str, UntrackedValue]
    """The model's reply, unchecked."""

    declined: Annotated[bool, UntrackedValue]
    """Whether the whole reply was that the passages do not answer."""

    claims: Annotated[list[dict[str, Any]], UntrackedValue]
    """The sentences to show: `text`, `kind`, `standing` and the `citation` each stands on."""

    usage: Annotated[dict[str, int], UntrackedValue]
    """Tokens read and written so far in this turn."""

    left_out: Annotated[list[str], UntrackedValue]
    """What did not fit or did not pass, in words."""

    answer: Annotated[dict[str, Any], UntrackedValue]
    """The output: an `Answer` as plain values."""


def document_of(found: Hit) -> Document:
    """A hit as the state holds it."""
    metadata = {name: value for name, value in vars(found).items() if name != "text"}
    return Document(page_content=found.text, metadata=metadata)


def hit_of(document: Document) -> Hit:
    """A hit of the state."""
    return Hit(text=document.page_content, **document.metadata)


def unit_of(candidate: Candidate) -> dict[str, Any]:
    """A unit as the state holds it, and as a claim that stands on itself: `text`, `kind`, `citation`, `withheld`."""
    return {
        "text": candidate.unit.text, "kind": "quote", "citation": candidate.citation.to_dict(), "withheld": candidate.withheld,
    }  # fmt: skip


def disputed(claims: Sequence[dict[str, Any]]) -> bool:
    """Whether two of the claims contradict each other."""
    return sum(bool(claim.get("disputed")) for claim in claims) > 1
