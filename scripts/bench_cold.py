"""A cold `rag-agent ask` with the index warm against the lesson's way: whole processes, alternated.

    .venv/bin/python scripts/bench_cold.py [--pairs 5] [--tokens 80]

Both use the embedded models, ask the same question of rag_data, and generate the same number of tokens (minimum = maximum).
A third column is `rag-agent ask` as it ships: with the embedded model it quotes and generates nothing. The shares of imports,
loading, retrieval and generation come from one more process of each kind that does the steps one after the other.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "Who landed on the Moon?"

SHARES = """
import json, sys, time
start = time.perf_counter()
import torch, langgraph.graph, rag_agent.models.generation, rag_agent.agent, rag_agent.models.transformers_chat
from transformers import AutoModel, AutoModelForCausalLM
AutoModel.from_config, AutoModelForCausalLM.from_config
import transformers.models.bert.modeling_bert, transformers.models.llama.modeling_llama
times = {"imports": time.perf_counter() - start}
from rag_agent import RagAgent
from rag_agent.models import chat_model, embeddings
from rag_agent.settings import Settings
began = time.perf_counter()
tokens = int(sys.argv[3])
settings = Settings.load(answer="generate")
model = chat_model("embedded", max_new_tokens=tokens, min_new_tokens=tokens)
model.count_tokens([("human", "x")] and __import__("langchain_core.messages", fromlist=["x"]).convert_to_messages(["x"]))
embedder = embeddings("embedded"); embedder.embed_query("x")
times["loading"] = time.perf_counter() - began
agent = RagAgent(sys.argv[1], model=model, embeddings="embedded", settings=settings)
agent._embeddings = embedder
began = time.perf_counter()
agent.index(rebuild=False)
answer = agent.ask(sys.argv[2])
times["generation"] = answer.timings.get("generate", 0.0)
times["retrieval"] = time.perf_counter() - began - times["generation"]
times["total"] = time.perf_counter() - start
print(json.dumps(times), file=sys.stderr)
"""


def run(command: list[str], **variables: str) -> tuple[float, str]:
    """Seconds of the whole process, and what it wrote to standard error."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, **variables})
    return time.perf_counter() - began, done.stderr


def peak(command: list[str]) -> float:
    """The most memory that a process held, in megabytes."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_maxrss / 1024


def shares(command: list[str], **variables: str) -> str:
    """Where the time of one process went, as shares of its total."""
    _, errors = run(command, **variables)
    times = json.loads(errors.strip().splitlines()[-1])
    total = times.pop("total")
    return ", ".join(f"{name} {seconds / total:.0%} ({seconds:.1f} s)" for name, seconds in times.items())


def main() -> None:
    """Print each pair, the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=80)
    options = parser.parse_args()
    n = str(options.tokens)
    tool = str(Path(sys.executable).parent / "rag-agent")
    ask = [tool, "ask", QUESTION, "--docs", "rag_data"]
    generating = [*ask, "--set", f"max_new_tokens={n}", "--set", f"min_new_tokens={n}"]
    lesson = [sys.executable, "scripts/lesson.py", "rag_data", QUESTION, "--tokens", n]
    run(ask)  # warms the index and the disk cache
    run(lesson)
    rows = []
    for pair in range(1, options.pairs + 1):
        ours, _ = run(generating, RAG_AGENT_ANSWER="generate")
        theirs, _ = run(lesson)
        shipped, _ = run(ask)
        rows.append((ours, theirs, shipped))
        print(f"pair {pair}: rag-agent {ours:.1f} s | lesson {theirs:.1f} s | rag-agent as shipped {shipped:.1f} s", flush=True)
    ours, theirs, shipped = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"median, {n} tokens each: {ours:.1f} / {theirs:.1f} s = {ours / theirs:.2f} of the lesson's time")
    print(f"median as shipped (quotes, no tokens): {shipped:.1f} s = {shipped / theirs:.2f} of the lesson's time")
    print(f"most memory as shipped: {peak(ask):.0f} MB; the lesson: {peak(lesson):.0f} MB")
    print("rag-agent:", shares([sys.executable, "-c", SHARES, "rag_data", QUESTION, n]))
    print("lesson:   ", shares([*lesson, "--times"]))


if __name__ == "__main__":
    main()
