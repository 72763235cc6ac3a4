"""OpenTelemetry spans, one a node of the graph, where its SDK is installed and configured; else nothing."""

import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag_agent.answers import Event


class Spans:
    """The spans of one turn: names of nodes and counts, no text."""

    def __init__(self) -> None:
        """Begin with the turn itself."""
        self._open: dict[str, Any] = {}
        self._tracer = None
        if importlib.util.find_spec("opentelemetry") is not None:
            from opentelemetry import trace

            self._tracer = trace.get_tracer("rag_agent")
        self._begin("turn")

    def event(self, event: "Event") -> None:
        """Take up what the turn tells."""
        if event.type == "step":
            self._end(event.node) if event.ended else self._begin(event.node)
        elif event.answer is not None:
            if span := self._open.get("turn"):
                span.set_attribute("rag_agent.kind", event.answer.kind)
                span.set_attribute("rag_agent.citations", len(event.answer.citations))
            for name in list(self._open):
                self._end(name)

    def _begin(self, name: str) -> None:
        if self._tracer is not None:
            self._open[name] = self._tracer.start_span(f"rag_agent.{name}")

    def _end(self, name: str) -> None:
        if span := self._open.pop(name, None):
            span.end()
