"""The chat models that `bench_chat.py` compares: each in a process of its own, which replies to lines of JSON.

python scripts/chat_contenders.py NAME TOKENS
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from rag_agent.models import chat_model, embedded
from rag_agent.settings import Settings

SYSTEM = SystemMessage("Answer the question in one short sentence with words of the text.")
EXACT = {"quantization": None, "dtype": "float32"}


def folder() -> Path:
    """Where the embedded chat model is."""
    place = embedded.place(Settings.load(), embedded.CHAT_NAME)
    if place is None:
        sys.exit("the embedded models are not here; get them: rag-agent models pull embedded")
    return place


def contender(name: str, tokens: int) -> Any:
    """A model as its users set it up, for greedy replies."""
    if name == "ChatHuggingFace":
        from langchain_huggingface import ChatHuggingFace, HuggingFacePipeline

        options = {"max_new_tokens": tokens, "do_sample": False, "return_full_text": False}
        pipeline = HuggingFacePipeline.from_model_id(str(folder()), task="text-generation", pipeline_kwargs=options)
        return ChatHuggingFace(llm=pipeline)
    if name == "Ollama":
        return chat_model("ollama:bench", max_new_tokens=tokens, temperature=0)
    settings = EXACT if name == "ours, float32" else {}
    return chat_model("embedded", settings=Settings.load(), max_new_tokens=tokens, **settings)


def timed(model: Any, messages: list[BaseMessage]) -> dict[str, Any]:
    """One reply, streamed: seconds to the first text and to the end, the reply, the peak of memory."""
    began, first, text, tokens = time.perf_counter(), 0.0, "", 0
    for chunk in model.stream(messages):
        if chunk.text and not first:
            first = time.perf_counter() - began
        text += chunk.text
        tokens += (chunk.usage_metadata or {}).get("output_tokens", 0)
    total = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"first": first, "total": total, "text": text, "tokens": tokens, "peak": peak}


def work(name: str, tokens: int) -> None:
    """Reply to conversations that come as lines of JSON."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    model = contender(name, tokens)
    for line in sys.stdin:
        turns = json.loads(line)
        messages: list[BaseMessage] = [
            SYSTEM,
            *(AIMessage(text) if n % 2 else HumanMessage(text) for n, text in enumerate(turns)),
        ]
        print(json.dumps(timed(model, messages)), file=out, flush=True)


@contextmanager
def started(names: list[str], tokens: int, environment: dict[str, str]) -> Iterator[dict[str, Callable[[list[str]], Any]]]:
    """A function for each contender that has a conversation answered in its process."""
    workers = {
        name: subprocess.Popen(
            [sys.executable, __file__, name, str(tokens)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        for name in names
    }

    def asker(worker: "subprocess.Popen[str]") -> Callable[[list[str]], Any]:
        def ask(turns: list[str]) -> Any:
            assert worker.stdin and worker.stdout
            print(json.dumps(turns), file=worker.stdin, flush=True)
            return json.loads(worker.stdout.readline())

        return ask

    try:
        yield {name: asker(worker) for name, worker in workers.items()}
    finally:
        for worker in workers.values():
            worker.communicate()


@contextmanager
def served(program: Path | None, gguf: Path | None) -> Iterator[tuple[dict[str, str], Callable[[], int]]]:
    """An Ollama server that has the model as `bench`: the environment that reaches it, and its peak of memory in bytes."""
    if program is None or gguf is None:
        yield dict(os.environ), lambda: 0
        return
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "OLLAMA_HOST": "127.0.0.1:11987", "OLLAMA_MODELS": scratch}
        server = subprocess.Popen([str(program), "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(2)
            modelfile = Path(scratch, "Modelfile")
            modelfile.write_text(f"FROM {gguf.resolve()}\n", encoding="utf-8")
            subprocess.run(
                [str(program), "create", "bench", "-f", str(modelfile)], env=environment, check=True, capture_output=True
            )
            yield environment, lambda: family_peak(server.pid)
        finally:
            server.terminate()
            server.wait()


def family_peak(pid: int) -> int:
    """The peak of memory of a process and of those it started, in bytes."""
    tasks = Path(f"/proc/{pid}/task")
    children = [int(child) for file in tasks.glob("*/children") for child in file.read_text(encoding="utf-8").split()]
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    own = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return own + sum(map(family_peak, children))


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))
