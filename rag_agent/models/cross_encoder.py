"""`CrossEncoder`: a sequence classifier in this process that reads two texts at once; and as a reranker, `RelevanceScorer`."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rag_agent.errors import ModelError, ModelNotFoundError
from rag_agent.models.huggingface import weights_of
from rag_agent.settings import Settings

if TYPE_CHECKING:
    import torch

_BATCH = 16
_LENGTH = 512  # tokens, of a tokenizer that does not tell
_TOLD = 1_000_000  # tokens; a length above it is how transformers says that it does not know


class CrossEncoder:
    """A sequence classifier, by hub id or local folder; it is loaded at the first call."""

    def __init__(self, model: str, settings: Settings, role: str) -> None:
        """Name the model.

        Args:
            model: A hub id or a folder.
            settings: Where pulled models lie.
            role: What it does here, for messages.
        """
        self.name = model
        self._settings = settings
        self._role = role
        self._lock = threading.Lock()
        self._loaded: _Classifier | None = None

    @property
    def labels(self) -> dict[int, str]:
        """What it tells apart.

        Raises:
            ModelNotFoundError: There is no such model, or it is no classifier.
        """
        return self._ready().labels

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> "torch.Tensor":
        """The logits of pairs of texts: a row each, a column for each label. What is too long is cut.

        Raises:
            ModelNotFoundError: There is no such model, or it is no classifier.
            ModelError: It fails, such as for want of memory.
        """
        classifier = self._ready()
        try:
            return classifier.logits(pairs)
        except (RuntimeError, MemoryError, IndexError) as error:
            raise ModelError(f"the {self._role} failed: {str(error).partition(chr(10))[0]}") from error

    def _ready(self) -> "_Classifier":
        with self._lock:
            if self._loaded is None:
                self._loaded = _Classifier(self.name, self._settings, self._role)
            return self._loaded


class RelevanceScorer:
    """A cross-encoder that was trained to tell how well a text answers a query, such as `BAAI/bge-reranker-v2-m3`."""

    def __init__(self, model: str, settings: Settings) -> None:
        """Name the model.

        Args:
            model: A hub id or a folder.
            settings: Where pulled models lie.
        """
        self._encoder = CrossEncoder(model, settings, "reranker")

    def __call__(self, query: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the query: the logit of a model with one label, else the last one's log probability.

        Raises:
            ModelNotFoundError: There is no such model, or it is no classifier.
            ModelError: It fails, such as for want of memory.
        """
        logits = self._encoder([(query, text) for text in texts])
        scores: list[float] = (logits if logits.shape[1] == 1 else logits.log_softmax(-1))[:, -1].tolist()
        return scores


class _Classifier:
    """Model and tokenizer in memory."""

    def __init__(self, name: str, settings: Settings, role: str) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        transformers_logging.set_verbosity_error()
        weights = weights_of(name, settings)
        # A model without a classifying head would be given a random one.
        model, report = weights.load(AutoModelForSequenceClassification, output_loading_info=True, dtype="float32")
        if report["missing_keys"]:
            raise ModelNotFoundError(f"{role}: {name} has no weights of a classifier; name a trained cross-encoder")
        self.labels: dict[int, str] = model.config.id2label
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.to(self._device).eval()
        self._tokenizer = weights.load(AutoTokenizer)
        self._batch = _BATCH if self._tokenizer.pad_token is not None else 1
        told = self._tokenizer.model_max_length
        self._length = min(told if told < _TOLD else _LENGTH, getattr(model.config, "max_position_embeddings", None) or told)
        self._lock = threading.Lock()
        self._torch: Any = torch

    def logits(self, pairs: Sequence[tuple[str, str]]) -> "torch.Tensor":
        """Pairs of like length share a batch, so little is padding."""
        order = sorted(range(len(pairs)), key=lambda index: -sum(map(len, pairs[index])))
        rows: torch.Tensor = self._torch.empty(len(pairs), len(self.labels))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            rows[chosen] = self._read([pairs[index] for index in chosen])
        return rows

    def _read(self, pairs: Sequence[tuple[str, str]]) -> Any:
        first, second = [list(texts) for texts in zip(*pairs, strict=True)]
        with self._lock:  # a fast tokenizer that two threads use at once fails
            inputs = self._tokenizer(
                first, second, padding=self._batch > 1, truncation=True, max_length=self._length, return_tensors="pt"
            )
        with self._torch.inference_mode():
            return self._model(**inputs.to(self._device)).logits.float().cpu()
