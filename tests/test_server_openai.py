"""OpenAI's own client against the server: plain, streamed, in conversations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from langchain_core.messages import BaseMessage

from rag_agent.errors import BackendError
from rag_agent.testing import CountEmbeddings, ScriptedChat
from tests.serving import serving

QUESTION = "Who stayed in orbit?"


@pytest.fixture
def server(docs: Path, words: tuple[str, ...]) -> Iterator[httpx.Client]:
    with serving(docs, words) as found:
        yield found


@pytest.fixture
def client(server: httpx.Client) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.base_url}/v1", api_key="none", max_retries=0) as found:
        yield found


def said(*words: str) -> list[Any]:
    return [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(words)]


def test_a_completion_has_the_answer_its_sources_and_annotations(client: openai.OpenAI, server: httpx.Client) -> None:
    done = client.chat.completions.create(model="rag-agent", messages=said(QUESTION))
    message = done.choices[0].message
    assert message.content is not None
    assert "Michael Collins stayed in orbit aboard Columbia." in message.content
    assert "\nSources:\n[1] moon.txt" in message.content
    assert message.annotations
    for annotation in message.annotations:
        one = annotation.url_citation
        assert message.content[one.start_index : one.end_index] in ("[1]", "[2]", "[3]", "[4]")
        assert one.url.startswith(f"{server.base_url}/#/d/")
    assert done.choices[0].finish_reason == "stop"
    assert done.usage is not None


def test_sources_can_be_left_out(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="rag-agent", messages=said(QUESTION), extra_body={"sources": False})
    assert "Sources:" not in str(done.choices[0].message.content)


def test_a_stream_says_the_same(client: openai.OpenAI) -> None:
    plain = client.chat.completions.create(model="rag-agent", messages=said(QUESTION)).choices[0].message.content
    stream = client.chat.completions.create(model="rag-agent", messages=said(QUESTION), stream=True)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == plain
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_the_thread_comes_by_header_or_user(client: openai.OpenAI, server: httpx.Client) -> None:
    client.chat.completions.create(model="rag-agent", messages=said(QUESTION), user="moon")
    client.chat.completions.create(model="rag-agent", messages=said("Where was he born?"), extra_headers={"x-thread-id": "moon"})
    turns = server.get("/api/threads/moon").json()["turns"]
    assert [turn["question"] for turn in turns] == [QUESTION, "Where was he born?"]


def test_without_a_thread_the_messages_are_the_conversation_and_nothing_is_kept(
    client: openai.OpenAI, server: httpx.Client
) -> None:
    done = client.chat.completions.create(
        model="rag-agent", messages=said("Who is Collins?", "Michael Collins stayed in orbit.", "Where was he born?")
    )
    assert "Rome" in str(done.choices[0].message.content)
    assert server.get("/api/threads").json() == []


def test_unchecked_text_is_never_streamed(docs: Path, words: tuple[str, ...]) -> None:
    invented = ScriptedChat(lambda messages: "Elvis stayed in orbit. [1]")
    with (
        serving(docs, words, model=invented, settings={"answer": "generate"}) as server,
        openai.OpenAI(base_url=f"{server.base_url}/v1", api_key="none") as client,
    ):
        stream = client.chat.completions.create(model="rag-agent", messages=said(QUESTION), stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text
    assert "Elvis" not in text


def test_plain_chat_is_streamed_as_it_comes(words: tuple[str, ...]) -> None:
    with (
        serving(None, words, model=ScriptedChat(["Hello to you."])) as server,
        openai.OpenAI(base_url=f"{server.base_url}/v1", api_key="none") as client,
    ):
        stream = client.chat.completions.create(model="rag-agent", messages=said("Hello"), stream=True)
        pieces = [chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content]
    assert "".join(pieces) == "Hello to you."
    assert len(pieces) > 1


def test_responses_go_on_from_an_earlier_one(client: openai.OpenAI, server: httpx.Client) -> None:
    first = client.responses.create(model="rag-agent", input=QUESTION)
    assert "Michael Collins stayed in orbit" in first.output_text
    message: Any = first.output[0]
    assert message.content[0].annotations
    second = client.responses.create(model="rag-agent", input="Where was he born?", previous_response_id=first.id)
    other = client.responses.create(model="rag-agent", input="Who landed on the Moon?", previous_response_id=first.id)
    assert len({first.id, second.id, other.id}) == 3
    counts = sorted(len(server.get(f"/api/threads/{t['thread_id']}").json()["turns"]) for t in server.get("/api/threads").json())
    assert counts == [2, 2]


def test_a_response_that_is_not_stored_leaves_nothing(client: openai.OpenAI, server: httpx.Client) -> None:
    client.responses.create(model="rag-agent", input=QUESTION, store=False)
    assert server.get("/api/threads").json() == []


def test_what_goes_on_unstored_knows_what_was_said_and_adds_nothing(client: openai.OpenAI, server: httpx.Client) -> None:
    first = client.responses.create(model="rag-agent", input=QUESTION)
    second = client.responses.create(model="rag-agent", input="Where was he born?", previous_response_id=first.id, store=False)
    assert "Rome" in second.output_text
    (thread,) = server.get("/api/threads").json()
    assert thread["turns"] == 1


def test_annotations_lead_to_the_page_in_every_form(client: openai.OpenAI, server: httpx.Client) -> None:
    place = f"{server.base_url}/#/d/"
    stream = list(client.chat.completions.create(model="rag-agent", messages=said(QUESTION), stream=True))
    urls = [one["url_citation"]["url"] for chunk in stream for one in getattr(chunk.choices[0].delta, "annotations", None) or []]
    whole: Any = client.responses.create(model="rag-agent", input=QUESTION).output[0]
    urls += [one.url for one in whole.content[0].annotations]
    ended: Any = list(client.responses.create(model="rag-agent", input=QUESTION, stream=True))[-1]
    urls += [one.url for one in ended.response.output[0].content[0].annotations]
    assert len(urls) >= 3
    assert all(url.startswith(place) for url in urls), urls


def test_a_streamed_response_ends_whole(client: openai.OpenAI) -> None:
    events: list[Any] = list(
        client.responses.create(model="rag-agent", input=[{"role": "user", "content": QUESTION}], stream=True)
    )
    kinds = [event.type for event in events]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_models_and_embeddings(client: openai.OpenAI, words: tuple[str, ...]) -> None:
    assert [model.id for model in client.models.list()][0] == "rag-agent"
    texts = ["moon landed", "water"]
    expected = CountEmbeddings(words).embed_documents(texts)
    for form in (openai.omit, "float"):  # left out, the client asks for base64 and unpacks it
        found = client.embeddings.create(model="x", input=texts, encoding_format=form)
        assert [one.embedding for one in found.data] == [pytest.approx(vector, abs=1e-6) for vector in expected]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.chat.completions.create(model="x", messages=[{"role": "system", "content": "Be brief."}]),
        lambda client: client.chat.completions.create(model="x", messages=said("   ")),
        lambda client: client.responses.create(model="x", input="Who?", previous_response_id="resp_of_another_server"),
    ],
)
def test_a_request_without_a_question_is_a_bad_request(client: openai.OpenAI, call: Any) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        call(client)
    assert isinstance(error.value.body, dict)
    assert error.value.body["message"]


def test_a_model_that_fails_is_told_as_openai_tells_it(docs: Path, words: tuple[str, ...]) -> None:
    def fails(messages: list[BaseMessage]) -> str:
        raise BackendError("Ollama is away")

    with (
        serving(docs, words, model=ScriptedChat(fails), settings={"answer": "generate"}) as server,
        openai.OpenAI(base_url=f"{server.base_url}/v1", api_key="none", max_retries=0) as client,
        pytest.raises(openai.InternalServerError, match="Ollama is away"),
    ):
        client.chat.completions.create(model="rag-agent", messages=said(QUESTION))
