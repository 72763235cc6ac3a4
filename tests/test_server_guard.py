"""What the server refuses: other names, other sites' pages, missing tokens, too much, too often. What it never says."""

import http.client
import json
import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from rag_agent.server.guard import Guard, Rules
from tests.serving import serving, until

TOKEN = "correct-horse-battery-staple"
ROUTES = ["/api/about", "/api/threads", "/api/documents", "/api/documents/moon.txt", "/api/search?query=moon", "/v1/models",
          "/metrics", "/openapi.json", "/mcp", "/api/threads/x/export"]  # fmt: skip


@pytest.fixture
def client(docs: Path, words: tuple[str, ...]) -> Iterator[httpx.Client]:
    with serving(docs, words) as found:
        yield found


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::2]", "0x7f.1"]
)
def test_a_name_that_was_bound_to_this_machine_by_others_is_refused(client: httpx.Client, host: str) -> None:
    for path in ("/", "/api/threads", "/v1/models", "/mcp", "/static/app.js"):
        response = client.get(path, headers={"host": host})
        assert response.status_code in (400, 421)
        assert "moon" not in response.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:80", "LOCALHOST"])
def test_its_own_names_are_let_through(client: httpx.Client, host: str) -> None:
    assert client.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost", "file://"])
def test_another_sites_page_may_neither_ask_nor_add(client: httpx.Client, docs: Path, origin: str) -> None:
    headers = {"origin": origin}
    assert client.post("/api/ask", json={"question": "Who?"}, headers=headers).status_code == 403
    assert client.post("/api/documents", files=[("files", ("a.txt", b"a"))], headers=headers).status_code == 403
    assert (
        client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "Who?"}]}, headers=headers).status_code
        == 403
    )
    assert client.delete("/api/threads/moon", headers=headers).status_code == 403
    assert not (docs / "a.txt").exists()


def test_no_other_origin_is_ever_allowed(client: httpx.Client) -> None:
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    response = client.options("/api/ask", headers=asked)
    assert "access-control-allow-origin" not in response.headers


def test_the_page_itself_may_ask(client: httpx.Client) -> None:
    own = str(client.base_url).rstrip("/")
    assert client.post("/api/ask", json={"question": "Who stayed in orbit?"}, headers={"origin": own}).status_code == 200


@pytest.mark.parametrize(
    "sent", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \xe9"]
)
def test_without_the_token_nothing_is_told(docs: Path, words: tuple[str, ...], sent: str | None) -> None:
    with serving(docs, words, rules=Rules(token=TOKEN), ready=False) as client:
        headers = [(b"authorization", sent.encode("latin-1"))] if sent is not None else []
        assert {client.get(path, headers=headers).status_code for path in ROUTES} == {401}
        assert client.get("/health").status_code == client.get("/").status_code == 200


def test_with_the_token_all_is_told(docs: Path, words: tuple[str, ...]) -> None:
    with serving(docs, words, rules=Rules(token=TOKEN)) as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        for path in ("/api/about", "/v1/models", "/metrics"):
            assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/api/ask", "/v1/responses", "/api/threads/import", "/mcp"])
@pytest.mark.parametrize("told", [True, False])
def test_what_is_too_large_is_refused_before_it_is_read(docs: Path, words: tuple[str, ...], path: str, told: bool) -> None:
    body = b'{"question": "' + b"x" * 200_000 + b'"}'
    with serving(docs, words, rules=Rules(max_body=100_000)) as client:
        content: Any = body if told else (body[at : at + 10_000] for at in range(0, len(body), 10_000))
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        assert client.post(path, content=content, headers=headers).status_code == 413


def test_files_have_a_limit_of_their_own(docs: Path, words: tuple[str, ...]) -> None:
    with serving(docs, words, rules=Rules(max_body=1000, max_upload=100_000)) as client:
        assert client.post("/api/documents", files=[("files", ("a.txt", b"x " * 20_000))]).status_code == 200
        assert client.post("/api/documents", files=[("files", ("b.txt", b"x " * 60_000))]).status_code == 413
    assert not (docs / "b.txt").exists()


def test_strangers_are_slowed_down_and_this_machine_is_not() -> None:
    import asyncio

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def scene(address: str) -> list[int]:
        guard, found = Guard(app, Rules(rate=5)), list[int]()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                found.append(message["status"])

        for _ in range(50):
            headers = [(b"host", b"localhost")]
            scope = {"type": "http", "path": "/x", "method": "GET", "headers": headers, "client": (address, 1)}
            await guard(scope, None, send)  # type: ignore[arg-type]
        return found

    assert asyncio.run(scene("127.0.0.1")) == [200] * 50
    strangers = asyncio.run(scene("10.0.0.7"))
    assert strangers[:20] == [200] * 20
    assert strangers.count(429) >= 25


