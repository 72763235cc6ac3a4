"""OpenTelemetry: a span a turn and a span a node, without a word of the question or the documents."""

from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.serving import serving


def test_a_turn_and_its_nodes_are_spans_and_tell_no_text(docs: Path, words: tuple[str, ...]) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    with serving(docs, words) as client:
        client.post("/api/ask", json={"question": "Who stayed in orbit?", "thread_id": "columbia"})
    spans = exporter.get_finished_spans()
    names = [span.name for span in spans]
    assert names.count("rag_agent.turn") == 1
    assert {"rag_agent.contextualize", "rag_agent.retrieve", "rag_agent.grade", "rag_agent.respond"} <= set(names)
    turn = next(span for span in spans if span.name == "rag_agent.turn")
    assert turn.attributes is not None
    assert turn.attributes["rag_agent.kind"] == "quote"
    told = "".join(span.to_json() for span in spans).lower()
    assert "orbit" not in told
    assert "columbia" not in told
