"""`RagAgent`: documents, a model and a memory behind one object."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.vectorstores import VectorStore
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.store.base import BaseStore

from rag_agent.answers import Answer, Event, Hit, IndexReport
from rag_agent.as_html import table, text
from rag_agent.documents import Splitter
from rag_agent.errors import DocumentsError, SettingsError
from rag_agent.explaining import Explanation
from rag_agent.grounding.passages import passages
from rag_agent.grounding.survey import named_files
from rag_agent.index import Index, Library, Progress, RerankedLibrary, VectorStoreLibrary
from rag_agent.language.voice import Voice
from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.memory.locks import ThreadLocks
from rag_agent.memory.memories import Mind
from rag_agent.memory.memory_store import MemoryStore
from rag_agent.memory.threads import Threads
from rag_agent.memory.user_memories import UserMemories
from rag_agent.models import chat_model, name_of
from rag_agent.models import embeddings as embedding_model
from rag_agent.models.cross_encoder import RelevanceScorer
from rag_agent.models.judge import EntailmentJudge
from rag_agent.models.remembered import LaterEmbeddings, RememberedEmbeddings
from rag_agent.parts import made_once
from rag_agent.postgres import is_url
from rag_agent.settings import MEMORY, Settings
from rag_agent.tracing import private
from rag_agent.turns import KeptWhole, Running, ThreadID, TurnEvents, not_empty, run_config, run_options, thread_name
from rag_agent.workflows import agent_graph
from rag_agent.workflows.context import stoppable
from rag_agent.workflows.retrieval import Retrieval

if TYPE_CHECKING:
    from langgraph.graph import StateGraph
    from langgraph.graph.state import CompiledStateGraph

    from rag_agent.index.on_ray import OnRay
    from rag_agent.workflows.state import AgentState
    from rag_agent.workflows.verification import JudgeSetting

    Compiled = CompiledStateGraph[Any, Any, Any, Any]


_LOOK_AGAIN = 1.0  # seconds between looks at the documents at least
_LOOK_COST = 20  # times as long as a look takes, which in a folder of 100,000 files is a second


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
        store: BaseStore | None = None,
        user: str | None = None,
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
            store: Any LangGraph store for what users state of themselves, in place of the one in the home folder.
            user: Whose memories are kept and recalled, where a question names nobody else.

        Raises:
            SettingsError: A setting cannot be used, or `docs` and `vector_store` are both given.
        """
        self.settings = _merged(settings, system=system, home=home, user=user)
        if docs is not None and vector_store is not None:
            raise SettingsError("docs and vector_store are both given; leave one out")
        self._docs = Path(docs) if docs is not None else None
        self._vector_store = vector_store
        self._given_model = model if model is not None else self.settings.model
        self._given_embeddings = embeddings if embeddings is not None else self.settings.embeddings
        self._given_checkpointer = checkpointer
        self._given_store = store
        self._look_at = 0.0  # when the documents are looked at again, in seconds of `time.monotonic`
        self.making = threading.RLock()
        """Held while a part is made: several threads may need the first question's parts at once."""
        self._others: list[Index] = []

    # --- documents -----------------------------------------------------------------------------------------------------

    def index(self, *, rebuild: bool = True, progress: Progress | None = None, on: str | None = None) -> IndexReport:
        """Bring the index up to date with the documents.

        It runs by itself, with `rebuild=False`, before the first question, and before a later one where a look at the sizes and
        times of the files, at most once a second, shows that some changed.

        Args:
            rebuild: Compare files of unchanged size and time by their bytes, and make an index anew that is damaged or was made
                with other settings, instead of refusing it.
            progress: Called with the number of chunks embedded and to embed.
            on: Where new texts are embedded: `ray` or `ray://HOST[:PORT]` (extra `ray`); `None` is this process.

        Raises:
            DocumentsError: There are no documents, or none that can be read.
            IndexFileError: The index is damaged or was made with other settings, and `rebuild` is false.
        """
        if self._index is None:
            raise DocumentsError('this agent has no documents to index; name them with RagAgent("folder") or --docs PATH')
        ahead = self._on_ray(on) if on is not None else None
        report = self._index.update(rebuild=rebuild, progress=progress or (lambda done, total: None), ahead=ahead)
        self._look_at = time.monotonic() + _LOOK_AGAIN
        return report

    def search(self, query: str, k: int | None = None) -> list[Hit]:
        """The k chunks that answer a query best, best first; in the order of the setting `reranker`, where it names one.

        Raises:
            DocumentsError: There are no documents.
            SettingsError: The query is empty.
        """
        if self._library is None:
            raise DocumentsError('this agent has no documents to search; make it with RagAgent("folder")')
        self._ready()
        return self._library.search([(not_empty(query, "query"), 1.0)], k or self.settings.k)

    def explain(self, question: str) -> Explanation:
        """What is searched and found for a question of its own, why units rank as they do, and what a reader would be given.

        Raises:
            DocumentsError: There are no documents.
            SettingsError: The question is empty.
        """
        if self._library is None:
            raise DocumentsError('this agent has no documents to search; make it with RagAgent("folder")')
        self._ready()
        settings = self.settings
        retrieval = Retrieval(
            self._library, embeddings=self._compared, k=settings.k, refusal_threshold=settings.refusal_threshold,
            voice=Voice(settings.language),
        )  # fmt: skip
        query, told = retrieval.read(not_empty(question, "question"))
        hits = self._library.search([(query, 1.0)], self.settings.k, named_files(query, self._library.files()))
        evidence, hits = retrieval.evidence(query, hits)
        return Explanation(query, tuple(told), evidence, tuple(passages(hits, self._library)))

    def read(self, file: str) -> str:
        """The text of a file of the documents, in which the offsets of hits and citations count.

        Raises:
            DocumentsError: There is no such file.
        """
        if self._index is None:
            raise DocumentsError("this agent keeps no files; it has no documents, or a vector store of its own")
        self._ready()
        return self._index.text(file)

    def files(self) -> tuple[str, ...]:
        """The files of the documents, relative to their root, with forward slashes; () where there are none."""
        if self._index is None:
            return ()
        self._ready()
        return self._index.files()

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The vectors of some texts, by the model that embeds the documents: one a text, (dimensions,)."""
        return self._embeddings.embed_documents(list(texts))

    # --- questions -----------------------------------------------------------------------------------------------------

    def ask(
        self,
        question: str,
        *,
        thread_id: ThreadID | None = None,
        history: Sequence[BaseMessage] = (),
        user: str | None = None,
    ) -> Answer:
        """Answer a question.

        Args:
            question: What to answer.
            thread_id: The conversation it belongs to: any text, a number or a UUID. None is a question of its own, not stored.
            history: The messages before it, where the caller keeps the conversation; with a `thread_id` there are none.
            user: Whose memories are kept and recalled; None is the agent's own user.

        Raises:
            RagAgentError: The documents, a model, or the home cannot be used.
        """
        for event in self.stream(question, thread_id=thread_id, history=history, user=user):
            if event.answer is not None:
                return event.answer
        raise AssertionError("a stream ends with its answer")

    def stream(
        self,
        question: str,
        *,
        thread_id: ThreadID | None = None,
        history: Sequence[BaseMessage] = (),
        user: str | None = None,
    ) -> Iterator[Event]:
        """Answer a question step by step: see `Event`. Unchecked text is never streamed; the last event has the answer."""
        question = not_empty(question, "question")
        thread = thread_name(thread_id) if thread_id is not None else None
        config = run_config(thread)
        self._ready()
        turn = TurnEvents(thread)
        with self._kept_whole(thread, question):
            graph = self._graph if thread is not None else self._forgetful_graph
            with Running(graph, _values(question, thread, history), config, run_options(thread), user) as run:
                for part in run:
                    if event := turn.event(part):
                        yield event
        yield Event("answer", answer=turn.answer())

    def edit(self, thread_id: ThreadID, turn: int, question: str) -> Answer:
        """Ask another question in place of a turn's; what came after it is no longer part of the conversation.

        The conversation stays as it is until the new answer is stored, in one step; even a process that is killed before
        changes nothing. The former turns stay among the checkpoints: `threads.rewind` to a later turn brings them back.

        Args:
            thread_id: The conversation.
            turn: Which turn, counted from 1.
            question: What to ask instead.

        Raises:
            RagAgentError: There is no such turn, or the question cannot be answered; then the conversation is as it was.
        """
        question, thread = not_empty(question, "question"), thread_name(thread_id)
        config = run_config(thread)
        self._ready()
        events = TurnEvents(thread)
        with self._kept_whole(thread, question):
            # A graph with a checkpointer would store a turn that fails, too, and so take back what came after.
            values = {"question": question, "messages": self.threads.before(thread, turn)}
            with Running(self._forgetful_graph, values, config, run_options(None)) as run:
                for part in run:
                    events.event(part)
            self.threads.replace(thread, turn, events.messages)
        return events.answer()

    async def aask(
        self,
        question: str,
        *,
        thread_id: ThreadID | None = None,
        history: Sequence[BaseMessage] = (),
        user: str | None = None,
    ) -> Answer:
        """`ask`, without blocking the event loop."""
        async for event in self.astream(question, thread_id=thread_id, history=history, user=user):
            if event.answer is not None:
                return event.answer
        raise AssertionError("a stream ends with its answer")

    async def astream(
        self,
        question: str,
        *,
        thread_id: ThreadID | None = None,
        history: Sequence[BaseMessage] = (),
        user: str | None = None,
    ) -> AsyncIterator[Event]:
        """`stream`, without blocking the event loop."""
        question = not_empty(question, "question")
        thread = thread_name(thread_id) if thread_id is not None else None
        config = run_config(thread)
        await asyncio.to_thread(self._ready)
        turn = TurnEvents(thread)
        async with self._kept_whole(thread, question):
            graph = self._graph if thread is not None else self._forgetful_graph
            stop = threading.Event()
            run = graph.astream(
                _values(question, thread, history), config, context=stoppable(stop.is_set, user), **run_options(thread)
            )
            try:
                async for part in run:
                    if event := turn.event(part):
                        yield event
            finally:
                stop.set()
        yield Event("answer", answer=turn.answer())

    # --- conversations -------------------------------------------------------------------------------------------------

    @made_once
    def threads(self) -> Threads:
        """The conversations: list, show, rename, fork, rewind, export, import, delete, prune."""
        return Threads(self._checkpointer, self._locks)

    @made_once
    def memories(self) -> UserMemories:
        """What the user stated of themselves or asked to keep: list, add, edit, forget, recall."""
        return self.memories_of(self.settings.user)

    def memories_of(self, user: str) -> UserMemories:
        """The memories of another user.

        Raises:
            SettingsError: The user has no name.
        """
        return UserMemories(self._store, user, self._mind, self._checkpointer, self._locks)

    @made_once
    def graph(self) -> "Compiled":
        """The compiled `agent_graph`, for plain LangGraph calls such as `get_state` on the same threads."""
        return private(self.builder().compile(checkpointer=self._checkpointer, store=self._kept_in), self.settings)

    def builder(self) -> "StateGraph[AgentState, Any, Any, Any]":
        """The uncompiled `agent_graph` of this agent's parts, to compile with a saver of your own. Indexes at once."""
        self._ready()
        given = self._given_model
        return agent_graph(
            self._model,
            self._library,
            embeddings=self._compared,
            system=self.settings.system,
            k=self.settings.k,
            answer=self.settings.answer,
            rewrite=self.settings.rewrite,
            judge=self._judge,
            refusal_threshold=self.settings.refusal_threshold,
            language=self.settings.language,
            name=given if isinstance(given, str) else name_of(given),
            choices=_Choices(self),
            memories=self.settings.memories,
            mind=self._mind,
            user=self.settings.user,
        )

    def chat(self, thread_id: ThreadID | None = None) -> None:
        """Ask and follow up at the prompt, in a shell or a notebook, until an empty line or "quit".

        Args:
            thread_id: The conversation to go on with; None keeps one that ends with the call.
        """
        show: Callable[[Any], object] = print
        with suppress(ImportError):
            from IPython.display import display

            show = display
        history: list[BaseMessage] = []
        while (question := input("? ").strip()) and question.lower() not in ("quit", "exit"):
            answer = self.ask(question, thread_id=thread_id, history=history)
            if thread_id is None:
                history += [HumanMessage(question), AIMessage(answer.text)]
            show(answer if show is not print else answer.text)

    def _repr_html_(self) -> str:
        """How a notebook shows it: what it asks, and what answers."""
        given, embedder = self._given_model, self._given_embeddings
        rows = [
            ("documents", str(self._docs or "none")),
            ("model", given if isinstance(given, str) else name_of(given)),
            ("embeddings", embedder if isinstance(embedder, str) else name_of(embedder)),
        ]  # fmt: skip
        return table(("RagAgent", ""), [(text(name), text(value)) for name, value in rows])

    def close(self) -> None:
        """Close the files. The agent must not be used afterwards."""
        if "_index" in self.__dict__ and self._index is not None:
            self._index.close()
        for index in self._others:
            index.close()
        if self._given_checkpointer is None and "_checkpointer" in self.__dict__:
            saver = self._checkpointer
            assert isinstance(saver, Checkpointer)
            saver.close()
        if self._given_store is None and "_store" in self.__dict__:
            store = self._store
            assert isinstance(store, MemoryStore)
            store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @made_once
    def _compared(self) -> Embeddings | None:
        """What units are compared with: the embeddings of the index."""
        return RememberedEmbeddings(self._embeddings) if self._docs is not None else None

    # --- parts, made when they are needed ------------------------------------------------------------------------------

    @made_once
    def _model(self) -> BaseChatModel:
        given = self._given_model
        return chat_model(given, settings=self.settings, **self.settings.generation) if isinstance(given, str) else given

    @made_once
    def _judge(self) -> "JudgeSetting":
        return self._named_judge(self.settings.judge)

    def _named_judge(self, name: str) -> "JudgeSetting":
        if name.startswith("huggingface:"):
            return EntailmentJudge(name.removeprefix("huggingface:"), self.settings)
        return "model" if name == "model" else "builtin" if name == "builtin" else "auto"

    @made_once
    def _embeddings(self) -> Embeddings:
        given = self._given_embeddings
        return embedding_model(given, settings=self.settings) if isinstance(given, str) else given

    @made_once
    def _index(self) -> Index | None:
        return self._index_of(self._docs) if self._docs is not None else None

    def _index_of(self, docs: Path) -> Index:
        settings = self.settings
        given = self._given_embeddings
        return Index(
            docs,
            settings.folder,
            self._embeddings,
            given if isinstance(given, str) else name_of(given),
            Splitter(settings.chunk_size, settings.chunk_overlap, settings.separator),
            settings.search,
            url=settings.database,
        )

    def _on_ray(self, on: str) -> "OnRay":
        from rag_agent.index.on_ray import OnRay

        given = self._given_embeddings
        if isinstance(given, str):
            return OnRay(on, partial(embedding_model, given, settings=self.settings))
        return OnRay(on, lambda: given)

    @made_once
    def _library(self) -> Library | None:
        found = VectorStoreLibrary(self._vector_store) if self._vector_store is not None else self._index
        return self._reranked(found) if found is not None else None

    def _reranked(self, found: Library) -> Library:
        name = self.settings.reranker
        if name is None:
            return found
        return RerankedLibrary(found, RelevanceScorer(name.removeprefix("huggingface:"), self.settings))

    @made_once
    def _checkpointer(self) -> BaseCheckpointSaver[Any]:
        folder = self.settings.folder
        place = self.settings.database or (folder / "threads.sqlite" if folder else None)
        return self._given_checkpointer or Checkpointer(place)

    @made_once
    def _store(self) -> BaseStore:
        folder = self.settings.folder
        return self._given_store if self._given_store is not None else MemoryStore(folder / "memories.sqlite" if folder else None)

    @property
    def _kept_in(self) -> BaseStore | None:
        """The store of the conversations' graph; None where nothing is to be kept."""
        return self._store if self.settings.memories else None

    @made_once
    def _mind(self) -> Mind:
        """How statements are compared: as the documents are, and the model loads when there is something to compare."""
        return Mind(RememberedEmbeddings(LaterEmbeddings(lambda: self._embeddings)))

    @made_once
    def _graph(self) -> "Compiled":
        """What answers. Its nodes change no message, so that it may borrow them; callers of `graph` may do as they like."""
        saver = self._checkpointer
        lending = saver.lending() if isinstance(saver, Checkpointer) else saver
        return private(self.builder().compile(checkpointer=lending, store=self._kept_in), self.settings)

    @made_once
    def _forgetful_graph(self) -> "Compiled":
        return private(self.builder().compile(), self.settings)

    def _ready(self) -> None:
        """Index the documents before the first question, and again where they changed since the last look."""
        if self._docs is None or time.monotonic() < self._look_at:
            return
        with self.making:
            began = time.monotonic()
            if began < self._look_at:
                return
            if not self._look_at or (self._index is not None and self._index.stale()):
                self.index(rebuild=False)
            else:
                self._look_at = began + max(_LOOK_AGAIN, _LOOK_COST * (time.monotonic() - began))

    @made_once
    def _locks(self) -> ThreadLocks:
        folder = self.settings.folder
        return ThreadLocks(self.settings.database or (folder / "locks" if folder else None))

    def _kept_whole(self, thread_id: str | None, question: str) -> KeptWhole:
        return KeptWhole(thread_id, question, self._locks, self._checkpointer if thread_id is not None else None)


