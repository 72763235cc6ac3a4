"""`rag-agent doctor`: what is there, what can be reached, how much memory there is, and what to type next."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rag_agent.errors import BackendError, RagAgentError
from rag_agent.index.index import left_unread, size
from rag_agent.index.int8 import EXACT_TO, Speeds
from rag_agent.models import embedded, reader
from rag_agent.settings import Settings

_PACKAGES = ("torch", "transformers", "langgraph", "langchain-core", "langchain-ollama")
_NEEDED = 1.5  # GB: what a question takes with the embedded models, measured with /usr/bin/time


@dataclass(frozen=True)
class Finding:
    """A line of the report."""

    what: str
    ok: bool
    state: str
    next_step: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at the parts in the order in which a question needs them. Nothing is loaded or changed."""
    return [
        *_python(), _home(settings), _memory(), _embedded(settings), _reader(settings), _ollama(), _documents(settings),
        *_search(settings), *_not_read(settings),
    ]  # fmt: skip


def _python() -> Iterator[Finding]:
    yield Finding("Python", True, sys.version.split()[0])
    for package in _PACKAGES:
        try:
            yield Finding(package, True, version(package))
        except PackageNotFoundError:
            yield Finding(package, False, "missing", f"pip install {package}")


def _home(settings: Settings) -> Finding:
    folder = settings.folder
    if folder is None:
        return Finding("home", True, "in memory: nothing is kept")
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        return Finding("home", True, str(folder))
    return Finding("home", False, f"{folder} cannot be written", "set RAG_AGENT_HOME to a folder that can")


def _memory() -> Finding:
    pages = os.sysconf("SC_AVPHYS_PAGES") if "SC_AVPHYS_PAGES" in os.sysconf_names else 0
    free = pages * os.sysconf("SC_PAGE_SIZE") / 1e9
    state = f"{free:.1f} GB free; the embedded models take about {_NEEDED} GB"
    return Finding("memory", free >= _NEEDED, state, "" if free >= _NEEDED else "close other programs")


def _embedded(settings: Settings) -> Finding:
    if embedded.is_pulled(settings):
        return Finding("embedded models", True, "here")
    return Finding("embedded models", False, "not here yet", "rag-agent models pull embedded")


def _reader(settings: Settings) -> Finding:
    """A model that answers in sentences; nothing needs it, so a machine without is as well as one with it."""
    if where := reader.place(settings) or (f"the Ollama server, as {reader.ON_SERVER}" if reader.on_server() else None):
        return Finding("reader", True, f"{where}; answers in sentences", "rag-agent ask QUESTION --model reader")
    state = f"not here; quotes need none, answers in sentences do: {reader.NAME}, {reader.COST}"
    return Finding("reader", True, state, "rag-agent models pull reader")


def _ollama() -> Finding:
    from rag_agent.models.ollama_server import server_models

    try:
        models = [name for name, _ in server_models()]
    except BackendError:
        return Finding("Ollama", False, "no server answers (only needed for ollama: models)", "ollama serve")
    return Finding("Ollama", True, ", ".join(models) or "a server without models", "" if models else "ollama pull llama3.1:8b")


def _search(settings: Settings) -> Iterator[Finding]:
    """How long the vectors of the index take to scan, either way, and which way is the better one."""
    docs = settings.docs or Path("rag_data")
    try:
        rows, dimensions = size(settings.folder, docs) if settings.folder else (0, 0)
    except RagAgentError:  # told below
        return
    if not rows or not dimensions:
        return
    speeds = Speeds.measured(rows, dimensions)
    large, here = rows * dimensions * 4 > EXACT_TO, speeds.int8 is not None
    state = f"{rows:,} vectors: exact {speeds.exact:.1f} ms a question over {rows * dimensions * 4 / 1e6:,.0f} MB"
    if here:
        state += f", in eight bits {speeds.int8:.1f} ms over {rows * (dimensions + 4) / 1e6:,.0f} MB"
    over = settings.search == "int8" or (settings.search == "auto" and large and here)
    step = ""
    if not here and (large or settings.search == "int8"):
        step = 'pip install "rag-agent[int8]"'
    elif large and settings.search == "exact":
        step = "leave out the setting search"
    yield Finding("search", not step, f"{state}; it is {'int8' if over else 'exact'}", step)


def _not_read(settings: Settings) -> Iterator[Finding]:
    """What the index of the documents lacks of its files, a line a file."""
    docs = settings.docs or Path("rag_data")
    try:
        told = left_unread(settings.folder, docs) if settings.folder else ()
    except RagAgentError as error:
        yield Finding("index", False, str(error), f"rag-agent index {docs}")
        return
    things: dict[str, list[str]] = {}
    for file, thing in told:
        things.setdefault(file, []).append(thing)
    for file, parts in things.items():
        yield Finding("not read", False, f"{file}: {'; '.join(parts)}")


def _documents(settings: Settings) -> Finding:
    docs = settings.docs
    if docs is None:
        return Finding("documents", True, "no default; ./rag_data where it exists", "rag-agent ask QUESTION --docs PATH")
    return Finding("documents", docs.exists(), str(docs), "" if docs.exists() else "set docs to a folder that exists")
