"""The HTTP API: every surface tells what `RagAgent` tells, in a fair order, and stops when nobody listens."""

import asyncio
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.messages import BaseMessage

from rag_agent import RagAgent, Settings
from rag_agent.errors import BackendError
from rag_agent.server.line import Line, LineFullError, Ticket
from rag_agent.testing import CountEmbeddings, ScriptedChat
from tests.serving import events, serving, until

COLLINS = "Michael Collins stayed in orbit aboard Columbia."


@pytest.fixture
def client(docs: Path, words: tuple[str, ...]) -> Iterator[httpx.Client]:
    with serving(docs, words) as found:
        yield found


def ask(client: httpx.Client, question: str, thread_id: str | None = None) -> dict[str, Any]:
    response = client.post("/api/ask", json={"question": question, "thread_id": thread_id})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


# --- questions ----------------------------------------------------------------------------------------------------------


def test_an_answer_is_that_of_the_agent(client: httpx.Client, docs: Path, words: tuple[str, ...]) -> None:
    over_http = ask(client, "Who stayed in orbit?")
    settings = Settings.load(home=":memory:")
    with RagAgent(docs, model=ScriptedChat(["Nothing."]), embeddings=CountEmbeddings(words), settings=settings) as agent:
        direct = json.loads(json.dumps(agent.ask("Who stayed in orbit?").to_dict()))
    for told in (over_http, direct):
        told.pop("timings")
    assert over_http == direct
    assert COLLINS in over_http["text"]


def test_events_end_with_the_whole_answer_and_show_no_unchecked_text(docs: Path, words: tuple[str, ...]) -> None:
    invented = ScriptedChat(lambda messages: "Elvis stayed in orbit. [1]")
    with serving(docs, words, model=invented, settings={"answer": "generate"}) as client:
        told = events(client, "Who stayed in orbit?")
    assert [kind for kind, _ in told].count("answer") == 1
    assert told[-1][0] == "answer"
    assert {"step", "answer"} <= {kind for kind, _ in told}
    assert not any("Elvis" in values.get("text", "") for kind, values in told if kind != "answer")
    assert "Elvis" not in told[-1][1]["text"]


def test_search_and_explain_tell_what_was_found(client: httpx.Client) -> None:
    hits = client.get("/api/search", params={"query": "orbit Collins", "k": 1}).json()
    assert [hit["file"] for hit in hits] == ["moon.txt"]
    explained = client.get("/api/explain", params={"question": "Who stayed in orbit?"}).json()
    assert explained["units"][0]["text"] == COLLINS


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/ask", {"question": ""}, 422),
        ("POST", "/api/ask/events", {"question": " \n "}, 422),
        ("POST", "/api/ask", {"question": "?", "thread": "slip"}, 422),
        ("POST", "/api/ask", {"question": "x" * 20_001}, 422),
        ("GET", "/api/search?query=a&k=0", None, 422),
        ("GET", "/api/threads/none", None, 404),
        ("POST", "/api/threads/none/fork", {"new_id": "other"}, 404),
        ("GET", "/api/documents/none.txt", None, 404),
        ("GET", "/api/pages/1/moon.txt", None, 404),
        ("POST", "/api/threads/import", {"content": "no thread"}, 409),
        ("GET", "/nowhere", None, 404),
    ],
)  # fmt: skip
def test_a_wrong_request_is_told_in_a_line(client: httpx.Client, method: str, path: str, body: Any, status: int) -> None:
    response = client.request(method, path, json=body)
    assert response.status_code == status
    told = response.json()
    assert "error" in told or "detail" in told
    assert "Traceback" not in response.text


# --- conversations ------------------------------------------------------------------------------------------------------


