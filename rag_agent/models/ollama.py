"""The provider `ollama:`: chat and embedding models of an Ollama server, at `OLLAMA_HOST` or this machine's port 11434."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import ollama
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.embeddings import Embeddings
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_ollama import ChatOllama, OllamaEmbeddings

from rag_agent.errors import BackendError, ModelError, ModelNotFoundError
from rag_agent.models.capability import parse_size
from rag_agent.models.providers import refuse_unknown
from rag_agent.settings import Settings

_RENAMED = {"max_new_tokens": "num_predict", "repetition_penalty": "repeat_penalty"}
_GENERATION = {
    "temperature", "top_p", "top_k", "seed", "num_ctx", "num_thread", "keep_alive", "repeat_penalty", "num_predict",
    "mirostat", "mirostat_eta", "mirostat_tau", "num_gpu", "tfs_z", "repeat_last_n", "stop", "format", "reasoning",
}  # fmt: skip


def ollama_chat(model: str, settings: Settings, **generation: Any) -> ChatOllama:
    """A chat model of the server. Settings go by their transformers names, or by Ollama's own."""
    refuse_unknown(generation, _GENERATION | set(_RENAMED), "Ollama")
    options = {_RENAMED.get(name, name): value for name, value in generation.items()}
    return _Chat(model=model, **{"temperature": 0, "num_predict": 256, **options})


def ollama_embeddings(model: str, settings: Settings) -> "Embeddings":
    """An embedding model of the server."""
    return _Embeddings(model=model)


def server_models() -> list[tuple[str, int]]:
    """The models that the server has, each with its size in bytes.

    Raises:
        BackendError: No server answers.
    """
    with _told("any"), ollama.Client() as client:
        return [(str(model.model), int(model.size or 0)) for model in client.list().models]


def server_parameters(model: str) -> int | None:
    """How many weights a model of the server has; None where it does not tell.

    Raises:
        BackendError: No server answers.
        ModelNotFoundError: The server does not have the model.
    """
    with _told(model), ollama.Client() as client:
        told = client.show(model)
    count = (told.modelinfo or {}).get("general.parameter_count")
    return int(count) if count else parse_size(told.details.parameter_size if told.details else None)


class _Chat(ChatOllama):
    """`ChatOllama` whose failures are one line with the command that mends them."""

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with _told(self.model):
            return super()._generate(messages, stop, run_manager, **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with _told(self.model):
            yield from super()._stream(messages, stop, run_manager, **kwargs)


class _Embeddings(OllamaEmbeddings):
    """`OllamaEmbeddings` whose failures are one line with the command that mends them."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        with _told(self.model):
            return super().embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        with _told(self.model):
            return super().embed_query(text)


@contextmanager
def _told(model: str) -> Iterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except ollama.ResponseError as error:
        if error.status_code == 404:
            raise ModelNotFoundError(f"the Ollama server has no model '{model}'; get it: ollama pull {model}") from error
        raise ModelError(f"Ollama cannot use '{model}': {error.error}; `rag-agent models list` shows what there is") from error
    except (httpx.ConnectError, ConnectionError) as error:
        raise BackendError(
            "no Ollama server answers; start it with `ollama serve`, or set OLLAMA_HOST to where it runs"
        ) from error
    except httpx.HTTPError as error:
        raise BackendError(
            f"the Ollama server broke off ({type(error).__name__}: {error}); look at its log, then ask again"
        ) from error
