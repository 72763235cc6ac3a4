"""`RerankedLibrary`: any library whose best hits are put in another order."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from rag_agent.answers import Hit
from rag_agent.documents.outline import Outline
from rag_agent.index.background import Scale
from rag_agent.index.library import Library, Queries
from rag_agent.index.matrix import Matrix
from rag_agent.index.tokens import Analyser

Scorer = Callable[[str, Sequence[str]], Sequence[float]]
"""How well each of some texts answers a query; larger is better."""

_WIDER = 4  # how many times as many hits are scored as are returned
_LEAST = 20


class RerankedLibrary:
    """A library that searches wider than it is asked to, and returns those hits that a scorer likes best."""

    def __init__(self, library: Library, scorer: Scorer) -> None:
        """Name the parts.

        Args:
            library: What is searched.
            scorer: Reads the main query with the text of each hit, such as `rag_agent.models.cross_encoder.RelevanceScorer`.
        """
        self._library = library
        self._scorer = scorer

    @property
    def name(self) -> str:
        """That of the library within."""
        return self._library.name

    @property
    def root(self) -> str | None:
        """That of the library within."""
        return self._library.root

    def search(self, queries: Queries, k: int, within: Collection[str] = ()) -> list[Hit]:
        """The best k of the library's first 4 k, of 20 at least. A hit's `score` is the scorer's; its `similarity` stays."""
        found = self._library.search(queries, max(_WIDER * k, _LEAST), within)
        if not found:
            return []
        scores = self._scorer(queries[0][0], [hit.text for hit in found])
        scored = [replace(hit, score=score) for hit, score in zip(found, scores, strict=True)]
        return sorted(scored, key=lambda hit: -hit.score)[:k]  # hits of one score stay in the library's order

    def outline(self, hit: Hit) -> tuple[int, Outline]:
        """The text that a hit lies in, with its structure; and where that text begins in the file."""
        return self._library.outline(hit)

    def vector(self, query: str) -> Matrix | None:
        """The vector of a query."""
        return self._library.vector(query)

    def knows(self, word: str) -> bool:
        """Whether any document holds a word."""
        return self._library.knows(word)

    def chunks(self) -> int:
        """How many chunks there are."""
        return self._library.chunks()

    def scale(self) -> Scale | None:
        """What the cosines of the embeddings mean."""
        return self._library.scale()

    def files(self) -> tuple[str, ...]:
        """The files there are."""
        return self._library.files()

    def central(self, files: Collection[str], k: int) -> list[Hit]:
        """The chunks that say most of what some files say."""
        return self._library.central(files, k)

    def openings(self, files: Sequence[str]) -> list[Hit]:
        """The first chunk of each of some files."""
        return self._library.openings(files)

    def centre(self, files: Collection[str]) -> Matrix | None:
        """The mean vector of some files."""
        return self._library.centre(files)

    def mended(self, word: str, code: str) -> str | None:
        """What a word that no document holds is likely a slip of."""
        return self._library.mended(word, code)

    def nearest(self, name: str) -> str | None:
        """What of the documents is most like a name that does not occur in them."""
        return self._library.nearest(name)

    def fingerprint(self, file: str) -> str | None:
        """The SHA-256 of a file's text as it is searched."""
        return self._library.fingerprint(file)

    def words(self) -> Analyser:
        """What cuts the documents' language into terms."""
        return self._library.words()

    def idf(self, term: str) -> float:
        """How telling a term is."""
        return self._library.idf(term)
