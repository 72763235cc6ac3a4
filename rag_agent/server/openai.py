"""OpenAI's protocol, as far as chat front ends use it: chat completions, responses, models, embeddings.

Citations travel as annotations of the message, and once more as lines under the text, since many clients show no annotations.
"""

import base64
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

import anyio
import numpy as np
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, Field
from sse_starlette import ServerSentEvent

from rag_agent.errors import SettingsError
from rag_agent.server.schemas import MAX_QUESTION
from rag_agent.server.service import Service, Waiting
from rag_agent.server.shared import ERRORS, EVENTS, Client, Shared, logged, streamed, while_heard

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from rag_agent.answers import Answer


class Failure(BaseModel):
    """What is wrong, as OpenAI's clients read it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class Failed(BaseModel):
    """A request that failed."""

    error: Failure


router = APIRouter(prefix="/v1", tags=["OpenAI"], responses={code: {**told, "model": Failed} for code, told in ERRORS.items()})

NAME = "rag-agent"
_BOTH: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}, **EVENTS}, "description": "Whole, or as events"}
}
_MARK = re.compile(r"\[(\d+)\]")
_RESPONSE = re.compile(r"resp_([0-9a-f]{32})_(\d+)")


class Part(BaseModel):
    """A piece of a message."""

    type: str = "text"
    text: str = ""


class Message(BaseModel):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"] = "user"
    content: str | list[Part] | None = None

    def words(self) -> str:
        """Its text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.text)
        return self.content or ""


class ChatRequest(BaseModel):
    """What `/v1/chat/completions` reads of a request; the model's own settings are the server's."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=1000)]
    model: str = NAME
    stream: bool = False
    user: Annotated[str | None, Field(max_length=200)] = None
    """Names the conversation, where no header X-Thread-ID does."""
    sources: bool = True
    """Whether the sources are listed under the text."""


class ResponseRequest(BaseModel):
    """What `/v1/responses` reads of a request."""

    input: str | Annotated[list[Message], Field(min_length=1, max_length=1000)]
    model: str = NAME
    stream: bool = False
    previous_response_id: Annotated[str | None, Field(max_length=200)] = None
    store: bool = True
    sources: bool = True


class EmbeddingRequest(BaseModel):
    """Texts to embed."""

    input: (
        Annotated[str, Field(min_length=1)]
        | Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=2048)]
    )
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"


class Turn(BaseModel):
    """A question, and the messages before it."""

    question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION)]
    before: list[Message] = []

    @classmethod
    def of(cls, messages: Sequence[Message]) -> "Turn":
        """The last message of the user is the question.

        Raises:
            SettingsError: There is none, or it is too long.
        """
        last = next((n for n in range(len(messages) - 1, -1, -1) if messages[n].role == "user"), None)
        words = messages[last].words().strip() if last is not None else ""
        if last is None or not 0 < len(words) <= MAX_QUESTION:
            raise SettingsError(
                f"the messages hold no question; the last of the user is one, up to {MAX_QUESTION} characters long"
            )
        return cls(question=words, before=list(messages[:last]))

    def history(self) -> "list[BaseMessage]":
        """The messages before it as LangChain's; the role of the assistant is the server's own setting."""
        from langchain_core.messages import AIMessage, HumanMessage

        made: list[BaseMessage] = []
        for message in self.before:
            if message.role == "user":
                made.append(HumanMessage(message.words()))
            elif message.role == "assistant":
                made.append(AIMessage(message.words()))
        return made


# --- chat completions --------------------------------------------------------------------------------------------------


@router.post("/chat/completions", responses=_BOTH)
async def chat_completions(
    body: ChatRequest,
    request: Request,
    service: Shared,
    client: Client,
    x_thread_id: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> Any:
    """Answer the user's last message: in the conversation of the header X-Thread-ID, else of `user`, else of the messages."""
    turn, thread = Turn.of(body.messages), x_thread_id or body.user
    asked: dict[str, Any] = {"client": client, "thread_id": thread, "history": [] if thread else turn.history()}
    base = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": NAME}
    if body.stream:
        return streamed(_chunks(service, turn.question, asked, base, body.sources, str(request.base_url)))
    answer = await while_heard(request, service.ask(turn.question, **asked))
    text = _text(answer, body.sources)
    message = {
        "role": "assistant",
        "content": text,
        "refusal": None,
        "annotations": _annotations(answer, str(request.base_url), nested=True),
    }
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {**base, "object": "chat.completion", "choices": [choice], "usage": _usage(answer), NAME: answer.to_dict()}


