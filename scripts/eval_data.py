"""What the evaluation scripts share: the public data, and embeddings that remember what they were given."""

import argparse
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from rag_agent.models import embeddings
from rag_agent.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "eval"


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The options that every evaluation script has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="folder of the evaluation data")
    parser.add_argument("--limit", type=int, help="only so many questions, spread evenly")
    parser.add_argument("--cache", type=Path, help="a .npz file that keeps vectors from run to run")
    return parser


def parsed(parser: argparse.ArgumentParser, needs: str) -> argparse.Namespace:
    """The options; without the data, a message and a normal end."""
    options = parser.parse_args()
    if not (options.data / needs).exists():
        parser.exit(0, f"skipped: there is no {options.data / needs}; name the folder of the evaluation data\n")
    return options


def some(rows: Sequence[Any], limit: int | None) -> list[Any]:
    """So many rows, spread evenly over all."""
    if not limit or limit >= len(rows):
        return list(rows)
    return [rows[int(i)] for i in np.linspace(0, len(rows) - 1, limit)]


def gathered(target: Path, *folders: Path) -> Path:
    """The text files of some folders as one folder of documents."""
    target.mkdir(parents=True, exist_ok=True)
    for folder in folders:
        for file in sorted(folder.glob("*.txt")):
            shutil.copyfile(file, target / file.name)
    return target


class Remembering(Embeddings):
    """An embedding model; a text is embedded once, since these scripts ask the same questions of several indexes."""

    def __init__(self, cache: Path | None = None, name: str = "embedded") -> None:
        self.rag_agent_name = name  # the same vectors: the scale that belongs to the name holds
        self._model = embeddings(name, settings=Settings.load())
        self._cache = cache
        self._known: dict[str, np.ndarray] = {}
        if cache and cache.exists():
            with np.load(cache) as stored:
                self._known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
        self._stored = len(self._known)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One unit vector a text."""
        keys = [hashlib.sha1(text.encode()).hexdigest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if new:
            vectors = np.array(self._model.embed_documents(list(new.values())), dtype=np.float32)
            self._known.update(zip(new, vectors, strict=True))
        return [self._known[key].tolist() for key in keys]

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question."""
        if self.rag_agent_name == "embedded":  # it knows no difference
            return self.embed_documents([text])[0]
        key = hashlib.sha1(f"query: {text}".encode()).hexdigest()
        if key not in self._known:
            self._known[key] = np.array(self._model.embed_query(text), dtype=np.float32)
        found: list[float] = self._known[key].tolist()
        return found

    def keep(self) -> None:
        """Write what was embedded to the cache."""
        if self._cache and len(self._known) > self._stored:
            self._stored = len(self._known)
            np.savez(self._cache, keys=np.array(list(self._known)), vectors=np.array(list(self._known.values())))
