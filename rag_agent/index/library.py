"""What the graphs need from documents: `Library`; any LangChain vector store or retriever as one; and one as a retriever."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import VectorStore

from rag_agent.answers import Hit
from rag_agent.documents.outline import Outline, outline
from rag_agent.documents.structures import plain_reading
from rag_agent.index.background import Scale
from rag_agent.index.matrix import Matrix
from rag_agent.index.tokens import Analyser

Queries = Sequence[tuple[str, float]]
"""Queries with their weights in the fusion, the main one first."""


class Library(Protocol):
    """Documents that can be searched and read."""

    @property
    def name(self) -> str:
        """What was searched, in words, for a refusal."""

    @property
    def root(self) -> str | None:
        """The docs root, where there is one."""

    def search(self, queries: Queries, k: int, within: Collection[str] = ()) -> list[Hit]:
        """The best k chunks, best first; of these files alone, where any are named."""

    def knows(self, word: str) -> bool:
        """Whether any document holds a word, or the number in it."""

    def chunks(self) -> int:
        """How many chunks there are; 0 where it cannot be told."""

    def scale(self) -> Scale | None:
        """What the cosines of the embeddings mean; None where they tell nothing."""

    def files(self) -> tuple[str, ...]:
        """The files there are, by name; empty where it cannot be told."""

    def central(self, files: Collection[str], k: int) -> list[Hit]:
        """The k chunks of some files, or of all, that say most of what these say, in reading order."""

    def outline(self, hit: Hit) -> tuple[int, Outline]:
        """The text that a hit lies in, with its structure; and where that text begins in the file."""

    def vector(self, query: str) -> Matrix | None:
        """The vector of a query, of length 1; None where there are no embeddings to be had."""

    def fingerprint(self, file: str) -> str | None:
        """The SHA-256 of a file's text as it is searched, by which a change is told; None where files are not kept."""

    def words(self) -> Analyser:
        """What cuts the documents' language into terms."""

    def idf(self, term: str) -> float:
        """How telling a term is among these documents: above 0, highest for one that none of them holds."""

    def mended(self, word: str, code: str) -> str | None:
        """What a word that no document holds is likely a slip of; None where it is none."""

    def nearest(self, name: str) -> str | None:
        """What of the documents is most like a name that does not occur in them; None where nothing is."""

    def openings(self, files: Sequence[str]) -> list[Hit]:
        """The first chunk of each of some files."""

    def centre(self, files: Collection[str]) -> Matrix | None:
        """The mean vector of some files, or of all; None where it cannot be told."""


class VectorStoreLibrary:
    """Any LangChain vector store or retriever as a library.

    Spans come from the documents' metadata (`file` or `source`, `article`, `start` or `start_index`) where they are
    there; a document without is a file of its own, and quotes count from its first character.
    """

    root = None

    def __init__(self, store: VectorStore | BaseRetriever) -> None:
        self._store = store
        self.name = "the vector store" if isinstance(store, VectorStore) else "the retriever"
        self._analyser = Analyser()

    def search(self, queries: Queries, k: int, within: Collection[str] = ()) -> list[Hit]:
        """The store's own best k for each query, fused by reciprocal rank (Cormack et al. 2009, constant 60)."""
        hits: dict[tuple[str, int, int], Hit] = {}
        scores: dict[tuple[str, int, int], float] = {}
        for query, weight in queries:
            for place, document in enumerate(self._found(query, k)):
                hit = _hit(document)
                key = (hit.file, hit.start, hit.end)
                hits[key] = hit
                scores[key] = scores.get(key, 0.0) + weight / (60 + place)
        best = sorted(scores, key=lambda key: -scores[key])[:k]
        if best:
            self._analyser = Analyser.detect(hits[key].text for key in best)
        return [Hit(**{**hits[key].to_dict(), "score": scores[key]}) for key in best]

    def _found(self, query: str, k: int) -> list[Document]:
        # A retriever has its own number of results, and need not take another.
        store = self._store
        return store.similarity_search(query, k=k) if isinstance(store, VectorStore) else store.invoke(query)[:k]

    def outline(self, hit: Hit) -> tuple[int, Outline]:
        """A foreign store keeps no files: the chunk is all there is."""
        return hit.start, outline(plain_reading(hit.text))

    def vector(self, query: str) -> Matrix | None:
        """A foreign store keeps its embeddings to itself."""
        return None

    def fingerprint(self, file: str) -> str | None:
        """A foreign store keeps no files."""
        return None

    def words(self) -> Analyser:
        """English until a search has shown other texts."""
        return self._analyser

    def idf(self, term: str) -> float:
        """A foreign store counts no words: all weigh the same."""
        return 1.0

    def knows(self, word: str) -> bool:
        """A foreign store does not tell; what was found decides."""
        return False

    def chunks(self) -> int:
        """A foreign store does not tell."""
        return 0

    def scale(self) -> Scale | None:
        """A foreign store keeps its embeddings to itself."""
        return None

    def files(self) -> tuple[str, ...]:
        """A foreign store does not tell."""
        return ()

    def central(self, files: Collection[str], k: int) -> list[Hit]:
        """A foreign store does not tell."""
        return []

    def openings(self, files: Sequence[str]) -> list[Hit]:
        """A foreign store does not tell."""
        return []

    def centre(self, files: Collection[str]) -> Matrix | None:
        """A foreign store does not tell."""
        return None

    def mended(self, word: str, code: str) -> str | None:
        """A foreign store keeps its vocabulary to itself."""
        return None

    def nearest(self, name: str) -> str | None:
        """A foreign store keeps its vocabulary to itself."""
        return None


class LibraryRetriever(BaseRetriever):
    """A library as a LangChain retriever: hybrid search for chains and graphs of your own.

    `LibraryRetriever(library=index, k=8).invoke("Who landed?")` gives documents whose metadata are the fields of `Hit`.
    """

    library: Any
    k: int = 4

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        hits = self.library.search([(query, 1.0)], k or self.k)
        return [Document(hit.text, metadata={n: v for n, v in hit.to_dict().items() if n != "text"}) for hit in hits]


def _hit(document: Document) -> Hit:
    metadata = document.metadata
    start = metadata.get("start", metadata.get("start_index", 0))
    start = start if isinstance(start, int) else 0
    article, page = metadata.get("article", 0), metadata.get("page")
    return Hit(
        file=str(metadata.get("file", metadata.get("source", document.id or "document"))),
        article=article if isinstance(article, int) else 0,
        start=start,
        end=start + len(document.page_content),
        text=document.page_content,
        score=0.0,
        page=page if isinstance(page, int) else None,
    )
