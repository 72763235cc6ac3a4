"""One agent behind many requests: made in the background, asked in a fair order, stopped when nobody listens."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_agent.errors import DocumentsError, RagAgentError
from rag_agent.server.line import Line
from rag_agent.server.measures import Measures
from rag_agent.server.schemas import State
from rag_agent.server.spans import Spans

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from rag_agent.agent import RagAgent
    from rag_agent.answers import Answer, Event, IndexReport
    from rag_agent.settings import Settings

__all__ = ["NotReadyError", "Service", "Status", "Waiting", "line_of"]

_log = logging.getLogger("rag_agent.server")
_AT_ONCE = 2
_MOST_WAITING = 64


class NotReadyError(RagAgentError):
    """The documents or the models cannot be used; the message says why."""


@dataclass(frozen=True)
class Status:
    """How far the agent is."""

    state: State
    message: str = ""
    """Why it is `empty` or `failed`, in one line."""
    done: int = 0
    total: int = 0
    """Chunks embedded and to embed, while `indexing`."""
    files: int = 0
    chunks: int = 0
    not_read: tuple[tuple[str, str], ...] = ()
    """Files that were passed over, and what was not read of others, with the reason."""


@dataclass(frozen=True)
class Waiting:
    """The place in the line, counted from 1."""

    place: int


class Service:
    """What the requests share."""

    def __init__(
        self,
        settings: "Settings",
        docs: Path | None,
        make: "Callable[[], RagAgent]",
        *,
        at_once: int = _AT_ONCE,
        watch: bool = False,
    ) -> None:
        """Name the parts; `start` makes them.

        Args:
            settings: The agent's.
            docs: The root of its documents; None is plain chat.
            make: Makes the agent; called once, in a thread.
            at_once: How many questions are worked on at a time.
            watch: Whether to index changes of the documents as they happen.
        """
        self.settings = settings
        self.docs = docs.expanduser().absolute() if docs else None
        self.line = Line(at_once, _MOST_WAITING)
        self.measures = Measures(self)
        self.status = Status("loading")
        self._make = make
        self._made: RagAgent | None = None
        self._watch = watch
        self._ready = threading.Event()
        self._indexing = threading.Lock()

    @property
    def takes_files(self) -> bool:
        """Whether files can be added: the documents are a folder."""
        return self.docs is not None and self.docs.is_dir()

    # --- the agent -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the agent and bring its index up to date, in the background."""
        threading.Thread(target=self._load, daemon=True, name="rag-agent-load").start()

    def _load(self) -> None:
        try:
            self._made = self._make()
            self.index()
            if self.status.state == "ready":
                found, self.status = self.status, replace(self.status, state="loading")
                self._warm()
                self.status = found
        except Exception as error:
            if not isinstance(error, RagAgentError):
                _log.exception("the agent cannot be made")
            self.status = Status("failed", line_of(error))
        finally:
            self._ready.set()
        if self._watch and self.docs and self._made:
            threading.Thread(target=self._keep, daemon=True, name="rag-agent-watch").start()

    def index_soon(self, *, full: bool = False) -> None:
        """Bring the index up to date, in the background."""
        self.status = replace(self.status, state="indexing", message="", done=0, total=0)
        threading.Thread(target=self.index, kwargs={"full": full}, daemon=True, name="rag-agent-index").start()

    def index(self, *, full: bool = False) -> None:
        """Bring the index up to date; the status tells how far it is, and why it cannot."""
        assert self._made is not None
        if self.docs is None:
            self.status = Status("ready")
            return
        with self._indexing:
            self.status = replace(self.status, state="indexing", message="", done=0, total=0)

            def told(done: int, total: int) -> None:
                self.status = replace(self.status, done=done, total=total)

            try:
                self._indexed(self._made.index(rebuild=full, progress=told))
            except DocumentsError as error:
                self.status = Status("empty", line_of(error))
            except RagAgentError as error:
                self.status = Status("failed", line_of(error))

    def _indexed(self, report: "IndexReport") -> None:
        not_read = (*report.skipped, *report.told)
        self.status = Status("ready", files=report.files, chunks=report.chunks, not_read=not_read)

    def _warm(self) -> None:
        """Load what the first question would wait for."""
        assert self._made is not None
        if self.docs is not None:
            self._made.explain("What is this about?")
        self._made.threads.list()
        _ = self._made.graph

    def _keep(self) -> None:
        from rag_agent.watching import kept_up_to_date

        assert self._made is not None and self.docs is not None
        for found in kept_up_to_date(self._made, self.docs, self._made.settings.folder):
            if isinstance(found, RagAgentError):
                self.status = replace(self.status, message=line_of(found))
            else:
                self._indexed(found)

    def agent(self) -> "RagAgent":
        """The agent, when it is made and indexed. Blocks: call it in a thread.

        Raises:
            NotReadyError: It cannot be made, or there are no documents.
        """
        self._ready.wait()
        if self._made is None or self.status.state in ("failed", "empty"):
            raise NotReadyError(self.status.message)
        return self._made

    def opened(self) -> "RagAgent":
        """The agent, whether or not its documents can be read: for what needs the conversations alone."""
        self._ready.wait()
        if self._made is None:
            raise NotReadyError(self.status.message)
        return self._made

    def close(self) -> None:
        """Close the agent."""
        if self._made is not None:
            self._made.close()

    # --- questions -----------------------------------------------------------------------------------------------------

    async def events(
        self, question: str, *, client: str, thread_id: str | None = None, history: "Sequence[BaseMessage]" = ()
    ) -> "AsyncIterator[Event | Waiting]":
        """Answer a question: places in the line first, then the events of `RagAgent.astream`.

        Close it, or cancel the task that reads it, and the work stops.

        Raises:
            LineFullError: Too many wait.
            RagAgentError: The question cannot be answered.
        """
        async with self.line.enter(client) as ticket:
            async for place in ticket.places():
                yield Waiting(place)
            agent = await asyncio.to_thread(self.agent)
            spans = Spans()
            async with aclosing(agent.astream(question, thread_id=thread_id, history=history)) as events:  # type: ignore[type-var]
                with self.measures.running():
                    async for event in events:
                        spans.event(event)
                        if event.answer is not None:
                            self.measures.answered(event.answer)
                        yield event

    async def ask(
        self, question: str, *, client: str, thread_id: str | None = None, history: "Sequence[BaseMessage]" = ()
    ) -> "Answer":
        """Answer a question; see `events`."""
        async with aclosing(self.events(question, client=client, thread_id=thread_id, history=history)) as events:  # type: ignore[type-var]
            async for event in events:
                if not isinstance(event, Waiting) and event.answer is not None:
                    return event.answer
        raise AssertionError("the events end with the answer")

    async def in_turn(self, client: str, work: Callable[[], Any]) -> Any:
        """Do other heavy work in a thread, when it is its turn."""
        async with self.line.enter(client) as ticket:
            async for _ in ticket.places():
                pass
            return await asyncio.to_thread(work)

    def told(self) -> dict[str, Any]:
        """The status as plain values."""
        not_read = [{"file": file, "why": why} for file, why in self.status.not_read]
        return {
            **asdict(self.status),
            "not_read": not_read,
            "waiting": self.line.waiting,
            "docs": self.docs.name if self.docs else None,
        }


def line_of(error: Exception) -> str:
    """What is told of an error: its own line where it was expected, else its name; the log has the rest."""
    if isinstance(error, RagAgentError):
        return " ".join(str(error).split())
    return f"an error that should not happen ({type(error).__name__}); the log of the server tells more"
