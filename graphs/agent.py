"""The agent graph for LangGraph tooling, over the documents in the setting `docs` (else ./rag_data)."""

from rag_agent import RagAgent
from rag_agent.settings import Settings
from rag_agent.tracing import private

settings = Settings.load()
graph = private(RagAgent(settings.docs or "rag_data", settings=settings).builder().compile(), settings)
