"""`calibrate`: the refusal threshold that fits the user's own questions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag_agent.agent import RagAgent
from rag_agent.errors import EvaluationError
from rag_agent.evaluation.evaluation import Progress
from rag_agent.evaluation.measures import Floats, Measure, balanced, best_threshold, cross_validated
from rag_agent.evaluation.questions import Conversation, Question

NEVER = 1.0
"""The threshold at which every question is refused, after both searches and before the model is called."""
_LEAST = 5  # questions of each sort: with fewer, a fold may have none to choose a threshold by


@dataclass(frozen=True)
class Calibration:
    """A threshold and what it is worth, as balanced accuracy of answering or refusing."""

    threshold: float
    """To be set as `refusal_threshold`."""
    default: Measure
    """With the threshold that ships."""
    fitted: Measure
    """With the new one, chosen and measured on the same questions: too good."""
    cross_validated: Measure
    """With thresholds each chosen without the fifth of the files that it is measured on: what to expect."""


def calibrate(
    agent: RagAgent, conversations: Sequence[Conversation], progress: Progress = lambda done, total: None
) -> Calibration:
    """Choose the threshold of the best balanced accuracy on the questions that stand alone.

    Later turns are left out: what they mean hangs on answers that a refusing agent does not give.

    Args:
        agent: One that is set to `refusal_threshold=NEVER`, so that both searches weigh in and no model is called.
        conversations: As `read_questions` gives them, with at least five answerable and five unanswerable questions.
        progress: Told after each question.

    Raises:
        EvaluationError: There are too few questions of a sort.
    """
    questions = [conversation[0] for conversation in conversations]
    truth = np.array([question.answerable for question in questions], dtype=np.bool_)
    if min(truth.sum(), (~truth).sum()) < _LEAST:
        raise EvaluationError(
            f"calibration needs {_LEAST} answerable and {_LEAST} unanswerable questions at least, and there are {truth.sum()} "
            f'and {(~truth).sum()}; add questions that the documents do not answer, with "answerable": false'
        )
    scores = weighed(agent, questions, progress)
    groups = [question.file or f"question {n}" for n, question in enumerate(questions)]
    threshold = round(best_threshold(scores, truth), 3)
    return Calibration(
        threshold,
        balanced(scores >= 0.5, truth.tolist(), groups),
        balanced(scores >= threshold, truth.tolist(), groups),
        balanced(cross_validated(scores, truth, groups), truth.tolist(), groups),
    )


def weighed(agent: RagAgent, questions: Sequence[Question], progress: Progress = lambda done, total: None) -> Floats:
    """The evidence for an answer to each question, 0 to 1, by an agent that refuses everything (see `calibrate`)."""
    found = []
    for number, question in enumerate(questions, start=1):
        found.append(agent.ask(question.question).evidence or 0.0)
        progress(number, len(questions))
    return np.array(found, dtype=np.float64)
