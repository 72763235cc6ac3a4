"""The arrays that searches run over, derived from an index file, kept beside it and mapped from there.

They are never the truth: each set is named by the version of the index, comes into being by one rename, and one that is
missing, damaged or of another version is derived anew. Plain `.npy` files, no pickle.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rag_agent.index.database import Database
from rag_agent.index.int8 import Codes
from rag_agent.index.lexical import BM25
from rag_agent.index.matrix import Matrix
from rag_agent.private import private_folder, synced

LAYOUT = 3
_NAME = re.compile(r"[0-9a-z_-]{1,64}")
_OURS = re.compile(r"[0-9a-f]{32}|new-\w+")
"""The folders of this room: finished sets by version, and unfinished ones as `tempfile` names them."""
_COLUMNS = ("ids", "files", "article_in_file", "starts", "ends", "pages")

Text = Callable[[int], str]
"""Hands over a file's text by its ID."""


class Arrays:
    """Everything about the chunks of one version of an index, one row a chunk."""

    def __init__(self, stamp: str, arrays: dict[str, NDArray[np.generic]], language: str) -> None:
        """Take ready arrays, in memory or mapped."""
        self.stamp = stamp
        self.columns = {name: arrays[name].astype(np.int64, copy=False) for name in _COLUMNS}
        self.articles: NDArray[np.int64] = arrays["articles"].astype(np.int64, copy=False)
        self.matrix: Matrix = arrays["matrix"].astype(np.float32, copy=False)
        self.codes: Codes | None = None  # made where a search goes over them
        self.bm25 = BM25(
            {name.removeprefix("bm25-"): a for name, a in arrays.items() if name.startswith("bm25-")}, language=language
        )
        if not len(self) == len(self.articles) == len(self.matrix) == len(self.bm25):
            raise ValueError("arrays of different lengths")

    def __len__(self) -> int:
        return len(self.columns["ids"])

    def span(self, row: int) -> tuple[int, int, int, int, int | None]:
        """File's ID, article, start, end and page of a chunk."""
        file, article, start, end, page = (int(self.columns[name][row]) for name in _COLUMNS[1:])
        return file, article, start, end, page or None

    @classmethod
    def derive(cls, database: Database, text: Text, former: Self | None = None) -> Self:
        """Read everything out of the index file; what `former` knows of the words of chunks that stayed is taken over."""
        spans = database.spans()
        columns = {name: np.ascontiguousarray(spans[:, place]) for place, name in enumerate(_COLUMNS)}
        pairs = columns["files"] << 32 | columns["article_in_file"]
        bm25 = _words(columns, text, database, former)
        arrays: dict[str, NDArray[np.generic]] = {
            **columns,
            "articles": np.unique(pairs, return_inverse=True)[1].reshape(-1).astype(np.int64),
            "matrix": _matrix(database, len(spans)),
            **{f"bm25-{name}": array for name, array in bm25.arrays.items()},
        }
        return cls(database.version(), arrays, bm25.language)

    @classmethod
    def open(cls, folder: Path, wanted: str) -> Self | None:
        """Map the set of a version; None where there is none that can be used."""
        try:
            about = json.loads((folder / wanted / "about.json").read_text(encoding="utf-8"))
            if about["layout"] != LAYOUT or not all(_NAME.fullmatch(name) for name in about["arrays"]):
                return None
            # Plain views of the maps: numpy's own class of mapped arrays makes each slice cost microseconds more.
            arrays = {n: np.asarray(np.load(folder / wanted / f"{n}.npy", mmap_mode="r")) for n in about["arrays"]}
            return cls(wanted, arrays, about["language"])
        except Exception:  # files that are not what was written fail in as many ways as they have readers
            return None

    def save(self, folder: Path, *, anew: bool = False) -> None:
        """Keep the set in a folder. What cannot be written is left: the arrays can be derived again.

        Args:
            folder: Where.
            anew: Put it in the place of one that can be opened, too.
        """
        arrays: dict[str, NDArray[np.generic]] = {**self.columns, "articles": self.articles, "matrix": self.matrix}
        arrays |= {f"bm25-{name}": array for name, array in self.bm25.arrays.items()}
        about = {"layout": LAYOUT, "language": self.bm25.language, "arrays": list(arrays)}
        made: str | None = None
        try:
            private_folder(folder)
            made = tempfile.mkdtemp(prefix="new-", dir=folder)
            for name, array in arrays.items():
                with synced(Path(made, f"{name}.npy")) as file:
                    np.save(file, array, allow_pickle=False)
            with synced(Path(made, "about.json")) as file:
                file.write(json.dumps(about).encode())
            if anew or self.open(folder, self.stamp) is None:  # another reader may have been first
                shutil.rmtree(folder / self.stamp, ignore_errors=True)
                os.rename(made, folder / self.stamp)
        except OSError:
            pass
        finally:
            if made:
                shutil.rmtree(made, ignore_errors=True)


def prune(folder: Path, keep: str) -> None:
    """Drop the sets of other versions and unfinished ones; readers that have them mapped keep them.

    Only for the one process that is bringing the index up to date. What has another name is somebody else's, and so is
    everything in a folder that the name only links to.
    """
    with suppress(OSError):
        for other in folder.iterdir() if not folder.is_symlink() else ():
            if other.name != keep and _OURS.fullmatch(other.name):
                shutil.rmtree(other, ignore_errors=True)


def path_words(file: str) -> str:
    """The words of a file's path: folders and name without the suffix."""
    return re.sub(r"[/_.\-]+", " ", file.rsplit(".", 1)[0])


def _matrix(database: Database, rows: int) -> Matrix:
    """All vectors, (chunks, dimensions), filled row by row: the vectors are in memory once."""
    matrix = np.empty((0, 0), np.float32)
    for row, blob in enumerate(database.vectors()):
        if not row:
            matrix = np.empty((rows, len(blob) // 4), np.float32)
        matrix[row] = np.frombuffer(blob, np.float32)
    return matrix


def _words(columns: dict[str, NDArray[np.int64]], text: Text, database: Database, former: Arrays | None) -> BM25:
    contexts, names = database.contexts(), database.names()

    def texts(rows: NDArray[np.int64]) -> list[str]:
        """Chunks under their headings and the name of their file, by which people ask for them, too."""
        spans = zip(rows.tolist(), *(columns[name][rows].tolist() for name in ("files", "starts", "ends")), strict=True)
        return [f"{path_words(names[file])} {contexts[row]}\n{text(file)[start:end]}" for row, file, start, end in spans]

    ids = columns["ids"]
    if former is not None and len(former):
        keep = np.isin(former.columns["ids"], ids)
        added = np.flatnonzero(ids > former.columns["ids"][-1])
        # The language was told by the former chunks, so they must be most of the new ones.
        if len(added) < keep.sum() and keep.sum() + len(added) == len(ids):
            return former.bm25.changed(keep=keep, added=texts(added))
    return BM25.build(texts(np.arange(len(ids))))