def test_a_conversation_is_kept_forked_edited_rewound_renamed_exported_and_deleted(client: httpx.Client) -> None:
    ask(client, "Who stayed in orbit?", "moon/1")
    ask(client, "Who landed on the Moon?", "moon/1")
    path = "/api/threads/moon%2F1"
    assert [turn["question"] for turn in client.get(path).json()["turns"]] == ["Who stayed in orbit?", "Who landed on the Moon?"]
    assert client.post(f"{path}/fork", json={"new_id": "other", "turn": 1}).json() == {"thread_id": "other"}
    assert client.post(f"{path}/fork", json={"new_id": "other"}).status_code == 409
    assert len(client.get("/api/threads/other").json()["turns"]) == 1
    edited = client.post(f"{path}/edit", json={"turn": 2, "question": "Where was Collins born?"}).json()
    assert "Rome" in edited["text"]
    assert client.get(path).json()["turns"][1]["question"] == "Where was Collins born?"
    assert client.post(f"{path}/rewind", json={"turn": 1}).status_code == 200
    assert len(client.get(path).json()["turns"]) == 1
    client.patch(path, json={"title": "The Moon"})
    assert {thread["title"] for thread in client.get("/api/threads").json()} == {"The Moon", "Who stayed in orbit?"}
    assert [thread["thread_id"] for thread in client.get("/api/threads", params={"search": "Columbia"}).json()]
    exported = client.get(f"{path}/export").text
    assert client.delete(path).status_code == 200
    assert client.get(path).status_code == 404
    assert client.post("/api/threads/import", json={"content": exported}).json() == {"thread_id": "moon/1"}
    assert len(client.get(path).json()["turns"]) == 1


def test_an_answer_whose_file_has_changed_is_marked(client: httpx.Client, docs: Path) -> None:
    ask(client, "Who stayed in orbit?", "moon")
    text = (docs / "moon.txt").read_text(encoding="utf-8")
    (docs / "moon.txt").write_text(text.replace("Columbia", "Gumdrop"), encoding="utf-8")
    assert client.get("/api/threads/moon").json()["turns"][0]["stale"] == {"moon.txt": "changed"}


# --- documents ----------------------------------------------------------------------------------------------------------


def test_offsets_of_citations_index_the_text_of_the_document(client: httpx.Client) -> None:
    citations = ask(client, "Who stayed in orbit?")["citations"]
    assert COLLINS in [citation["quote"] for citation in citations]
    for citation in citations:
        text = client.get(f"/api/documents/{citation['file']}").json()["text"]
        assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert {one["file"] for one in client.get("/api/documents").json()} == {"moon.txt", "crew.md"}


def test_a_file_that_is_sent_is_indexed_and_answers(client: httpx.Client, docs: Path) -> None:
    sent = client.post("/api/documents", files=[("files", ("cave.txt", b"The water of the Fontein cave is cold."))])
    assert sent.json() == {"stored": ["cave.txt"], "refused": []}
    until(lambda: client.get("/ready").status_code == 200)
    assert "Fontein cave" in ask(client, "How is the water of the Fontein cave?")["text"]
    assert (docs / "cave.txt").read_bytes() == b"The water of the Fontein cave is cold."


@pytest.mark.parametrize(
    "name", ["../out.txt", "a/b.txt", "a\\b.txt", ".hidden.txt", "moon.txt", "x.exe", "noend", "n" * 200 + ".txt", "..", "C:x"]
)  # fmt: skip
def test_a_file_is_stored_under_safe_new_names_alone(client: httpx.Client, docs: Path, name: str) -> None:
    before = {path: path.read_bytes() for path in docs.parent.rglob("*") if path.is_file() and "home" not in path.parts}
    sent = client.post("/api/documents", files=[("files", (name, b"Elvis was here."))])
    assert sent.status_code in (200, 422)
    if sent.status_code == 200:
        assert sent.json()["stored"] == []
        assert len(sent.json()["refused"]) == 1
    after = {path: path.read_bytes() for path in docs.parent.rglob("*") if path.is_file() and "home" not in path.parts}
    assert after == before


def test_what_was_not_read_is_told(docs: Path, words: tuple[str, ...]) -> None:
    (docs / "bad.pdf").write_bytes(b"no PDF")
    with serving(docs, words) as client:
        told = client.get("/api/status").json()
    assert [one["file"] for one in told["not_read"]] == ["bad.pdf"]


