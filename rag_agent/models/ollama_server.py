"""What an Ollama server says of its models, its failures in one line each, and its embedding models."""

import ipaddress
import json
import os
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpx
import ollama
from langchain_ollama import OllamaEmbeddings

from rag_agent.errors import BackendError, ModelError, ModelNotFoundError
from rag_agent.telling import tell_once

SILENCE = 600
"""Seconds without a byte: the first load of a large model, and reading a long prompt, take minutes on a CPU."""

_TASKS = {"nomic-embed-text": ("search_query: ", "search_document: ")}
"""What models expect before queries and documents; the server does not add it."""


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # each client would make one of its own, which takes longer than a question to the server


def client_settings(silence: float) -> dict[str, Any]:
    """How a client waits: ten seconds for a server, and so many for its next byte; and that texts for this machine stay on it.

    A proxy that the environment names is for other machines: through it, a text for one's own server would leave.
    """
    settings = {"timeout": httpx.Timeout(silence, connect=10), "verify": _certificates()}
    return {**settings, "trust_env": False} if _here(_host()) else settings


def tell_where() -> None:
    """Say where texts go, before the first is sent, where that is another machine."""
    place = urlsplit(_url(_host()))
    if not _here(_host()):
        port = f":{place.port}" if place.port else ""
        tell_once(
            f"questions and passages are sent to the Ollama server at {place.hostname}{port} (OLLAMA_HOST), another machine"
        )


def _host() -> str:
    return os.environ.get("OLLAMA_HOST") or "127.0.0.1:11434"


def _url(host: str) -> str:
    return host if "://" in host else f"//{host}"


def _here(host: str) -> bool:
    """Whether a host, as `OLLAMA_HOST` names it, is this machine."""
    name = urlsplit(_url(host)).hostname or "localhost"
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@dataclass(frozen=True)
class Facts:
    """What the server knows of a model."""

    context_length: int
    num_ctx: int
    """The window that the model's own Modelfile asks for, or 0."""
    thinks: bool
    """Whether its thinking can be turned on and off."""
    begins_with_thoughts: bool
    """Whether its prompt ends with the opening mark of thoughts."""
    parameters: int | None
    bare: bool = False
    """Whether it has no chat template, so that the server shows it the last message alone."""


@lru_cache(maxsize=32)
def _facts(model: str, host: str | None) -> Facts:
    with told(model), ollama.Client(**client_settings(30)) as client:
        shown = client.show(model)
    info = shown.modelinfo or {}
    length = next((int(value) for key, value in info.items() if key.endswith(".context_length")), 0)
    own = re.search(r"^num_ctx\s+(\d+)", shown.parameters or "", re.MULTILINE)
    count = info.get("general.parameter_count")
    return Facts(
        context_length=length or 1 << 20,
        num_ctx=int(own[1]) if own else 0,
        thinks="thinking" in (shown.capabilities or []),
        begins_with_thoughts=(shown.template or "").rstrip().endswith("<think>"),
        bare=_is_bare(shown.template or "", shown.modelfile or ""),
        parameters=int(count) if count else _size(shown.details.parameter_size if shown.details else None),
    )


def _is_bare(template: str, modelfile: str) -> bool:
    """A template that names no role; a model that the server renders by code of its own has a line that says so."""
    rendered = re.search(r"^RENDERER\s+\S", modelfile, re.MULTILINE)
    return bool(template.strip()) and not rendered and not re.search(r"\.(?:System|Messages|Role)\b", template)


def facts(model: str) -> Facts:
    """What the server knows of a model, asked once.

    Raises:
        BackendError: No server answers.
        ModelNotFoundError: The server does not have the model.
    """
    return _facts(model, os.environ.get("OLLAMA_HOST"))


def server_models() -> list[tuple[str, int]]:
    """The models that the server has, each with its size in bytes.

    Raises:
        BackendError: No server answers.
    """
    with told("any"), ollama.Client(**client_settings(30)) as client:
        return [(str(model.model), int(model.size or 0)) for model in client.list().models]


