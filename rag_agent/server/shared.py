"""What routes are given."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Annotated, Any, TypeVar

import anyio
from fastapi import Depends, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from rag_agent.errors import RagAgentError
from rag_agent.server.schemas import Error
from rag_agent.server.service import Service, line_of

__all__ = ["ERRORS", "EVENTS", "Client", "Shared", "logged", "streamed", "while_heard"]

EVENTS: dict[str, Any] = {
    "text/event-stream": {
        "schema": {
            "type": "object",
            "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
            "required": ["data"],
        }
    }
}
"""Server-sent events, for OpenAPI."""

_log = logging.getLogger("rag_agent.server")
_PING = 15  # seconds between signs of life on a stream
_GRACE = 60.0  # seconds that a turn has to end in when the server is stopped
_LOOK = 0.2  # seconds between looks whether the caller still listens
Found = TypeVar("Found")


def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


def _client(request: Request, x_client_id: Annotated[str | None, Header(max_length=200)] = None) -> str:
    address = request.client.host if request.client else "?"
    return f"{address} {x_client_id}" if x_client_id else address


Shared = Annotated[Service, Depends(_service)]
Client = Annotated[str, Depends(_client)]
"""Who asks, for a fair order: the address, and the header X-Client-ID where one address has several callers."""

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Error, "description": "The request, or a setting, cannot be used"},
    401: {"model": Error, "description": "The token is missing or wrong"},
    403: {"model": Error, "description": "Asked by another site's page"},
    404: {"model": Error, "description": "There is no such thing"},
    409: {"model": Error, "description": "The conversation does not allow that"},
    413: {"model": Error, "description": "Too large"},
    422: {"model": Error, "description": "Something in the request is missing or wrong"},
    503: {"model": Error, "description": "Not ready, or too many wait"},
}


async def while_heard(request: Request, work: Coroutine[Any, Any, Found]) -> Found:
    """The result of some work, which stops when the caller goes away."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=_LOOK))[0]:
            if await request.is_disconnected():
                raise asyncio.CancelledError
        return task.result()
    finally:
        task.cancel()


def streamed(events: AsyncIterator[ServerSentEvent]) -> EventSourceResponse:
    """Events as they come; a server that is stopped lets them come to their end."""
    return EventSourceResponse(events, ping=_PING, shutdown_event=anyio.Event(), shutdown_grace_period=_GRACE)


def logged(error: Exception) -> str:
    """What is told of an error in a stream; one that should not happen goes to the log whole."""
    if not isinstance(error, RagAgentError):
        _log.exception("a turn failed")
    return line_of(error)
