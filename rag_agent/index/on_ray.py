"""Bulk embedding on Ray Data (extra `ray`): files are read, split and embedded by a cluster, and their vectors kept as they come.

Ray only fills vectors ahead, by the hash of the text. The ordinary update that follows finds them there, embeds whatever is
missing, and alone puts files in place; so a worker, a node or the whole cluster that is lost costs time and nothing else.
Workers see the files under the paths that they have here, and have rag-agent and the embedding model installed.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from rag_agent.documents import Reader, Source, Splitter, Unreadable
from rag_agent.errors import SettingsError
from rag_agent.index.database import Database, embedded, key
from rag_agent.index.matrix import unit_rows
from rag_agent.telling import tell_once

__all__ = ["OnRay"]

_FILES = 8  # read by one task at a time
_BATCH = 64  # texts embedded by one actor at a time
_WRITTEN = 256  # vectors kept in one transaction
_READING, _EMBEDDING = 0.1, 0.9  # of a CPU, so that each embeds and something reads beside it
_PORT = 10001  # of Ray's clients


class OnRay:
    """A cluster, and how its workers make the embedding model. Nothing is reached before the call."""

    def __init__(self, on: str, make: Callable[[], Embeddings]) -> None:
        """Name the cluster.

        Args:
            on: `ray`, the cluster of RAY_ADDRESS, else one of this machine's processors; or `ray://HOST[:PORT]`.
            make: Makes the embedding model; it is sent to the workers.

        Raises:
            SettingsError: It names no cluster, or Ray is not installed.
        """
        if not (found := re.fullmatch(r"ray(?:://([^\s:/]+)(?::(\d{1,5}))?)?", on)):
            raise SettingsError(f"'{on}' is no cluster; write ray, or ray://HOST[:PORT]")
        try:
            import ray.data
        except ImportError as error:
            raise SettingsError('ray is not installed; pip install "rag-agent[ray]"') from error
        self._ray: Any = ray
        self._address = f"ray://{found[1]}:{found[2] or _PORT}" if found[1] else None
        self._make = make

    def __call__(
        self, database: Database, sources: Sequence[Source], splitter: Splitter, model: str, progress: Callable[[int, int], None]
    ) -> int:
        """Embed what the texts of some files need and the index has not; returns how many vectors were kept.

        Where the cluster fails, one line says so, and what is missing is left to the ordinary update.

        Raises:
            SettingsError: The cluster is not there.
        """
        if not sources:
            return 0
        try:
            self._ray.cloudpickle.dumps(self._make)
        except Exception as error:  # of as many kinds as there are models
            raise SettingsError("these embeddings cannot be sent to workers; name them as provider:model") from error
        done = characters = 0
        size = sum(source.size for source in sources)
        with self._cluster():
            try:
                for texts, vectors in self._embedded(database, sources, splitter, model):
                    with database.transaction():
                        database.add_vectors(texts, unit_rows(vectors), model)
                    done += len(texts)
                    characters += sum(map(len, texts))
                    progress(done, max(done, round(size * done / max(1, characters))))
            except self._ray.exceptions.RayError as error:
                said = str(error).strip().splitlines() or [type(error).__name__]
                tell_once(f"Ray did not finish ({said[-1][:200]}); {done} vectors are kept, this process embeds the rest")
        return done

    def _embedded(
        self, database: Database, sources: Sequence[Source], splitter: Splitter, model: str
    ) -> Iterator[tuple[list[str], np.ndarray[Any, Any]]]:
        """Texts and their vectors, as they are made; the next are on their way while these are kept."""
        ray = self._ray
        files = [str(source.path.absolute()) for source in sources]
        pipeline = ray.remote(num_cpus=0)(_Pipeline).remote(files, splitter, model, database.hashes(), self._make)
        coming = pipeline.next.remote()
        while (batch := ray.get(coming)) is not None:
            coming = pipeline.next.remote()
            yield batch

    @contextmanager
    def _cluster(self) -> Iterator[None]:
        """Be connected; a cluster that the caller is connected to already stays so."""
        ray = self._ray
        if ray.is_initialized():
            yield
            return
        try:
            if self._address:
                ray.init(self._address, log_to_driver=False)
            else:
                ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, ValueError, ImportError) as error:
            where = self._address or "the cluster"
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise SettingsError(f"{where} cannot be reached ({said[0][:200]}); see that it runs: ray status") from error
        try:
            yield
        finally:
            ray.shutdown()


class _Pipeline:
    """Runs on the cluster, since Ray Data cannot be driven through Ray's client from outside."""

    def __init__(
        self, files: list[str], splitter: Splitter, model: str, known: frozenset[bytes], make: Callable[[], Embeddings]
    ) -> None:
        import ray.data

        ray.data.DataContext.get_current().enable_progress_bars = False
        actors = max(1, int(ray.cluster_resources().get("CPU", 1)))
        rows = [{"path": file} for file in files]
        texts = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // _FILES)).map_batches(
            _Texts(splitter, model, ray.put(known)), batch_size=_FILES, num_cpus=_READING
        )
        vectors = texts.map_batches(
            _Vectors,
            fn_constructor_args=(make,),
            batch_size=_BATCH,
            num_cpus=_EMBEDDING,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors),
        )
        self._batches = iter(vectors.iter_batches(batch_size=_WRITTEN))

    def next(self) -> tuple[list[str], np.ndarray[Any, Any]] | None:
        """Some texts and their vectors; None at the end."""
        batch = next(self._batches, None)
        return None if batch is None else ([str(t) for t in batch["text"]], np.stack(batch["vector"]).astype(np.float32))


class _Texts:
    """What is embedded of some files and has no vector yet. What cannot be read is told by the ordinary update."""

    def __init__(self, splitter: Splitter, model: str, known: Any) -> None:
        self._splitter, self._model, self._known = splitter, model, known

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        import ray

        known = ray.get(self._known)
        found: dict[str, None] = {}
        with Reader() as reader:
            for path in batch["path"]:
                try:
                    reading = self._splitter.articles(reader.read(Path(str(path))))
                except (Unreadable, OSError):
                    continue
                for chunk in self._splitter.chunks_of(reading):
                    text = embedded(chunk, reading.text)
                    if key(self._model, text) not in known:
                        found[text] = None
        return {"text": np.array(list(found), dtype=object)}


class _Vectors:
    """An actor that holds the model."""

    def __init__(self, make: Callable[[], Embeddings]) -> None:
        self._model = make()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        texts = [str(text) for text in batch["text"]]
        vectors = self._model.embed_documents(texts) if texts else np.empty((0, 0))
        return {"text": batch["text"], "vector": np.asarray(vectors, dtype=np.float32)}
