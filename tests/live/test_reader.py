"""A real reader of half a billion parameters, through a real Ollama server and in this process, over two small pages."""

from pathlib import Path
from typing import Any

import pytest

from rag_agent import RagAgent, Settings
from rag_agent.models import chat_model
from rag_agent.testing import CountEmbeddings

LEFT_OPEN = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
pytestmark = [pytest.mark.ollama, LEFT_OPEN]


def test_the_reader_obeys_its_role_through_the_server(reader_on_ollama: str) -> None:
    """A `.gguf` file without a template would lose the system message without a word."""
    model = chat_model(reader_on_ollama, max_new_tokens=10)
    assert (
        "banana"
        in str(model.invoke([("system", "Reply with the word banana and nothing else."), ("human", "Hello!")]).text).lower()
    )


def test_the_reader_obeys_its_role_in_this_process(reader_here: str) -> None:
    model = chat_model(reader_here, max_new_tokens=10)
    assert (
        "banana"
        in str(model.invoke([("system", "Reply with the word banana and nothing else."), ("human", "Hello!")]).text).lower()
    )


@pytest.mark.parametrize("where", ["reader_on_ollama", "reader_here"])
def test_the_reader_answers_over_documents_and_all_of_it_stands(
    where: str, request: pytest.FixtureRequest, docs: Path, words: Any
) -> None:
    settings = Settings.load(answer="generate")  # half a billion is less than is trusted unasked
    with RagAgent(docs, model=request.getfixturevalue(where), embeddings=CountEmbeddings(words), settings=settings) as agent:
        for question, wanted in (("Who stayed in orbit?", "Collins"), ("How much water does the plant make each day?", "8,000")):
            answer = agent.ask(question)
            assert wanted in answer.text
            for citation in answer.citations:
                assert agent.read(citation.file)[citation.start : citation.end] == citation.quote
