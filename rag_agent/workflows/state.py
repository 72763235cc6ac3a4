"""The state of `agent_graph`: messages that are kept, and what one turn needs on its way."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from langchain_core.documents import Document
from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from rag_agent.answers import Hit
from rag_agent.errors import SettingsError
from rag_agent.grounding.evidence import Candidate
from rag_agent.workflows.channels import TurnValue

TurnKind = Literal["standalone", "followup", "why", "transform", "source", "recall", "chat"]


class AgentInput(TypedDict, total=False):
    """What is put in: a question, or messages of which the last is one by a human."""

    question: Annotated[str, TurnValue]
    messages: Annotated[list[AnyMessage], add_messages]


class AgentOutput(TypedDict, total=False):
    """What comes out: the `Answer` as plain values, and the conversation with the answer's citations in its last message."""

    answer: Annotated[dict[str, Any], TurnValue]
    messages: Annotated[list[AnyMessage], add_messages]


class AgentState(TypedDict, total=False):
    """Only `messages` outlives the turn: see `TurnValue`."""

    messages: Annotated[list[AnyMessage], add_messages]
    """The finished turns, a question and its answer each; and the question of this one, where it came as a message."""

    question: Annotated[str, TurnValue]
    """What was asked, as typed."""

    asked: Annotated[str, TurnValue]
    """The question that was read last: what an input differs from."""

    turn: Annotated[TurnKind, TurnValue]
    """What kind of turn it is, in the light of the conversation."""

    queries: Annotated[list[tuple[str, float]], TurnValue]
    """What to search for, with weights; the first is the question said in full."""

    max_words: Annotated[int | None, TurnValue]
    """How long a transformed answer may be."""

    recalled: Annotated[list[int], TurnValue]
    """The turns that a question about the conversation asks for, counted from 1."""

    attempt: Annotated[int, TurnValue]
    """How many searches there were."""

    context: Annotated[list[Document], TurnValue]
    """The passages that were found; those that are read, after grading."""

    enough: Annotated[bool, TurnValue]
    """Whether the evidence speaks for an answer in the context."""

    evidence: Annotated[float, TurnValue]
    """The probability, 0 to 1, that one of the searches brought the answer."""

    missing: Annotated[list[str], TurnValue]
    """Names, identifiers and numbers of the question that nothing found holds."""

    survey: Annotated[str, TurnValue]
    """What a question about the documents themselves asks for: "files", "summary"; "" for any other question."""

    units: Annotated[list[dict[str, Any]], TurnValue]
    """What may be quoted of what was found, the likeliest to answer first: see `unit_of`."""

    quotes: Annotated[list[dict[str, Any]], TurnValue]
    """Those of the units that answer by themselves, in reading order."""

    passages: Annotated[list[dict[str, Any]], TurnValue]
    """What a reader is given, after `generate` what it was given: the fields of `rag_agent.grounding.passages.Passage`."""

    draft: Annotated[str, TurnValue]
    """The model's reply, unchecked and therefore sealed between the nodes."""

    declined: Annotated[bool, TurnValue]
    """Whether the whole reply was that the passages do not answer."""

    kept: Annotated[list[dict[str, Any]], TurnValue]
    """What the user stated in this turn and is kept: the fields of `Remembered`."""

    remembered: Annotated[list[dict[str, Any]], TurnValue]
    """What the user stated in earlier turns and bears on this one."""

    claims: Annotated[list[dict[str, Any]], TurnValue]
    """The sentences to show: `text`, `kind`, `standing` and the `citation` each stands on."""

    usage: Annotated[dict[str, int], TurnValue]
    """Tokens read and written so far in this turn."""

    left_out: Annotated[list[str], TurnValue]
    """What did not fit or did not pass, in words."""

    answer: Annotated[dict[str, Any], TurnValue]
    """The output: an `Answer` as plain values."""


def question_of(state: AgentState) -> str:
    """What is asked: the `question` put in, else the last message by a human.

    A turn that failed may have left either behind; what was read already is not asked anew where there is something else.

    Raises:
        SettingsError: There is neither.
    """
    given, messages = state.get("question", ""), state.get("messages", [])
    waiting = str(messages[-1].text) if messages and isinstance(messages[-1], HumanMessage) else ""
    if waiting and given in ("", state.get("asked")):
        return waiting
    asked = given or next((str(message.text) for message in reversed(messages) if isinstance(message, HumanMessage)), "")
    if not asked.strip():
        raise SettingsError("there is no question: put in `question`, or `messages` with one by a human")
    return asked


def before(state: AgentState) -> list[AnyMessage]:
    """The conversation without the question that is asked now."""
    messages = state.get("messages", [])
    return messages[:-1] if is_waiting(state) else messages


def is_waiting(state: AgentState) -> bool:
    """Whether the last message is the question that is asked now."""
    messages = state.get("messages", [])
    return bool(messages) and isinstance(messages[-1], HumanMessage) and str(messages[-1].text) == state["question"]


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
        "text": candidate.shown, "kind": "quote", "citation": candidate.citation.to_dict(), "withheld": candidate.withheld,
    }  # fmt: skip


def disputed(claims: Sequence[dict[str, Any]]) -> bool:
    """Whether two of the claims contradict each other."""
    return sum(bool(claim.get("disputed")) for claim in claims) > 1
