"""`rag_graph`: retrieve, then generate. The simplest RAG, with nothing checked."""

from typing import Annotated, Any

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.vectorstores import VectorStore
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from rag_agent import prompts
from rag_agent.grounding.template import neutralise


class RagState(TypedDict, total=False):
    """What flows through `rag_graph`."""

    question: str
    messages: Annotated[list[AnyMessage], add_messages]
    """In place of the question: where the last one is a human's, it is the question, and the answer is added."""
    context: list[Document]
    """The passages, best first."""
    answer: str


def _question(state: RagState) -> str:
    last = state["messages"][-1] if state.get("messages") else None
    return str(last.text) if isinstance(last, HumanMessage) else state["question"]


def rag_graph(model: BaseChatModel, vector_store: VectorStore, k: int = 4) -> "StateGraph[RagState, Any, Any, Any]":
    """`START -> retrieve -> generate -> END` over `question`, `context`, `answer`.

    `rag_graph(m, s).compile().invoke({"question": q})["answer"]`. Clients that send `messages` have the answer as one, too;
    each is a question of its own.

    Args:
        model: Any LangChain chat model.
        vector_store: Any LangChain vector store, `InMemoryVectorStore` included.
        k: How many passages to retrieve.
    """

    def retrieve(state: RagState) -> RagState:
        question = _question(state)
        return {"question": question, "context": vector_store.similarity_search(question, k=k)}

    def generate(state: RagState) -> RagState:
        passages = [
            prompts.PASSAGE.format(
                number=number,
                file=document.metadata.get("file", document.metadata.get("source", "")),
                text=neutralise(document.page_content),
            )
            for number, document in enumerate(state["context"], start=1)
        ]
        prompt = prompts.ANSWER.format(
            passages="\n\n".join(passages), question=state["question"], sentences=10, no_answer=prompts.NO_ANSWER
        )
        reply = model.invoke([SystemMessage(prompts.DOCUMENTS_SYSTEM), HumanMessage(prompt)])
        answer = str(reply.text).strip()
        return {"answer": answer, "messages": [AIMessage(answer)]} if state.get("messages") else {"answer": answer}

    builder = StateGraph(RagState)
    builder.add_node("retrieve", retrieve)
    builder.add_node("generate", generate)
    builder.add_edge(START, "retrieve")
    builder.add_edge("retrieve", "generate")
    builder.add_edge("generate", END)
    return builder
