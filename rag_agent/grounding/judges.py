"""Judges beside the built-in check: does a source say what a claim says?

A judge has the say where the built-in check found no objection: it lets a free paraphrase pass, or stops a sentence that uses
the source's words for something else. A name, number, date or negation that differs is an objection, and no judge overrules it.
"""

import re
import threading
from typing import Any, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from rag_agent import prompts
from rag_agent.errors import ModelError, SettingsError
from rag_agent.grounding.template import neutralise
from rag_agent.models.huggingface import weights_of
from rag_agent.models.weights import Weights
from rag_agent.settings import Settings

ENOUGH = 0.5
"""The probability from which a judge's verdict is yes."""

_YES = re.compile(r"\W*yes\b", re.IGNORECASE)


class Judge(Protocol):
    """Says how likely it is that a source supports a claim."""

    def __call__(self, claim: str, source: str) -> float:
        """A probability, 0 to 1."""


def judge(name: str, model: BaseChatModel, settings: Settings) -> Judge | None:
    """The judge that a setting names.

    "words" is none beside the built-in check, "model" the chat model, `huggingface:<id>` an NLI cross-encoder by hub id or
    local folder.

    Raises:
        SettingsError: The name is no judge.
        ModelNotFoundError: There is no such model.
    """
    if name == "words":
        return None
    if name == "model":
        return ChatJudge(model)
    provider, _, rest = name.partition(":")
    if provider == "huggingface" and rest:
        return EntailmentJudge(weights_of(rest, settings))
    raise SettingsError(f"'{name}' is no judge; write words, model, or huggingface:ID of an NLI cross-encoder")


class ChatJudge:
    """The chat model itself; worthwhile from about seven billion parameters."""

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model

    def __call__(self, claim: str, source: str) -> float:
        """1 where the model's reply begins with yes, else 0."""
        prompt = prompts.JUDGE.format(source=neutralise(source), claim=neutralise(claim))
        reply = self._model.invoke([SystemMessage(prompts.JUDGE_SYSTEM), HumanMessage(prompt)])
        return float(bool(_YES.match(str(reply.text))))


class EntailmentJudge:
    """A cross-encoder trained on natural language inference (Bowman et al. 2015)."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any, int] | None = None

    def __call__(self, claim: str, source: str) -> float:
        """The model's probability of entailment, source as premise and claim as hypothesis."""
        import torch

        with self._lock:
            tokenizer, model, label = self._loaded = self._loaded or self._load()
            inputs = tokenizer(source, claim, truncation="only_first", return_tensors="pt")
            with torch.inference_mode():
                return float(torch.softmax(model(**inputs).logits[0].float(), dim=0)[label])

    def _load(self) -> tuple[Any, Any, int]:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        tokenizer = self._weights.load(AutoTokenizer)
        model = self._weights.load(AutoModelForSequenceClassification).eval()
        labels = {str(name).lower(): int(number) for number, name in model.config.id2label.items()}
        if "entailment" not in labels:
            raise ModelError(
                f"{self._weights.location} has no label 'entailment' (it has {', '.join(labels)}); name an NLI cross-encoder"
            )
        return tokenizer, model, labels["entailment"]
