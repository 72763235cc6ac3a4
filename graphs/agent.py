"""The agent graph for LangGraph tooling, over the documents in the setting `docs` (else ./rag_data)."""

from rag_agent import RagAgent
from rag_agent.settings import Settings

settings = Settings.load()
graph = RagAgent(settings.docs or "rag_data", settings=settings).builder().compile()
