"""`MatrixVectorStore`: LangChain's in-memory vector store, over one matrix."""

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Self

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from numpy.typing import NDArray

from rag_agent.index.matrix import GrowingMatrix, Matrix, best_first, cosines, most_varied

Filter = str | Mapping[str, Any] | Callable[[Document], bool]
"""Which documents count: a glob on their `file` (or `source`), values of metadata keys (a list: any of them), or a function."""

_WIDER = 8  # how much deeper a filtered search looks each time


class MatrixVectorStore(VectorStore):
    """Documents and their unit vectors in memory; every search is exact. Scores are cosines, -1 to 1.

    It may be used by several threads at once. What it holds is gone with it: `Index` is the durable twin.
    """

    def __init__(self, embedding: Embeddings) -> None:
        """Name what makes vectors of texts."""
        self._embedding = embedding
        self._matrix = GrowingMatrix()
        self._documents: list[Document] = []
        self._row_of: dict[str, int] = {}
        self._lock = threading.RLock()

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """A store that holds some texts."""
        store = cls(embedding)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @property
    def embeddings(self) -> Embeddings:
        """What makes vectors of texts."""
        return self._embedding

    def __len__(self) -> int:
        return len(self._documents)

    # --- what it holds -------------------------------------------------------------------------------------------------

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add texts; one whose ID is there already takes the place of the former.

        Returns:
            Their IDs: those given, and new ones for the rest.

        Raises:
            ValueError: There are not as many metadatas or IDs as texts, or the vectors have other dimensions than before.
        """
        documents = _documents(list(texts), metadatas, ids)
        vectors = self._embedding.embed_documents([document.page_content for document in documents]) if documents else []
        return self.add_vectors(documents, vectors)

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """`add_texts`, with the embeddings' own async call."""
        documents = _documents(list(texts), metadatas, ids)
        vectors = await self._embedding.aembed_documents([d.page_content for d in documents]) if documents else []
        return self.add_vectors(documents, vectors)

    def add_vectors(self, documents: Sequence[Document], vectors: Sequence[Sequence[float]] | NDArray[Any]) -> list[str]:
        """Add documents whose vectors are known, (documents, dimensions)."""
        if not documents:
            return []
        given = [document.id or str(uuid.uuid4()) for document in documents]
        last = {key: place for place, key in enumerate(given)}  # of documents with one ID, the last counts
        places = sorted(last.values())
        with self._lock:
            self._matrix.append(np.asarray(vectors, dtype=np.float32)[places])
            replaced = {row for key in last if (row := self._row_of.get(key)) is not None}
            self._documents += [documents[place].model_copy(update={"id": given[place]}) for place in places]
            self._without(replaced)
        return given

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        """Remove documents; IDs that are not there are passed over. `None` removes all."""
        with self._lock:
            if ids is None:
                ids = list(self._row_of)
            rows = {row for key in ids if (row := self._row_of.get(key)) is not None}
            if rows:
                self._without(rows)
        return True

    async def adelete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        """`delete`, which waits for nothing."""
        return self.delete(ids)

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents with these IDs, in this order, without those that are not there."""
        with self._lock:
            return [_copy(self._documents[row]) for key in ids if (row := self._row_of.get(key)) is not None]

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """`get_by_ids`, which waits for nothing."""
        return self.get_by_ids(ids)

    def _without(self, rows: set[int]) -> None:
        if rows:
            kept = np.ones(len(self._documents), np.bool_)
            kept[list(rows)] = False
            self._matrix.keep(kept)
            self._documents = [document for document, stays in zip(self._documents, kept, strict=True) if stays]
            self._row_of = {}
        known = len(self._row_of)
        self._row_of.update((str(document.id), known + n) for n, document in enumerate(self._documents[known:]))

    # --- search --------------------------------------------------------------------------------------------------------

    def similarity_search_by_vector_with_score(
        self, embedding: Sequence[float] | NDArray[Any], k: int = 4, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The k documents that are most like a vector, best first, with their cosines."""
        with self._lock:
            rows, scores = self._best(embedding, k, filter)
            return [(_copy(self._documents[row]), float(scores[row])) for row in rows]

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[Document]:
        """The k documents that are most like a vector, best first."""
        return [document for document, _ in self.similarity_search_by_vector_with_score(embedding, k, **kwargs)]

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> list[tuple[Document, float]]:
        """The k documents that are most like a query, best first, with their cosines; `filter` says which count."""
        return self.similarity_search_by_vector_with_score(self._embedding.embed_query(query), k, **kwargs)

    async def asimilarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> list[tuple[Document, float]]:
        """`similarity_search_with_score`, with the embeddings' own async call."""
        return self.similarity_search_by_vector_with_score(await self._embedding.aembed_query(query), k, **kwargs)

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """The k documents that are most like a query, best first; `filter` says which count."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **kwargs)]

    async def asimilarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """`similarity_search`, with the embeddings' own async call."""
        return [document for document, _ in await self.asimilarity_search_with_score(query, k, **kwargs)]

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        *,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Of the `fetch_k` documents most like a vector, k that differ: `lambda_mult` 1 is likeness alone, 0 is variety."""
        with self._lock:
            rows, scores = self._best(embedding, fetch_k, filter)
            if not rows:
                return []
            order = most_varied(self._matrix.rows[rows], scores[rows], k, lambda_mult)
            return [_copy(self._documents[rows[place]]) for place in order]

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """The same for a query."""
        vector = self._embedding.embed_query(query)
        return self.max_marginal_relevance_search_by_vector(vector, k, fetch_k, lambda_mult, **kwargs)

    async def amax_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """The same, with the embeddings' own async call."""
        vector = await self._embedding.aembed_query(query)
        return self.max_marginal_relevance_search_by_vector(vector, k, fetch_k, lambda_mult, **kwargs)

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda cosine: min(1.0, max(0.0, cosine))

    def _best(self, vector: Sequence[float] | NDArray[Any], k: int, filter: Filter | None) -> tuple[list[int], Matrix]:
        """Rows that pass the filter, best first, and the cosine of every row."""
        if not self._documents or k < 1:
            return [], np.empty(0, np.float32)
        scores = cosines(self._matrix.rows, np.asarray(vector))
        if filter is None:
            return best_first(scores, k).tolist(), scores
        accepts = _predicate(filter)
        depth, seen, found = k, 0, list[int]()
        while True:
            for row in best_first(scores, depth)[seen:].tolist():
                if accepts(self._documents[row]):
                    found.append(row)
                    if len(found) == k:
                        return found, scores
            if depth >= len(scores):
                return found, scores
            seen, depth = depth, depth * _WIDER


def _documents(
    texts: Sequence[str], metadatas: Sequence[Mapping[str, Any]] | None, ids: Sequence[str | None] | None
) -> list[Document]:
    for name, given in (("metadatas", metadatas), ("ids", ids)):
        if given is not None and len(given) != len(texts):
            raise ValueError(f"{len(texts)} texts and {len(given)} {name}; give one a text")
    return [
        Document(text, id=ids[n] if ids else None, metadata=dict(metadatas[n]) if metadatas else {})
        for n, text in enumerate(texts)
    ]


def _copy(document: Document) -> Document:
    """A copy whose metadata the caller may change."""
    return Document(document.page_content, id=document.id, metadata=dict(document.metadata))


def _predicate(filter: Filter) -> Callable[[Document], bool]:
    if isinstance(filter, str):
        return lambda document: fnmatchcase(str(document.metadata.get("file", document.metadata.get("source", ""))), filter)
    if callable(filter):
        return filter
    wanted = {key: value if isinstance(value, list | tuple | set | frozenset) else (value,) for key, value in filter.items()}
    return lambda document: all(key in document.metadata and document.metadata[key] in some for key, some in wanted.items())
