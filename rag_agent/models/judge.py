"""`EntailmentJudge`: an NLI cross-encoder in this process, asked whether a quote entails a sentence."""

import re

from rag_agent.errors import ModelNotFoundError
from rag_agent.models.cross_encoder import CrossEncoder
from rag_agent.settings import Settings

_ENTAILMENT = re.compile(r"entail(?:ment|ed|s)?", re.IGNORECASE)


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
