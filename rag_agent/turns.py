"""One turn of `RagAgent` while it runs: kept whole, called off when nobody listens, told as events."""

import asyncio
import contextvars
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from rag_agent.answers import Answer, Event
from rag_agent.errors import SettingsError
from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.memory.locks import Held, ThreadLocks
from rag_agent.workflows.context import stoppable

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    Compiled = CompiledStateGraph[Any, Any, Any, Any]

_LOOK_AGAIN = 0.02  # seconds between looks at a conversation that another turn holds
_STEPS = 25  # nodes a turn may visit; the longest way through the graph has 11


class KeptWhole:
    """The time of one turn: no other turn of the conversation runs, and a process that is killed leaves a note of it."""

    def __init__(self, thread_id: str | None, question: str, locks: ThreadLocks, saver: BaseCheckpointSaver[Any] | None) -> None:
        self._thread_id = thread_id
        self._question = question
        self._locks = locks
        self._saver = saver if isinstance(saver, Checkpointer) else None
        self._held: Held | None = None

    def __enter__(self) -> None:
        if self._thread_id is not None:
            self._held = self._locks.acquire(self._thread_id)
            self._begin(self._thread_id)

    async def __aenter__(self) -> None:
        if self._thread_id is not None:
            # A thread that waits for the lock could not be called off; it would take it and never give it back.
            while (held := self._locks.acquire(self._thread_id, wait=False)) is None:
                await asyncio.sleep(_LOOK_AGAIN)
            self._held = held
            self._begin(self._thread_id)

    def _begin(self, thread_id: str) -> None:
        try:
            if self._saver:
                self._saver.begin(thread_id, self._question)
        except BaseException:
            self._let_go()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is not None and self._saver and self._thread_id is not None:
                self._saver.give_up(self._thread_id)
        finally:
            self._let_go()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.__exit__(kind, error, trace)

    def _let_go(self) -> None:
        if self._held:
            self._held.release()


class Running:
    """The graph at work in a thread of its own.

    Left to itself, LangGraph waits for a running node to end before it lets go of a Ctrl-C or of a caller who stops
    listening; a model may write for a minute more. From here the node is told to stop, and does at the next token.
    """

    def __init__(
        self, graph: "Compiled", values: dict[str, Any], config: RunnableConfig, options: dict[str, Any], user: str | None = None
    ) -> None:
        self._parts: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._stop = threading.Event()
        context = stoppable(self._stop.is_set, user)
        work = partial(self._work, graph, values, config, {**options, "context": context})
        # Callbacks and tracers of the caller travel in its context variables.
        self._thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)

    def _work(self, graph: "Compiled", values: dict[str, Any], config: RunnableConfig, options: dict[str, Any]) -> None:
        try:
            for part in graph.stream(values, config, **options):
                self._parts.put(part)
        except BaseException as error:  # raised again where the parts are read
            self._parts.put(error)
        finally:
            self._parts.put(None)

    def __iter__(self) -> Iterator[Any]:
        while (part := self._parts.get()) is not None:
            if isinstance(part, BaseException):
                raise part
            yield part

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


class TurnEvents:
    """Turns what the graph tells into events, and keeps time."""

    def __init__(self, thread_id: str | None) -> None:
        self._thread_id = thread_id
        self._began: dict[str, float] = {}
        self._timings: dict[str, float] = {}
        self._start = time.perf_counter()
        self._values: dict[str, Any] | None = None
        self.messages: list[AnyMessage] = []
        """What the conversation keeps of the turn."""

    def event(self, part: Any) -> Event | None:
        """What to tell of a part of the stream, if anything."""
        data = part["data"]
        if part["type"] == "custom":
            return Event(data["type"], text=data["text"], standing=data.get("standing"))
        node = data["name"]
        if "result" not in data and "error" not in data:
            self._began[data["id"]] = time.perf_counter()
            return Event("step", node=node)
        spent = time.perf_counter() - self._began.get(data["id"], self._start)
        self._timings[node] = self._timings.get(node, 0.0) + spent
        if isinstance(data.get("result"), dict) and "answer" in data["result"]:
            self._values = data["result"]["answer"]
            self.messages = data["result"]["messages"]
        return Event("step", node=node, ended=True)

    def answer(self) -> Answer:
        """The answer that the turn ended in."""
        assert self._values is not None  # every way through the graph ends in a node that answers
        timings = {**self._timings, "total": time.perf_counter() - self._start}
        return replace(Answer.from_dict(self._values), thread_id=self._thread_id, timings=timings)


def not_empty(text: str, what: str) -> str:
    """What was typed, without the white space around it.

    Raises:
        SettingsError: Nothing is left, or it is no text.
    """
    if not text.strip():
        raise SettingsError(f"the {what} is empty; write what you want to know")
    return _unicode(text.strip(), what)


def _unicode(text: str, what: str) -> str:
    """Refuse what a shell makes of bytes that are no UTF-8: no file and no model could take it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SettingsError(f"the {what} is not valid text (character {error.start + 1}); write it in UTF-8") from error
    return text


ThreadID = str | int | UUID
"""What names a conversation. Numbers and UUIDs are taken as the text that they are written as."""


def thread_name(thread_id: ThreadID) -> str:
    """The ID of a conversation as text.

    Raises:
        SettingsError: It is no text, number or UUID, or it is empty.
    """
    if isinstance(thread_id, bool) or not isinstance(thread_id, ThreadID):
        raise SettingsError(f"the thread ID is a {type(thread_id).__name__}; name the conversation by a text, a number or a UUID")
    if not str(thread_id):
        raise SettingsError("the thread ID is empty; name the conversation, or leave the ID out")
    return _unicode(str(thread_id), "thread ID")


def run_config(thread_id: str | None) -> RunnableConfig:
    """What LangGraph is told about a turn."""
    configurable = {} if thread_id is None else {"thread_id": thread_id}
    return {"configurable": configurable, "recursion_limit": _STEPS}


def run_options(thread_id: str | None) -> dict[str, Any]:
    """How a run is told about and kept: one checkpoint a turn, so that a turn is kept whole or not at all."""
    told: dict[str, Any] = {"stream_mode": ["tasks", "custom"], "version": "v2"}
    return told if thread_id is None else {**told, "durability": "exit"}
