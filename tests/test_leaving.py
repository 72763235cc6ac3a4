"""Nothing leaves the machine, whatever is in the environment: every command runs in a closed network."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent

# Keeps a list of whom the process looks up and connects to, child processes included.
WATCH = """
import os, socket
_log = os.environ["WATCHED"]
def _note(what):
    with open(_log, "a", encoding="utf-8") as file:
        file.write(repr(what) + "\\n")
def _watched(call, what):
    def watched(self, address, *rest):
        if self.family != socket.AF_UNIX:
            _note((what, tuple(address)[:2]))
        return call(self, address, *rest)
    return watched
for _name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, _name, _watched(getattr(socket.socket, _name), _name))
_look_up = socket.getaddrinfo
def _getaddrinfo(host, *rest, **named):
    _note(("look up", (host, rest[0] if rest else 0)))
    return _look_up(host, *rest, **named)
socket.getaddrinfo = _getaddrinfo
"""

DRIVE = """
import io, json, sys
import rag_agent
from rag_agent.cli import main
codes = []
for words, typed in json.loads(sys.stdin.read()):
    sys.argv, sys.stdin = ["rag-agent", *words], io.StringIO(typed)
    try:
        main()
        codes.append(0)
    except SystemExit as end:
        codes.append(end.code or 0)
print("CODES", json.dumps(codes))
"""


class Sink(ThreadingHTTPServer):
    """Takes everything, and keeps it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connections = 0
        self.bodies: list[bytes] = []

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()


