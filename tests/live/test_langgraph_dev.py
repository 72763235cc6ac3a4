"""`langgraph dev` over langgraph.json, and its SDK: the graphs answer messages, streamed, in threads, with context, and again."""

import json
import os
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CACHE, ROOT, absent
from tests.serving import until

pytestmark = pytest.mark.model
ENVIRONMENT = Path(os.environ.get("RAG_AGENT_TEST_LANGGRAPH", CACHE / "langgraph"))
CLIENT = """
import asyncio, json, sys
from langgraph_sdk import get_client

def said(text):
    return {"messages": [{"role": "user", "content": text}]}

async def main():
    client, found = get_client(url=sys.argv[1]), {}
    found["graphs"] = sorted(one["graph_id"] for one in await client.assistants.search())
    thread = (await client.threads.create())["thread_id"]
    stream = client.runs.stream(thread, "agent", input=said("Who stayed in lunar orbit?"), stream_mode="updates")
    parts = [part async for part in stream]
    found["nodes"] = [name for part in parts if part.event == "updates" for name in part.data]
    found["context"] = await client.runs.wait(thread, "agent", input=said("Where was he born?"), context={"k": 3})
    history = await client.threads.get_history(thread, limit=50)
    found["steps"] = [one["next"] for one in history]
    again = next(one for one in history if one["next"] == ["quote"])
    found["again"] = await client.runs.wait(thread, "agent", input=None, checkpoint=again["checkpoint"])
    for name in ("rag", "chat"):
        thread = (await client.threads.create())["thread_id"]
        found[name] = await client.runs.wait(thread, name, input=said("Who stayed in lunar orbit?"))
    print(json.dumps(found))

asyncio.run(main())
"""


@pytest.fixture
def address(embedded: Callable[..., Any]) -> Iterator[str]:
    program = ENVIRONMENT / "bin" / "langgraph"
    if not program.is_file():
        absent("there is no langgraph dev: run scripts/get_langgraph_dev")
    for name in ("graphs", "rag_data", "langgraph.json"):
        source = ROOT / name
        shutil.copytree(source, name) if source.is_dir() else shutil.copyfile(source, name)
    Path("pyproject.toml").write_text('[project]\nname = "of-a-test"\nversion = "0"\n', encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAG_AGENT_GENERATION": "max_new_tokens=20"}
    words = [str(program), "dev", "--no-browser", "--no-reload", "--port", str(port)]
    with Path("log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/ok") or process.poll() is not None, 120)
        assert process.poll() is None, Path("log").read_text(encoding="utf-8")[-2000:]
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_all_three_graphs_answer_messages(address: str) -> None:
    python = [str(ENVIRONMENT / "bin" / "python"), "-c", CLIENT, address]
    done = subprocess.run(python, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["graphs"] == ["agent", "chat", "rag"]
    assert found["nodes"][:3] == ["contextualize", "retrieve", "grade"]
    messages = found["context"]["messages"]
    assert len(messages) == 4
    assert "Collins stayed in lunar orbit" in messages[1]["content"]
    assert "Rome" in messages[3]["content"]
    assert messages[3]["additional_kwargs"]["citations"]
    assert found["again"]["messages"][-1]["content"] == messages[3]["content"]
    for name in ("rag", "chat"):
        assert [message["type"] for message in found[name]["messages"]] == ["human", "ai"]
