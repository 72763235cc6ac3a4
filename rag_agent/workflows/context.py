"""What one run of `agent_graph` may be varied by, as LangGraph's `context`: another model, other documents, other settings."""

from collections.abc import Callable
from typing import Any, Literal, Protocol, get_args

from langchain_core.language_models import BaseChatModel
from langgraph.runtime import get_runtime
from typing_extensions import TypedDict

from rag_agent.errors import SettingsError
from rag_agent.index import Library

AnswerSetting = Literal["auto", "generate", "quote"]


class TurnContext(TypedDict, total=False):
    """What a caller may hand to one turn beside the state; other keys are ignored."""

    model: str
    """The chat model, as `provider:model`."""
    k: int
    """How many chunks to retrieve."""
    answer: AnswerSetting
    """Whose words answer."""
    judge: str
    """Who decides whether a quote says what a sentence says."""
    user: str
    """Whose memories are kept and recalled; a server that knows its callers goes before."""
    docs: str
    """The folder or file that is asked."""


class Choices(Protocol):
    """What the names in a context stand for."""

    def model(self, name: str) -> BaseChatModel:
        """The chat model of a name."""

    def library(self, docs: str) -> Library:
        """The documents of a path."""

    def judge(self, name: str) -> Any:
        """The judge of a name."""


def stoppable(stopped: Callable[[], bool], user: str | None = None) -> TurnContext:
    """A context by which a turn can be called off: asked between tokens; once true, the turn ends without an answer."""
    named: TurnContext = {"user": user} if user is not None else {}
    return {**named, "stopped": stopped}  # type: ignore[typeddict-unknown-key]  # no part of the schema: it is no JSON


def is_stopped() -> bool:
    """Whether the running turn was called off."""
    stopped = _context().get("stopped")
    return bool(stopped and stopped())


def varied(name: Literal["model", "k", "answer", "judge", "docs", "user"]) -> Any:
    """What the running turn's context says, None where it says nothing.

    Raises:
        SettingsError: It says what cannot be used.
    """
    value = _context().get(name)
    if value is None:
        return None
    if name == "k":
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise SettingsError(f"context: k is {value!r}; give a whole number above 0")
    elif name == "answer":
        if value not in get_args(AnswerSetting):
            raise SettingsError(f"context: answer is {value!r}; give one of: {', '.join(get_args(AnswerSetting))}")
    elif not isinstance(value, str) or not value.strip():
        raise SettingsError(f"context: {name} is {value!r}; give a name, or leave it out")
    return value


class VariedLibrary:
    """The library that the running turn's context names, else the one of the graph."""

    def __init__(self, library: Library, choose: Callable[[str], Library]) -> None:
        self._library = library
        self._choose = choose

    def __getattr__(self, name: str) -> Any:
        docs = varied("docs")
        return getattr(self._choose(docs) if docs else self._library, name)


def _context() -> dict[str, Any]:
    try:
        context: Any = get_runtime().context
    except RuntimeError:  # a node that is called by itself
        return {}
    return context if isinstance(context, dict) else {}
