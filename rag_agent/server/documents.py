"""Routes over the documents: list, read, show a page, add files, index."""

import os
import tempfile
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Query, UploadFile
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from rag_agent.documents.formats import suffix_of
from rag_agent.errors import DocumentsError, SettingsError
from rag_agent.server.pictures import picture_of
from rag_agent.server.schemas import FileOut, StatusOut, TextOut, UploadOut
from rag_agent.server.service import Service
from rag_agent.server.shared import ERRORS, Shared

router = APIRouter(prefix="/api", tags=["documents"], responses=ERRORS)

_LONGEST_NAME = 150
_BLOCK = 1024**2
_RESERVED = frozenset('<>:"/\\|?*')


@router.get("/documents", response_model=list[FileOut])
def list_documents(service: Shared) -> Any:
    """The files that are indexed."""
    found = []
    for file in service.agent().files():
        path = _path(service, file)
        stat = path.stat() if path is not None else None
        changed = datetime.fromtimestamp(stat.st_mtime, UTC).isoformat(timespec="seconds") if stat else None
        found.append({"file": file, "size": stat.st_size if stat else None, "changed": changed})
    return found


@router.get("/documents/{file:path}", response_model=TextOut)
def read_document(file: str, service: Shared) -> Any:
    """The text of a file, in which the offsets of citations count."""
    return {"file": file, "text": service.agent().read(file), "pictures": file.lower().endswith(".pdf")}


@router.get(
    "/pages/{page}/{file:path}",
    response_class=Response,
    responses={
        200: {
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
            "description": "The page, with the words marked",
        }
    },
)
def show_page(page: int, file: str, service: Shared, quote: Annotated[list[str] | None, Query(max_length=20)] = None) -> Response:
    """A page of a PDF file as a picture, with quotes marked; pages count from 1."""
    path = _path(service, file) if file in service.agent().files() else None
    if path is None or path.suffix.lower() != ".pdf":
        raise DocumentsError(f"there is no PDF file '{file[:200]}' among the documents")
    return Response(picture_of(path, page, quote or []), media_type="image/png")


@router.post("/documents", response_model=UploadOut)
async def add_documents(
    service: Shared, files: Annotated[list[UploadFile], File(description="Files to add", min_length=1, max_length=100)]
) -> Any:
    """Store files in the folder of the documents and index them; a file of that name is not overwritten."""
    if not service.takes_files:
        raise SettingsError("the documents are no folder, so files cannot be added; start the server with --docs FOLDER")
    stored, refused = list[str](), list[dict[str, str]]()
    for file in files:
        name = file.filename or ""
        if why := _unfit(service, name):
            refused.append({"file": name[:_LONGEST_NAME], "why": why})
        else:
            await _stored(service.docs / name, file)  # type: ignore[operator]  # takes_files
            stored.append(name)
    if stored:
        await run_in_threadpool(service.index_soon)
    return {"stored": stored, "refused": refused}


@router.post("/index", response_model=StatusOut)
def index(service: Shared, full: bool = False) -> Any:
    """Bring the index up to date in the background, as `/api/status` tells; `full` compares all files by their bytes."""
    service.opened()
    if service.status.state != "indexing":
        service.index_soon(full=full)
    return service.told()


def _unfit(service: Service, name: str) -> str | None:
    """Why a file cannot be stored under a name."""
    bad = any(c in _RESERVED or unicodedata.category(c)[0] == "C" for c in name)
    if not name or bad or name != name.strip(" ") or name.startswith(".") or len(name.encode()) > _LONGEST_NAME:
        return "its name cannot be used here; rename it"
    if not suffix_of(name):
        return "files of this kind are not read"
    assert service.docs is not None
    if os.path.lexists(service.docs / name):
        return "there is a file of this name already; rename it, or replace it in the folder"
    return None


async def _stored(path: Path, file: UploadFile) -> None:
    """Write the whole file, then give it its name: an index never sees half of it."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".upload-")
    try:
        with os.fdopen(handle, "wb") as out:
            while block := await file.read(_BLOCK):
                out.write(block)
        os.chmod(draft, 0o644)
        os.link(draft, path)  # fails where the name was taken meanwhile
    except OSError as error:
        raise DocumentsError(f"{path.name} cannot be stored ({error.strerror}); see to the folder and send it again") from error
    finally:
        os.unlink(draft)


def _path(service: Service, file: str) -> Path | None:
    """Where an indexed file lies, if it lies within the root: names come from the index, never from a request."""
    if service.docs is None:
        return None
    root = service.docs if service.docs.is_dir() else service.docs.parent
    path = root / file
    return path if path.is_file() and path.resolve().is_relative_to(root.resolve()) else None