class _Handler(BaseHTTPRequestHandler):
    server: Sink

    def _take(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = do_CONNECT = _take

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def environment(sink: Sink, tmp_path: Path, tiny_chat: Path, tiny_embeddings: Path) -> dict[str, str]:
    """Everything that would make other programs talk, pointed at the sink."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    here = f"http://127.0.0.1:{sink.server_port}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    proxies = {name: here for one in ("http_proxy", "https_proxy", "all_proxy") for name in (one, one.upper())}
    inherited = {
        k: v for k, v in os.environ.items() if k not in ("HF_HUB_OFFLINE", "NO_PROXY", "no_proxy", "TRANSFORMERS_OFFLINE")
    }
    return {
        **inherited, **proxies,
        "PYTHONPATH": f"{tmp_path / 'watch'}{os.pathsep}{ROOT}", "WATCHED": str(tmp_path / "watched"),
        "LANGSMITH_TRACING": "true", "LANGSMITH_TRACING_V2": "true", "LANGCHAIN_TRACING_V2": "true", "LANGCHAIN_TRACING": "true",
        "LANGSMITH_ENDPOINT": here, "LANGCHAIN_ENDPOINT": here, "LANGSMITH_API_KEY": "key", "LANGCHAIN_API_KEY": "key",
        "HF_ENDPOINT": here, "HF_HUB_DISABLE_TELEMETRY": "0", "OTEL_EXPORTER_OTLP_ENDPOINT": here, "NOMIC_API_KEY": "key",
        "OLLAMA_HOST": f"127.0.0.1:{closed}",
        "RAG_AGENT_MODEL": f"huggingface:{tiny_chat}", "RAG_AGENT_EMBEDDINGS": f"huggingface:{tiny_embeddings}",
        "RAG_AGENT_GENERATION": "max_new_tokens=3",
    }  # fmt: skip


def drive(environment: dict[str, str], *commands: tuple[list[str], str]) -> tuple[list[int], str]:
    done = subprocess.run(
        [sys.executable, "-c", DRIVE], input=json.dumps(commands), capture_output=True, text=True, check=False, env=environment,
        timeout=300,
    )  # fmt: skip
    codes = [line for line in done.stdout.splitlines() if line.startswith("CODES ")]
    assert codes, done.stderr
    return json.loads(codes[0].removeprefix("CODES ")), done.stdout + done.stderr


def watched(environment: dict[str, str]) -> list[tuple[str, tuple[str, int]]]:
    path = Path(environment["WATCHED"])
    if not path.is_file():
        return []
    return [eval(line, {"__builtins__": {}}) for line in path.read_text(encoding="utf-8").splitlines()]


def commands(docs: Path, questions: Path, model: Path) -> list[tuple[list[str], str]]:
    """All of them: `test_every_command_is_run` looks for those that are missing."""
    asked = ["ask", "Who landed on the Moon?", "--docs", str(docs)]
    listed = [
        (["index", str(docs)], ""), (asked, ""), ([*asked, "--thread", "t"], ""), ([*asked, "--json"], ""),
        (["ask", "who landed", "--no-docs", "--system", "one"], ""),
        (["chat", "--docs", str(docs), "--thread", "t"], "Who stayed?\nquit\n"),
        (["search", "moon", "--docs", str(docs)], ""), (["explain", "moon", "--docs", str(docs)], ""),
        (["eval", str(questions), "--docs", str(docs)], ""),
        (["graph", "agent"], ""), (["doctor"], ""), (["trust"], ""),
        (["tokens", "who landed"], ""), (["compare", "who landed"], ""),
        (["models", "list"], ""), (["models", "pull", f"huggingface:{model}"], ""), (["models", "remove", model.name], ""),
        (["threads", "list", "--search", "moon"], ""), (["threads", "show", "t"], ""), (["threads", "rename", "t", "x"], ""),
        (["threads", "fork", "t", "u"], ""), (["threads", "edit", "u", "1", "Who stayed in orbit?"], ""),
        (["threads", "export", "t", "-o", "t.json"], ""), (["threads", "export", "t", "--markdown"], ""),
        (["threads", "import", "t.json", "--as", "v"], ""), (["threads", "stale", "--ask"], ""), (["threads", "check"], ""),
        (["threads", "rewind", "t", "0"], ""), (["threads", "rewind", "t", "--turn", "0"], ""), (["threads", "delete", "u"], ""),
        (["threads", "prune", "--keep", "1"], ""), (["threads", "vacuum"], ""),
        (["memories", "add", "My dog is called Rex"], ""), (["memories", "list"], ""), (["memories", "edit", "x", "y"], ""),
        (["memories", "forget", "--thread", "t"], ""),
    ]  # fmt: skip
    return listed


SERVERS = [["serve"], ["mcp"]]
"""Those that go on until they are stopped, and have a test of their own."""


def test_every_command_is_run(tmp_path: Path) -> None:
    import typer.main

    from rag_agent.cli import app

    def names(command: Any, before: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
        inner = getattr(command, "commands", None)
        return set().union(*(names(one, (*before, name)) for name, one in inner.items())) if inner else {before}

    given = [*SERVERS, *(words for words, _ in commands(tmp_path, tmp_path, tmp_path))]
    missing = {
        name for name in names(typer.main.get_command(app)) if not any(words[: len(name)] == list(name) for words in given)
    }
    assert not missing


def test_no_command_sends_a_byte(environment: dict[str, str], sink: Sink, docs: Path, tmp_path: Path, tiny_chat: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"question": "Who landed?", "answers": ["Armstrong"]}\n', encoding="utf-8")
    Path("rag_agent.toml").write_text("model = 'nomic-remote:x'\ntracing = true\nk = 3\n", encoding="utf-8")
    ran = [(words, typed) for words, typed in commands(docs, questions, tiny_chat) if words != ["trust"]]
    codes, told = drive(environment, *ran)
    wrong = (["threads", "rewind", "t", "0"], ["memories", "edit", "x", "y"])
    failed = [words for (words, _), code in zip(ran, codes, strict=True) if code and words not in wrong]
    assert not failed, told
    assert not sink.connections, sink.bodies[:3]
    ollama = int(environment["OLLAMA_HOST"].rpartition(":")[2])
    assert {place for _, place in watched(environment)} <= {("127.0.0.1", ollama)}


def test_a_server_answers_who_asks_it_and_turns_to_nobody(environment: dict[str, str], sink: Sink, docs: Path) -> None:
    import httpx

    words = [sys.executable, "-c", "from rag_agent.cli import main; main()", "serve", "--docs", str(docs), "--port", "0"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stderr is not None
        address = server.stderr.readline().split()[1]
        threading.Thread(target=server.stderr.read, daemon=True).start()
        with httpx.Client(base_url=address, timeout=120, trust_env=False) as client:
            for path in ("/", "/static/app.js", "/api/threads", "/api/search?query=moon", "/v1/models", "/metrics"):
                assert client.get(path).status_code == 200
            body = {"question": "Who landed on the Moon?", "thread_id": "t"}
            assert client.post("/api/ask", json=body).json()["kind"] in ("quote", "generated", "refusal")
            assert client.post("/v1/embeddings", json={"input": "moon"}).status_code == 200
        server.terminate()
    assert not sink.connections, sink.bodies[:3]
    ollama = int(environment["OLLAMA_HOST"].rpartition(":")[2])
    assert {place for _, place in watched(environment)} <= {("127.0.0.1", ollama)}


def test_mcp_turns_to_nobody(environment: dict[str, str], sink: Sink, docs: Path) -> None:
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}
    said = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "search", "arguments": {"query": "moon"}}},
    ]
    words = [sys.executable, "-c", "from rag_agent.cli import main; main()", "mcp", "--docs", str(docs)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdin is not None and server.stdout is not None
        for message in said:
            server.stdin.write(json.dumps(message) + "\n")
        server.stdin.flush()
        replies = [json.loads(server.stdout.readline()) for _ in range(2)]
        server.stdin.close()
    assert "structuredContent" in replies[1]["result"], replies
    assert not sink.connections and not watched(environment)


def test_importing_the_package_looks_nobody_up(environment: dict[str, str], sink: Sink) -> None:
    code = "import rag_agent, rag_agent.workflows, rag_agent.models.weights; [getattr(rag_agent, n) for n in rag_agent.__all__]"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert not watched(environment) and not sink.connections


@pytest.mark.parametrize("graph", ["chat", "rag", "agent"])
def test_the_graphs_for_tooling_send_nothing_either(graph: str, environment: dict[str, str], sink: Sink, docs: Path) -> None:
    given = {"messages": ["who landed"]} if graph == "chat" else {"question": "who landed"}
    code = f"""
import asyncio, runpy
graph = runpy.run_path({str(ROOT / "graphs" / f"{graph}.py")!r})["graph"]
graph.invoke({given!r})
asyncio.run(graph.ainvoke({given!r}))
asyncio.run(graph.with_config(tags=["x"]).copy().ainvoke({given!r})) if hasattr(graph.with_config(), "copy") else None
"""
    # the plain rag graph puts whole passages before the model, whose window is 64 tokens
    (docs / "moon.txt").write_text("Neil landed.", encoding="utf-8")
    (docs / "crew.md").write_text("Collins stayed.", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, "RAG_AGENT_DOCS": str(docs)},
    )
    assert done.returncode == 0 or "ContextLengthError" in done.stderr, done.stderr
    assert not sink.connections, sink.bodies[:3]
    assert not watched(environment)


def test_the_sink_hears_what_is_sent_once_the_setting_allows_it(environment: dict[str, str], sink: Sink, docs: Path) -> None:
    words = ["ask", "Who landed on the Moon?", "--docs", str(docs)]
    codes, told = drive({**environment, "RAG_AGENT_TRACING": "true"}, (words, ""))
    assert codes == [0]
    assert sink.connections
    assert told.count("tracing is on") == 1 and environment["LANGSMITH_ENDPOINT"] in told


def test_a_model_of_the_hub_is_told_before_the_hub_is_asked(environment: dict[str, str], sink: Sink) -> None:
    codes, told = drive(environment, (["ask", "who landed", "--no-docs", "--model", "huggingface:some/model"], ""))
    assert codes == [1]
    assert sink.connections
    assert told.index("fetched from the model hub") < told.index("rag-agent: the model 'some/model'")
    assert environment["HF_ENDPOINT"] in told


def test_telemetry_of_the_hub_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import rag_agent.models.weights; from huggingface_hub import constants; print(constants.HF_HUB_DISABLE_TELEMETRY)"
    for before in ("", "import huggingface_hub.constants; "):
        environment = {**os.environ, "HF_HUB_DISABLE_TELEMETRY": "0"}
        done = subprocess.run([sys.executable, "-c", before + code], capture_output=True, text=True, check=False, env=environment)
        assert done.stdout.strip() == "True", done.stderr


def test_a_caller_of_ours_is_traced_as_it_wishes_between_our_steps() -> None:
    """What runs outside of our graphs keeps the context that its program has set."""
    from langsmith.run_helpers import get_tracing_context

    from rag_agent import RagAgent
    from rag_agent.testing import ScriptedChat

    with RagAgent(model=ScriptedChat(["One."]), home=":memory:") as agent:
        for _ in agent.graph.stream({"question": "Who?"}, {"configurable": {"thread_id": "t"}}):
            assert get_tracing_context()["enabled"] is None
        assert get_tracing_context()["enabled"] is None
