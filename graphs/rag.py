"""The plain retrieve -> generate graph for LangGraph tooling, over an in-memory store of the setting `docs`."""

from langchain_core.vectorstores import InMemoryVectorStore

from rag_agent.documents import load_chunks
from rag_agent.models import chat_model, embeddings
from rag_agent.settings import Settings
from rag_agent.tracing import private
from rag_agent.workflows import rag_graph

settings = Settings.load()
store = InMemoryVectorStore.from_documents(
    load_chunks(settings.docs or "rag_data"), embeddings(settings.embeddings, settings=settings)
)
graph = private(
    rag_graph(chat_model(settings.model, settings=settings, **settings.generation), store, settings.k).compile(), settings
)
