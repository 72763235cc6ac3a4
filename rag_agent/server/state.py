"""Routes that tell how the server is: health, readiness, metrics, what answers."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.responses import Response

import rag_agent
from rag_agent.documents.formats import FORMATS
from rag_agent.documents.structures import TEXTS
from rag_agent.server.measures import CONTENT_TYPE
from rag_agent.server.schemas import AboutOut, StatusOut
from rag_agent.server.shared import Shared

router = APIRouter(tags=["state"])


@router.get("/health")
def health() -> dict[str, str]:
    """Whether the process answers at all."""
    return {"status": "ok"}


@router.get("/ready", responses={503: {"model": StatusOut, "description": "Not yet, or not at all"}}, response_model=StatusOut)
def ready(service: Shared) -> Any:
    """Whether questions can be asked: 503 while models load and documents are indexed, and where they cannot be."""
    return JSONResponse(service.told(), 200 if service.status.state == "ready" else 503)


@router.get("/api/status", response_model=StatusOut)
def status(service: Shared) -> Any:
    """How far loading and indexing are."""
    return service.told()


@router.get("/api/about", response_model=AboutOut)
def about(service: Shared) -> Any:
    """What answers, and from what."""
    settings = service.settings
    return {
        "version": rag_agent.__version__,
        **{name: getattr(settings, name) for name in ("model", "embeddings", "k", "answer", "judge", "refusal_threshold")},
        "docs": service.docs.name if service.docs else None,
        "uploads": service.takes_files,
        "suffixes": sorted({*FORMATS, *TEXTS}),
    }


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
def metrics(service: Shared) -> Response:
    """Counts in Prometheus' text format."""
    return Response(service.measures.text(), headers={"content-type": CONTENT_TYPE})
