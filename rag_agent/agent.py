"""`RagAgent`: documents, a model and a memory behind one object."""

import asyncio
import contextvars
import queue
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig
from langchain_core.vectorstores import VectorStore
from langgraph.checkpoint.base import BaseCheckpointSaver

from rag_agent.answers import Answer, Event, Hit, IndexReport
from rag_agent.documents import Splitter
from rag_agent.errors import DocumentsError, SettingsError, ThreadError
from rag_agent.index import Index, Library, Progress, VectorStoreLibrary
from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.memory.locks import Held, ThreadLocks
from rag_agent.memory.threads import Threads
from rag_agent.models import chat_model, name_of
from rag_agent.models import embeddings as embedding_model
from rag_agent.settings import MEMORY, Settings
from rag_agent.workflows import agent_graph
from rag_agent.workflows.state import TurnContext

if TYPE_CHECKING:
    from langgraph.graph import StateGraph
    from langgraph.graph.state import CompiledStateGraph

    from rag_agent.workflows.state import AgentState

    Compiled = CompiledStateGraph[Any, Any, Any, Any]

_LOOK_AGAIN = 0.02  # seconds between looks at a conversation that another turn holds
_STEPS = 25  # nodes a turn may visit; the longest way through the graph has 11


class RagAgent:
    """Answers questions about documents; every statement stands on a quote that can be checked.

    Use it as a context manager, or call `close`. One agent may be used by several threads at once; turns of one
    conversation wait for each other.
    """

    def __init__(
        self,
        docs: str | Path | None = None,
        *,
        model: str | BaseChatModel | None = None,
        embeddings: str | Embeddings | None = None,
        system: str | None = None,
        home: str | Path | None = None,
        settings: Settings | None = None,
        vector_store: VectorStore | None = None,
        checkpointer: BaseCheckpointSaver[Any] | None = None,
    ) -> None:
        """Name the parts. Nothing is loaded or opened before it is needed.

        Args:
            docs: A folder or file; None is plain chat with memory, unless there is a `vector_store`.
            model: `provider:model`, or any LangChain chat model.
            embeddings: `provider:model`, or any LangChain embeddings.
            system: The assistant's role.
            home: The folder that keeps index, threads and models; ":memory:" writes nothing.
            settings: Everything else that can be set; the arguments before come first.
            vector_store: Any LangChain vector store in place of an index over `docs`.
            checkpointer: Any LangGraph saver in place of the one in the home folder.

        Raises:
            SettingsError: A setting cannot be used, or `docs` and `vector_store` are both given.
        """
        self.settings = _merged(settings, system=system, home=home)
        if docs is not None and vector_store is not None:
            raise SettingsError("docs and vector_store are both given; leave one out")
        self._docs = Path(docs) if docs is not None else None
        self._vector_store = vector_store
        self._given_model = model if model is not None else self.settings.model
        self._given_embeddings = embeddings if embeddings is not None else self.settings.embeddings
        self._given_checkpointer = checkpointer
        self._indexed = False

    # --- documents -----------------------------------------------------------------------------------------------------

    def index(self, *, rebuild: bool = True, progress: Progress | None = None) -> IndexReport:
        """Bring the index up to date with the documents; runs by itself, with `rebuild=False`, before the first question.

        Args:
            rebuild: Make an index anew that is damaged or was made with other settings, instead of refusing it.
            progress: Called with the number of chunks embedded and to embed.

        Raises:
            DocumentsError: There are no documents, or none that can be read.
            IndexFileError: The index is damaged or was made with other settings, and `rebuild` is false.
        """
        if self._index is None:
            raise DocumentsError('this agent has no documents to index; name them with RagAgent("folder") or --docs PATH')
        report = self._index.update(rebuild=rebuild, progress=progress or (lambda done, total: None))
        self._indexed = True
        return report

    def search(self, query: str, k: int | None = None) -> list[Hit]:
        """The k chunks that answer a query best, best first.

        Raises:
            DocumentsError: There are no documents.
            SettingsError: The query is empty.
        """
        if self._library is None:
            raise DocumentsError('this agent has no documents to search; make it with RagAgent("folder")')
        self._ready()
        return self._library.search([(_not_empty(query, "query"), 1.0)], k or self.settings.k)

    def read(self, file: str) -> str:
        """The text of a file of the documents, in which the offsets of hits and citations count.

        Raises:
            DocumentsError: There is no such file.
        """
        if self._index is None:
            raise DocumentsError("this agent keeps no files; it has no documents, or a vector store of its own")
        self._ready()
        return self._index.text(file)

    # --- questions -----------------------------------------------------------------------------------------------------

    def ask(self, question: str, *, thread_id: str | None = None) -> Answer:
        """Answer a question.

        Args:
            question: What to answer.
            thread_id: The conversation it belongs to, any non-empty text; None is a question of its own, not stored.

        Raises:
            RagAgentError: The documents, a model, or the home cannot be used.
        """
        for event in self.stream(question, thread_id=thread_id):
            if event.answer is not None:
                return event.answer
        raise AssertionError("a stream ends with its answer")

    def stream(self, question: str, *, thread_id: str | None = None) -> Iterator[Event]:
        """Answer a question step by step: see `Event`. Unchecked text is never streamed; the last event has the answer."""
        question, config = _not_empty(question, "question"), _config(thread_id)
        self._ready()
        turn = _Turn(thread_id)
        with self._kept_whole(thread_id, question):
            graph = self._graph if thread_id is not None else self._forgetful_graph
            with _Running(graph, question, config, _options(thread_id)) as run:
                for part in run:
                    if event := turn.event(part):
                        yield event
        yield Event("answer", answer=turn.answer())

    def edit(self, thread_id: str, turn: int, question: str) -> Answer:
        """Ask another question in place of a turn's; what came after it is no longer part of the conversation.

        The former turns stay among the checkpoints: `threads.rewind` to a later turn brings them back.

        Args:
            thread_id: The conversation.
            turn: Which turn, counted from 1.
            question: What to ask instead.

        Raises:
            RagAgentError: There is no such turn, or the question cannot be answered; then the conversation is as it was.
        """
        question = _not_empty(question, "question")
        before = self.threads.show(thread_id)
        if not 1 <= turn <= len(before):
            raise ThreadError(f"thread '{thread_id}' has {len(before)} turns; name one of them, counted from 1")
        self.threads.rewind(thread_id, turn - 1)
        try:
            return self.ask(question, thread_id=thread_id)
        except BaseException:
            self.threads.rewind(thread_id, len(before))
            raise

    async def aask(self, question: str, *, thread_id: str | None = None) -> Answer:
        """`ask`, without blocking the event loop."""
        async for event in self.astream(question, thread_id=thread_id):
            if event.answer is not None:
                return event.answer
        raise AssertionError("a stream ends with its answer")

    async def astream(self, question: str, *, thread_id: str | None = None) -> AsyncIterator[Event]:
        """`stream`, without blocking the event loop."""
        question, config = _not_empty(question, "question"), _config(thread_id)
        await asyncio.to_thread(self._ready)
        turn = _Turn(thread_id)
        async with self._kept_whole(thread_id, question):
            graph = self._graph if thread_id is not None else self._forgetful_graph
            stop = threading.Event()
            run = graph.astream({"question": question}, config, context=TurnContext(stop.is_set), **_options(thread_id))
            try:
                async for part in run:
                    if event := turn.event(part):
                        yield event
            finally:
                stop.set()
        yield Event("answer", answer=turn.answer())

    # --- conversations -------------------------------------------------------------------------------------------------

    @cached_property
    def threads(self) -> Threads:
        """The conversations: list, show, rename, fork, rewind, export, import, delete, prune."""
        return Threads(self._checkpointer, self._locks)

    @property
    def graph(self) -> "Compiled":
        """The compiled `agent_graph`, for plain LangGraph calls such as `get_state` on the same threads."""
        return self._graph

    def builder(self) -> "StateGraph[AgentState, Any, Any, Any]":
        """The uncompiled `agent_graph` of this agent's parts, to compile with a saver of your own. Indexes at once."""
        self._ready()
        given = self._given_model
        return agent_graph(
            self._model,
            self._library,
            embeddings=self._embeddings if self._docs is not None else None,
            system=self.settings.system,
            k=self.settings.k,
            answer=self.settings.answer,
            refusal_threshold=self.settings.refusal_threshold,
            name=given if isinstance(given, str) else name_of(given),
        )

    def close(self) -> None:
        """Close the files. The agent must not be used afterwards."""
        if "_index" in self.__dict__ and self._index is not None:
            self._index.close()
        if self._given_checkpointer is None and "_checkpointer" in self.__dict__:
            saver = self._checkpointer
            assert isinstance(saver, Checkpointer)
            saver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # --- parts, made when they are needed ------------------------------------------------------------------------------

    @cached_property
    def _model(self) -> BaseChatModel:
        given = self._given_model
        return chat_model(given, settings=self.settings, **self.settings.generation) if isinstance(given, str) else given

    @cached_property
    def _embeddings(self) -> Embeddings:
        given = self._given_embeddings
        return embedding_model(given, settings=self.settings) if isinstance(given, str) else given

    @cached_property
    def _index(self) -> Index | None:
        if self._docs is None:
            return None
        settings = self.settings
        given = self._given_embeddings
        return Index(
            self._docs,
            settings.folder,
            self._embeddings,
            given if isinstance(given, str) else name_of(given),
            Splitter(settings.chunk_size, settings.chunk_overlap, settings.separator),
        )

    @cached_property
    def _library(self) -> Library | None:
        return VectorStoreLibrary(self._vector_store) if self._vector_store is not None else self._index

    @cached_property
    def _checkpointer(self) -> BaseCheckpointSaver[Any]:
        folder = self.settings.folder
        return self._given_checkpointer or Checkpointer(folder / "threads.sqlite" if folder else None)

    @cached_property
    def _graph(self) -> "Compiled":
        compiled: Compiled = self.builder().compile(checkpointer=self._checkpointer)
        return compiled

    @cached_property
    def _forgetful_graph(self) -> "Compiled":
        compiled: Compiled = self.builder().compile()
        return compiled

    def _ready(self) -> None:
        """Index the documents before the first question."""
        if self._docs is not None and not self._indexed:
            self.index(rebuild=False)

    @cached_property
    def _locks(self) -> ThreadLocks:
        folder = self.settings.folder
        return ThreadLocks(folder / "locks" if folder else None)

    def _kept_whole(self, thread_id: str | None, question: str) -> "_KeptWhole":
        return _KeptWhole(thread_id, question, self._locks, self._checkpointer if thread_id is not None else None)


