"""What `rag_agent.models.ollama` makes of a server's replies: a server of this process says what a test lets it say."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from rag_agent import RagAgent
from rag_agent.errors import BackendError, ContextLengthError, ModelError, SettingsError
from rag_agent.models import chat_model, embeddings
from rag_agent.models.thoughts import Thoughts

# LangChain's clients leave their connections to the collector, which may come at any time.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")

SHOWN = {
    "details": {"parameter_size": "8.0B"},
    "model_info": {"general.architecture": "llama", "llama.context_length": 8192},
    "capabilities": ["completion"],
}


class Server(ThreadingHTTPServer):
    """Replies from a table of paths, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.shown: dict[str, Any] = dict(SHOWN)
        self.lines: list[dict[str, Any]] = []
        self.status = 200
        self.wait = 0.0

    def says(self, *pieces: str, read: int = 10, **last: Any) -> None:
        """Let the next replies be these pieces."""
        self.lines = [{"message": {"role": "assistant", "content": piece}, "done": False} for piece in pieces]
        end = {"done": True, "done_reason": "stop", "prompt_eval_count": read, "eval_count": len(pieces)}
        self.lines.append({"message": {"role": "assistant", "content": ""}, **end, **last})

    @property
    def sent(self) -> dict[str, Any]:
        """The latest request to chat or embed."""
        return self.asked[-1][1]

    def handle_error(self, *words: Any) -> None:
        """A client that has gone is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/api/show":
            self.server.asked.append((self.path, body))
            time.sleep(self.server.wait)
        self.send_response(200 if self.path == "/api/show" else self.server.status)
        self.end_headers()
        lines = [self.server.shown] if self.path == "/api/show" else self.server.lines
        self.wfile.write(b"\n".join(json.dumps({"model": body["model"], **line}).encode() for line in lines))

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{made.server_port}")
        yield made
        made.shutdown()


def replies(**settings: Any) -> list[Callable[..., str]]:
    """The four ways to ask a model."""

    async def streamed(prompt: Any) -> str:
        return "".join([chunk.text async for chunk in chat_model("ollama:m", **settings).astream(prompt)])

    return [
        lambda prompt: str(chat_model("ollama:m", **settings).invoke(prompt).text),
        lambda prompt: "".join(chunk.text for chunk in chat_model("ollama:m", **settings).stream(prompt)),
        lambda prompt: str(asyncio.run(chat_model("ollama:m", **settings).ainvoke(prompt)).text),
        lambda prompt: asyncio.run(streamed(prompt)),
    ]


# --- the window ---------------------------------------------------------------------------------------------------------


def test_the_window_fits_what_is_sent_and_never_shrinks(server: Server) -> None:
    server.says("Yes.")
    model = chat_model("ollama:m", max_new_tokens=100)
    sizes = []
    for letters in (30, 15_000, 30):  # 5,000 tokens at the most, and 108 for the reply and the marks around it
        model.invoke("a" * letters)
        sizes.append(server.sent["options"]["num_ctx"])
    assert sizes == [4096, 8192, 8192]


def test_the_window_is_at_most_the_models_and_at_least_its_modelfiles(server: Server) -> None:
    server.says("Yes.")
    server.shown = {
        **SHOWN,
        "parameters": 'stop "x"\nnum_ctx                        5000',
        "model_info": {"llama.context_length": 6000},
    }
    model: Any = chat_model("ollama:m")
    model.invoke("hello")
    assert server.sent["options"]["num_ctx"] == 5000
    model.invoke("a" * 15_000)
    assert server.sent["options"]["num_ctx"] == model.window == 6000


def test_a_conversation_does_not_grow_to_the_whole_of_a_long_window(server: Server) -> None:
    server.shown = {**SHOWN, "model_info": {"llama.context_length": 131_072}}
    first: Any = chat_model("ollama:m")
    asked: Any = chat_model("ollama:m", num_ctx=50_000)
    assert (first.window, asked.window) == (8192, 50_000)


@pytest.mark.parametrize("reply", replies(num_ctx=300))
def test_a_prompt_that_the_server_cut_is_an_error(server: Server, reply: Callable[..., str]) -> None:
    server.says("Yes.", read=300)
    with pytest.raises(ContextLengthError, match=r"300 .* leave num_ctx out or set it higher \(8192") as caught:
        reply("word " * 500)
    assert "\n" not in str(caught.value)


def test_older_messages_that_the_server_dropped_are_an_error(server: Server) -> None:
    server.says("Yes.", read=250)
    conversation = [("human", "a" * 300), ("ai", "b" * 300), ("human", "c" * 300)]  # 108 tokens each at the most
    with pytest.raises(ContextLengthError, match="250"):
        chat_model("ollama:m", num_ctx=300).invoke(conversation)
    server.says("Yes.", read=190)  # had one been dropped, it would have fitted into the 110 that were free
    assert chat_model("ollama:m", num_ctx=300).invoke(conversation).text == "Yes."


def test_a_prompt_far_beyond_the_window_is_not_even_sent(server: Server) -> None:
    with pytest.raises(ContextLengthError, match="about 66939 tokens.* 8192"):
        chat_model("ollama:m").invoke("a" * 200_000)
    assert server.asked == []


# --- thoughts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reply", replies())
@pytest.mark.parametrize("pieces", [["<think>Well, 2.</think>\n\nTwo."], list("<think>Well, 2.</think>\n\nTwo.")])
def test_thoughts_are_kept_out_of_the_answer(server: Server, reply: Callable[..., str], pieces: list[str]) -> None:
    server.says(*pieces)
    assert reply("hello") == "Two."


def test_thoughts_that_the_prompt_began_are_kept_out(server: Server) -> None:
    server.shown = {**SHOWN, "template": "{{ .Prompt }}<|assistant|><think>\n"}
    server.says("Well, ", "2.</thi", "nk>", "Two.")
    assert chat_model("ollama:m").invoke("hello").text == "Two."


def test_the_field_of_thoughts_is_no_part_of_the_answer(server: Server) -> None:
    server.says("Two.")
    server.lines.insert(0, {"message": {"role": "assistant", "content": "", "thinking": "Well, 2."}, "done": False})
    reply = chat_model("ollama:m", reasoning=True).invoke("hello")
    assert reply.text == "Two."
    assert reply.additional_kwargs == {"reasoning_content": "Well, 2."}


def test_a_reply_of_thoughts_alone_is_told(server: Server) -> None:
    server.says("<think>", "Well, ", "er", read=10, done_reason="length")
    with pytest.raises(ModelError, match="3 tokens to think.* max_new_tokens higher"):
        chat_model("ollama:m").invoke("hello")


def test_a_model_that_can_think_does_so_only_where_it_is_asked_to(server: Server) -> None:
    server.says("Two.")
    chat_model("ollama:m").invoke("hello")
    assert "think" not in server.sent
    server.shown = {**SHOWN, "capabilities": ["completion", "thinking"]}
    chat_model("ollama:other").invoke("hello")
    assert server.sent["think"] is False
    chat_model("ollama:other", reasoning=True).invoke("hello")
    assert server.sent["think"] is True


@pytest.mark.parametrize(
    "text", ["Two.", " <thinker> is a word", "<", "", "The tag <think> begins </think> thoughts.", "  \n<thi"]
)
def test_a_reply_without_thoughts_is_left_as_it_is(text: str) -> None:
    thoughts = Thoughts()
    assert "".join(thoughts.push(letter) for letter in text) + thoughts.flush() == text


# --- failures -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reply", replies())
def test_a_stream_that_ends_in_the_middle_is_told(server: Server, reply: Callable[..., str]) -> None:
    server.says("Once ", "upon ", "a time.")
    server.lines.pop()
    with pytest.raises(BackendError, match="broke off in the middle of a reply of 'm'"):
        reply("hello")


@pytest.mark.parametrize("reply", replies())
@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (404, "model 'm' not found", "ollama pull m"),
        (400, '"m" does not support chat', "--embeddings ollama:m"),
        (400, '"m" does not support thinking', "leave out --set reasoning"),
        (500, "llama runner process has terminated", "runner process has terminated"),
        (200, "an error in the stream", "broke off in a reply"),
    ],
)
def test_a_refusal_is_one_line_with_what_mends_it(
    server: Server, reply: Callable[..., str], status: int, said: str, told: str
) -> None:
    server.status, server.lines = status, [{"error": said}]
    with pytest.raises(ModelError, match=told) as caught:
        reply("hello")
    assert "\n" not in str(caught.value)


def test_a_model_that_cannot_embed_is_told(server: Server) -> None:
    server.status, server.lines = 501, [{"error": "this model does not support embeddings"}]
    with pytest.raises(ModelError, match="'m' cannot embed; get one that can: ollama pull nomic-embed-text"):
        embeddings("ollama:m").embed_query("hello")


@pytest.mark.parametrize("reply", replies(timeout=0.2))
def test_a_server_that_stays_silent_is_told_with_the_setting(server: Server, reply: Callable[..., str]) -> None:
    server.says("Yes.")
    server.wait = 0.6
    with pytest.raises(BackendError, match="ollama run m.*timeout="):
        reply("hello")


def test_a_turn_that_the_server_broke_off_is_not_kept_and_the_thread_goes_on(server: Server) -> None:
    server.shown = {**SHOWN, "details": {"parameter_size": "8.0B"}}
    with RagAgent(model="ollama:m") as agent:
        server.says("Hello ", "Ann.")
        agent.ask("I am Ann.", thread_id="t")
        server.lines.pop()
        with pytest.raises(BackendError):
            agent.ask("Who am I?", thread_id="t")
        server.says("Ann.")
        assert agent.ask("Who am I?", thread_id="t").text == "Ann."
        assert [turn.question for turn in agent.threads.show("t")] == ["I am Ann.", "Who am I?"]


# --- settings and tasks -------------------------------------------------------------------------------------------------


def test_settings_are_passed_on(server: Server) -> None:
    server.says("Yes.")
    given: dict[str, Any] = {
        "keep_alive": 0,
        "num_thread": 1,
        "top_k": 5,
        "temperature": 0.7,
        "num_ctx": 700,
        "stop": "END",
        "max_new_tokens": 9,
    }
    chat_model("ollama:m", **given).invoke("hello")
    assert server.sent["keep_alive"] == 0
    assert server.sent["options"] == {
        "num_thread": 1, "top_k": 5, "temperature": 0.7, "num_ctx": 700, "stop": ["END"], "num_predict": 9
    }  # fmt: skip


@pytest.mark.parametrize("given", [{"timeout": "soon"}, {"timeout": 0}, {"num_ctx": "big"}, {"top_k": "many"}])
def test_a_value_that_cannot_be_used_is_told(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(given))):
        chat_model("ollama:m", **given)


def test_the_task_of_a_text_is_put_before_it_where_the_model_expects_it(server: Server) -> None:
    server.lines = [{"embeddings": [[0.6, 0.8]]}]
    for name, tasks in (("nomic-embed-text:latest", ("search_query: ", "search_document: ")), ("all-minilm", ("", ""))):
        model = embeddings(f"ollama:{name}")
        assert model.embed_query("moon") == asyncio.run(model.aembed_query("moon")) == [0.6, 0.8]
        assert server.sent["input"] == [f"{tasks[0]}moon"]
        assert model.embed_documents(["moon"]) == asyncio.run(model.aembed_documents(["moon"])) == [[0.6, 0.8]]
        assert server.sent["input"] == [f"{tasks[1]}moon"]
    assert embeddings("ollama:m").embed_documents([]) == []
