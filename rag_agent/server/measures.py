"""What `/metrics` tells, in Prometheus' text format."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from rag_agent.answers import Answer
    from rag_agent.server.service import Service

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Measures:
    """The counts of one server; no text of a question or document is among them."""

    def __init__(self, service: "Service") -> None:
        """Of a service, whose line and index are read when they are asked for."""
        self._registry = CollectorRegistry()
        self._requests = Counter("rag_agent_requests", "Requests", ("route", "status"), registry=self._registry)
        self._answers = Counter("rag_agent_answers", "Answers", ("kind",), registry=self._registry)
        buckets = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120)
        self._seconds = Histogram("rag_agent_answer_seconds", "Seconds a turn takes", registry=self._registry, buckets=buckets)
        self._tokens = Counter("rag_agent_tokens", "Tokens of the chat model", ("way",), registry=self._registry)
        self._running = Gauge("rag_agent_running", "Questions being worked on", registry=self._registry)
        Gauge("rag_agent_waiting", "Questions that wait", registry=self._registry).set_function(lambda: service.line.waiting)
        Gauge("rag_agent_chunks", "Chunks in the index", registry=self._registry).set_function(lambda: service.status.chunks)
        Gauge("rag_agent_ready", "1 when questions can be asked", registry=self._registry).set_function(
            lambda: float(service.status.state == "ready")
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """While a question is worked on."""
        with self._running.track_inprogress():
            yield

    def answered(self, answer: "Answer") -> None:
        """A turn has ended."""
        self._answers.labels(answer.kind).inc()
        self._seconds.observe(answer.timings.get("total", 0.0))
        for way, count in answer.usage.items():
            self._tokens.labels(way.removesuffix("_tokens")).inc(count)

    def requested(self, route: str, status: int) -> None:
        """A request has been answered; `route` is the pattern, never the path."""
        self._requests.labels(route, str(status)).inc()

    def text(self) -> bytes:
        """All counts."""
        return generate_latest(self._registry)