async def _chunks(
    service: Service, question: str, asked: dict[str, Any], base: dict[str, Any], sources: bool, page: str
) -> AsyncIterator[ServerSentEvent]:
    def chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> ServerSentEvent:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        return _data({**base, "object": "chat.completion.chunk", "choices": [choice], **more})

    yield chunk({"role": "assistant", "content": ""})
    try:
        async with aclosing(_pieces(service, question, asked, sources)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                if isinstance(piece, str):
                    yield chunk({"content": piece})
                else:
                    more: dict[str, Any] = {NAME: piece.to_dict()}
                    yield chunk({"annotations": _annotations(piece, page, nested=True)}, None, **more)
                    yield chunk({}, "stop", usage=_usage(piece))
    except Exception as error:
        yield _data({"error": {"message": logged(error), "type": type(error).__name__}})
    yield ServerSentEvent("[DONE]")


async def _pieces(service: Service, question: str, asked: dict[str, Any], sources: bool) -> "AsyncIterator[str | Answer]":
    """The text of an answer in pieces, then the answer. What must be checked comes when it has been."""
    said = ""
    async with aclosing(service.events(question, **asked)) as events:  # type: ignore[type-var]
        async for event in events:
            if isinstance(event, Waiting):
                continue
            if event.type == "token":
                said += event.text
                yield event.text
            elif event.answer is not None:
                text = _text(event.answer, sources)
                if text.startswith(said):
                    for line in text.removeprefix(said).splitlines(keepends=True):
                        yield line
                elif said:  # the reply was cut to what was asked
                    yield f"\n\n{text}"
                yield event.answer


# --- responses ---------------------------------------------------------------------------------------------------------


@router.post("/responses", responses=_BOTH)
async def responses(body: ResponseRequest, request: Request, service: Shared, client: Client) -> Any:
    """Answer an input; `previous_response_id` goes on from an earlier response, also from one that was not the last."""
    turn = Turn.of([Message(role="user", content=body.input)] if isinstance(body.input, str) else body.input)
    page, thread, count, before = str(request.base_url), None, 0, list[Message]()
    if body.previous_response_id is not None:
        thread, count, before = await anyio.to_thread.run_sync(_resumed, service, body.previous_response_id, body.store)
    elif body.store:
        thread = uuid.uuid4().hex
    history = [] if thread else turn.model_copy(update={"before": [*before, *turn.before]}).history()
    asked: dict[str, Any] = {"client": client, "thread_id": thread, "history": history}
    base = {
        "id": f"resp_{thread or uuid.uuid4().hex}_{count + 1}", "object": "response", "created_at": int(time.time()),
        "model": NAME,
        "previous_response_id": body.previous_response_id, "error": None, "incomplete_details": None, "instructions": None,
        "metadata": {}, "parallel_tool_calls": False, "tool_choice": "none", "tools": [], "store": thread is not None,
        "temperature": None, "top_p": None,
    }  # fmt: skip
    if body.stream:
        return streamed(_response_events(service, turn.question, asked, base, body.sources, page))
    answer = await while_heard(request, service.ask(turn.question, **asked))
    return _response(base, answer, _text(answer, body.sources), page)


def _resumed(service: Service, response_id: str, store: bool) -> tuple[str | None, int, list[Message]]:
    """The conversation of an earlier response to go on in, its turns, and what was said where nothing more is to be stored.

    Where it has gone on since that response, it is a copy up to there.
    """
    match = _RESPONSE.fullmatch(response_id)
    if match is None:
        raise SettingsError("previous_response_id names no response of this server; leave it out to begin anew")
    thread, turn = match.group(1), int(match.group(2))
    threads = service.opened().threads
    turns = threads.show(thread)
    if not store:
        said = [(("user", one.question), ("assistant", one.answer.text)) for one in turns[:turn]]
        return None, turn, [Message(role=role, content=text) for pair in said for role, text in pair]
    if len(turns) > turn:
        fork = uuid.uuid4().hex
        threads.fork(thread, fork, turn)
        thread = fork
    return thread, turn, []


def _response(base: dict[str, Any], answer: "Answer", text: str, page: str) -> dict[str, Any]:
    usage = _usage(answer)
    counts = {
        "input_tokens": usage["prompt_tokens"], "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": usage["completion_tokens"], "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage["total_tokens"],
    }  # fmt: skip
    item = _item(base, _part(text, _annotations(answer, page, nested=False)), "completed")
    return {**base, "status": "completed", "output": [item], "usage": counts, NAME: answer.to_dict()}


def _item(base: dict[str, Any], part: dict[str, Any] | None, status: str) -> dict[str, Any]:
    content = [part] if part else []
    return {
        "id": base["id"].replace("resp_", "msg_"),
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    }


def _part(text: str, annotations: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


async def _response_events(
    service: Service, question: str, asked: dict[str, Any], base: dict[str, Any], sources: bool, page: str
) -> AsyncIterator[ServerSentEvent]:
    number = -1

    def sent(kind: str, **values: Any) -> ServerSentEvent:
        nonlocal number
        number += 1
        return ServerSentEvent(json.dumps({"type": kind, "sequence_number": number, **values}, ensure_ascii=False), event=kind)

    begun = {**base, "status": "in_progress", "output": [], "usage": None}
    place = {"output_index": 0, "item_id": base["id"].replace("resp_", "msg_")}
    yield sent("response.created", response=begun)
    yield sent("response.in_progress", response=begun)
    yield sent("response.output_item.added", output_index=0, item=_item(base, None, "in_progress"))
    yield sent("response.content_part.added", **place, content_index=0, part=_part(""))
    text = ""
    try:
        async with aclosing(_pieces(service, question, asked, sources)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                if isinstance(piece, str):
                    text += piece
                    yield sent("response.output_text.delta", **place, content_index=0, delta=piece, logprobs=[])
                    continue
                yield sent("response.output_text.done", **place, content_index=0, text=text, logprobs=[])
                whole = _response(base, piece, text, page)
                yield sent("response.content_part.done", **place, content_index=0, part=whole["output"][0]["content"][0])
                yield sent("response.output_item.done", output_index=0, item=whole["output"][0])
                yield sent("response.completed", response=whole)
    except Exception as error:
        told = {"code": "server_error", "message": logged(error)}
        yield sent("response.failed", response={**begun, "status": "failed", "error": told})


# --- models and embeddings ---------------------------------------------------------------------------------------------


@router.get("/models")
def models(service: Shared) -> Any:
    """What answers, and what embeds."""
    names = dict.fromkeys((NAME, service.settings.embeddings))
    return {"object": "list", "data": [{"id": n, "object": "model", "created": 0, "owned_by": NAME} for n in names]}


@router.post("/embeddings")
async def embeddings(body: EmbeddingRequest, service: Shared, client: Client) -> Any:
    """Vectors of texts, by the model that embeds the documents."""
    texts = [body.input] if isinstance(body.input, str) else body.input
    vectors = await service.in_turn(client, lambda: service.opened().embed(texts))

    def written(vector: list[float]) -> Any:
        packed = base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
        return packed if body.encoding_format == "base64" else vector

    data = [{"object": "embedding", "index": n, "embedding": written(vector)} for n, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    return {"object": "list", "data": data, "model": service.settings.embeddings, "usage": usage}


# --- parts -------------------------------------------------------------------------------------------------------------


def _text(answer: "Answer", sources: bool) -> str:
    if not sources or not answer.citations:
        return answer.text
    lines = [f"[{n}] {_where(c)}" for n, c in enumerate(answer.citations, start=1)]
    return "\n".join([answer.text, "", "Sources:", *lines])


def _where(citation: Any) -> str:
    page = f", p. {citation.page}" if citation.page else ""
    section = f" — {citation.section}" if citation.section else ""
    return f"{citation.file}{page}{section}"


def _annotations(answer: "Answer", page: str, *, nested: bool) -> list[dict[str, Any]]:
    """The citations, at the marks in the text that they belong to; each leads to its place on the server's page."""
    found = []
    for match in _MARK.finditer(answer.text):
        number = int(match.group(1))
        if 1 <= number <= len(answer.citations):
            one = answer.citations[number - 1]
            place = {"start_index": match.start(), "end_index": match.end(), "title": _where(one)}
            values = {**place, "url": f"{page}#/d/{quote(one.file, safe='')}/{one.start}-{one.end}"}
            found.append({"type": "url_citation", **({"url_citation": values} if nested else values)})
    return found


def _usage(answer: "Answer") -> dict[str, int]:
    read, wrote = answer.usage.get("input_tokens", 0), answer.usage.get("output_tokens", 0)
    return {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}


def _data(values: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(values, ensure_ascii=False))
