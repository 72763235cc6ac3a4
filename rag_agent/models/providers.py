"""The one table of providers: what stands before the first colon of a model's name, and what makes such a model.

The spelling is that of LangChain's `init_chat_model`, so users' strings carry over; the colon splits only behind a known
provider, since Ollama's own tags hold colons as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_agent.errors import ModelNotFoundError, SettingsError
from rag_agent.settings import Settings

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True)
class _Provider:
    """Where a provider's two makers are (module:function), and how its names look."""

    example: str
    chat: str | None = None
    embeddings: str | None = None


_PROVIDERS = {
    "embedded": _Provider(
        "embedded",
        chat="rag_agent.models.embedded:embedded_chat",
        embeddings="rag_agent.models.embedded:embedded_embeddings",
    ),
    "multilingual": _Provider("multilingual", embeddings="rag_agent.models.embedded:multilingual_embeddings"),
    "reader": _Provider("reader", chat="rag_agent.models.reader:reader_chat"),
    "huggingface": _Provider(
        "huggingface:HuggingFaceTB/SmolLM2-1.7B-Instruct, huggingface:/path/to/folder-or.gguf",
        chat="rag_agent.models.huggingface:huggingface_chat",
        embeddings="rag_agent.models.huggingface:huggingface_embeddings",
    ),
    "ollama": _Provider(
        "ollama:llama3.1:8b",
        chat="rag_agent.models.ollama:ollama_chat",
        embeddings="rag_agent.models.ollama_server:ollama_embeddings",
    ),
    "nomic": _Provider(
        "nomic:nomic-embed-text-v1.5, nomic:/path/to/file.gguf",
        embeddings="rag_agent.models.nomic:nomic_embeddings",
    ),
    "nomic-remote": _Provider(
        "nomic-remote:nomic-embed-text-v1.5, which sends texts to Nomic's servers",
        embeddings="rag_agent.models.nomic:nomic_remote_embeddings",
    ),
}

_ALONE = ("embedded", "multilingual", "reader")
"""Providers whose name is the whole name."""


def providers(role: str) -> dict[str, str]:
    """The providers that serve a role ("chat" or "embeddings"), each with an example of its names."""
    return {name: provider.example for name, provider in _PROVIDERS.items() if getattr(provider, role)}


def chat_model(name: str, *, settings: Settings | None = None, **generation: Any) -> "BaseChatModel":
    """The chat model of a name such as `ollama:llama3.1:8b`, with generation settings by their transformers names.

    Raises:
        ModelNotFoundError: The provider is unknown, or has no chat models.
        SettingsError: A generation setting is unknown or contradicts another.
    """
    model: BaseChatModel = _maker(name, "chat")(_rest(name), settings or Settings.load(), **generation)
    return model


def embeddings(name: str, *, settings: Settings | None = None) -> "Embeddings":
    """The embedding model of a name such as `ollama:nomic-embed-text`.

    Raises:
        ModelNotFoundError: The provider is unknown, or has no embedding models.
    """
    model: Embeddings = _maker(name, "embeddings")(_rest(name), settings or Settings.load())
    return model


def name_of(model: object) -> str:
    """The `provider:model` spelling of a ready object, or the name of its class."""
    for attribute in ("rag_agent_name", "model_name", "model", "model_id"):
        value = getattr(model, attribute, None)
        if isinstance(value, str) and value:
            kinds = {kind.__name__ for kind in type(model).__mro__}
            return f"ollama:{value}" if kinds & {"ChatOllama", "OllamaEmbeddings"} else value
    return type(model).__name__


def _maker(name: str, role: str) -> Callable[..., Any]:
    key, colon, rest = name.partition(":")
    provider = _PROVIDERS.get(key)
    path = getattr(provider, role) if provider else None
    if path is None:
        offered = "; ".join(f"{one} (such as {example})" for one, example in providers(role).items())
        what = "chat" if role == "chat" else "embedding"
        raise ModelNotFoundError(f"'{name}' names no provider of {what} models; write one of: {offered}{_guess(name)}")
    if key not in _ALONE and not rest:
        raise ModelNotFoundError(f"'{name}' names no model; write it like {provider.example if provider else ''}")
    if key in _ALONE and colon:
        raise ModelNotFoundError(f"'{name}': these models have no other names; write {key}")
    module, _, function = path.partition(":")
    maker: Callable[..., Any] = getattr(import_module(module), function)
    return maker


def _guess(name: str) -> str:
    """A hint for the two names that people write without a provider: a folder, and an Ollama tag."""
    if Path(name).expanduser().exists():
        return f". Did you mean huggingface:{name}?"
    return f". Did you mean ollama:{name}?" if ":" in name and "/" not in name else ""


def _rest(name: str) -> str:
    return name.partition(":")[2]


def refuse_unknown(given: dict[str, Any], known: dict[str, Any] | set[str], provider: str) -> None:
    """Reject a generation setting that the provider does not have.

    Raises:
        SettingsError: Names the setting, the provider and what there is.
    """
    for setting in given:
        if setting not in known:
            raise SettingsError(
                f"'{setting}' is no generation setting of {provider} models; there are: {', '.join(sorted(known))}"
            )
