"""Measure what a reader makes of answers: the lesson's way, quotes, and ours, with one model in one run.

    .venv/bin/python scripts/eval_reader.py [../shared] [--questions 100] [--ways lesson,quotes,ours] [--limit N] [--threads 2]
        [--reader FILE.gguf | --model ollama:NAME] [--results FILE.jsonl]

On XQuAD's questions among 3,504 passages and on `cases/real.jsonl` (two folders of real documents). Without `--model` the
reader's .gguf file is served by an Ollama of the script's own. Replies are kept in the results file as they come, so that a run
goes on where it was interrupted.

contained: the right answer is in the text (SQuAD's normalisation; of real.jsonl all that must be there, and nothing that must
not; a question without an answer is refused). without standing: sentences shown that stand on no quote. lost: of the drafts
that held the right answer, those whose answer as shown does not.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import lesson
from bench_peers import HOME, Question, documents, ollama, questions
from eval_data import DATA

from rag_agent import Answer, RagAgent, Settings
from rag_agent.evaluation.measures import mean, plain
from rag_agent.grounding.draft import read_draft
from rag_agent.models import chat_model
from rag_agent.workflows.channels import opened

Row = dict[str, Any]
Way = Callable[[Question], Row]


@contextmanager
def ours(docs: Path, model: str, answer: str) -> Iterator[Way]:
    """`RagAgent` with its defaults; `answer` is the setting of that name."""
    settings = Settings.load(home=HOME / "reader" / "home", answer=answer)
    with RagAgent(docs, model=model, settings=settings) as agent:
        agent.index()
        graph = agent.builder().compile()

        def ask(question: Question) -> Row:
            draft, answer = "", None
            for part in graph.stream({"question": question.text}, stream_mode="updates"):
                for update in part.values():
                    draft = opened(own) if (own := (update or {}).get("draft")) else draft
                    answer = (update or {}).get("answer", answer)
            found = Answer.from_dict(answer or {})
            return {
                "text": found.text, "refused": found.refused, "kind": found.kind, "draft": draft,
                "standing": [one.standing for one in found.sentences], "left_out": list(found.left_out),
            }  # fmt: skip

        yield ask


@contextmanager
def the_lesson(docs: Path, model: str) -> Iterator[Way]:
    """The lesson's graph with the same model, over vectors of the same embedding model."""
    from langchain_core.vectorstores import InMemoryVectorStore

    from rag_agent.models import embeddings

    store = InMemoryVectorStore.from_documents(lesson.chunks(docs), embeddings("embedded"))
    graph = lesson.rag(store, chat_model(model))
    yield lambda question: {"text": str(graph.invoke({"question": question.text})["answer"]), "refused": False}


def way(name: str, shared: Path, folder: str, model: str) -> Any:
    """One of the three."""
    if name == "lesson":
        return the_lesson(documents(shared, folder, "lesson"), model)
    return ours(documents(shared, folder, "ours"), model, "quote" if name == "quotes" else "generate")


def run(name: str, asked: list[Question], shared: Path, model: str, results: Path) -> None:
    """Ask what has not been asked yet."""
    known = {(row["way"], row["set"], row["question"]) for row in kept(results)}
    for folder in dict.fromkeys(question.set for question in asked):
        waiting = [q for q in asked if q.set == folder and (name, q.set, q.text) not in known]
        if not waiting:
            continue
        with way(name, shared, folder, model) as ask:
            for number, question in enumerate(waiting, start=1):
                began = time.perf_counter()
                row = ask(question)
                row |= {"way": name, "set": folder, "question": question.text, "seconds": time.perf_counter() - began}
                with results.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
                if number % 10 == 0:
                    print(f"    {name}, {folder}: {number} of {len(waiting)}", flush=True)


def kept(results: Path) -> list[Row]:
    """The replies so far."""
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()] if results.is_file() else []


