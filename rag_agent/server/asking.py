"""Routes that ask: a question, a search, an explanation."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from rag_agent.answers import Hit
from rag_agent.server.schemas import MAX_QUESTION, AnswerOut, Question
from rag_agent.server.service import Service, Waiting
from rag_agent.server.shared import ERRORS, EVENTS, Client, Shared, logged, streamed, while_heard

router = APIRouter(prefix="/api", tags=["questions"], responses=ERRORS)

Text = Annotated[str, Query(min_length=1, max_length=MAX_QUESTION, pattern=r"\S", examples=["Who landed on the Moon?"])]
K = Annotated[int | None, Query(ge=1, le=100, description="How many passages")]


@router.post("/ask", response_model=AnswerOut)
async def ask(body: Question, request: Request, service: Shared, client: Client) -> Any:
    """Answer a question; the whole answer at its end. A caller that goes away stops the work."""
    answer = await while_heard(request, service.ask(body.question, client=client, thread_id=body.thread_id))
    return answer.to_dict()


@router.post(
    "/ask/events",
    response_class=EventSourceResponse,
    responses={200: {"content": EVENTS, "description": "Events"}},
)
async def ask_events(body: Question, service: Shared, client: Client) -> EventSourceResponse:
    """Answer a question as server-sent events.

    `waiting` with the place in the line; `step` when a node of the graph begins or ends; `quote`: found already, shown at once;
    `sentence`: checked; `token`: pieces of a reply without documents; then `answer` with the whole answer, or `error`.
    """
    events = _events(service, body.question, client, body.thread_id)
    return streamed(events)


async def _events(service: Service, question: str, client: str, thread_id: str | None) -> AsyncIterator[ServerSentEvent]:
    try:
        async with aclosing(service.events(question, client=client, thread_id=thread_id)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, Waiting):
                    yield _sent("waiting", {"place": event.place})
                elif event.answer is not None:
                    yield _sent("answer", event.answer.to_dict())
                else:
                    values = {"node": event.node, "ended": event.ended, "text": event.text, "standing": event.standing}
                    yield _sent(event.type, values)
    except Exception as error:
        yield _sent("error", {"error": logged(error)})


def _sent(kind: str, values: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(values, ensure_ascii=False), event=kind)


@router.get("/search", response_model=list[Hit])
async def search(query: Text, service: Shared, client: Client, k: K = None) -> Any:
    """Passages, best first."""
    hits = await service.in_turn(client, lambda: service.agent().search(query, k))
    return hits


@router.get("/explain")
async def explain(question: Text, service: Shared, client: Client) -> dict[str, Any]:
    """What a question finds, why units rank as they do, what is withheld, and what a reader would be given."""
    explanation = await service.in_turn(client, lambda: service.agent().explain(question))
    found: dict[str, Any] = explanation.to_dict()
    return found
