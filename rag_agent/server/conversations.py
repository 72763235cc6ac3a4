"""Routes over the conversations: all that `RagAgent.threads` does."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from rag_agent.server.schemas import AnswerOut, ConversationOut, Done, Edit, Fork, Imported, Rewind, ThreadOut, Title
from rag_agent.server.shared import ERRORS, Client, Shared, while_heard

router = APIRouter(prefix="/api/threads", tags=["conversations"], responses=ERRORS)


@router.get("", response_model=list[ThreadOut])
def list_threads(service: Shared, search: Annotated[str | None, Query(max_length=500)] = None) -> Any:
    """The conversations, the last used first; with `search`, those whose turns hold its words."""
    found = service.opened().threads.list(search)
    return [
        {"thread_id": t.thread_id, "title": t.title, "turns": t.turns, "last_used": t.last_used, "unfinished": t.unfinished}
        for t in found
    ]


@router.post("/import", response_model=Done)
def import_thread(body: Imported, service: Shared) -> Any:
    """Take over a conversation that was exported as JSON."""
    return {"thread_id": service.opened().threads.import_(body.content, body.thread_id)}


@router.post("/{thread_id:path}/fork", response_model=Done)
def fork(thread_id: str, body: Fork, service: Shared) -> Any:
    """Go on from a turn in a conversation of its own."""
    service.opened().threads.fork(thread_id, body.new_id, body.turn)
    return {"thread_id": body.new_id}


@router.post("/{thread_id:path}/rewind", response_model=Done)
def rewind(thread_id: str, body: Rewind, service: Shared) -> Any:
    """Go back to a turn: the next question follows on it."""
    service.opened().threads.rewind(thread_id, body.turn)
    return {"thread_id": thread_id}


@router.post("/{thread_id:path}/edit", response_model=AnswerOut)
async def edit(thread_id: str, body: Edit, request: Request, service: Shared, client: Client) -> Any:
    """Ask another question in place of a turn's."""
    work = service.in_turn(client, lambda: service.agent().edit(thread_id, body.turn, body.question))
    return (await while_heard(request, work)).to_dict()


@router.get(
    "/{thread_id:path}/export",
    response_class=Response,
    responses={
        200: {
            "content": {"application/json": {"schema": {"type": "object"}}, "text/markdown": {"schema": {"type": "string"}}},
            "description": "The conversation",
        }
    },
)
def export(thread_id: str, service: Shared, form: Literal["json", "markdown"] = "json") -> Response:
    """The conversation as a text: JSON to import again, or Markdown for readers."""
    text = service.opened().threads.export(thread_id, form)
    media = "application/json" if form == "json" else "text/markdown; charset=utf-8"
    return Response(text, media_type=media, headers={"content-disposition": "attachment"})


@router.get("/{thread_id:path}", response_model=ConversationOut)
def show(thread_id: str, service: Shared) -> Any:
    """The turns of a conversation, oldest first, and which answers rest on files that have changed since."""
    threads = service.opened().threads
    turns = threads.show(thread_id)
    stale = {found.turn: found.files for found in threads.stale(thread_id)}
    return {
        "thread_id": thread_id,
        "turns": [
            {"question": turn.question, "answer": turn.answer.to_dict(), "stale": stale.get(number, {})}
            for number, turn in enumerate(turns, start=1)
        ],
        "unfinished": threads.unfinished(thread_id),
    }


@router.patch("/{thread_id:path}", response_model=Done)
def rename(thread_id: str, body: Title, service: Shared) -> Any:
    """Give a conversation a title."""
    service.opened().threads.rename(thread_id, body.title)
    return {"thread_id": thread_id}


@router.delete("/{thread_id:path}", response_model=Done)
def delete(thread_id: str, service: Shared) -> Any:
    """Delete a conversation for good."""
    service.opened().threads.delete(thread_id)
    return {"thread_id": thread_id}
