"""Nothing that is asked, read or answered goes to a tracing server, whatever the environment says, unless a setting allows it.

LangChain sends the inputs and outputs of every graph and model to LangSmith as soon as `LANGSMITH_TRACING` is set, which
other programs of the same user may have done.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from rag_agent.settings import Settings
from rag_agent.telling import tell_once

Compiled = CompiledStateGraph[Any, Any, Any, Any]
_DEAD = ("LANGCHAIN_TRACING", "LANGCHAIN_HANDLER")
"""Variables of a former LangChain: where they are set, the present one refuses every run that is not traced in its new way."""
_ASKED = [f"{program}_{name}" for program in ("LANGSMITH", "LANGCHAIN") for name in ("TRACING", "TRACING_V2")]


def untraced() -> AbstractContextManager[None]:
    """A block in which LangChain traces nothing."""
    from langsmith import tracing_context

    for variable in _DEAD:
        os.environ.pop(variable, None)
    return tracing_context(enabled=False)


class Untraced(Compiled):
    """A compiled graph whose runs are not traced. All ways to run one go through these two."""

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """`stream`, each step of it in a block of its own: between them the caller's context is as it was."""
        steps: Any = super().stream(*args, **kwargs)
        try:
            while True:
                with untraced():
                    try:
                        part = next(steps)
                    except StopIteration:
                        return
                yield part
        finally:
            with untraced():
                steps.close()

    async def astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """`astream`, in the same way."""
        steps: Any = super().astream(*args, **kwargs)
        try:
            while True:
                with untraced():
                    try:
                        part = await anext(steps)
                    except StopAsyncIteration:
                        return
                yield part
        finally:
            with untraced():
                await steps.aclose()


def private(graph: Compiled, settings: Settings) -> Compiled:
    """A compiled graph that is not traced, unless the settings allow it; then one line says where texts go, if they do."""
    if not settings.tracing:
        graph.__class__ = Untraced  # a copy that LangGraph makes of it is of this class, too
    elif any(os.environ.get(variable) == "true" for variable in _ASKED):
        place = os.environ.get("LANGSMITH_ENDPOINT") or os.environ.get("LANGCHAIN_ENDPOINT") or "https://api.smith.langchain.com"
        tell_once(f"tracing is on: questions, passages and answers are sent to {place} (settings: tracing=false ends that)")
    return graph
