"""Questions in, measures out: `evaluate` for the whole way from question to answer, `calibrate` for the refusal threshold."""

from rag_agent.evaluation.calibration import Calibration, calibrate
from rag_agent.evaluation.evaluation import Evaluation, Result, evaluate
from rag_agent.evaluation.measures import Measure
from rag_agent.evaluation.questions import Question, read_questions

__all__ = ["Calibration", "Evaluation", "Measure", "Question", "Result", "calibrate", "evaluate", "read_questions"]
