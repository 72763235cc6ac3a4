"""What was read, embedded and counted, kept in one SQLite file; and hybrid search over it."""

from rag_agent.index.index import Index, Progress
from rag_agent.index.library import Library, VectorStoreLibrary

__all__ = ["Index", "Library", "Progress", "VectorStoreLibrary"]
