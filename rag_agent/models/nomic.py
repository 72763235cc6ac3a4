"""The provider `nomic:`: Nomic's embedding models on this machine, through gpt4all (extra `nomic`).

langchain-nomic is not used for that: offline, even its local mode asks the network for a list of models before it looks at the
file that is there. `nomic-remote:` is its remote mode (extra `nomic-remote`), which sends every text to Nomic's servers.
"""

import importlib.util
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_core.embeddings import Embeddings

from rag_agent.errors import ModelError, ModelNotFoundError
from rag_agent.settings import Settings
from rag_agent.telling import tell_once


class NomicEmbeddings(Embeddings):
    """Embeddings of one of Nomic's models; queries and documents are told apart as it expects."""

    def __init__(self, name: str, embed: Callable[[list[str], str], list[list[float]]]) -> None:
        """Name the model.

        Args:
            name: As `provider:model`.
            embed: Makes the vectors of texts for a task.
        """
        self.rag_agent_name = name
        self._embed = embed

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        return self._vectors(texts, "search_document") if texts else []

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return self._vectors([text], "search_query")[0]

    def _vectors(self, texts: list[str], task: str) -> list[list[float]]:
        try:
            return self._embed(texts, task)
        except (RuntimeError, ValueError, OSError) as error:
            first = str(error).strip().partition("\n")[0]
            raise ModelError(f"{self.rag_agent_name} cannot embed: {first}") from error


def nomic_embeddings(model: str, settings: Settings) -> NomicEmbeddings:
    """An embedding model in this process: no text leaves the machine.

    Args:
        model: A name, whose file is looked for among the models and in gpt4all's own folder, or the path of a `.gguf` file;
            behind a colon, how many dimensions are wanted: `nomic-embed-text-v1.5:256`.
        settings: Say where models lie.

    Raises:
        ModelNotFoundError: The extra is not installed, or the file is not there.
    """
    name, size = _sized(model)
    path = _file(name, settings)
    if importlib.util.find_spec("gpt4all") is None:
        raise ModelNotFoundError(f"nomic:{model} needs an extra: pip install 'rag-agent[nomic]' (or use ollama:nomic-embed-text)")
    return NomicEmbeddings(f"nomic:{model}", _File(path, size))


def nomic_remote_embeddings(model: str, settings: Settings) -> NomicEmbeddings:
    """An embedding model of Nomic's servers: every text is sent to them.

    Raises:
        ModelNotFoundError: The extra is not installed.
    """
    name, size = _sized(model)
    try:
        from langchain_nomic import NomicEmbeddings as Remote
    except ImportError as error:
        raise ModelNotFoundError(
            f"nomic-remote:{model} needs an extra: pip install 'rag-agent[nomic-remote]' (nomic:{model} runs on this machine)"
        ) from error
    tell_once("nomic-remote: every text that is embedded leaves this machine, to Nomic's servers")
    remote = Remote(model=name, dimensionality=size, inference_mode="remote")
    return NomicEmbeddings(f"nomic-remote:{model}", lambda texts, task: list(remote.embed(texts, task_type=task)))


class _File:
    """A `.gguf` file, loaded at the first call."""

    def __init__(self, path: Path, dimensionality: int | None) -> None:
        self._path, self._dimensionality = path, dimensionality
        self._lock = threading.Lock()
        self._model: Any = None

    def __call__(self, texts: list[str], task: str) -> list[list[float]]:
        with self._lock:  # one model, one computation at a time
            self._model = self._model or self._load()
            vectors: list[list[float]] = self._model.embed(
                texts, prefix=task, dimensionality=self._dimensionality, long_text_mode="truncate", atlas=True
            )
        return vectors

    def _load(self) -> Any:
        from gpt4all import Embed4All

        with _silence():
            return Embed4All(self._path.name, model_path=self._path.parent, device="cpu", allow_download=False)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep gpt4all's complaints about a missing GPU, which its C++ writes itself, out of standard error."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _sized(model: str) -> tuple[str, int | None]:
    name, colon, size = model.rpartition(":")
    return (name, int(size)) if colon and size.isdecimal() and int(size) else (model, None)


def _file(name: str, settings: Settings) -> Path:
    path = Path(name).expanduser()
    if path.suffix == ".gguf" or "/" in name:
        if not path.is_file():
            raise ModelNotFoundError(f"{path}: no such file; name a .gguf file of a Nomic embedding model")
        return path.absolute()
    folders = [*(folder / "nomic" for folder in settings.model_folders), Path.home() / ".cache" / "gpt4all"]
    for folder in folders:
        if found := sorted(folder.glob(f"{name}*.gguf")):
            return found[0]
    raise ModelNotFoundError(
        f"the file {name}*.gguf is not on this machine; download it from the model hub (nomic-ai/{name}-GGUF) to {folders[0]}, "
        f"or name its path: nomic:/path/to/file.gguf (or use ollama:nomic-embed-text)"
    )