def server_pull(model: str, progress: Callable[[str], None]) -> None:
    """Let the server bring a model from its own registry; it checks what it fetches.

    Raises:
        BackendError: No server answers, or it broke off.
        ModelNotFoundError: There is no such model, or the server cannot reach its registry.
    """
    last = ""
    with told(model), ollama.Client(**client_settings(SILENCE)) as client:
        try:
            for step in client.pull(model, stream=True):
                share = f" {10 * (10 * (step.completed or 0) // step.total)} %" if step.total else ""
                if (now := f"{step.status}{share}") != last:
                    progress(now)
                last = now
        except ollama.ResponseError as error:
            reason = " ".join(error.error.split())
            raise ModelNotFoundError(f"the Ollama server cannot bring '{model}': {reason}; check the server's network") from error


def loaded_size(model: str) -> int | None:
    """Bytes of memory that the server holds for a model; None while it is not loaded.

    Raises:
        BackendError: No server answers.
    """
    with told(model), ollama.Client(**client_settings(30)) as client:
        running = client.ps().models
    full = model if ":" in model else f"{model}:latest"
    return next((int(one.size or 0) for one in running if one.model == full), None)


class ServerEmbeddings(OllamaEmbeddings):
    """`OllamaEmbeddings` that puts a model's task before texts, and whose failures are one line with what mends it."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        with told(self.model):
            return super().embed_documents(self._tasked(texts, 1)) if texts else []

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        with told(self.model):
            return super().embed_documents(self._tasked([text], 0))[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        with told(self.model):
            return await super().aembed_documents(self._tasked(texts, 1)) if texts else []

    async def aembed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        with told(self.model):
            return (await super().aembed_documents(self._tasked([text], 0)))[0]

    def _tasked(self, texts: list[str], task: int) -> list[str]:
        family = self.model.rpartition("/")[2].partition(":")[0]
        prefix = _TASKS[family][task] if family in _TASKS else ""
        return [prefix + text for text in texts]


def ollama_embeddings(model: str, settings: Any) -> ServerEmbeddings:
    """An embedding model of the server."""
    tell_where()
    return ServerEmbeddings(model=model, client_kwargs=client_settings(SILENCE))


@contextmanager
def told(model: str) -> Iterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except ollama.ResponseError as error:
        raise _refusal(model, error) from error
    except (httpx.ConnectError, httpx.ConnectTimeout, ConnectionError) as error:
        raise BackendError(
            f"no Ollama server answers at {_host()}; start it with `ollama serve`, or set OLLAMA_HOST to where it runs"
        ) from error
    except httpx.TimeoutException as error:
        raise BackendError(
            f"the Ollama server was silent for too long; load the model first with `ollama run {model} ''`, or wait longer: "
            "--set timeout=1800 (seconds)"
        ) from error
    except (httpx.HTTPError, json.JSONDecodeError) as error:  # a line cut in its middle is no JSON
        raise BackendError(
            f"the Ollama server broke off ({type(error).__name__}: {error}); look at its log, then ask again"
        ) from error


def _refusal(model: str, error: ollama.ResponseError) -> ModelError:
    reason = " ".join(error.error.split())
    if error.status_code == 404:
        return ModelNotFoundError(f"the Ollama server has no model '{model}'; get it: ollama pull {model}")
    if "does not support chat" in reason or "does not support generate" in reason:
        return ModelError(f"the Ollama model '{model}' cannot chat, it embeds: use it with --embeddings ollama:{model}")
    if "does not support embed" in reason:
        return ModelError(f"the Ollama model '{model}' cannot embed; get one that can: ollama pull nomic-embed-text")
    if "does not support thinking" in reason:
        return ModelError(f"the Ollama model '{model}' cannot think; leave out --set reasoning")
    if error.status_code == -1:
        return BackendError(f"the Ollama server broke off in a reply of '{model}': {reason}; look at its log, then ask again")
    return ModelError(f"Ollama cannot use '{model}': {reason}; `rag-agent models list` shows what there is")


def _size(text: Any) -> int | None:
    """Read "8.0B" or "134.52M" as a number of parameters."""
    found = re.fullmatch(r"\s*([\d.]+)\s*([KMBT])\s*", str(text or ""), re.IGNORECASE)
    return int(float(found[1]) * {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}[found[2].upper()]) if found else None