def test_an_empty_folder_is_told_and_a_file_brings_it_to_life(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    with serving(folder, words) as client:
        assert client.get("/ready").status_code == 503
        assert client.get("/api/status").json()["state"] == "empty"
        assert client.post("/api/ask", json={"question": "Who?"}).status_code == 503
        client.post("/api/documents", files=[("files", ("moon.txt", b"Collins stayed in orbit."))])
        until(lambda: client.get("/ready").status_code == 200)
        assert "Collins" in ask(client, "Who stayed in orbit?")["text"]


def test_changes_are_taken_up_while_it_watches(docs: Path, words: tuple[str, ...]) -> None:
    with serving(docs, words, watch=True) as client:
        time.sleep(0.3)  # until the watch has begun
        (docs / "new.txt").write_text("The Balashi water tower was born of need.", encoding="utf-8")
        until(lambda: client.get("/api/status").json()["files"] == 3)


def test_a_page_of_a_pdf_is_drawn_with_its_quote(docs: Path, words: tuple[str, ...]) -> None:
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_font("helvetica", size=14)
    for text in ("Nothing here.", "Collins stayed in orbit alone."):
        pdf.add_page()
        pdf.multi_cell(0, 8, text)
    pdf.output(str(docs / "orbit.pdf"))
    with serving(docs, words) as client:
        plain = client.get("/api/pages/2/orbit.pdf")
        assert plain.headers["content-type"] == "image/png"
        assert plain.content.startswith(b"\x89PNG")
        marked = client.get("/api/pages/2/orbit.pdf", params={"quote": "stayed  in\norbit"})
        assert yellow(marked.content) > 200 > yellow(plain.content) == 0
        assert client.get("/api/pages/3/orbit.pdf").status_code == 404
        assert client.get("/api/pages/0/orbit.pdf").status_code == 404
        assert client.get("/api/pages/1/..%2Forbit.pdf").status_code == 404


def yellow(png: bytes) -> int:
    import io

    from PIL import Image

    colours: Any = Image.open(io.BytesIO(png)).getcolors(1 << 24)
    return sum(count for count, (r, g, b) in colours if r > 200 and g > 180 and b < 190)


# --- how it is ----------------------------------------------------------------------------------------------------------


def test_health_readiness_and_metrics(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json()["state"] == "ready"
    ask(client, "Who stayed in orbit?")
    text = client.get("/metrics").text
    assert 'rag_agent_answers_total{kind="quote"} 1.0' in text
    assert 'rag_agent_requests_total{route="/api/ask",status="200"} 1.0' in text
    assert "rag_agent_chunks 3.0" in text
    assert "orbit" not in text


def test_what_answers_is_told_without_paths(client: httpx.Client, docs: Path) -> None:
    about = client.get("/api/about")
    assert about.json()["docs"] == "docs"
    assert str(docs.parent) not in about.text


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [(BackendError("Ollama is away; start it"), 503, "Ollama is away; start it"), (RuntimeError("a bug"), 500, "RuntimeError")],
)
def test_a_model_that_fails_is_told_in_a_line(
    docs: Path, words: tuple[str, ...], error: Exception, status: int, told: str
) -> None:
    def fails(messages: list[BaseMessage]) -> str:
        raise error

    with serving(docs, words, model=ScriptedChat(fails), settings={"answer": "generate"}) as client:
        response = client.post("/api/ask", json={"question": "Who stayed in orbit?"})
        kind, values = events(client, "Who stayed in orbit?")[-1]
        assert client.get("/ready").status_code == 200
    assert response.status_code == status
    assert told in response.json()["error"]
    assert kind == "error"
    assert told in values["error"]


# --- a fair order -------------------------------------------------------------------------------------------------------


def test_clients_are_served_in_turn_and_know_their_place() -> None:
    async def scene() -> tuple[list[str], list[int]]:
        line, served, places = Line(1, 10), list[str](), list[int]()
        begin = asyncio.Event()

        async def one(name: str) -> None:
            async with line.enter(name[0]) as ticket:
                async for place in ticket.places():
                    if name == "a3":
                        places.append(place)
                served.append(name)
                if name == "a1":
                    await begin.wait()
                await asyncio.sleep(0.01)

        tasks = []
        for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
            tasks.append(asyncio.create_task(one(name)))
            await asyncio.sleep(0.01)
        begin.set()
        await asyncio.gather(*tasks)
        return served, places

    served, places = asyncio.run(scene())
    assert served == ["a1", "a2", "b1", "c1", "a3", "b2"]
    assert places == [2, 3, 4, 3, 2, 1]


def test_who_goes_away_while_waiting_leaves_its_place() -> None:
    async def scene() -> list[str]:
        line, served = Line(1, 10), list[str]()

        async def one(name: str) -> None:
            async with line.enter(name) as ticket:
                async for _ in ticket.places():
                    pass
                served.append(name)
                await asyncio.sleep(0.01)

        tasks = [asyncio.create_task(one(name)) for name in "abc"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert line.waiting == 0
        async with line.enter("d") as ticket:
            assert ticket.served  # nothing is left behind
        return served

    assert asyncio.run(scene()) == ["a", "c"]


def test_a_line_has_an_end() -> None:
    async def scene() -> None:
        line = Line(1, 1)
        async with line.enter("a"), line.enter("b"):
            with pytest.raises(LineFullError, match="ask again"):
                async with line.enter("c"):
                    pass

    asyncio.run(scene())
    assert not Ticket("a").served


def test_a_client_that_goes_away_stops_its_model(docs: Path, words: tuple[str, ...]) -> None:
    begun, told = threading.Event(), list[int]()

    def slow(messages: list[BaseMessage]) -> Iterator[str]:
        begun.set()
        for number in range(1000):
            told.append(number)
            time.sleep(0.01)
            yield "word "

    with serving(docs, words, model=ScriptedChat(slow), settings={"answer": "generate"}) as client:  # type: ignore[arg-type]
        asked = {"question": "Who stayed in orbit?", "thread_id": "moon"}
        with pytest.raises(httpx.ReadTimeout):
            client.post("/api/ask", json=asked, timeout=httpx.Timeout(10, read=1))
        assert begun.wait(5)
        time.sleep(1)
        before = len(told)
        time.sleep(0.5)
        assert len(told) == before < 1000
        assert client.get("/api/threads").json() == []


SLOW = """
import sys, time
from pathlib import Path
import uvicorn
from rag_agent import RagAgent, Settings
from rag_agent.server.app import application
from rag_agent.server.service import Service
from rag_agent.testing import CountEmbeddings, ScriptedChat

def reply(messages):
    print("begun", flush=True)
    time.sleep(2)
    return "Michael Collins stayed in orbit aboard Columbia."

settings, docs = Settings.load(home=Path(sys.argv[2]), answer="generate"), Path(sys.argv[1])
words = CountEmbeddings(("moon", "collins", "orbit"))
make = lambda: RagAgent(docs, model=ScriptedChat(reply), embeddings=words, settings=settings)
uvicorn.run(application(Service(settings, docs, make)), port=int(sys.argv[3]), log_level="error")
"""


@pytest.mark.parametrize("path", ["/api/ask", "/api/ask/events"])
def test_a_server_that_is_stopped_ends_the_turn_that_is_under_way(docs: Path, tmp_path: Path, path: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path / "served"
    words = [sys.executable, "-c", SLOW, str(docs), str(home), str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        told: list[str] = []

        def ask() -> None:
            body = {"question": "Who stayed in orbit?", "thread_id": "moon"}
            told.append(httpx.post(f"http://127.0.0.1:{port}{path}", json=body, timeout=30).text)

        until(lambda: ready(port), 60)
        asking = threading.Thread(target=ask)
        asking.start()
        assert server.stdout.readline() == "begun\n"
        server.terminate()
        asking.join()
    assert "stayed in orbit aboard Columbia" in told[0]
    with RagAgent(docs, model=ScriptedChat(["?"]), embeddings=CountEmbeddings(), settings=Settings.load(home=home)) as agent:
        assert len(agent.threads.show("moon")) == 1


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_streams_of_many_clients_are_not_mixed(docs: Path, words: tuple[str, ...]) -> None:
    questions = [
        "Who stayed in orbit?",
        "Where was Collins born?",
        "How much water does Balashi make?",
        "Who landed on the Moon?",
    ]
    found: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    with serving(docs, words) as client:

        def work(number: int) -> None:
            found[number] = events(client, questions[number % 4], f"thread-{number}", headers={"x-client-id": str(number)})

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number, told in found.items():
            assert told[-1][1]["question"] == questions[number % 4]
            assert [turn["question"] for turn in client.get(f"/api/threads/thread-{number}").json()["turns"]] == [
                questions[number % 4]
            ]
    assert len(found) == 16


def test_the_page_says_everything_in_both_languages() -> None:
    page = Path(__file__).parent.parent / "rag_agent" / "server" / "page"
    parts = re.split(r"^  (\w\w): \{$", (page / "messages.js").read_text(encoding="utf-8"), flags=re.MULTILINE)
    keys = {code: set(re.findall(r"(\w+): \"", text)) for code, text in zip(parts[1::2], parts[2::2], strict=True)}
    assert keys["en"] == keys["nl"]
    used = set()
    for path in page.glob("*.js"):
        used |= set(re.findall(r"\bt\(\"(\w+)\"", path.read_text(encoding="utf-8")))
    used |= set(re.findall(r"data-t(?:-\w+)?=\"(\w+)\"", (page / "index.html").read_text(encoding="utf-8")))
    assert used <= keys["en"]