class _Choices:
    """What the names in a run's context stand for: each is made once, by the settings of the agent."""

    def __init__(self, agent: RagAgent) -> None:
        self._agent = agent
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], Any] = {}

    def model(self, name: str) -> BaseChatModel:
        """The chat model of a name."""
        settings = self._agent.settings
        return self._once("model", name, lambda: chat_model(name, settings=settings, **settings.generation))  # type: ignore[no-any-return]

    def judge(self, name: str) -> "JudgeSetting":
        """The judge of a name."""
        return self._once("judge", name, lambda: self._agent._named_judge(name))  # type: ignore[no-any-return]

    def library(self, docs: str) -> Library:
        """The documents of a path, indexed at their first question."""

        def opened() -> Library:
            index = self._agent._index_of(Path(docs))
            index.update(rebuild=False, progress=lambda done, total: None)
            self._agent._others.append(index)
            return self._agent._reranked(index)

        return self._once("docs", docs, opened)  # type: ignore[no-any-return]

    def _once(self, kind: str, name: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            if (kind, name) not in self._made:
                self._made[kind, name] = make()
            return self._made[kind, name]


def _values(question: str, thread: str | None, history: Sequence[BaseMessage]) -> dict[str, Any]:
    if thread is not None and history:
        raise SettingsError("thread_id and history are both given; a thread keeps its own messages, leave one out")
    return {"question": question, "messages": list(history)} if history else {"question": question}


def _merged(settings: Settings | None, *, system: str | None, home: str | Path | None, user: str | None) -> Settings:
    if settings is None:
        return Settings.load(system=system, home=home, user=user)
    given = (("system", system), ("home", home), ("user", user))
    changes: dict[str, Any] = {name: value for name, value in given if value is not None}
    if is_url(home):
        changes["database"] = changes.pop("home")
    elif home == MEMORY:
        changes["database"] = None
    if isinstance(changes.get("home"), str) and changes["home"] != MEMORY:
        changes["home"] = Path(str(changes["home"]))
    return settings.model_copy(update=changes)