class _KeptWhole:
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


class _Running:
    """The graph at work in a thread of its own.

    Left to itself, LangGraph waits for a running node to end before it lets go of a Ctrl-C or of a caller who stops
    listening; a model may write for a minute more. From here the node is told to stop, and does at the next token.
    """

    def __init__(self, graph: "Compiled", question: str, config: RunnableConfig, options: dict[str, Any]) -> None:
        self._parts: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._stop = threading.Event()
        context = TurnContext(self._stop.is_set)
        work = partial(self._work, graph, question, config, {**options, "context": context})
        # Callbacks and tracers of the caller travel in its context variables.
        self._thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)

    def _work(self, graph: "Compiled", question: str, config: RunnableConfig, options: dict[str, Any]) -> None:
        try:
            for part in graph.stream({"question": question}, config, **options):
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


class _Turn:
    """Turns what the graph tells into events, and keeps time."""

    def __init__(self, thread_id: str | None) -> None:
        self._thread_id = thread_id
        self._began: dict[str, float] = {}
        self._timings: dict[str, float] = {}
        self._start = time.perf_counter()
        self._values: dict[str, Any] | None = None

    def event(self, part: Any) -> Event | None:
        data = part["data"]
        if part["type"] == "custom":
            return Event(data["type"], text=data["text"])
        node = data["name"]
        if "result" not in data and "error" not in data:
            self._began[data["id"]] = time.perf_counter()
            return Event("step", node=node)
        spent = time.perf_counter() - self._began.get(data["id"], self._start)
        self._timings[node] = self._timings.get(node, 0.0) + spent
        if isinstance(data.get("result"), dict) and "answer" in data["result"]:
            self._values = data["result"]["answer"]
        return Event("step", node=node, ended=True)

    def answer(self) -> Answer:
        assert self._values is not None  # every way through the graph ends in a node that answers
        timings = {**self._timings, "total": time.perf_counter() - self._start}
        return replace(Answer.from_dict(self._values), thread_id=self._thread_id, timings=timings)


def _merged(settings: Settings | None, *, system: str | None, home: str | Path | None) -> Settings:
    if settings is None:
        return Settings.load(system=system, home=home)
    changes = {name: value for name, value in (("system", system), ("home", home)) if value is not None}
    if isinstance(changes.get("home"), str) and changes["home"] != MEMORY:
        changes["home"] = Path(str(changes["home"]))
    return settings.model_copy(update=changes)


def _not_empty(text: str, what: str) -> str:
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


def _config(thread_id: str | None) -> RunnableConfig:
    if thread_id is not None and not _unicode(thread_id, "thread ID"):
        raise SettingsError("the thread ID is empty; name the conversation, or leave the ID out")
    configurable = {} if thread_id is None else {"thread_id": thread_id}
    return {"configurable": configurable, "recursion_limit": _STEPS}


def _options(thread_id: str | None) -> dict[str, Any]:
    """How a run is told about and kept: one checkpoint a turn, so that a turn is kept whole or not at all."""
    told: dict[str, Any] = {"stream_mode": ["tasks", "custom"], "version": "v2"}
    return told if thread_id is None else {**told, "durability": "exit"}
