"""The application: the routes behind their guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from mcp.server.transport_security import TransportSecuritySettings
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

import rag_agent
from rag_agent.errors import DocumentsError, RagAgentError, SettingsError, ThreadError, ThreadNotFoundError
from rag_agent.server import asking, conversations, documents, openai, state
from rag_agent.server.guard import Guard, Rules
from rag_agent.server.line import LineFullError
from rag_agent.server.mcp import server_of
from rag_agent.server.service import NotReadyError, Service, line_of

__all__ = ["application"]

PAGE = Path(__file__).parent / "page"
# The first that an error is one of.
_STATUS: tuple[tuple[type[RagAgentError], int], ...] = (
    (LineFullError, 503),
    (NotReadyError, 503),
    (ThreadNotFoundError, 404),
    (ThreadError, 409),
    (DocumentsError, 404),
    (SettingsError, 400),
    (RagAgentError, 503),
)


def application(service: Service, rules: Rules | None = None) -> Guard:
    """The ASGI application of a service; it starts the service when it starts, and closes it at its end."""
    rules = rules or Rules()
    # The guard in front has checked host and origin.
    checked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    mcp = server_of(service.opened).streamable_http_app(transport_security=checked)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with mcp.router.lifespan_context(mcp):
            service.start()
            yield
        service.close()

    app = FastAPI(
        title="rag-agent", version=rag_agent.__version__, lifespan=lifespan,
        summary="Ask your own documents; every statement stands on a quote that can be checked.",
        docs_url=None, redoc_url=None, openapi_url="/openapi.json",
    )  # fmt: skip
    app.state.service, app.state.rules = service, rules
    for router in (state.router, asking.router, conversations.router, documents.router, openai.router):
        app.include_router(router)
    for kind, _ in _STATUS:
        app.add_exception_handler(kind, _told)
    for other in (RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(other, _told)
    app.router.routes.extend(mcp.routes)
    app.add_api_route("/", _page, methods=["GET"], include_in_schema=False)
    app.mount("/static", StaticFiles(directory=PAGE))
    return Guard(app, rules, service.measures.requested)


async def _page() -> Response:
    return FileResponse(PAGE / "index.html", headers={"cache-control": "no-cache"})


def _said(error: Exception) -> tuple[int, str]:
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return 422, f"{'.'.join(str(part) for part in first['loc'][1:]) or 'the request'}: {first['msg']}"
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail)
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500), line_of(error)


async def _told(request: Request, error: Exception) -> JSONResponse:
    status, message = _said(error)
    headers = {"retry-after": "2"} if status == 503 else None
    if request.url.path.startswith("/v1/"):
        return JSONResponse(
            {"error": {"message": message, "type": type(error).__name__, "param": None, "code": None}}, status, headers
        )
    return JSONResponse({"error": message}, status, headers)
