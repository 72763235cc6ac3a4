"""A real server on a free loopback port, in a thread of the test's process."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from rag_agent import RagAgent, Settings
from rag_agent.server.app import application
from rag_agent.server.guard import Rules
from rag_agent.server.service import Service
from rag_agent.testing import CountEmbeddings, ScriptedChat

LOOPBACK = "127.0.0.1"


@contextmanager
def serving(
    docs: Path | None,
    words: tuple[str, ...],
    *,
    model: Any = None,
    rules: Rules | None = None,
    ready: bool = True,
    settings: dict[str, Any] | None = None,
    **given: Any,
) -> Iterator[httpx.Client]:
    """A client of a server over `docs`, with doubles for its models; `client.base_url` is its address."""
    chosen = Settings.load(home=Path("home"), **(settings or {}))

    def make() -> RagAgent:
        chat = model or ScriptedChat(lambda messages: "Nothing.")
        return RagAgent(docs, model=chat, embeddings=CountEmbeddings(words), settings=chosen)

    service = Service(chosen, docs, make, **given)
    with running(application(service, rules)) as address, httpx.Client(base_url=address, timeout=60) as client:
        if ready:
            until(lambda: service.status.state not in ("loading", "indexing"))
        yield client


@contextmanager
def running(app: Any) -> Iterator[str]:
    """The address of an application while it runs."""
    server = uvicorn.Server(uvicorn.Config(app, LOOPBACK, 0, log_config=None, timeout_graceful_shutdown=10))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield f"http://{LOOPBACK}:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that happens in the background."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def events(client: httpx.Client, question: str, thread_id: str | None = None, **given: Any) -> list[tuple[str, dict[str, Any]]]:
    """The server-sent events of a question."""
    import json

    found = []
    with client.stream("POST", "/api/ask/events", json={"question": question, "thread_id": thread_id}, **given) as response:
        response.raise_for_status()
        kind = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append((kind, json.loads(line.removeprefix("data: "))))
    return found
