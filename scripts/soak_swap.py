"""Another embedding model for an index of thousands of chunks, killed again and again. `scripts/soak swap` runs it.

    .venv/bin/python scripts/soak_swap.py [../shared/eval] [--kills 10]

XQuAD's articles and the haystack are indexed with the embedded model; then `rag-agent index --embeddings multilingual` is killed
(SIGKILL) after random times. After each kill the first index answers as before, and what was embedded before the kill is there.
At its end the new index is whole, and as many texts were embedded as it holds.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from eval_data import arguments, gathered, parsed

from rag_agent import RagAgent, Settings
from rag_agent.index.index import index_path, path_for

QUESTION = "How many points did the Panthers defense surrender?"


def vectors(path: Path) -> int:
    """How many vectors a file holds."""
    if not path.is_file():
        return 0
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT COUNT(*) FROM vectors").fetchone()[0])
    except sqlite3.OperationalError:  # killed before its tables were made
        return 0
    finally:
        connection.close()


def main() -> None:
    """Index, kill, look."""
    parser = arguments(__doc__)
    parser.add_argument("--kills", type=int, default=10)
    options: argparse.Namespace = parsed(parser, "xquad/questions.jsonl")
    with tempfile.TemporaryDirectory() as scratch:
        home, docs = Path(scratch) / "home", Path(scratch) / "docs"
        gathered(docs, options.data / "xquad" / "docs", options.data / "haystack")
        settings = Settings.load(home=home)

        def answer() -> str:
            with RagAgent(docs, model="embedded", embeddings="embedded", settings=settings) as agent:
                return agent.ask(QUESTION).text

        with RagAgent(docs, embeddings="embedded", settings=settings) as agent:
            report = agent.index()
        wanted, first = answer(), index_path(home, docs)
        second, held = path_for(home, docs, "multilingual"), vectors(first)
        print(f"{report.chunks} chunks, {held} vectors; the first index answers: {wanted[:80]}")
        words = [sys.executable, "-m", "rag_agent", "index", str(docs), "--embeddings", "multilingual", "--json"]
        environment = {**os.environ, "RAG_AGENT_HOME": str(home)}
        random.seed(3)
        before = 0
        for kill in range(options.kills):
            process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(3, 14))
            process.send_signal(signal.SIGKILL)
            process.wait()
            now = vectors(second)
            assert now >= before, f"vectors were lost: {before} before, {now} after"
            assert answer() == wanted, "the first index answers otherwise"
            print(f"kill {kill + 1}: {now} vectors kept ({now - before} new); the first index answers as before", flush=True)
            before = now
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        embedded = json.loads(done.stdout)["embedded"]
        print(f"the last run embedded {embedded}; {held - before} were missing")
        assert vectors(second) == held, f"{vectors(second)} vectors of {held}"
        assert embedded == held - before, "something was embedded twice"
        assert answer() == wanted and vectors(first) == held
        with RagAgent(docs, model="embedded", embeddings="multilingual", settings=settings) as agent:
            assert agent.index().embedded == 0
            print(f"the new index answers: {agent.ask(QUESTION).text[:80]}")


if __name__ == "__main__":
    main()
