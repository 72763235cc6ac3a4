"""`TransformersEmbeddings`: a sentence-embedding model in this process, without sentence-transformers (3-5 s of import)."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from rag_agent.errors import ModelError
from rag_agent.models.weights import Weights

_PLAIN_MODULES = {"Transformer", "Pooling", "Normalize"}


class TransformersEmbeddings(Embeddings):
    """Texts to unit vectors by a transformer, pooling (mean or first token) and normalisation, as the model's folder says.

    The prompts of the folder's configuration are put before queries and documents. A folder that needs more than these
    modules is left to sentence-transformers, by way of langchain-huggingface (extra `sentence-transformers`).
    """

    def __init__(self, weights: Weights, *, name: str = "", batch_size: int = 32) -> None:
        self.rag_agent_name = name or weights.location
        self._weights = weights
        self._batch_size = batch_size
        self._lock = threading.Lock()
        self._encoder: _Encoder | Embeddings | None = None

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One unit vector a text."""
        encoder = self._ready()
        if isinstance(encoder, Embeddings):
            return encoder.embed_documents(texts)
        vectors: list[list[float]] = encoder.encode(texts, "document", self._batch_size).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question."""
        encoder = self._ready()
        if isinstance(encoder, Embeddings):
            return encoder.embed_query(text)
        vector: list[float] = encoder.encode([text], "query", 1)[0].tolist()
        return vector

    def _ready(self) -> "_Encoder | Embeddings":
        with self._lock:
            if self._encoder is None:
                configuration = _Configuration(self._weights)
                self._encoder = (
                    _sentence_transformers(self._weights) if configuration.beyond_us else _Encoder(self._weights, configuration)
                )
            return self._encoder


class _Configuration:
    """What a sentence-transformers folder says besides the weights."""

    def __init__(self, weights: Weights) -> None:
        modules = _read_json(weights, "modules.json") or []
        kinds = {module["type"].rpartition(".")[2] for module in modules}
        self.beyond_us = not kinds <= _PLAIN_MODULES
        pooling_folder = next((m["path"] for m in modules if m["type"].endswith("Pooling")), "1_Pooling")
        pooling = _read_json(weights, f"{pooling_folder}/config.json") or {}
        on = {
            key.removeprefix("pooling_mode_")
            for key, value in pooling.items()
            if key.startswith("pooling_mode_") and value is True
        }
        on |= {pooling["pooling_mode"]} if isinstance(pooling.get("pooling_mode"), str) else set()
        self.first_token = bool(on & {"cls_token", "cls"})
        self.beyond_us |= not on <= {"cls_token", "cls", "mean_tokens", "mean"}
        self.max_tokens: int | None = (_read_json(weights, "sentence_bert_config.json") or {}).get("max_seq_length")
        prompts = (_read_json(weights, "config_sentence_transformers.json") or {}).get("prompts") or {}
        self.prompts = {
            "query": prompts.get("query", ""),
            "document": prompts.get("document", prompts.get("passage", "")),
        }


class _Encoder:
    """Model and tokenizer in memory."""

    def __init__(self, weights: Weights, configuration: _Configuration) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        transformers_logging.set_verbosity_error()
        self._torch = torch
        self._configuration = configuration
        self._tokenizer = weights.load(AutoTokenizer)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = "bfloat16" if self._device == "cpu" and _fast_bfloat16(torch) else "float32"
        self._model = weights.load(AutoModel, dtype=dtype).to(self._device).eval()
        window = getattr(self._model.config, "max_position_embeddings", None) or 512
        self._max_tokens = min(configuration.max_tokens or window, window)

    def encode(self, texts: Sequence[str], role: str, batch_size: int) -> np.ndarray:
        """The unit vectors of texts, (n, dimensions) float32. Texts of like length share a batch, so little is padding."""
        prompt = self._configuration.prompts[role]
        prompted = [prompt + text for text in texts]
        order = sorted(range(len(prompted)), key=lambda index: -len(prompted[index]))
        vectors: np.ndarray | None = None
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            batch = self._batch([prompted[index] for index in chosen])
            if vectors is None:
                vectors = np.empty((len(texts), batch.shape[1]), dtype=np.float32)
            vectors[chosen] = batch
        return vectors if vectors is not None else np.empty((0, self._model.config.hidden_size), dtype=np.float32)

    def _batch(self, texts: list[str]) -> np.ndarray:
        torch = self._torch
        inputs = self._tokenizer(texts, padding=True, truncation=True, max_length=self._max_tokens, return_tensors="pt")
        inputs = inputs.to(self._device)
        try:
            with torch.inference_mode():
                states = self._model(**inputs).last_hidden_state
        except (RuntimeError, MemoryError) as error:
            raise ModelError(f"the embedding model failed: {str(error).partition(chr(10))[0]}") from error
        if self._configuration.first_token:
            pooled = states[:, 0]
        else:
            states = states.float()
            mask = inputs["attention_mask"].unsqueeze(-1).to(states.dtype)
            pooled = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        result: np.ndarray = torch.nn.functional.normalize(pooled.float(), dim=1).cpu().numpy()
        return result


def _fast_bfloat16(torch: Any) -> bool:
    """Whether the processor multiplies matrices of bfloat16 in hardware (AMX): twice as fast, at a cosine of 0.999 to float32."""
    try:
        return bool(torch.cpu.get_capabilities().get("amx_bf16"))
    except (AttributeError, RuntimeError):  # an older torch cannot tell
        return False


def _read_json(weights: Weights, name: str) -> Any:
    path = Path(weights.location) / name
    if weights.on_hub:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

        try:
            path = Path(hf_hub_download(weights.location, name))
        except LocalEntryNotFoundError:
            return None  # no network, and not in the cache; the weights' own loading says so
        except (EntryNotFoundError, HfHubHTTPError, OSError, ValueError):
            return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _sentence_transformers(weights: Weights) -> Embeddings:
    try:
        from langchain_huggingface import HuggingFaceEmbeddings

        model: Embeddings = HuggingFaceEmbeddings(model_name=weights.location, encode_kwargs={"normalize_embeddings": True})
    except ImportError as error:
        raise ModelError(
            f"{weights.location} needs sentence-transformers; install it: pip install 'rag-agent[sentence-transformers]'"
        ) from error
    return model
