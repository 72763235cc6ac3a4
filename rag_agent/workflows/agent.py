"""`agent_graph`: documents and conversation together; what is shown is checked, or it is not shown."""

from functools import wraps
from typing import Literal, Protocol, cast

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, StateGraph

from rag_agent.grounding.choice import THRESHOLD
from rag_agent.index import Library
from rag_agent.language.voice import Voice
from rag_agent.memory.memories import Mind
from rag_agent.models.remembered import RememberedEmbeddings
from rag_agent.workflows.channels import opened, sealed
from rag_agent.workflows.context import AnswerSetting, Choices, TurnContext, VariedLibrary
from rag_agent.workflows.conversation import Conversation
from rag_agent.workflows.generation import Generation
from rag_agent.workflows.recollection import Recollection
from rag_agent.workflows.remembering import Remembering
from rag_agent.workflows.responding import Responding
from rag_agent.workflows.retrieval import Retrieval
from rag_agent.workflows.state import AgentInput, AgentOutput, AgentState, disputed
from rag_agent.workflows.verification import JudgeSetting, Verification
from rag_agent.workflows.writer import RewriteSetting, Writer


class _Node(Protocol):
    __name__: str

    def __call__(self, state: AgentState) -> AgentState: ...


def agent_graph(
    model: BaseChatModel,
    library: Library | None = None,
    *,
    embeddings: Embeddings | None = None,
    system: str | None = None,
    k: int = 6,
    answer: AnswerSetting = "auto",
    rewrite: RewriteSetting = "auto",
    judge: JudgeSetting = "auto",
    refusal_threshold: float = THRESHOLD,
    language: str = "auto",
    name: str = "",
    choices: Choices | None = None,
    memories: bool = True,
    mind: Mind | None = None,
    user: str = "local",
) -> "StateGraph[AgentState, TurnContext, AgentInput, AgentOutput]":
    """`contextualize -> retrieve -> grade -> generate -> verify -> respond`, with a wider search, quotes and refusal as ways out.

    Compile it with a saver to remember by `thread_id`. The input is `question`, or `messages` of which the last by a human is the
    question; the output is `answer` (an `Answer` as plain values) and `messages`, the finished turns with their citations. It
    can be interrupted before and after any node and replayed from any checkpoint.

    Args:
        model: Any LangChain chat model.
        library: The documents; None is plain chat.
        embeddings: What compares units with the question, its cosines read on the library's scale; None compares by words alone.
        system: The assistant's role.
        k: How many chunks to retrieve.
        answer: Whose words answer; "auto" takes the model's where it is large enough to be a reader, else quotes.
        rewrite: Who says a follow-up in full: the "model", in one call more; the "builtin" rules; or, "auto", the model where it
            is large enough to answer itself.
        judge: Who decides whether a quote says what a sentence says, where names, numbers, dates and negation match: "builtin",
            nobody, so that word for word alone counts; "model", the chat model in one or two calls a sentence; "auto", the model
            where it is known to be large enough; or a function of quote and sentence that gives a probability, such as
            `rag_agent.models.judge.EntailmentJudge`.
        refusal_threshold: Least probability of an answer in the passages found for which one is given, 0 to 1.
        language: In which language the program's own sentences are said: "en", "nl", "de", or "auto", that of the question.
        name: The model's name for `Answer.model`.
        memories: Whether what a user states of themselves is kept and recalled across threads. It needs a store to compile with
            (`compile(store=...)`), and a thread.
        mind: How statements are compared; None compares by `embeddings`, or by words alone.
        user: Whose memories, where neither a server nor the run's `context` names anybody.
        choices: What the names in a run's `context` (see `TurnContext`) stand for; without it a context may vary `k` and
            `answer` alone.
    """
    models = choices.model if choices else None
    writer = Writer(model, system=system, answer=answer, rewrite=rewrite, models=models)
    if library is not None and choices is not None:
        library = cast(Library, VariedLibrary(library, choices.library))
    voice = Voice(language)
    responding = Responding(library, name, voice)
    conversation = Conversation(writer, responding, has_documents=library is not None)
    remembering = Remembering(responding, has_documents=library is not None)
    compared = (mind or Mind(RememberedEmbeddings(embeddings) if embeddings else None)) if memories else None
    recollection = Recollection(writer, responding, compared, user, has_documents=library is not None)
    builder = StateGraph(AgentState, TurnContext, input_schema=AgentInput, output_schema=AgentOutput)
    _add(builder, conversation.contextualize)
    if library is not None:
        retrieval = Retrieval(library, embeddings=embeddings, k=k, refusal_threshold=refusal_threshold, voice=voice)
        generation = Generation(writer)
        verification = Verification(library, writer, judge, choices.judge if choices else None, voice)
        _add(builder, retrieval.retrieve, retrieval.grade, generation.generate, verification.verify, verification.quote)
        _add(builder, responding.respond, responding.refuse, remembering.source)
        _connect(builder, _Routes(writer))
    _add(builder, conversation.transform, remembering.recall, conversation.converse, recollection.keep, recollection.recollect)
    ways = ["transform", "recall", "converse"]
    builder.add_edge(START, "contextualize")
    onward = [*ways, "retrieve", "source"] if library is not None else ways
    go = _Beginning(conversation, recollection)
    builder.add_conditional_edges("contextualize", go.after_contextualize, ["keep", "recollect", *onward])
    builder.add_conditional_edges("keep", go.after_keep, ["recollect", *onward, END])
    builder.add_conditional_edges("recollect", go.after_recollect, [*onward, END])
    for way in ways:
        builder.add_edge(way, END)
    return builder