@pytest.mark.parametrize("path", [
    "/static/../guard.py", "/static/%2e%2e/guard.py", "/static/..%2fguard.py", "/api/documents/../../etc/passwd",
    "/api/documents/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/api/documents//etc/passwd", "/api/documents/%2fetc%2fpasswd",
    "/api/documents/..%5c..%5csecret.txt", "/api/pages/1/%2e%2e%2fsecret.pdf", "/static//etc/passwd",
])  # fmt: skip
def test_no_path_leads_out(client: httpx.Client, docs: Path, path: str) -> None:
    (docs.parent / "secret.pdf").write_bytes(b"secret")
    place = urlsplit(str(client.base_url))
    connection = http.client.HTTPConnection(str(place.hostname), place.port)  # which sends the path as it is
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status in (400, 404)
    assert b"root:" not in body
    assert b"secret" not in body.replace(b"secret.pdf", b"").replace(b"secret.txt", b"")


def test_a_link_out_of_the_folder_is_not_followed(docs: Path, words: tuple[str, ...]) -> None:
    secret = docs.parent / "secret.txt"
    secret.write_text("Elvis lives at 7 Moon Street.", encoding="utf-8")
    (docs / "link.txt").symlink_to(secret)
    with serving(docs, words) as client:
        assert client.get("/api/documents/link.txt").status_code == 404
        assert "Moon Street" not in client.post("/api/ask", json={"question": "Where does Elvis live on the Moon?"}).text


def test_every_reply_forbids_what_the_page_does_not_need(client: httpx.Client) -> None:
    for path in ("/", "/static/app.js", "/api/about", "/nowhere", "/openapi.json"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
    assert client.get("/api/about").headers["cache-control"] == "no-store"


def test_the_page_makes_no_markup_of_text_and_calls_nobody() -> None:
    page = Path(__file__).parent.parent / "rag_agent" / "server" / "page"
    for path in page.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not [
            bad
            for bad in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function")
            if bad in text
        ]
        assert "https://" not in text
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_the_log_tells_no_text(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "rag_agent"):
        client.get("/api/search", params={"query": "orbit"})
        client.post("/api/ask", json={"question": "Who stayed in orbit?", "thread_id": "columbia"})
        client.get("/api/threads/columbia")
        client.get("/api/documents/moon.txt")
        client.get("/orbit/nowhere")
        until(lambda: len(lines(caplog)) == 5)
    told = lines(caplog)
    assert not [line for line in told if "orbit" in line or "olumbia" in line or "moon" in line]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("rag_agent")]


def test_scripts_in_documents_stay_text(docs: Path, words: tuple[str, ...]) -> None:
    (docs / "x.txt").write_text('The <script>alert("moon")</script> landed on <img src=x onerror=alert(1)>.', encoding="utf-8")
    with serving(docs, words) as client:
        response = client.post("/api/ask", json={"question": "What landed with alert moon?"})
        assert response.headers["content-type"] == "application/json"
        assert "<script>" in json.dumps(client.get("/api/documents/x.txt").json())


# --- the command --------------------------------------------------------------------------------------------------------


def test_other_addresses_demand_a_token(run: Any, docs: Path) -> None:
    done = run("serve", "--docs", docs, "--host", "0.0.0.0")
    assert done.code == 1
    assert "RAG_AGENT_TOKEN" in done.err
    assert run("serve", "--docs", docs, "--host", "0.0.0.0", "--token", "short").code == 1


def test_the_token_comes_by_its_variable(docs: Path, command: list[str]) -> None:
    """The way that the README names, in a process of its own: a variable that is no setting must not be refused as one."""
    words = [*command, "serve", "--docs", str(docs), "--port", "0"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env={**os.environ, "RAG_AGENT_TOKEN": TOKEN}) as server:
        assert server.stderr is not None
        told = server.stderr.readline()
        try:
            assert told.startswith("Serving http"), told
            with httpx.Client(base_url=told.split()[1]) as client:
                assert client.get("/api/about").status_code == 401
                assert client.get("/api/about", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
        finally:
            server.terminate()


def test_what_cannot_be_served_is_told_in_a_line(run: Any, docs: Path) -> None:
    import socket

    done = run("serve", "--docs", "nowhere")
    assert (done.code, done.err.count("\n")) == (1, 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("serve", "--docs", docs, "--port", taken.getsockname()[1])
    assert done.code == 1
    assert "--port" in done.err
