"""The provider `nomic:`: Nomic's embedding models on this machine, through gpt4all (extra `nomic`)."""

from typing import TYPE_CHECKING

from rag_agent.errors import ModelNotFoundError
from rag_agent.settings import Settings

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings


def nomic_embeddings(model: str, settings: Settings) -> "Embeddings":
    """An embedding model that runs in this process: no text leaves the machine.

    Raises:
        ModelNotFoundError: The extra is not installed.
    """
    try:
        from langchain_nomic import NomicEmbeddings
    except ImportError as error:
        raise ModelNotFoundError(
            f"nomic:{model} needs an extra: pip install 'rag-agent[nomic]' (or use ollama:nomic-embed-text)"
        ) from error
    embeddings: Embeddings = NomicEmbeddings(model=model, inference_mode="local")
    return embeddings
