"""A warm `ask` over XQuAD and its haystack: seconds of an answer, of a refusal, and of a question over passages just read.

    .venv/bin/python scripts/bench_ask.py [../shared/eval] [--questions 60]

The embedded models, one agent, an index in memory; each question is asked for the first time, then once more. Half of the
questions are XQuAD's; the other half are the same about another thing ("the Panthers defense" made "the Zeppelin committee"),
which is refused. Medians, and the share that a refusal takes of an answer.
"""

import argparse
import re
import statistics
import tempfile
from pathlib import Path

from eval_data import arguments, gathered, parsed, some

from rag_agent import Answer, RagAgent, Settings
from rag_agent.evaluation import read_questions

_NAME = re.compile(r"(?<!^)\b[A-Z]\w+(?: [A-Z]\w+)*")


def told(name: str, answers: list[Answer]) -> float:
    """Print one kind, and give its median."""
    seconds = sorted(answer.timings["total"] for answer in answers)
    median = statistics.median(seconds)
    print(f"  {name:42s} median {median:.3f} s, 90 % under {seconds[int(0.9 * len(seconds))]:.3f} s  (n {len(seconds)})")
    return median


def main() -> None:
    """Ask."""
    parser = arguments(__doc__)
    parser.add_argument("--questions", type=int, default=60)
    options: argparse.Namespace = parsed(parser, "xquad/questions.jsonl")
    rows = [conversation[0].question for conversation in read_questions(options.data / "xquad" / "questions.jsonl")]
    rows = [row for row in some(rows, 4 * options.questions) if _NAME.search(row)][: options.questions]
    with tempfile.TemporaryDirectory() as scratch:
        docs = gathered(Path(scratch) / "docs", options.data / "xquad" / "docs", options.data / "haystack")
        with RagAgent(docs, model="embedded", settings=Settings.load(home=":memory:")) as agent:
            print(f"{agent.index().chunks} chunks")
            agent.ask("What is this about?")
            first = [agent.ask(row if n % 2 else _NAME.sub("Zeppelin Quorvex", row, count=1)) for n, row in enumerate(rows)]
            again = [agent.ask(answer.question) for answer in first]
    answered = told("an answer", [one for one in first if not one.refused])
    refused = told("a refusal", [one for one in first if one.refused])
    told("either, asked again", again)
    print(f"  a refusal takes {refused / answered:.2f} of an answer")


if __name__ == "__main__":
    main()
