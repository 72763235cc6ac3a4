"""Unit vectors in one contiguous matrix: exact search is one product, the best are picked without sorting the rest."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

_FIRST_ROWS = 64


def unit_rows(matrix: NDArray[Any]) -> Matrix:
    """Rows scaled to length 1, so that a product is a cosine; rows of zeros stay."""
    matrix = np.asarray(matrix, dtype=np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    result: Matrix = (matrix / np.maximum(lengths, 1e-12)).astype(np.float32, copy=False)
    return result


def cosines(matrix: Matrix, vector: NDArray[Any]) -> Matrix:
    """The cosine of each row of unit vectors with any vector, (rows,)."""
    result: Matrix = matrix @ unit_rows(np.asarray(vector, dtype=np.float32)[None])[0]
    return result


def best_first(scores: Matrix, depth: int) -> NDArray[np.int64]:
    """Rows of the best scores in order; equal scores go by row, so that runs repeat."""
    depth = min(depth, len(scores))
    if depth < 1:
        return np.empty(0, np.int64)
    bar = np.partition(scores, len(scores) - depth)[len(scores) - depth]
    found = np.flatnonzero(scores >= bar)
    ordered: NDArray[np.int64] = found[np.argsort(-scores[found], kind="stable")][:depth]
    return ordered


def most_varied(matrix: Matrix, relevance: Matrix, k: int, weight: float) -> list[int]:
    """Rows by maximal marginal relevance (Carbonell and Goldstein 1998).

    Each is the one that is best at `weight` times its relevance less `1 - weight` times its likeness to those before it.
    """
    chosen: list[int] = []
    likeness = np.full(len(matrix), -1.0, np.float32)
    left = np.ones(len(matrix), np.bool_)
    for _ in range(min(k, len(matrix))):
        value = weight * relevance - ((1 - weight) * likeness if chosen else 0)
        row = int(np.argmax(np.where(left, value, -np.inf)))
        chosen.append(row)
        left[row] = False
        np.maximum(likeness, matrix @ matrix[row], out=likeness)
    return chosen


class GrowingMatrix:
    """Rows that may come and go, always contiguous and in the order in which they came."""

    def __init__(self) -> None:
        self._buffer = np.empty((0, 0), np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> Matrix:
        """The rows, (rows, dimensions): a view that holds until the next change."""
        return self._buffer[: self._count]

    def append(self, vectors: NDArray[Any]) -> None:
        """Add rows, scaled to length 1.

        Raises:
            ValueError: They have another number of dimensions than the rows that are there.
        """
        new = unit_rows(vectors)
        if self._count and new.shape[1] != self._buffer.shape[1]:
            raise ValueError(f"vectors of {new.shape[1]} dimensions do not go with rows of {self._buffer.shape[1]}")
        needed = self._count + len(new)
        if needed > len(self._buffer) or not self._count:
            # Half as much again, so that adding one by one copies each row a bounded number of times.
            grown = np.empty((max(needed, len(self._buffer) * 3 // 2, _FIRST_ROWS), new.shape[1]), np.float32)
            grown[: self._count] = self.rows if self._count else 0
            self._buffer = grown
        self._buffer[self._count : needed] = new
        self._count = needed

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Drop the rows whose truth value is false; the others move up."""
        rows = self.rows[kept]
        self._buffer, self._count = rows, len(rows)
