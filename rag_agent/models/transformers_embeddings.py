"""`TransformersEmbeddings`: a sentence-embedding model in this process, without sentence-transformers (3-5 s of import)."""

import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from langchain_core.embeddings import Embeddings

from rag_agent.errors import ModelError
from rag_agent.models.weights import Weights, tell_fetching

_PLAIN_MODULES = {"Transformer", "Pooling", "Normalize"}
_PROBES = (
    "Who landed on the Moon?",
    "The plant makes 8,000 tons of water each day; households pay NAf 1.75 for a cubic metre.",
    "Ñandú – 月",
    "In the evening the crew spoke with the ground, and then they slept. " * 12,
)
_CLOSE = 0.995  # of a vector's cosine with its float32 twin: less than what a change of a word makes


class TransformersEmbeddings(Embeddings):
    """Texts to unit vectors by a transformer, pooling (mean or first token) and normalisation, as the model's folder says.

    The prompts of the folder's configuration are put before queries and documents. A folder that needs more than these
    modules is left to sentence-transformers, by way of langchain-huggingface (extra `sentence-transformers`).
    """

    def __init__(
        self, weights: Weights, *, name: str = "", batch_size: int = 32, dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    ) -> None:
        """Name the weights.

        Args:
            weights: Where they are.
            name: What the model is called; left out, by its place.
            batch_size: How many texts the model reads at once.
            dtype: What it computes in: "auto" is bfloat16 where the processor is fast at it and the vectors stay the same to a
                cosine of 0.995, else float32.
        """
        self.rag_agent_name = name or weights.location
        self._weights = weights
        self._batch_size = batch_size
        self._dtype = dtype
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
                    _sentence_transformers(self._weights, configuration)
                    if configuration.beyond_us
                    else _Encoder(self._weights, configuration, self._dtype)
                )
            return self._encoder


class _Configuration:
    """What a sentence-transformers folder says besides the weights."""

    def __init__(self, weights: Weights) -> None:
        modules = _read_json(weights, "modules.json") or []
        _refuse_foreign_code(weights, modules)
        kinds = {module["type"].rpartition(".")[2] for module in modules}
        self.beyond_us = not kinds <= _PLAIN_MODULES
        pooling_folder = next((_inside(weights, m["path"]) for m in modules if m["type"].endswith("Pooling")), "1_Pooling")
        pooling = _read_json(weights, f"{pooling_folder}/config.json") or {}
        on = {
            key.removeprefix("pooling_mode_")
            for key, value in pooling.items()
            if key.startswith("pooling_mode_") and value is True
        }
        on |= {pooling["pooling_mode"]} if isinstance(pooling.get("pooling_mode"), str) else set()
        self.first_token = bool(on & {"cls_token", "cls"})
        self.beyond_us |= len(on) > 1 or not on <= {"cls_token", "cls", "mean_tokens", "mean"}
        self.beyond_us |= pooling.get("include_prompt") is False
        self.max_tokens: int | None = (_read_json(weights, "sentence_bert_config.json") or {}).get("max_seq_length")
        own = _read_json(weights, "config_sentence_transformers.json") or {}
        prompts = own.get("prompts") or {}
        default = prompts.get(own.get("default_prompt_name")) or ""
        # By the names, and in the order, in which sentence-transformers looks for them.
        documents = (prompts[name] for name in ("document", "passage", "corpus") if name in prompts)
        self.prompts = {"query": prompts.get("query", default), "document": next(documents, default)}


