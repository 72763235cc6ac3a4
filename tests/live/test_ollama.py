"""A real Ollama server with one small model."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from rag_agent import RagAgent, Settings
from rag_agent.errors import BackendError, ContextLengthError, ModelError, ModelNotFoundError
from rag_agent.models import chat_model, embeddings
from rag_agent.models.capability import is_capable, parameters
from rag_agent.testing import CountEmbeddings

# LangChain's clients leave their connections to the collector, which may come at any time.
LEFT_OPEN = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
pytestmark = [pytest.mark.ollama, LEFT_OPEN]


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


def test_a_follow_up_is_understood_by_the_thread(name: str, docs: Path, words: Any) -> None:
    with RagAgent(docs, model=name, embeddings=CountEmbeddings(words)) as agent:
        agent.ask("Who stayed in orbit?", thread_id="t")
        answer = agent.ask("When was he born?", thread_id="t")
        assert "Collins" in answer.query
        assert "31 October 1930" in answer.text


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


# --- what breaks elsewhere ----------------------------------------------------------------------------------------------


def test_a_seed_repeats_a_sampled_reply(name: str) -> None:
    def replies(**seed: Any) -> list[str]:
        model = chat_model(name, temperature=1.5, max_new_tokens=12, **seed)
        return [model.invoke("Tell me a story.").text for _ in range(4)]

    assert len(set(replies(seed=7)[1:])) == 1  # the first call reads the prompt anew, the others find it read
    assert len(set(replies())) > 1


def test_a_stop_string_ends_the_reply(name: str) -> None:
    whole = chat_model(name, max_new_tokens=12).invoke("What is the capital of France?").text
    assert "Paris" in whole
    for model in (chat_model(name, max_new_tokens=12, stop="Paris"), chat_model(name, max_new_tokens=12).bind(stop=["Paris"])):
        assert model.invoke("What is the capital of France?").text.strip() == whole.partition("Paris")[0].strip()


def test_closing_a_stream_ends_its_generation(name: str) -> None:
    stream = chat_model(name, max_new_tokens=2000, temperature=1.0, seed=2).stream("Count to a thousand.")
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    began = time.perf_counter()
    chat_model(name, max_new_tokens=1).invoke("Hello")  # the server has one place: it is free again
    assert time.perf_counter() - began < 10


def test_what_the_server_counts_is_below_the_estimate_that_sizes_the_window(name: str) -> None:
    texts = ["Plain words, as in a book. " * 8, "def f(x): return x[0] + {1: 2}\n" * 8, "3.14159 2.71828 " * 8,
             "Ñandú, Müller, Łódź. " * 8,
             "Привет, как дела? " * 8, "月の石はどこですか。" * 8, "😀👍🏽" * 8]  # fmt: skip
    model: Any = chat_model(name, max_new_tokens=1)
    for text in texts:
        messages = [HumanMessage(text)]
        assert model.invoke(messages).usage_metadata["input_tokens"] <= model.count_tokens(messages), text


@pytest.mark.parametrize(
    "prompt", [[("human", "word " * 400)], [("human", "one two " * 60), ("ai", "three " * 60), ("human", "four")]]
)
def test_a_prompt_longer_than_the_window_is_an_error_and_fits_where_the_window_is_left_out(name: str, prompt: Any) -> None:
    with pytest.raises(ContextLengthError, match="window of 128"):
        chat_model(name, num_ctx=128, max_new_tokens=2).invoke(prompt)
    reply: Any = chat_model(name, max_new_tokens=2).invoke(prompt)
    assert reply.usage_metadata["input_tokens"] > 128


def test_keep_alive_of_nothing_unloads_the_model(name: str, ollama: Any) -> None:
    import ollama as client

    def loaded() -> list[Any]:
        with client.Client() as server:
            return list(server.ps().models)

    chat_model(name, max_new_tokens=1).invoke("hello")
    assert loaded()
    chat_model(name, max_new_tokens=1, keep_alive=0).invoke("hello")
    for _ in range(100):
        if not loaded():
            return
        time.sleep(0.1)
    pytest.fail("the model is still loaded")


def test_embeddings_of_the_server_equal_those_of_the_same_weights_here(
    ollama: Any, minilm_gguf: Path, embedded_models: dict[str, Path]
) -> None:
    import numpy as np

    ollama.create("minilm", minilm_gguf)
    texts = ["Who landed on the Moon?", "Ñandú – 月 😀", "The Balashi plant makes 8,000 tons of water each day."]
    theirs = np.array(embeddings("ollama:minilm").embed_documents(texts))
    ours = np.array(embeddings(f"huggingface:{embedded_models['all-MiniLM-L6-v2']}").embed_documents(texts))
    assert (ours * theirs).sum(axis=1).min() > 0.999
    with pytest.raises(ModelError, match="'minilm' cannot chat, it embeds: use it with --embeddings ollama:minilm"):
        chat_model("ollama:minilm").invoke("hello")


def test_a_server_that_is_killed_in_the_middle_of_a_reply_leaves_the_thread_usable(
    own_ollama: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", own_ollama.host)
    settings = Settings(generation={"max_new_tokens": 400, "temperature": 1.0, "seed": 3})
    with RagAgent(model=f"ollama:{own_ollama.model}", settings=settings) as agent:
        agent.ask("Say hello.", thread_id="t")
        events = agent.stream("Write a very long story.", thread_id="t")
        next(event for event in events if event.type == "token")
        own_ollama.kill()
        with pytest.raises(BackendError, match="broke off|no Ollama server answers"):
            list(events)
        with pytest.raises(BackendError, match="ollama serve"):
            agent.ask("And now?", thread_id="t")
        own_ollama.start()
        agent.ask("Say goodbye.", thread_id="t")
        assert [turn.question for turn in agent.threads.show("t")] == ["Say hello.", "Say goodbye."]
