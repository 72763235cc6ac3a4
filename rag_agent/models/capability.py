"""How large a model is: what decides whether its own words may answer, or the best quotes do."""

from langchain_core.language_models import BaseChatModel

CAPABLE = 1_000_000_000
"""Parameters from which a model's sentences are preferred to quotes. SmolLM2-135M, prompted the lesson's way, has the right
answer in 30 % of its replies where the best two sentences have it in 83 %; models of about 1B are the smallest that are
sold as readers. `answer="generate"` or `"quote"` overrules it."""


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
