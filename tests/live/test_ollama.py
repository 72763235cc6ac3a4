"""A real Ollama server with one small model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag_agent import RagAgent
from rag_agent.errors import ModelNotFoundError
from rag_agent.models import chat_model, embeddings
from rag_agent.models.capability import is_capable, parameters
from rag_agent.testing import CountEmbeddings

pytestmark = pytest.mark.ollama


@pytest.fixture
def name(ollama: Any) -> str:
    return f"ollama:{ollama.model}"


def test_a_model_of_the_server_answers_and_streams_the_same(name: str) -> None:
    model = chat_model(name, max_new_tokens=20, seed=1)
    reply = model.invoke("What is the capital of France?")
    assert "Paris" in reply.text
    assert "".join(chunk.text for chunk in model.stream("What is the capital of France?")) == reply.text


def test_the_length_of_a_reply_is_bounded(name: str) -> None:
    reply = chat_model(name, max_new_tokens=3).invoke("Tell me a long story.")
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["output_tokens"] == 3


def test_the_server_tells_how_large_a_model_is(name: str) -> None:
    model = chat_model(name)
    size = parameters(model)
    assert size is not None
    assert 130e6 < size < 140e6
    assert not is_capable(model)


@pytest.mark.usefixtures("ollama")
def test_an_unknown_model_is_told_with_the_command() -> None:
    for call in (
        lambda: chat_model("ollama:nothing").invoke("hello"),
        lambda: list(chat_model("ollama:nothing").stream("hello")),
        lambda: embeddings("ollama:nothing").embed_query("hello"),
    ):
        with pytest.raises(ModelNotFoundError, match="ollama pull nothing"):
            call()


def test_the_server_embeds(name: str) -> None:
    model = embeddings(name)
    one, two = model.embed_documents(["Who landed on the Moon?", "Water"])
    assert len(one) == len(two) > 100
    assert one != two
    assert model.embed_query("Who landed on the Moon?") == pytest.approx(one, abs=1e-3)


def test_documents_are_asked_with_a_model_of_the_server(name: str, docs: Path, words: Any) -> None:
    with RagAgent(docs, model=name, embeddings=CountEmbeddings(words)) as agent:
        answer = agent.ask("Who landed on the Moon?", thread_id="t")
        assert "Armstrong" in answer.text
        assert answer.model == name
        assert agent.ask("Thank you!", thread_id="t").kind == "chat"
        for citation in answer.citations:
            assert agent.read(citation.file)[citation.start : citation.end] == citation.quote


@pytest.mark.usefixtures("ollama")
def test_the_command_lists_the_models_of_the_server(run: Callable[..., Any]) -> None:
    names = [entry["name"] for entry in json.loads(run("models", "list", "--json").out)]
    assert "ollama:smollm2:latest" in names
    assert "ok  Ollama: smollm2:latest" in run("doctor").out


def test_the_command_asks_the_server(run: Callable[..., Any], name: str) -> None:
    done = run("ask", "What is the capital of France?", "--no-docs", "--model", name, "--set", "max_new_tokens=20", "--json")
    answer = json.loads(done.out)
    assert (done.code, answer["kind"], answer["model"]) == (0, "chat", name)
    assert answer["usage"]["output_tokens"] > 0


@pytest.mark.usefixtures("ollama")
def test_an_unknown_model_is_one_line(run: Callable[..., Any]) -> None:
    done = run("ask", "x", "--no-docs", "--model", "ollama:nothing")
    assert (done.code, done.out) == (1, "")
    assert done.err.strip().splitlines() == ["rag-agent: the Ollama server has no model 'nothing'; get it: ollama pull nothing"]