def report(ways: list[str], asked: list[Question], results: Path) -> None:
    """Print the measures, set by set."""
    rows = {(row["way"], row["set"], row["question"]): row for row in kept(results)}
    for title, members in {"XQuAD": ("xquad",), "real.jsonl": ("pg", "npm"), "sample": ("sample",)}.items():
        own = [q for q in asked if q.set in members and all((name, q.set, q.text) in rows for name in ways)]
        if not own:
            continue
        print(f"{title}: {len(own)} questions, {sum(not q.refused for q in own)} of them answerable")
        for name in ways:
            found = [(q, rows[(name, q.set, q.text)]) for q in own]
            right = [q.judged(plain(row["text"]), row["refused"]) == "right" for q, row in found]
            wrong = [q.judged(plain(row["text"]), row["refused"]) == "wrong" for q, row in found]
            words = statistics.median(len(plain(row["text"]).split()) for _, row in found)
            refused = sum(row["refused"] for _, row in found)
            seconds = statistics.median(row["seconds"] for _, row in found)
            print(
                f"  {name:8} right {mean(right)} ({sum(right)}), wrong {sum(wrong)}, refused {refused}; "
                f"{words:.0f} words, {seconds:.1f} s (medians)"
            )
            if name == "ours":
                _drafts(found)


def _drafts(found: list[tuple[Question, Row]]) -> None:
    standing = [one for _, row in found for one in row["standing"]]
    counts = ", ".join(f"{kind} {standing.count(kind)}" for kind in ("quote", "restated", "judged"))
    without = sum(one not in ("quote", "restated", "judged") for one in standing)
    print(f"           sentences shown: {counts}; without standing {without}")
    drafted = [(q, row) for q, row in found if row["draft"] and not q.refused]
    held = [(q, row) for q, row in drafted if q.judged(_said(row["draft"], q.text), False) == "right"]
    lost = [(q, row) for q, row in held if q.judged(plain(row["text"]), row["refused"]) != "right"]
    share = f"{len(lost) / len(held):.2f}" if held else "-"
    print(f"           drafts {len(drafted)}, right {len(held)}; right ones lost {len(lost)} ({share})")
    for question, row in lost:
        print(f"             lost: {question.text[:70]} | {_said(row['draft'], question.text)[:80]}")


def _said(draft: str, question: str) -> str:
    return " ".join(one.text for one in read_draft(draft, [], question).sentences)


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", nargs="?", type=Path, default=DATA.parent)
    parser.add_argument("--questions", type=int, default=100, help="how many of XQuAD's, spread evenly")
    parser.add_argument("--ways", default="lesson,quotes,ours")
    parser.add_argument("--sets", default="xquad,pg,npm", help="also: sample, the three files of rag_data")
    parser.add_argument("--limit", type=int, help="only the first N questions of each set")
    parser.add_argument("--threads", type=int, default=2, help="of the Ollama server; 1 where the machine has other work")
    readers = Path.home() / ".cache" / "rag-agent-test" / "readers"
    parser.add_argument("--reader", type=Path, default=readers / "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf")
    parser.add_argument("--model", help="a chat model that is there, as provider:model")
    parser.add_argument("--results", type=Path, default=HOME / "results" / "reader.jsonl")
    given = parser.parse_args()
    if not (given.shared / "cases" / "real.jsonl").is_file():
        parser.exit(0, f"skipped: there is no {given.shared / 'cases'}; name the folder of the shared data\n")
    given.results.parent.mkdir(parents=True, exist_ok=True)
    asked = [q for q in questions(given.shared, given.questions, given.limit) if q.set in given.sets.split(",")]
    with nullcontext("") if given.model else ollama(given.reader, given.threads) as host:
        if host:
            os.environ["OLLAMA_HOST"] = host.removeprefix("http://")
        for name in given.ways.split(","):
            run(name, asked, given.shared, given.model or "ollama:reader", given.results)
    report(given.ways.split(","), asked, given.results)


if __name__ == "__main__":
    main()
