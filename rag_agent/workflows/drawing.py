"""The three graphs as Mermaid text, drawn offline: no model is needed to know the shape."""

from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import FakeListChatModel
from langchain_core.vectorstores import InMemoryVectorStore

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
    builders = {
        "chat": lambda: chat_graph(model).compile(),
        "rag": lambda: rag_graph(model, store).compile(),
        "agent": lambda: agent_graph(model, VectorStoreLibrary(store)).compile(),
    }
    return builders[name]().get_graph().draw_mermaid().strip()
