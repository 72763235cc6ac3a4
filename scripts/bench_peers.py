"""Measure answers of peers beside ours: the same documents, the same MiniLM, the same reader through one Ollama server.

    .venv/bin/python scripts/bench_peers.py [--peers ours,llama-index,...] [--limit N] [--questions 60] [--threads 2]
        [--reader FILE.gguf] [--shared ../shared] [--setup] [--table]

Each peer runs in a virtual environment of its own under ~/.cache/rag-agent-bench/<peer>, made at its first use from PyPI, and
is started as its documentation starts it (scripts/peers/). Questions: `cases/real.jsonl` (two folders) and `--questions` of
XQuAD's among 3,504 passages. Replies are kept in ~/.cache/rag-agent-bench/results/<peer>.jsonl as they come, so that a run
goes on where it was interrupted; `--limit N` asks the first N of each set alone, `--table` only prints what is there.

right: all that a right answer must hold, and nothing that it must not (XQuAD: a right answer is contained, by SQuAD's
normalisation). refused: by the peer's own sign, else by the words of the reply. wrong: answered and not right; also every
answer to a question that the documents do not answer.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from eval_data import ROOT, gathered, some

from rag_agent.evaluation.measures import contains
from rag_agent.models import embeddings
from rag_agent.models.embedded import EMBEDDINGS_NAME, place
from rag_agent.settings import Settings

HOME = Path.home() / ".cache" / "rag-agent-bench"
TORCH = "torch==2.13.0"  # the one with a wheel without CUDA


@dataclass(frozen=True)
class Peer:
    """A program that answers questions about documents."""

    driver: str
    requirements: tuple[str, ...] = ()
    """None: it runs in this environment."""
    python: str = ""
    """The least Python that it runs on, where that is newer than ours."""


PEERS = {
    "ours": Peer("ours_peer.py"),
    "lesson": Peer("lesson_peer.py"),
    "llama-index": Peer(
        "llama_index_peer.py",
        ("llama-index-core", "llama-index-readers-file", "llama-index-embeddings-huggingface", "llama-index-llms-ollama"),
    ),
    "txtai": Peer("txtai_peer.py", ("txtai", "litellm", "beautifulsoup4", "lxml")),
    "raglight": Peer("raglight_peer.py", ("raglight[chroma]",)),
    "haiku.rag": Peer("haiku_rag_peer.py", ("haiku.rag",), "3.12"),
}

# Qwen2.5's own template, with its form of tools: haiku.rag's agent calls some.
TEMPLATE = '''TEMPLATE """{{- if or .System .Tools }}<|im_start|>system
{{ .System }}
{{- if .Tools }}

# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{{- range .Tools }}
{"type": "function", "function": {{ .Function }}}
{{- end }}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>
{{- end }}<|im_end|>
{{ end }}
{{- range .Messages }}
{{- if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role "assistant" }}<|im_start|>assistant
{{ .Content }}
{{- range .ToolCalls }}
<tool_call>
{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}
</tool_call>
{{- end }}<|im_end|>
{{ else if eq .Role "tool" }}<|im_start|>user
<tool_response>
{{ .Content }}
</tool_response><|im_end|>
{{ end }}
{{- end }}<|im_start|>assistant
"""
PARAMETER stop "<|im_end|>"
PARAMETER num_ctx 8192
PARAMETER temperature 0
'''

_REFUSES = re.compile(
    r"\b(?:do(?:es)?|did|is|are|was|were|has|have|could|can|would) ?(?:not|n['’]t) (?:\w+ ){0,3}?(?:say|state|specif|mention"
    r"|provid|contain|include|give|answer|find|know|available|determin|have (?:any |enough |specific )?information|explicitly)"
    r"|\b(?:no|not enough|insufficient|without) (?:\w+ ){0,2}(?:information|mention|context|answer|details)\b"
    r"|\b(?:unable|impossible) to (?:answer|find|provide|determine)\b|\bI (?:don['’]t|do not) know\b|^\s*(?:Empty Response)?\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Question:
    """A question of a set, and what a right answer is."""

    set: str
    text: str
    must: list[Any] = field(default_factory=list)
    must_not: list[str] = field(default_factory=list)
    refused: bool | None = None
    answers: list[str] = field(default_factory=list)

    def judged(self, text: str, refused: bool) -> str:
        """`right`, `wrong`, or `refused`; a right refusal is right."""
        if self.answers:
            return "right" if contains(text, self.answers) else "refused" if refused else "wrong"
        if self.refused:
            return "right" if refused else "wrong"
        flat = " ".join(text.split()).casefold()
        held = all(any(_flat(one) in flat for one in (must if isinstance(must, list) else [must])) for must in self.must)
        if held and not any(_flat(one) in flat for one in self.must_not):
            return "right"
        return "refused" if refused else "wrong"


def _flat(text: str) -> str:
    return " ".join(text.split()).casefold()


# --- questions and documents --------------------------------------------------------------------------------------------


def questions(shared: Path, count: int, limit: int | None) -> list[Question]:
    """The questions of all sets, the first `limit` of each."""
    found: dict[str, list[Question]] = {}
    for line in (shared / "cases" / "real.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        name = Path(case["docs"]).name
        for turn in case["turns"]:
            one = Question(name, turn["ask"], turn.get("must", []), turn.get("must_not", []), turn.get("refused"))
            found.setdefault(name, []).append(one)
    lines = (shared / "eval" / "xquad" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    found["xquad"] = [
        Question("xquad", row["question"], answers=row["answers"]) for row in some([*map(json.loads, lines)], count)
    ]
    for line in (ROOT / "rag_data" / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row.get("answers"):
            found.setdefault("sample", []).append(Question("sample", row["question"], answers=row["answers"]))
    return [question for asked in found.values() for question in asked[:limit]]


def documents(shared: Path, name: str, peer: str) -> Path:
    """The folder of a set; for the lesson, which reads flat text files alone, a copy as such."""
    if name == "sample":
        return ROOT / "rag_data"
    if name == "xquad":
        target = HOME / "docs" / "xquad"
        data = shared / "eval"
        return target if target.is_dir() else gathered(target, data / "xquad" / "docs", data / "haystack")
    folder = shared / "eval" / "real" / name
    return _flattened(folder, HOME / "docs" / f"{name}-as-text") if peer == "lesson" else folder


def _flattened(folder: Path, target: Path) -> Path:
    from rag_agent.documents import Reader, Unreadable, list_sources

    if target.is_dir():
        return target
    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with Reader() as reader:
        for source in list_sources(folder).sources:
            try:
                text = reader.read(source.path).text
            except Unreadable:
                continue
            (part / f"{source.file.replace('/', '--')}.txt").write_text(text, encoding="utf-8")
    part.rename(target)
    return target


# --- what all of them share ---------------------------------------------------------------------------------------------


@contextmanager
def ollama(reader: Path, threads: int) -> Iterator[str]:
    """A server with the reader; gives its address."""
    folder = Path(os.environ.get("RAG_AGENT_TEST_OLLAMA", Path.home() / ".cache" / "rag-agent-test" / "ollama"))
    if not (folder / "ollama").is_file():
        sys.exit("bench_peers: no Ollama; set RAG_AGENT_TEST_OLLAMA to the folder that holds the program ollama")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    home = HOME / "ollama"
    home.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "OLLAMA_HOST": host,
        "OLLAMA_MODELS": str(home / "models"),
        "HOME": str(home),
        "OLLAMA_NOPRUNE": "1",
    }
    with (home / "log").open("ab") as log:
        server = subprocess.Popen(
            [str(folder / "ollama"), "serve"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{host}/api/version", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        modelfile = home / "Modelfile"
        modelfile.write_text(f"FROM {reader}\n{TEMPLATE}PARAMETER num_thread {threads}\n", encoding="utf-8")
        subprocess.run(
            [str(folder / "ollama"), "create", "reader", "-f", str(modelfile)], env=environment, check=True, capture_output=True
        )
        yield f"http://{host}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


@contextmanager
def openai_embeddings() -> Iterator[str]:
    """The embedded MiniLM behind OpenAI's protocol; gives its address."""
    model = embeddings("embedded")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
            vectors = model.embed_documents([str(text) for text in texts])
            data = [{"object": "embedding", "index": n, "embedding": list(map(float, v))} for n, v in enumerate(vectors)]
            reply = json.dumps(
                {"object": "list", "data": data, "model": "minilm", "usage": {"prompt_tokens": 0, "total_tokens": 0}}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *words: Any) -> None:
            """Nothing: it is asked thousands of times."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def environment_of(name: str) -> Path:
    """The Python of a peer's environment, made at the first use.

    Raises:
        RuntimeError: It cannot be made here; says why.
    """
    peer = PEERS[name]
    if not peer.requirements:
        return Path(sys.executable)
    folder = HOME / name
    python = folder / "bin" / "python"
    if (folder / ".complete").is_file():
        return python
    base = sys.executable
    if peer.python and sys.version_info < tuple(map(int, peer.python.split("."))):
        base = next(filter(None, (shutil.which(f"python3.{minor}") for minor in (12, 13, 14))), "")
        if not base:
            raise RuntimeError(f"{name} needs Python {peer.python} or newer, which is not here")
    print(f"  making {folder}", flush=True)
    constraints = HOME / "constraints.txt"
    HOME.mkdir(parents=True, exist_ok=True)
    constraints.write_text(f"{TORCH}\n", encoding="utf-8")
    for command in (
        [base, "-m", "venv", str(folder)],
        [
            str(python),
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "-c",
            str(constraints),
            TORCH,
            *peer.requirements,
        ],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
            raise RuntimeError(f"{name} cannot be installed: {errors[-1] if errors else done.returncode}")
    (folder / ".complete").touch()
    return python


# --- a run --------------------------------------------------------------------------------------------------------------


def results_of(name: str) -> list[dict[str, Any]]:
    """What is kept of a peer."""
    path = HOME / "results" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def ask(name: str, asked: list[Question], job: dict[str, str]) -> None:
    """Let a peer answer the questions of one set that it has not answered yet, and keep its replies."""
    known = {(row["set"], row["question"]) for row in results_of(name)}
    waiting = [question for question in asked if (question.set, question.text) not in known]
    if not waiting:
        return
    Path(job["work"]).mkdir(parents=True, exist_ok=True)
    path = HOME / "results" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    offline = {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "ANONYMIZED_TELEMETRY": "False",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "TOKENIZERS_PARALLELISM": "false",
    }
    command = [str(environment_of(name)), str(ROOT / "scripts" / "peers" / PEERS[name].driver), json.dumps(job)]
    log = HOME / "results" / f"{name}.log"
    paths = {"PYTHONPATH": str(ROOT)} if not PEERS[name].requirements else {}
    with (
        log.open("ab") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            env={**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, **offline, **paths}, cwd=job["work"],
        ) as driver,
    ):  # fmt: skip
        assert driver.stdin and driver.stdout
        ready = driver.stdout.readline()
        if not ready:
            raise RuntimeError(f"{name} did not start: {_last_line(log)}")
        print(f"  {name}, {waiting[0].set}: ready after {json.loads(ready)['seconds']:.0f} s", flush=True)
        for question in waiting:
            driver.stdin.write(json.dumps(question.text) + "\n")
            driver.stdin.flush()
            line = driver.stdout.readline()
            if not line:
                raise RuntimeError(f"{name} ended: {_last_line(log)}")
            reply = json.loads(line)
            refused = bool(reply.get("refused", _REFUSES.search(reply["text"]) is not None))
            row = {
                "set": question.set, "question": question.text, "answerable": not question.refused, "refused": refused,
                "judged": "error" if reply.get("error") else question.judged(reply["text"], refused),
                "words": len(reply["text"].split()), **reply,
            }  # fmt: skip
            with path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
            print(f"    {row['judged']:8} {row['seconds']:6.1f} s  {question.text[:60]}", flush=True)
        driver.stdin.close()


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


def table(names: list[str], asked: list[Question], failed: dict[str, str]) -> None:
    """Print what the kept replies are worth, on the questions that every peer with replies has answered."""
    rows = {name: {(row["set"], row["question"]): row for row in results_of(name)} for name in names}
    there = [name for name in names if rows[name] and name not in failed]
    common = [q for q in asked if all((q.set, q.text) in rows[name] for name in there)]
    sets = {"real": ("pg", "npm"), "xquad": ("xquad",), "sample": ("sample",)}
    for title, members in sets.items():
        own = [q for q in common if q.set in members]
        if not own:
            continue
        print(f"\n{title}: {sum(not q.refused for q in own)} answerable, {sum(bool(q.refused) for q in own)} not")
        heads = (
            ("right", 7),
            ("wrong", 7),
            ("refused", 9),
            ("rightly", 9),
            ("failed", 8),
            ("words", 7),
            ("seconds", 9),
            ("MB", 7),
        )
        print(f"{'':14}" + "".join(f"{head:>{width}}" for head, width in heads))
        for name in there:
            found = [rows[name][(q.set, q.text)] for q in own]
            right = sum(row["judged"] == "right" for row in found)
            wrong = sum(row["judged"] == "wrong" for row in found)
            refused = sum(row["refused"] for row in found)
            rightly = sum(row["refused"] and not row["answerable"] for row in found)
            errors = sum(row["judged"] == "error" for row in found)
            words, seconds = (statistics.median(row[key] for row in found) for key in ("words", "seconds"))
            memory = max(row["megabytes"] for row in found)
            print(f"{name:14}{right:7}{wrong:7}{refused:9}{rightly:9}{errors:8}{words:7.0f}{seconds:9.1f}{memory:7.0f}")
    for name, why in failed.items():
        print(f"{name} did not run: {why}")


def main() -> None:
    """Make environments, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument("--limit", type=int, help="only the first N questions of each set")
    parser.add_argument(
        "--sets", default="pg,npm,xquad", help="also: sample, the three files of rag_data, to see that a peer runs"
    )
    parser.add_argument("--questions", type=int, default=60, help="how many of XQuAD's, spread evenly")
    parser.add_argument("--threads", type=int, default=2, help="of the Ollama server; 1 where the machine has other work")
    readers = Path.home() / ".cache" / "rag-agent-test" / "readers"
    parser.add_argument("--reader", type=Path, default=readers / "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--setup", action="store_true", help="only make the environments")
    parser.add_argument("--table", action="store_true", help="only print what earlier runs kept")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is ended, too
    if not (given.shared / "cases" / "real.jsonl").is_file():
        parser.exit(0, f"skipped: there is no {given.shared / 'cases'}; name the folder with --shared\n")
    names = given.peers.split(",")
    asked = [q for q in questions(given.shared, given.questions, given.limit) if q.set in given.sets.split(",")]
    failed: dict[str, str] = {}
    if given.setup:
        for name in names:
            try:
                print(f"{name}: {environment_of(name)}")
            except RuntimeError as error:
                print(error)
        return
    if not given.table:
        minilm = place(Settings.load(), EMBEDDINGS_NAME)
        if minilm is None:
            sys.exit("bench_peers: the embedded models are not here; get them: rag-agent models pull embedded")
        with ollama(given.reader, given.threads) as host, openai_embeddings() as embedder:
            for name in names:
                try:
                    for one in dict.fromkeys(question.set for question in asked):
                        job = {
                            "docs": str(documents(given.shared, one, name)), "work": str(HOME / "work" / name / one),
                            "minilm": str(minilm), "ollama": host, "reader": "reader", "embeddings": embedder,
                        }  # fmt: skip
                        ask(name, [question for question in asked if question.set == one], job)
                except RuntimeError as error:
                    failed[name] = str(error)
                    print(f"  {error}", flush=True)
    table(names, asked, failed)


if __name__ == "__main__":
    main()
