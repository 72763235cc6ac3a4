"""Ask your own documents, on your own machine: every statement stands on a quote that can be checked.

The public names load at first use (PEP 562), so that `import rag_agent` and `rag-agent --help` cost neither torch nor
LangGraph.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag_agent.agent import RagAgent
    from rag_agent.answers import Answer, Citation, Event, Hit, IndexReport
    from rag_agent.errors import RagAgentError
    from rag_agent.settings import Settings

__version__ = "0.2.0"

__all__ = ["Answer", "Citation", "Event", "Hit", "IndexReport", "RagAgent", "RagAgentError", "Settings", "__version__"]

_HOMES = {
    "Answer": "rag_agent.answers",
    "Citation": "rag_agent.answers",
    "Event": "rag_agent.answers",
    "Hit": "rag_agent.answers",
    "IndexReport": "rag_agent.answers",
    "RagAgent": "rag_agent.agent",
    "RagAgentError": "rag_agent.errors",
    "Settings": "rag_agent.settings",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'rag_agent' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
