"""The three graphs as Mermaid text, drawn offline: no model is needed to know the shape."""

from collections.abc import Callable
from typing import Any

from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import FakeListChatModel
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.graph import StateGraph

from rag_agent.index import VectorStoreLibrary
from rag_agent.workflows import agent_graph, chat_graph, rag_graph

DRAWINGS = ("chat", "rag", "agent")


def mermaid(name: str) -> str:
    """The graph of that name ("chat", "rag" or "agent").

    Raises:
        KeyError: There is no graph of that name.
    """
    model = FakeListChatModel(responses=[""])
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=2))
    builders: dict[str, Callable[[], StateGraph[Any, Any, Any, Any]]] = {
        "chat": lambda: chat_graph(model),
        "rag": lambda: rag_graph(model, store),
        "agent": lambda: agent_graph(model, VectorStoreLibrary(store)),
    }
    return builders[name]().compile().get_graph().draw_mermaid().strip()
