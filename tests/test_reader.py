"""The reader: brought by an Ollama server where one answers, else from the hub; told of where only quotes answer so far."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rag_agent.errors import ModelNotFoundError
from rag_agent.models import chat_model, name_of, reader
from rag_agent.settings import Settings
from rag_agent.testing import CountEmbeddings, ScriptedChat

Run = Callable[..., Any]


class Server(ThreadingHTTPServer):
    """An Ollama server that has some models and gets what it is told to pull, or says why not."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models: list[str] = []
        self.refuses = ""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._reply({"models": [{"model": name, "name": name, "size": 986_000_000} for name in self.server.models]})

    def do_POST(self) -> None:
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["model"]
        if self.server.refuses:
            return self._reply({"error": self.server.refuses})
        self.server.models.append(name)
        self._reply({"status": "pulling", "total": 100, "completed": 50}, {"status": "success"})

    def _reply(self, *lines: dict[str, Any]) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"\n".join(json.dumps(line).encode() for line in lines))

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{made.server_port}")
        yield made
        made.shutdown()


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A hub that gives what stands under `data`, and keeps what it was asked for."""
    kept: dict[str, Any] = {"data": b"weights", "asked": []}

    def download(repository: str, file: str, *, revision: str, local_dir: Path) -> str:
        kept["asked"].append((repository, file, revision))
        if isinstance(kept["data"], Exception):
            raise kept["data"]
        (local_dir / file).write_bytes(kept["data"])
        return str(local_dir / file)

    def convert(path: Path, folder: Path, **_: Any) -> None:
        folder.mkdir(parents=True)
        (folder / "config.json").write_bytes(path.read_bytes())

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    monkeypatch.setattr(reader, "convert_gguf", convert)
    return kept


LEFT_OPEN = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")


@LEFT_OPEN
def test_a_server_that_answers_brings_the_reader_itself(run: Run, server: Server) -> None:
    done = run("models", "pull", "reader")
    assert done.code == 0, done.err
    assert server.models == [reader.ON_SERVER]
    assert "50 %" in done.err
    assert f"reader is on the Ollama server, as {reader.ON_SERVER}" in done.err
    assert "--model reader" in done.err
    assert name_of(chat_model("reader", max_new_tokens=5)) == f"ollama:{reader.ON_SERVER}"


@LEFT_OPEN
def test_a_server_that_cannot_reach_its_registry_says_so(run: Run, server: Server) -> None:
    server.refuses = "pull model manifest: no such host"
    done = run("models", "pull", "reader")
    assert done.code == 1
    assert "cannot bring 'qwen2.5:1.5b': pull model manifest: no such host; check the server's network" in done.err


@pytest.mark.usefixtures("no_server")
def test_without_a_server_the_pinned_file_of_the_hub_is_converted(
    run: Run, hub: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SHA256", hashlib.sha256(hub["data"]).hexdigest())
    done = run("models", "pull", "reader")
    assert done.code == 0, done.err
    assert hub["asked"] == [(reader.REPOSITORY, reader.FILE, reader.REVISION)]
    folder = reader.place(Settings.load())
    assert folder is not None
    assert [one.name for one in folder.parent.iterdir()] == [reader.NAME]  # the download is gone
    assert name_of(chat_model("reader")) == "reader"
    assert run("models", "pull", "reader").code == 0
    assert len(hub["asked"]) == 1  # it is there
    assert run("models", "remove", "reader").code == 0
    assert reader.place(Settings.load()) is None


@pytest.mark.usefixtures("no_server", "hub")
def test_another_file_than_the_pinned_one_is_refused_and_not_kept(run: Run) -> None:
    done = run("models", "pull", "reader")
    assert done.code == 1
    assert f"gave another {reader.FILE} than the one known here" in done.err
    assert list((Path.home() / ".rag-agent" / "models" / "huggingface").iterdir()) == []


@pytest.mark.usefixtures("no_server")
def test_a_hub_that_cannot_be_reached_is_told_with_the_other_way(run: Run, hub: dict[str, Any]) -> None:
    hub["data"] = OSError("no route to host")
    done = run("models", "pull", "reader")
    assert done.code == 1
    assert "cannot be had from the model hub: no route to host" in done.err
    assert "start an Ollama server" in done.err


@pytest.mark.usefixtures("no_server")
def test_a_reader_that_is_not_here_is_told_with_the_command() -> None:
    with pytest.raises(ModelNotFoundError, match="rag-agent models pull reader"):
        chat_model("reader")


@pytest.mark.usefixtures("no_server")
def test_doctor_says_what_the_reader_is_and_costs(run: Run) -> None:
    found = {entry["what"]: entry for entry in json.loads(run("doctor", "--json").out)}["reader"]
    assert found["next_step"] == "rag-agent models pull reader"
    assert reader.COST in found["state"]


@LEFT_OPEN
def test_doctor_finds_the_reader_of_a_server(run: Run, server: Server) -> None:
    server.models.append(reader.ON_SERVER)
    found = {entry["what"]: entry for entry in json.loads(run("doctor", "--json").out)}["reader"]
    assert found["next_step"] == "rag-agent ask QUESTION --model reader"


@pytest.mark.usefixtures("no_server")
def test_the_first_quoted_answer_of_a_home_tells_of_the_reader(
    run: Run, docs: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag_agent.agent.embedding_model", lambda *_, **__: CountEmbeddings(words))
    monkeypatch.setattr("rag_agent.agent.chat_model", lambda *_, **__: ScriptedChat([]))
    monkeypatch.setattr("rag_agent.workflows.writer.is_capable", lambda _: False)
    told = [run("ask", "Who stayed in orbit?", "--docs", docs, *more) for more in ([], [], ["--json"])]
    assert [done.code for done in told] == [0, 0, 0], told[0].err
    assert ["models pull reader" in done.err for done in told] == [True, False, False]
    assert "reader" not in told[0].out


@pytest.mark.parametrize("given", [{"answer": "quote"}, {"model": "ollama:llama3.1:8b"}, {"home": ":memory:"}])
@pytest.mark.usefixtures("no_server")
def test_who_wants_quotes_or_has_another_model_or_keeps_nothing_is_not_told(given: dict[str, str]) -> None:
    assert reader.notice(Settings.load(**given)) is None
