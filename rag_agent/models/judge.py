"""`EntailmentJudge`: an NLI cross-encoder in this process, asked whether a quote entails a sentence."""

import re
import threading
from typing import TYPE_CHECKING, Any

from rag_agent.errors import ModelError, ModelNotFoundError
from rag_agent.models.huggingface import weights_of
from rag_agent.settings import Settings

if TYPE_CHECKING:
    import torch

_ENTAILMENT = re.compile(r"entail(?:ment|ed|s)?", re.IGNORECASE)
_LONGEST = 512  # tokens, of a tokenizer that does not tell


class EntailmentJudge:
    """A sequence classifier with a label "entailment", by hub id or local folder; it is loaded at the first call."""

    def __init__(self, model: str, settings: Settings) -> None:
        """Name the model.

        Args:
            model: A hub id or a folder.
            settings: Where pulled models lie.
        """
        self._name = model
        self._settings = settings
        self._lock = threading.Lock()
        self._loaded: _Classifier | None = None

    def __call__(self, quote: str, sentence: str) -> float:
        """The probability that a quote entails a sentence.

        Raises:
            ModelNotFoundError: There is no such model, or it is no such classifier.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = _Classifier(self._name, self._settings)
        return self._loaded.entailment(quote, sentence)


class _Classifier:
    """Model and tokenizer in memory."""

    def __init__(self, name: str, settings: Settings) -> None:
        import torch
        from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        transformers_logging.set_verbosity_error()
        weights = weights_of(name, settings)
        labels: dict[int, str] = weights.load(AutoConfig).id2label
        found = [number for number, label in labels.items() if _ENTAILMENT.fullmatch(label)]
        if not found:
            raise ModelNotFoundError(
                f"judge: {name} has no label 'entailment' (its labels: {', '.join(labels.values())}); "
                "name a classifier of natural language inference"
            )
        # A model without a classifying head would be given a random one.
        self._model, report = weights.load(AutoModelForSequenceClassification, output_loading_info=True)
        if report["missing_keys"]:
            raise ModelNotFoundError(f"judge: {name} has no weights of a classifier; name one of natural language inference")
        self._model.eval()
        self._tokenizer = weights.load(AutoTokenizer)
        self._label = int(found[0])
        self._length = min(self._tokenizer.model_max_length, _LONGEST)
        self._torch: Any = torch

    def entailment(self, quote: str, sentence: str) -> float:
        inputs = self._tokenizer(quote, sentence, truncation=True, max_length=self._length, return_tensors="pt")
        try:
            with self._torch.inference_mode():
                logits: torch.Tensor = self._model(**inputs).logits[0]
        except (RuntimeError, MemoryError, IndexError) as error:
            raise ModelError(f"the judge failed: {str(error).partition(chr(10))[0]}") from error
        return float(logits.softmax(-1)[self._label])