def _add(builder: "StateGraph[AgentState, TurnContext, AgentInput, AgentOutput]", *nodes: _Node) -> None:
    """Nodes go by the names of their methods."""
    for node in nodes:
        builder.add_node(node.__name__, _sealing(node))


def _sealing(node: _Node) -> _Node:
    """A node between which and the next the draft is sealed: no stream shows an unchecked word."""

    @wraps(node)
    def run(state: AgentState) -> AgentState:
        found = node({**state, "draft": opened(state["draft"])} if "draft" in state else state)
        return {**found, "draft": sealed(found["draft"])} if found.get("draft") is not None else found

    return run


def _connect(builder: "StateGraph[AgentState, TurnContext, AgentInput, AgentOutput]", routes: "_Routes") -> None:
    """The ways from a search to an answer."""
    builder.add_edge("retrieve", "grade")
    builder.add_conditional_edges("grade", routes.after_grade, ["generate", "quote", "refuse", "source"])
    builder.add_edge("generate", "verify")
    builder.add_conditional_edges("verify", routes.after_verify, ["respond", "retrieve", "quote"])
    builder.add_conditional_edges("quote", routes.after_quote, ["respond", "refuse", "source"])
    builder.add_edge("respond", END)
    builder.add_edge("refuse", END)
    builder.add_edge("source", END)


class _Beginning:
    """Where a turn goes before it searches or talks."""

    def __init__(self, conversation: Conversation, recollection: Recollection) -> None:
        self._conversation = conversation
        self._recollection = recollection

    def after_contextualize(self, state: AgentState) -> str:
        """What the user states is kept, what bears on the turn is brought to mind; else by what kind of turn it is."""
        return self._recollection.ways(state) or self._conversation.after_contextualize(state)

    def after_keep(self, state: AgentState) -> str:
        """On, unless that was all."""
        if state.get("answer"):
            return END
        return self._recollection.after_keep(state) or self._conversation.after_contextualize(state)

    def after_recollect(self, state: AgentState) -> str:
        """On, unless a memory answered."""
        return END if state.get("answer") else self._conversation.after_contextualize(state)


class _Routes:
    """Where a turn goes on, by what it has found."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def after_grade(self, state: AgentState) -> Literal["generate", "quote", "refuse", "source"]:
        """Too little evidence: refusal. Where the sources disagree, they speak for themselves."""
        if state["enough"]:
            return "generate" if self._writer.answers and not disputed(state["quotes"]) else "quote"
        return _no_answer(state)

    def after_verify(self, state: AgentState) -> Literal["respond", "retrieve", "quote"]:
        """Nothing of the reply stands: the best quotes. Where the reader found no answer, one wider search comes first."""
        if state["claims"]:
            return "respond"
        return "retrieve" if state["declined"] and state["attempt"] == 1 and self._writer.reads_well else "quote"

    def after_quote(self, state: AgentState) -> Literal["respond", "refuse", "source"]:
        """No quote: refusal."""
        return "respond" if state["claims"] else _no_answer(state)


def _no_answer(state: AgentState) -> Literal["refuse", "source"]:
    """To a bare "why?" that nothing answers, the last answer's sources are the nearest thing."""
    return "source" if state["turn"] == "why" else "refuse"
