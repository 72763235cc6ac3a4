"""Judges: the probability that a text says what a sentence says."""

import re
from functools import cached_property
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langgraph.constants import TAG_NOSTREAM

from rag_agent import prompts
from rag_agent.errors import ModelNotFoundError
from rag_agent.models.cross_encoder import CrossEncoder
from rag_agent.settings import Settings

_ENTAILMENT = re.compile(r"entail(?:ment|ed|s)?", re.IGNORECASE)
_YES = re.compile(r"\W*yes\b", re.IGNORECASE)
_GREEDY = {"temperature": 0, "num_predict": 4, "max_new_tokens": 4, "do_sample": None, "top_p": None, "top_k": None,
           "min_new_tokens": None}  # fmt: skip


class EntailmentJudge:
    """A sequence classifier with a label "entailment", by hub id or local folder; it is loaded at the first call."""

    def __init__(self, model: str, settings: Settings) -> None:
        """Name the model.

        Args:
            model: A hub id or a folder.
            settings: Where pulled models lie.
        """
        self._encoder = CrossEncoder(model, settings, "judge")

    def __call__(self, quote: str, sentence: str) -> float:
        """The probability that a quote entails a sentence.

        Raises:
            ModelNotFoundError: There is no such model, or it is no such classifier.
        """
        labels = self._encoder.labels
        found = [number for number, label in labels.items() if _ENTAILMENT.fullmatch(label)]
        if not found:
            raise ModelNotFoundError(
                f"judge: {self._encoder.name} has no label 'entailment' (its labels: {', '.join(labels.values())}); "
                "name a classifier of natural language inference"
            )
        return float(self._encoder([(quote, sentence)])[0].softmax(-1)[int(found[0])])


class ReaderJudge:
    """A chat model, asked whether a text says what a sentence says.

    A model in this process tells how likely its "yes" is; of a server only the reply is known, which is 1 or 0.
    """

    def __init__(self, model: BaseChatModel) -> None:
        """Take the model; nothing is loaded until the first call."""
        self._model = model
        self.replies: list[BaseMessage] = []
        """What the model said, with the tokens that it took."""

    def __call__(self, quote: str, sentence: str) -> float:
        """The probability that a text says what a sentence says; both have been made harmless for a prompt."""
        task = prompts.JUDGE.format(quote=quote, sentence=sentence)
        messages = [SystemMessage(prompts.JUDGE_SYSTEM), HumanMessage(task)]
        if (probability := getattr(self._model, "probability", None)) is not None:
            return float(probability(messages, "yes", "no"))
        reply = self._short.invoke(messages, {"tags": [TAG_NOSTREAM]})
        self.replies.append(reply)
        return 1.0 if _YES.match(str(reply.text)) else 0.0

    @cached_property
    def _short(self) -> BaseChatModel:
        known: Any = type(self._model).model_fields
        return self._model.model_copy(update={name: value for name, value in _GREEDY.items() if name in known})
