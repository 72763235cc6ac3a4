"""Judges: the probability that a text says what a sentence says."""

import re
from collections.abc import Callable

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from rag_agent import prompts
from rag_agent.errors import ModelNotFoundError
from rag_agent.models.cross_encoder import CrossEncoder
from rag_agent.settings import Settings

_ENTAILMENT = re.compile(r"entail(?:ment|ed|s)?", re.IGNORECASE)
_YES = re.compile(r"\W*yes\b", re.IGNORECASE)


class EntailmentJudge:
    """A sequence classifier with a label "entailment", by hub id or local folder; it is loaded at the first call."""

    threshold = 0.5

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

    A model in this process tells how likely its "yes" is; of a server's only the reply is known, which is 1 or 0.
    """

    # Qwen2.5-Coder-1.5B on 116 claims of Q2: precision 0.89 at 0.9 (recall 0.13), 0.81 at 0.8 (0.34), 0.75 at 0.6 (0.77); all
    # taken 0.53. A model of this size does not reach 0.90 at a recall of one half; scripts/eval_support.py --judge measures one.
    threshold = 0.9

    def __init__(self, model: BaseChatModel, ask: Callable[[list[BaseMessage]], BaseMessage] | None = None) -> None:
        """Take the model; nothing is loaded until the first call.

        Args:
            model: The reader.
            ask: What gets its reply where it tells no probabilities; None is its own `invoke`.
        """
        self._model = model
        self._ask = ask or model.invoke
        self.replies: list[BaseMessage] = []
        """What the model said, with the tokens that it took."""

    def __call__(self, quote: str, sentence: str) -> float:
        """The probability that a text says what a sentence says; both have been made harmless for a prompt."""
        task = prompts.JUDGE.format(quote=quote, sentence=sentence)
        messages: list[BaseMessage] = [SystemMessage(prompts.JUDGE_SYSTEM), HumanMessage(task)]
        if (probability := getattr(self._model, "probability", None)) is not None:
            return float(probability(messages, "yes", "no"))
        self.replies.append(self._ask(messages))
        return 1.0 if _YES.match(str(self.replies[-1].text)) else 0.0