class _Encoder:
    """Model and tokenizer in memory."""

    def __init__(self, weights: Weights, configuration: _Configuration, dtype: str) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        transformers_logging.set_verbosity_error()
        self._torch = torch
        self._configuration = configuration
        self._tokenizer = weights.load(AutoTokenizer)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = weights.load(AutoModel, dtype="float32").to(self._device).eval()
        limits = (getattr(self._model.config, "max_position_embeddings", None), self._tokenizer.model_max_length)
        self._max_tokens = min(limit for limit in (configuration.max_tokens, *limits) if limit)
        if dtype == "bfloat16" or (dtype == "auto" and self._device == "cpu" and _fast_bfloat16(torch)):
            exact = self._vectors(_PROBES)
            self._model.to(torch.bfloat16)
            if dtype == "auto" and (self._vectors(_PROBES) * exact).sum(axis=1).min() < _CLOSE:
                self._model = weights.load(AutoModel, dtype="float32").eval()  # what was rounded cannot be had back

    def encode(self, texts: Sequence[str], role: str, batch_size: int) -> np.ndarray:
        """The unit vectors of texts, (n, dimensions) float32. Texts of like length share a batch, so little is padding."""
        prompt = self._configuration.prompts[role]
        prompted = [prompt + text for text in texts]
        order = sorted(range(len(prompted)), key=lambda index: -len(prompted[index]))
        vectors = np.empty((len(texts), self._model.config.hidden_size), dtype=np.float32)
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            vectors[chosen] = self._vectors([prompted[index] for index in chosen])
        return vectors

    def _vectors(self, texts: Sequence[str]) -> np.ndarray:
        torch = self._torch
        inputs = self._tokenizer(list(texts), padding=True, truncation=True, max_length=self._max_tokens, return_tensors="pt")
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
    """Whether the processor multiplies matrices of bfloat16 in hardware (AMX): twice as fast."""
    try:
        return bool(torch.cpu.get_capabilities().get("amx_bf16"))
    except (AttributeError, RuntimeError):  # an older torch cannot tell
        return False


def _refuse_foreign_code(weights: Weights, modules: Any) -> None:
    """Refuse a model that names classes to import which are not those of sentence-transformers or torch.

    Raises:
        ModelError: Names the class.
    """
    if not isinstance(modules, list) or not all(isinstance(one, dict) and isinstance(one.get("type"), str) for one in modules):
        raise ModelError(f"{weights.location}/modules.json is no list of modules; it is not loaded")
    named = [module["type"] for module in modules]
    for module in modules if any("Dense" in kind or "Router" in kind or "Asym" in kind for kind in named) else ():
        folder = _inside(weights, module.get("path", ""))
        for file in ("config.json", "router_config.json") if folder else ():
            named += _dotted(_read_json(weights, f"{folder}/{file}"))
    for name in named:
        if not re.fullmatch(r"(?:sentence_transformers|torch\.nn)(?:\.\w+)+", name):
            raise ModelError(
                f"{weights.location} wants to run code of its own ({name}); only modules of sentence-transformers are loaded"
            )


def _dotted(values: Any) -> list[str]:
    """The strings in a module's configuration that can name a class: those with a dot between two names."""
    if isinstance(values, str):
        return [values] if re.fullmatch(r"[A-Za-z_]\w*(?:\.\w+)+", values) or "--" in values else []
    inner = values.values() if isinstance(values, dict) else values if isinstance(values, list) else ()
    return [name for value in inner for name in _dotted(value)]


def _inside(weights: Weights, folder: Any) -> str:
    """A module's folder as the model names it: within the model, or the model is refused."""
    if not isinstance(folder, str) or not re.fullmatch(r"[\w-][\w.-]*/?|", folder):
        raise ModelError(f"{weights.location} names a folder outside itself ({folder!r}) in modules.json; it is not loaded")
    return folder.rstrip("/")


def _read_json(weights: Weights, name: str) -> Any:
    path = Path(weights.location) / name
    if weights.on_hub:
        from huggingface_hub import _CACHED_NO_EXIST, hf_hub_download, try_to_load_from_cache
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

        try:
            cached = try_to_load_from_cache(weights.location, name)
            if cached is _CACHED_NO_EXIST:
                return None
            if cached is None:
                tell_fetching(weights.location)
            path = Path(cached if isinstance(cached, str) else hf_hub_download(weights.location, name))
        except LocalEntryNotFoundError:
            return None  # no network, and not in the cache; the weights' own loading says so
        except (EntryNotFoundError, HfHubHTTPError, OSError, ValueError):
            return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read ({error}); bring the model to this machine again") from error


def _sentence_transformers(weights: Weights, configuration: _Configuration) -> Embeddings:
    try:
        from langchain_huggingface import HuggingFaceEmbeddings

        model: Embeddings = HuggingFaceEmbeddings(
            model_name=weights.location,
            model_kwargs={"trust_remote_code": False},
            encode_kwargs={"normalize_embeddings": True, "prompt": configuration.prompts["document"]},
            query_encode_kwargs={"normalize_embeddings": True, "prompt": configuration.prompts["query"]},
        )
    except ImportError as error:
        raise ModelError(
            f"{weights.location} needs sentence-transformers; install it: pip install 'rag-agent[sentence-transformers]'"
        ) from error
    return model
