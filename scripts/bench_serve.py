"""Load on `rag-agent serve`, on loopback: many clients of a scripted model, a few of the embedded ones, and one that goes away.

    .venv/bin/python scripts/bench_serve.py [--seconds 60] [--clients 32]

1. `--clients` clients over rag_data with a scripted model that writes a checked sentence: requests a second, median and 99th
   percentile, errors, and the server's memory (resident set) after a tenth of the time and at its end.
2. Four clients with the embedded models, each asking its own questions in its own thread: answers a client got (a fair order
   gives all the same number), and answers to another one's question (none).
3. A client of a model that writes for a minute is killed in mid-stream: the processor time of the server in the second after it.
4. From the command to a usable page, to ready, and the first answer after that, in the folder of rag_data.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "rag_data"
QUESTIONS = [
    "Who stayed in lunar orbit?", "Who landed on the Moon?", "When did Apollo 11 start?", "Where was Michael Collins born?",
    "What did Armstrong say on the Moon?", "How long did the walk last?", "Who spoke to the men by telephone?",
]  # fmt: skip


def serve(kind: str, port: int, home: str) -> None:
    """Be the server, with a scripted model: one that answers at once, or one that writes for a minute."""
    import uvicorn
    from langchain_core.messages import BaseMessage

    from rag_agent import RagAgent, Settings
    from rag_agent.server.app import application
    from rag_agent.server.service import Service
    from rag_agent.testing import CountEmbeddings, ScriptedChat

    def slow(messages: list[BaseMessage]) -> Iterator[str]:
        for _ in range(6000):
            sum(range(100_000))  # a model at work
            yield "word "

    settings = Settings.load(home=home, answer="generate")
    said = (
        "Michael Collins stayed in lunar orbit in the command module Columbia while Armstrong and Aldrin went down to the Moon."
    )

    def fast(messages: list[BaseMessage]) -> str:
        chat.sent.clear()  # the double keeps what it is sent
        return said

    chat = ScriptedChat(slow if kind == "slow" else fast)  # type: ignore[arg-type]
    words = CountEmbeddings(("collins", "orbit", "moon", "landed", "apollo", "born", "armstrong"))

    def make() -> RagAgent:
        return RagAgent(DOCS, model=chat, embeddings=words, settings=settings)

    uvicorn.run(application(Service(settings, DOCS, make)), port=port, log_level="error", access_log=False)


@contextmanager
def served(*words: str, home: str) -> Iterator[tuple[str, int]]:
    """A server in a process of its own: its address and process."""
    port = free_port()
    own = [sys.executable, str(Path(__file__)), "--serve", words[0], "--port", str(port), "--home", home]
    shipped = [sys.executable, "-m", "rag_agent", "serve", "--docs", str(DOCS), "--port", str(port)]
    environment = {**os.environ, "RAG_AGENT_HOME": home} if words[0] == "shipped" else dict(os.environ)
    process = subprocess.Popen(shipped if words[0] == "shipped" else own, stderr=subprocess.DEVNULL, env=environment)
    try:
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(60)


def free_port() -> int:
    """A port that nobody listens at."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, path: str) -> float:
    """Seconds until a path answers 200."""
    began = time.perf_counter()
    while time.perf_counter() - began < 120:
        try:
            with urllib.request.urlopen(address + path, timeout=10) as response:
                if response.status == 200:
                    return time.perf_counter() - began
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"{address}{path} did not answer")


def resident(pid: int) -> float:
    """Megabytes of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def processor(pid: int) -> float:
    """Seconds of processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(address: str, clients: int, seconds: float, threads: bool) -> tuple[list[list[float]], int, int]:
    """Seconds of each answer by client, errors, and answers to another question than was asked."""
    times: list[list[float]] = [[] for _ in range(clients)]
    errors = mixed = 0
    end = time.perf_counter() + seconds

    async def one(number: int, client: httpx.AsyncClient) -> None:
        nonlocal errors, mixed
        turn = 0
        while time.perf_counter() < end:
            question = QUESTIONS[(number + turn) % len(QUESTIONS)]
            turn += 1
            began = time.perf_counter()
            body = {"question": question, "thread_id": f"client-{number}-{turn // 20}" if threads else None}
            try:
                response = await client.post("/api/ask", json=body, headers={"x-client-id": str(number)})
                errors += response.status_code != 200
                mixed += response.status_code == 200 and response.json()["question"] != question
            except httpx.HTTPError:
                errors += 1
            times[number].append(time.perf_counter() - began)

    async with httpx.AsyncClient(base_url=address, timeout=120, limits=httpx.Limits(max_connections=None)) as client:
        await asyncio.gather(*(one(number, client) for number in range(clients)))
    return times, errors, mixed


def told(name: str, loaded: tuple[list[list[float]], int, int], seconds: float) -> None:
    """Print one load."""
    times, errors, mixed = loaded
    every = sorted(sum(times, []))
    p99 = every[int(0.99 * (len(every) - 1))]
    counts = [len(one) for one in times]
    print(
        f"{name}: {len(every) / seconds:.1f} requests/s, p50 {statistics.median(every):.3f} s, p99 {p99:.3f} s, {errors} errors, "
        f"{mixed} mixed; answers a client {min(counts)}-{max(counts)}",
        flush=True,
    )


def main() -> None:
    """Run the four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--serve", choices=("fast", "slow"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--home", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.port, options.home)
        return
    with tempfile.TemporaryDirectory() as scratch:
        with served("fast", home=f"{scratch}/fast") as (address, pid):
            wait_for(address, "/ready")
            asyncio.run(load(address, options.clients, options.seconds / 10, False))
            early = resident(pid)
            loaded = asyncio.run(load(address, options.clients, options.seconds, False))
            told(f"{options.clients} clients, scripted model", loaded, options.seconds)
            print(f"  memory {early:.0f} MB after a tenth of the time, {resident(pid):.0f} MB at the end")
        with served("shipped", home=f"{scratch}/shipped") as (address, pid):
            page = wait_for(address, "/")
            ready = page + wait_for(address, "/ready")
            began = time.perf_counter()
            body = json.dumps({"question": QUESTIONS[0]}).encode()
            urllib.request.urlopen(
                urllib.request.Request(f"{address}/api/ask", body, {"content-type": "application/json"})
            ).read()
            answered = time.perf_counter() - began
            print(f"start: page after {page:.2f} s, ready after {ready:.2f} s (index made), first answer {answered:.2f} s")
            loaded = asyncio.run(load(address, 4, options.seconds / 2, True))
            told("4 clients, embedded models", loaded, options.seconds / 2)
        with served("shipped", home=f"{scratch}/shipped") as (address, pid):
            page = wait_for(address, "/")
            print(f"start, index there: page after {page:.2f} s, ready after {page + wait_for(address, '/ready'):.2f} s")
        with served("slow", home=f"{scratch}/slow") as (address, pid):
            wait_for(address, "/ready")
            client = subprocess.Popen(
                [
                    "curl",
                    "-sN",
                    "-X",
                    "POST",
                    f"{address}/api/ask/events",
                    "-H",
                    "content-type: application/json",
                    "-d",
                    body.decode(),
                ],
                stdout=subprocess.DEVNULL,
            )
            time.sleep(3)
            busy = processor(pid)
            time.sleep(1)
            busy = processor(pid) - busy
            client.send_signal(signal.SIGKILL)
            client.wait()
            time.sleep(1)
            idle = processor(pid)
            time.sleep(1)
            after = processor(pid) - idle
            print(f"killed in mid-stream: {busy:.2f} s of processor a second before, {after:.2f} from a second after")


if __name__ == "__main__":
    main()
