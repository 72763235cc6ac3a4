"""What was read, embedded and counted, kept in one SQLite file; and hybrid search over it."""

from rag_agent.index.index import Index
from rag_agent.index.library import Library, LibraryRetriever, VectorStoreLibrary
from rag_agent.index.reranked import RerankedLibrary
from rag_agent.index.update import Progress
from rag_agent.index.vector_store import MatrixVectorStore

__all__ = ["Index", "Library", "LibraryRetriever", "MatrixVectorStore", "Progress", "RerankedLibrary", "VectorStoreLibrary"]
