"""The provider `huggingface:`: any causal or embedding model by hub id, local folder or `.gguf` file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_agent.errors import ModelNotFoundError
from rag_agent.models.weights import Weights, gguf_folder
from rag_agent.settings import Settings

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from rag_agent.models.transformers_chat import TransformersChat


def huggingface_chat(model: str, settings: Settings, **generation: Any) -> "TransformersChat":
    """A chat model that runs in this process."""
    from rag_agent.models.transformers_chat import TransformersChat

    return TransformersChat.named(f"huggingface:{model}", weights_of(model, settings), **with_assistant(generation, settings))


def with_assistant(generation: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Generation settings with the weights of `assistant_model` in the place of its name."""
    name = generation.get("assistant_model")
    if not isinstance(name, str):
        return generation
    return {**generation, "assistant_model": weights_of(name.removeprefix("huggingface:"), settings)}


def huggingface_embeddings(model: str, settings: Settings) -> "Embeddings":
    """An embedding model that runs in this process.

    A folder whose modules go beyond a transformer, pooling and normalisation is left to sentence-transformers.
    """
    from rag_agent.models.transformers_embeddings import TransformersEmbeddings

    return TransformersEmbeddings(weights_of(model, settings), name=f"huggingface:{model}")


def weights_of(model: str, settings: Settings) -> Weights:
    """Where the weights of a name are: a folder, a file to convert, or an id for the hub's own cache.

    Raises:
        ModelNotFoundError: The name is a path, and nothing is there.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return Weights(str(path))
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelNotFoundError(f"{path}: no such file; name a .gguf file, a model folder or an id of the model hub")
        return Weights(str(gguf_folder(path, settings)), gguf=path)
    if model.startswith(("/", ".", "~")) or model.count("/") > 1:
        raise ModelNotFoundError(f"{path}: no such folder; name a model folder, a .gguf file or an id of the model hub")
    for folder in settings.model_folders:
        pulled = folder / "huggingface" / model.replace("/", "--")
        if pulled.is_dir():
            return Weights(str(pulled))
    return Weights(model, on_hub=True)
