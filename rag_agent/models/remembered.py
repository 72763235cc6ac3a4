"""Embeddings that remember: the units of a passage are compared with one question after another, and embedded once."""

import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

__all__ = ["LaterEmbeddings", "RememberedEmbeddings"]

_MOST = 8192  # vectors; 12 MB of 384 dimensions


class RememberedEmbeddings(Embeddings):
    """Those of another model, the last used of them kept. Several threads may share it."""

    def __init__(self, inner: Embeddings, most: int = _MOST) -> None:
        """Remember what `inner` says of `most` texts."""
        self._inner = inner
        self._most = most
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
        if missing := list(dict.fromkeys(text for text in texts if text not in found)):
            vectors = np.asarray(self._inner.embed_documents(missing), np.float32)
            found.update(zip(missing, vectors, strict=True))
        with self._lock:
            for text in texts:
                self._known[text] = found[text]
                self._known.move_to_end(text)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return [found[text].tolist() for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question, as the model makes it."""
        return self._inner.embed_query(text)

    @property
    def rag_agent_name(self) -> str:
        """The name of the other model, by which the scale of its cosines is known."""
        return str(getattr(self._inner, "rag_agent_name", ""))


class LaterEmbeddings(Embeddings):
    """Embeddings that are made when they are first used."""

    def __init__(self, make: Callable[[], Embeddings]) -> None:
        """Make them so."""
        self._make = make

    @property
    def rag_agent_name(self) -> str:
        """The name of what was made."""
        return str(getattr(self._make(), "rag_agent_name", ""))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        return self._make().embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return self._make().embed_query(text)
