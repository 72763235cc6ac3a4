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


# --- what leaves this machine, and what does not ------------------------------------------------------------------------


def test_a_proxy_of_the_environment_is_not_asked_for_a_server_of_this_machine(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server() as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.server_port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        server.says("Hello.")
        for reply in replies():
            assert reply("Who?") == "Hello."
        server.lines = [{"embeddings": [[1.0, 0.0]]}]
        assert embeddings("ollama:m").embed_query("Who?") == [1.0, 0.0]
        proxy.shutdown()
        assert not proxy.asked


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("127.0.0.1:1", ""), ("http://localhost:1", ""), (":11434", ""), ("0.0.0.0", ""), ("[::1]:5", ""), ("127.8.9.1", ""),
        ("", ""),
        ("192.0.2.7:11434", "192.0.2.7:11434"), ("https://ollama.example.org", "ollama.example.org"),
        ("http://127.0.0.1:secret@evil.example:80", "evil.example:80"), ("localhost.example.org", "localhost.example.org"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("make", [chat_model, embeddings])
def test_a_server_on_another_machine_is_told_before_anything_is_sent(
    host: str, told: str, make: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from rag_agent import telling

    monkeypatch.setattr(telling, "_told", set())
    monkeypatch.setenv("OLLAMA_HOST", host)
    make("ollama:m")
    assert [told in line and "another machine" in line for line in caplog.messages] == ([True] if told else [])
    assert "secret" not in caplog.text


# --- counting, caching, limits, tools -----------------------------------------------------------------------------------


def test_lengths_are_counted_here_and_ids_are_not_invented() -> None:
    from langchain_core.messages import AIMessage, HumanMessage, trim_messages

    model = chat_model("ollama:m")
    said = [HumanMessage("one two"), AIMessage("three four"), HumanMessage("five six")]
    kept = trim_messages(said, max_tokens=model.get_num_tokens_from_messages(said[2:]), token_counter=model)
    assert kept == said[2:]
    assert model.get_num_tokens("one two three") >= 3
    with pytest.raises(ModelError, match="does not show the tokens"):
        model.get_token_ids("one")


def test_the_cache_of_replies_tells_models_and_settings_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = set()
    given: list[tuple[str, dict[str, Any]]] = [
        ("m", {}), ("n", {}), ("m", {"temperature": 0.5}), ("m", {"seed": 1}), ("m", {"max_new_tokens": 9}),
        ("m", {"top_p": 0.5}), ("m", {"num_ctx": 5000}), ("m", {"stop": "x"}), ("m", {"format": "json"}),
        ("m", {"reasoning": True}),
    ]  # fmt: skip
    for name, settings in given:
        keys.add(chat_model(f"ollama:{name}", **settings)._get_llm_string())
        assert chat_model(f"ollama:{name}", **settings)._get_llm_string() in keys
    assert len(keys) == len(given)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:99")
    assert chat_model("ollama:m")._get_llm_string() not in keys


@pytest.mark.parametrize("how", ["made", "bound", "called", "ours"])
def test_the_usual_name_of_the_limit_is_taken_wherever_settings_are(server: Server, how: str) -> None:
    server.says("Hello.")
    if how == "made":
        chat_model("ollama:m", max_tokens=7).invoke("Who?")
    elif how == "bound":
        chat_model("ollama:m").bind(max_tokens=7).invoke("Who?")
    elif how == "called":
        chat_model("ollama:m").invoke("Who?", max_tokens=7)
    else:
        chat_model("ollama:m").invoke("Who?", max_new_tokens=7)
    assert server.sent["options"]["num_predict"] == 7


def test_the_window_has_room_for_tools_and_their_calls(server: Server) -> None:
    from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

    server.says("Hello.")
    long = {"type": "function", "function": {"name": "f", "description": "word " * 3000, "parameters": {}}}
    chat_model("ollama:m").invoke("Who?")
    assert server.sent["options"]["num_ctx"] == 4096
    chat_model("ollama:m").bind(tools=[long]).invoke("Who?")
    assert server.sent["options"]["num_ctx"] == 8192
    call = AIMessage("", tool_calls=[{"name": "f", "args": {"text": "word " * 3000}, "id": "1"}])
    chat_model("ollama:m").invoke([HumanMessage("Who?"), call, ToolMessage("x", tool_call_id="1")])
    assert server.sent["options"]["num_ctx"] == 8192


def test_a_reply_that_ended_at_its_limit_is_told_in_the_answer(server: Server) -> None:
    with RagAgent(model="ollama:m", home=":memory:") as agent:
        server.says("Once upon", done_reason="length")
        assert any("limit of tokens" in line and "max_new_tokens" in line for line in agent.ask("Tell a story.").left_out)
        server.says("The end.")
        assert not agent.ask("Tell a story.").left_out


BARE = "{{ .Prompt }}"


@pytest.mark.parametrize(
    ("template", "modelfile", "bare"),
    [
        (BARE, "FROM x", True), ("{{- .Prompt -}}", "", True), ("### {{ .Prompt }}\n", "", True),
        (BARE, "FROM x\nRENDERER qwen3-vl", False), ("{{ .System }} {{ .Prompt }}", "", False),
        ("{{ range .Messages }}{{ .Role }}{{ .Content }}{{ end }}", "", False), ("", "", False),
    ],
)  # fmt: skip
def test_a_model_without_a_chat_template_is_an_error_that_says_how_to_make_one(
    server: Server, template: str, modelfile: str, bare: bool
) -> None:
    from langchain_core.messages import HumanMessage, SystemMessage

    server.shown.update(template=template, modelfile=modelfile)
    server.says("Hello.")
    model = chat_model("ollama:m")
    assert model.invoke("Who?").text == "Hello."  # nothing is dropped of one message
    asked = [SystemMessage("Answer in one word."), HumanMessage("Who?")]
    if not bare:
        assert model.invoke(asked).text == "Hello."
        return
    with pytest.raises(ModelError, match=r"no chat template.*TEMPLATE.*ollama create m-chat -f Modelfile") as caught:
        model.invoke(asked)
    assert "\n" not in str(caught.value)
