"""Vectors of eight bits a number beside the float32 ones: a scan of a quarter of the bytes; its best rows are read exactly.

Every row has a step of its own: its largest number is 127 steps. A cosine of two such rows is off by 0.0005 (the standard
deviation over MiniLM vectors, `scripts/bench_approx.py`), less than what parts the 10th from the 300th of a million. NumPy has no
product of such rows that is faster than that of float32 ones; numkong has (extra `int8`; `scripts/RETRIEVAL.md` has the others).
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from rag_agent.errors import SettingsError
from rag_agent.index.matrix import Matrix, best_first, cosines, unit_rows
from rag_agent.private import synced

__all__ = ["Codes", "HowToSearch", "Near", "Speeds", "available", "wanted"]

HowToSearch = Literal["auto", "exact", "int8"]

EXACT_TO = 512 * 2**20
"""Bytes of float32 rows up to which `auto` stays exact: 350,000 rows of 384 numbers, half a scan of 1M."""
_REREAD = 300
"""How many of the best rows are read exactly: recall@10 of 1M is 1.0 from 50 on (`scripts/bench_approx.py`)."""
_BLOCK = 65_536  # rows
_FOLDER = "int8"
_SAMPLE = 64 * 2**20  # bytes


def available() -> bool:
    """Whether the package with the kernels is here."""
    return find_spec("numkong") is not None


def wanted(how: HowToSearch, matrix: Matrix) -> bool:
    """Whether a search of these rows goes over eight bits.

    Raises:
        SettingsError: It should, and the package for it is not here.
    """
    if how == "int8" and not available():
        raise SettingsError('search = "int8" needs a package more: pip install "rag-agent[int8]"')
    return how == "int8" or (how == "auto" and matrix.nbytes > EXACT_TO and available())


@dataclass(frozen=True)
class Speeds:
    """Milliseconds that a scan of some rows takes on this machine; those of eight bits are None where the package is missing."""

    exact: float
    int8: float | None

    @classmethod
    def measured(cls, rows: int, dimensions: int) -> Self:
        """Of so many rows, by scans of as many as fit in 64 MB: more than the caches hold of most machines."""
        few = max(1, min(rows, _SAMPLE // (4 * dimensions)))
        matrix = np.random.default_rng(0).standard_normal((few, dimensions), dtype=np.float32)
        ways: list[Callable[[], Any]] = [lambda: cosines(matrix, matrix[0])]
        if available():
            codes = Codes.of(matrix)
            ways.append(lambda: codes.cosines(matrix[0]))
        taken = [min(_seconds(way) for _ in range(3)) * 1000 * rows / few for way in ways]
        return cls(taken[0], taken[1] if len(taken) > 1 else None)


def _seconds(way: Callable[[], Any]) -> float:
    began = time.perf_counter()
    way()
    return time.perf_counter() - began


@dataclass(frozen=True)
class Codes:
    """Rows in eight bits, (rows, dimensions), and the step of each, (rows,)."""

    codes: NDArray[np.int8]
    steps: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.codes.dtype != np.int8 or self.codes.ndim != 2 or len(self.codes) != len(self.steps):
            raise ValueError("no rows of eight bits")

    @property
    def nbytes(self) -> int:
        """What a scan reads."""
        return self.codes.nbytes + self.steps.nbytes

    @classmethod
    def of(cls, matrix: Matrix) -> Self:
        """Those of some float32 rows."""
        codes, steps = np.empty(matrix.shape, np.int8), np.empty(len(matrix), np.float32)
        for first in range(0, len(matrix), _BLOCK):
            block = slice(first, first + _BLOCK)
            codes[block], steps[block] = _coded(matrix[block])
        return cls(codes, steps)

    @classmethod
    def kept(cls, matrix: Matrix, beside: Path | None) -> Self:
        """Those of some rows, mapped from the folder that keeps the rows; made, and kept there, where they are not there yet."""
        found = cls._open(beside, matrix) if beside else None
        if found is None:
            found = cls.of(matrix)
            if beside and beside.is_dir():
                found._save(beside)
                found = cls._open(beside, matrix) or found
        return found

    @classmethod
    def _open(cls, beside: Path, matrix: Matrix) -> Self | None:
        try:
            folder = beside / _FOLDER
            codes, steps = (np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in ("codes", "steps"))
            return cls(codes, steps.astype(np.float32, copy=False)) if codes.shape == matrix.shape else None
        except Exception:  # files that are not what was written fail in as many ways as they have readers
            return None

    def _save(self, beside: Path) -> None:
        """Keep them, by one rename. What cannot be written is left: they can be made again."""
        made: str | None = None
        try:
            made = tempfile.mkdtemp(prefix="new-", dir=beside)
            for name, array in (("codes", self.codes), ("steps", self.steps)):
                with synced(Path(made, f"{name}.npy")) as file:
                    np.save(file, array, allow_pickle=False)
            shutil.rmtree(beside / _FOLDER, ignore_errors=True)
            os.rename(made, beside / _FOLDER)
        except OSError:
            pass
        finally:
            if made:
                with suppress(OSError):
                    shutil.rmtree(made, ignore_errors=True)

    def cosines(self, vector: NDArray[Any]) -> Matrix:
        """About the cosine of each row with a vector of length 1, (rows,)."""
        import numkong

        if not len(self.codes):
            return np.empty(0, np.float32)
        code, step = _coded(np.asarray(vector, np.float32)[None])
        products = np.asarray(numkong.cdist(self.codes, code, "dot"))
        result: Matrix = products.reshape(-1).astype(np.float32)
        result *= self.steps
        result *= step[0]
        return result


def _coded(rows: Matrix) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    if not np.isfinite(rows).all():  # such rows are like nothing
        rows = np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0)
    steps = np.abs(rows).max(axis=1, initial=0.0) / 127
    codes = np.rint(rows / np.where(steps > 0, steps, 1)[:, None]).astype(np.int8)
    return codes, steps.astype(np.float32)


class Near:
    """How near every row is to a query: exactly, or, with `codes`, about so until a row is `settle`d."""

    def __init__(
        self, matrix: Matrix, vector: Matrix, codes: Codes | None = None, scale: Callable[[Any], Any] = lambda found: found
    ) -> None:
        """Look at all rows.

        Args:
            matrix: The rows, of length 1.
            vector: The query.
            codes: The rows in eight bits.
            scale: What the cosines are read on.
        """
        self._matrix, self._scale = matrix, scale
        self._vector = unit_rows(np.asarray(vector, np.float32)[None])[0]
        self._about = codes is not None
        found = cosines(matrix, self._vector) if codes is None else codes.cosines(self._vector)
        self.scores: Matrix = np.asarray(scale(found), np.float32)

    def settle(self, rows: NDArray[Any]) -> None:
        """Read some rows exactly."""
        if self._about and len(rows):
            self.scores[rows] = self._scale(self._matrix[rows] @ self._vector)

    def settle_best(self, k: int, within: NDArray[Any] | None = None, by: Matrix | None = None) -> None:
        """Read the rows exactly that are best so far, several times as many as the k that are wanted.

        Args:
            k: How many.
            within: Only these rows count.
            by: What makes a row the best, instead of its nearness.
        """
        if not self._about:
            return
        depth, scores = max(_REREAD, 8 * k), self.scores if by is None else by
        if within is None:
            self.settle(best_first(scores, depth))
        else:
            self.settle(within[best_first(scores[within], depth)])

    def best(self, k: int, within: NDArray[Any] | None = None) -> NDArray[Any]:
        """The k nearest rows, best first; of some rows alone, where these are given."""
        self.settle_best(k, within)
        if within is None:
            return best_first(self.scores, k)
        best: NDArray[Any] = within[best_first(self.scores[within], k)]
        return best
