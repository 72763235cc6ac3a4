"""What an embedding model's cosines mean: where they lie for texts that have nothing to do with each other, and for answers.

Models differ in both: unlike texts lie at 0.06 with all-MiniLM-L6-v2 and at 0.74 with multilingual-e5-small. So cosines are read
on one scale, on which a dozen questions lie where they lie with all-MiniLM-L6-v2, from texts on other things and from their own
answers; what is between is linear. All thresholds and weights are set on that scale.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

__all__ = ["Scale", "scale_of"]

# Where the texts below lie with all-MiniLM-L6-v2.
_UNRELATED, _MATCHING = 0.062, 0.718
_LEAST = 0.5  # share of the questions that lie nearest to their own answer: with less, cosines tell nothing


@dataclass(frozen=True)
class Scale:
    """Where a model's cosines lie for texts on other things, and for answers to questions."""

    unrelated: float = _UNRELATED
    matching: float = _MATCHING

    def __call__(self, cosines: Any) -> Any:
        """Cosines of the model, one or an array, on the common scale, at most 1."""
        if self == Scale():
            return cosines
        slope = (_MATCHING - _UNRELATED) / (self.matching - self.unrelated)
        return np.minimum(_UNRELATED + (cosines - self.unrelated) * slope, 1.0)


def scale_of(embeddings: Embeddings) -> Scale | None:
    """Measure a model, in 36 short texts; None where it cannot tell an answer from anything else."""
    rows = [np.asarray(embeddings.embed_query(question), np.float64) for question in QUESTIONS]
    questions = np.array(rows)
    passages = np.asarray(embeddings.embed_documents(list(PASSAGES)), np.float64)
    lengths = np.outer(np.linalg.norm(questions, axis=1), np.linalg.norm(passages, axis=1))
    found = questions @ passages.T / np.maximum(lengths, 1e-9)
    own = np.eye(len(QUESTIONS), len(PASSAGES), dtype=bool)
    best = np.where(own, -np.inf, found).max(axis=1)
    if (found[own] > best).mean() < _LEAST:
        return None
    return Scale(float(found[~own].mean()), float(found[own].mean()))


QUESTIONS = (
    "When was the bridge over the river opened?", "How do I reset the password of an account?",
    "Who wrote the letter to the mayor?", "What is the boiling point of ethanol?",
    "Which documents are needed to register a car?", "Why did the company close its factory?",
    "How many pages does the report have?", "Where do the swallows spend the winter?",
    "What does the warranty of the dishwasher cover?", "How long does the dough have to rest?",
    "Which team won the final in overtime?", "What is the default value of the timeout?",
)  # fmt: skip
PASSAGES = (
    # The answers, in the order of the questions.
    "The new bridge was opened to traffic on 3 May 1931 by the minister of works.",
    "To reset your password, choose \"Forgotten password\" on the sign-in page and follow the link in the mail.",
    "The letter to the mayor was written by the schoolteacher Adele Brandt.",
    "Ethanol boils at 78 degrees Celsius under normal pressure.",
    "For the registration of a car you need the purchase contract, proof of insurance and your passport.",
    "The factory was closed because orders had fallen for years and the machines were out of date.",
    "The annual report runs to 214 pages, appendices included.",
    "Swallows winter in Africa, south of the Sahara.",
    "The dishwasher's warranty covers parts and labour for two years, but not broken glass.",
    "Let the dough rest for an hour in a warm place, covered with a cloth.",
    "In the final the team from Turku won four to three in overtime.",
    "timeout: seconds to wait for a reply; the default is 30.",
    "The lighthouse was built in 1858 of granite and stands forty metres above the sea.",
    "To clean the filter, unplug the vacuum cleaner, open the lid and rinse it under cold water.",
    "Parliament passed the bill on Tuesday with a majority of eleven votes.",
    "The patient was given 5 mg of the drug twice a day for two weeks.",
    "Add the butter and sugar, beat until pale, then stir in the flour.",
    "Function returns the number of rows that were changed, or -1 on error.",
    "She studied the violin in Prague and made her debut at the age of sixteen.",
    "The tenant must give three months' notice in writing before the end of the lease.",
    "Glaciers in the valley have lost a third of their volume since 1980.",
    "Invoice 2231: twelve office chairs, delivery to the warehouse in Leeds, payment within thirty days.",
    "The goalkeeper saved two penalties and was named player of the match.",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
)  # fmt: skip
