"""BM25 over numpy arrays: postings by term, built in one pass, scored without a loop over documents, mapped from disk.

The arrays keep raw counts, not finished weights, so that adding and removing documents is a matter of joining arrays, and
parameters may differ from query to query. The vocabulary is one block of sorted UTF-8 that is searched by bisection: an
index opens at once, whatever its size, and holds no pickle.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rag_agent.index.tokens import Analyser, fold, phrases, sample

__all__ = ["BM25"]

Texts = Callable[[Sequence[int]], list[str]]

_REMEMBERED = 1000  # terms whose place is known
_PHRASE_CANDIDATES = 2000


class BM25:
    """A lexical index over numbered texts.

    The weight of a term is Lucene's: ``log(1 + (n - df + 0.5) / (df + 0.5)) * tf / (tf + k1 * (1 - b + b * length / mean))``
    (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework"); ``k1=0.9, b=0.4`` are Anserini's defaults.
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]], *, language: str, k1: float = 0.9, b: float = 0.4) -> None:
        """Take ready arrays, in memory or mapped.

        Args:
            arrays: What `arrays` of another index gave.
            language: Language of the analyser that made them.
            k1: How slowly further occurrences of a term stop to matter.
            b: How much long texts are marked down, 0 to 1.

        Raises:
            KeyError: An array is missing.
        """
        self.analyser = Analyser(language)
        self.k1, self.b = k1, b
        self._blob = arrays["vocabulary"]
        self._ends = arrays["vocabulary_ends"]
        self._starts = arrays["starts"]
        self._rows = arrays["rows"]
        self._counts = arrays["counts"]
        self._lengths = arrays["lengths"]
        self._found: dict[str, tuple[NDArray[np.generic], NDArray[np.generic]]] = {}
        self._mean = float(np.asarray(self._lengths, np.float64).mean()) if len(self._lengths) else 1.0

    @classmethod
    def build(cls, texts: Sequence[str], *, language: str | None = None, k1: float = 0.9, b: float = 0.4) -> Self:
        """Index texts; their positions are their row numbers.

        Args:
            texts: The texts, in order.
            language: A Snowball name, "none", or None to detect it by stop words.
            k1: See `__init__`.
            b: See `__init__`.
        """
        analyser = Analyser(language) if language else Analyser.detect(sample(texts))
        numbers: dict[str, int] = {}
        flat, lengths = array("i"), np.zeros(len(texts), np.int32)
        for row, text in enumerate(texts):
            terms = analyser.terms(text)
            flat.extend([numbers.setdefault(term, len(numbers)) for term in terms])
            lengths[row] = len(terms)
        vocabulary = sorted(term.encode() for term in numbers)
        order = np.empty(len(numbers), np.int64)
        order[[numbers[term.decode()] for term in vocabulary]] = np.arange(len(vocabulary))
        term_of = order[np.frombuffer(flat, np.int32)] if flat else np.empty(0, np.int64)
        return cls(_postings(vocabulary, term_of, lengths), language=analyser.language, k1=k1, b=b)

    @property
    def language(self) -> str:
        """The Snowball name of the language, to be kept beside the arrays."""
        return self.analyser.language

    @property
    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything that a copy needs besides the language: plain arrays, for `np.save` and `np.load(mmap_mode="r")`."""
        return {
            "vocabulary": self._blob,
            "vocabulary_ends": self._ends,
            "starts": self._starts,
            "rows": self._rows,
            "counts": self._counts,
            "lengths": self._lengths,
        }

    def __len__(self) -> int:
        return len(self._lengths)

    def changed(self, *, keep: NDArray[np.bool_] | None = None, added: Sequence[str] = ()) -> Self:
        """A new index without some rows and with further texts after those that stay; only the new texts are read.

        Args:
            keep: One truth value a row; rows that stay move up in order. None keeps all.
            added: Texts for the rows after them.
        """
        keep = np.ones(len(self), np.bool_) if keep is None else keep
        moved = np.cumsum(keep, dtype=np.int64) - 1
        new = type(self).build(added, language=self.language)
        kept = keep[self._rows]
        old_vocabulary, new_vocabulary = self._vocabulary(), new._vocabulary()
        number = {term: i for i, term in enumerate(sorted({*old_vocabulary, *new_vocabulary}))}
        old_terms = np.repeat(np.array([number[t] for t in old_vocabulary], np.int64), np.diff(self._starts))[kept]
        new_terms = np.repeat(np.array([number[t] for t in new_vocabulary], np.int64), np.diff(new._starts))
        terms = np.concatenate([old_terms, new_terms])
        rows = np.concatenate([moved[self._rows[kept]], new._rows + int(keep.sum())])
        counts = np.concatenate([self._counts[kept], new._counts])
        order = np.lexsort((rows, terms))
        arrays = _arrays(
            list(number), terms[order], rows[order], counts[order], np.concatenate([self._lengths[keep], new._lengths])
        )
        return type(self)(arrays, language=self.language, k1=self.k1, b=self.b)

    def scores(
        self, query: str, *, texts: Texts | None = None, weights: Mapping[str, float] | None = None
    ) -> NDArray[np.float32]:
        """Score every row.

        Args:
            query: A question or a few words. Phrases between double quotation marks count as further terms wherever
                they occur literally.
            texts: Hands over the texts of rows, for checking quoted phrases; None ignores the marks.
            weights: Terms to use instead of those of the query, with their weights (as an expansion makes them).

        Returns:
            One score a row, 0 where no term occurs.
        """
        total = np.zeros(len(self), np.float32)
        for term, weight in (weights or dict.fromkeys(self.analyser.query_terms(query), 1.0)).items():
            rows, counts = self._find(term)
            if len(rows):
                total[rows] += weight * self._weights(rows, counts, len(rows))
        for rows in self.phrase_rows(query, texts).values() if texts else ():
            if len(rows):
                total[rows] += 2.0 * self._weights(rows, np.ones(len(rows), np.uint16), len(rows))
        return total

    def article_scores(self, query: str, articles: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score the article of every row as if its rows were one text.

        Args:
            query: A question or a few words.
            articles: Article number of every row, counted from 0.

        Returns:
            One score a row, the same for all rows of an article.
        """
        if not len(self):
            return np.zeros(0, np.float32)
        lengths = np.bincount(articles, self._lengths).astype(np.float32)
        norm = self.k1 * (1 - self.b + self.b * lengths / max(float(np.mean(lengths)), 1.0))
        total = np.zeros(len(lengths), np.float32)
        for term in self.analyser.query_terms(query):
            rows, counts = self._find(term)
            if len(rows):
                tf = np.bincount(articles[rows], counts, minlength=len(lengths)).astype(np.float32)
                total += _idf(len(lengths), int(np.count_nonzero(tf))) * tf / (tf + norm)
        scores: NDArray[np.float32] = total[articles]
        return scores

    def ceiling(self, query: str) -> float:
        """The score that no text can pass: every term of the query, without end. For scaling scores to 0 to 1."""
        return float(sum(self.idf(term) for term in self.analyser.query_terms(query)))

    def phrase_rows(self, query: str, texts: Texts) -> dict[str, NDArray[np.int64]]:
        """For each quoted phrase of a query, the rows whose text holds it literally but for case, accents and line ends.

        A phrase whose words occur together in more than 2,000 texts is looked for in the first 2,000 of them only: so
        common a phrase tells little, and reading every text would take seconds.
        """
        found: dict[str, NDArray[np.int64]] = {}
        for phrase in phrases(query):
            candidates = self._candidates(phrase)
            wanted = " ".join(fold(phrase).split())
            held = [wanted in " ".join(fold(text).split()) for text in texts(candidates.tolist())]
            found[phrase] = candidates[np.array(held, np.bool_)] if held else candidates
        return found

    def idf(self, term: str) -> float:
        """How telling a term is: high for rare ones; one that does not occur weighs no more than one that occurs once."""
        return float(_idf(len(self), max(1, len(self._find(term)[0]))))

    def frequency(self, term: str) -> int:
        """In how many texts a term occurs."""
        return len(self._find(term)[0])

    def rows(self, term: str) -> NDArray[np.int64]:
        """The rows that hold a term."""
        return self._find(term)[0].astype(np.int64)

    @cached_property
    def vocabulary(self) -> list[str]:
        """Every term, sorted by its bytes."""
        return [term.decode() for term in self._vocabulary()]

    def _candidates(self, phrase: str) -> NDArray[np.int64]:
        """Rows that hold every term of a phrase."""
        rows: NDArray[np.int64] | None = None
        for term in dict.fromkeys(self.analyser.terms(phrase)):
            here = self._find(term)[0].astype(np.int64)
            rows = here if rows is None else np.intersect1d(rows, here, assume_unique=True)
        if rows is None:
            return np.empty(0, np.int64)
        return rows[:_PHRASE_CANDIDATES]

    def _weights(self, rows: NDArray[np.generic], counts: NDArray[np.generic], frequency: int) -> NDArray[np.float32]:
        """BM25 weights of one term over its postings."""
        tf = counts.astype(np.float32)
        weights: NDArray[np.float32] = _idf(len(self), frequency) * tf / (tf + self._norm[rows])
        return weights

    @cached_property
    def _norm(self) -> NDArray[np.float32]:
        """What the length of each row adds below the fraction."""
        norm: NDArray[np.float32] = self.k1 * (1 - self.b + self.b / self._mean * self._lengths.astype(np.float32))
        return norm

    def _find(self, term: str) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
        """Rows and counts of a term; empty if the vocabulary lacks it. A search asks for each of its terms several times."""
        found = self._found.get(term)
        if found is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            found = self._found[term] = self._postings_of(term)
        return found

    def _postings_of(self, term: str) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
        wanted, low, high = term.encode(), 0, len(self._ends)
        while low < high:
            middle = (low + high) // 2
            here = self._term(middle)
            if here == wanted:
                start, end = int(self._starts[middle]), int(self._starts[middle + 1])
                return self._rows[start:end], self._counts[start:end]
            low, high = (middle + 1, high) if here < wanted else (low, middle)
        return self._rows[:0], self._counts[:0]

    def _term(self, number: int) -> bytes:
        return self._blob[int(self._ends[number - 1]) if number else 0 : int(self._ends[number])].tobytes()

    def _vocabulary(self) -> list[bytes]:
        blob, ends = self._blob.tobytes(), self._ends.tolist()
        return [blob[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _idf(total: int, frequency: int) -> np.float32:
    return np.float32(np.log1p((total - frequency + 0.5) / (frequency + 0.5)))


def _postings(vocabulary: list[bytes], term_of: NDArray[np.int64], lengths: NDArray[np.int32]) -> dict[str, NDArray[np.generic]]:
    """Count each term in each row: one sort over the numbers of all occurrences."""
    total = max(1, len(lengths))
    keys, counts = np.unique(term_of * total + np.repeat(np.arange(len(lengths)), lengths), return_counts=True)
    return _arrays(vocabulary, keys // total, keys % total, counts, lengths)


def _arrays(
    vocabulary: list[bytes],
    terms: NDArray[np.int64],
    rows: NDArray[np.int64],
    counts: NDArray[np.int64],
    lengths: NDArray[np.int32],
) -> dict[str, NDArray[np.generic]]:
    """Lay postings, sorted by term and row, out as the arrays of an index."""
    starts = np.searchsorted(terms, np.arange(len(vocabulary) + 1))
    return {
        "vocabulary": np.frombuffer(b"".join(vocabulary), np.uint8),
        "vocabulary_ends": np.cumsum([len(term) for term in vocabulary], dtype=np.int64),
        "starts": starts.astype(np.int64),
        "rows": rows.astype(np.int32),
        "counts": np.minimum(counts, 65535).astype(np.uint16),
        "lengths": lengths.astype(np.int32),
    }
