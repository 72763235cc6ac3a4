"""How large a model is: what decides whether its own words may answer, or the best quotes do."""

from langchain_core.language_models import BaseChatModel

CAPABLE = 1_000_000_000
"""Parameters from which a model's sentences are preferred to quotes. SmolLM2-135M, prompted the lesson's way, has the right
answer in 30 % of its replies where the best two sentences have it in 83 %; models of about 1B are the smallest that are
sold as readers. `answer="generate"` or `"quote"` overrules it."""


JUDGING = 7_000_000_000
"""Parameters from which a reader judges, where the setting `judge` is `auto`. Measured is the lower end: of 116 claims of Q2 that
Qwen2.5-Coder-1.5B calls supported at a precision of 0.89 it finds 0.13 (`scripts/eval_support.py --judge`), which is not worth
its calls. 7B is the smallest size that judges are commonly made of; run that script to see what yours is worth."""


def is_judge(model: BaseChatModel) -> bool:
    """Whether a model is known to be large enough to judge what a quote says."""
    return (parameters(model) or 0) >= JUDGING


def is_capable(model: BaseChatModel) -> bool:
    """Whether a model reads well enough to answer in its own words; one of unknown size is taken at its word."""
    size = parameters(model)
    return size is None or size >= CAPABLE


def parameters(model: BaseChatModel) -> int | None:
    """The number of weights of a model, in units, without loading it; None where it cannot be told."""
    weights = getattr(model, "weights", None)
    if weights is not None:
        size: int | None = weights.parameters()
        return size
    if type(model).__module__ == "rag_agent.models.ollama":
        from rag_agent.models.ollama_server import facts

        return facts(str(getattr(model, "model", ""))).parameters
    return None
