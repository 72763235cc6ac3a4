"""Questions in seven languages over English passages: what is found, with each embedding model that comes as a package.

    .venv/bin/python scripts/eval_languages.py [../shared/eval] [--limit N] [--languages de,es] [--models multilingual]

XQuAD's questions over its 48 articles and the haystack, searched as shipped (hybrid). A hit is one of the first k chunks
that comes from the gold passage and holds the English answer (SQuAD's normalisation). Beside each model: its vectors alone, and
BM25 alone.
Intervals: 95 %, percentile bootstrap over questions.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from eval_data import arguments, gathered, parsed, some

from rag_agent import RagAgent, Settings
from rag_agent.answers import Hit
from rag_agent.evaluation.measures import contains, mean
from rag_agent.index.matrix import best_first

LANGUAGES = ("en", "de", "es", "ru", "zh", "ar", "tr")
DEPTHS = (1, 4, 8)


def asked(data: Path, language: str, limit: int | None) -> list[dict[str, Any]]:
    """The questions of a language."""
    name = "questions.jsonl" if language == "en" else f"questions_{language}.jsonl"
    rows = [json.loads(line) for line in (data / "xquad" / name).read_text(encoding="utf-8").splitlines() if line.strip()]
    return some(rows, limit)


def hits(search: Callable[[str], Sequence[Hit]], rows: Sequence[dict[str, Any]]) -> str:
    """hit@1/4/8 of a search."""
    places = []
    for row in rows:
        found = search(row["question"])
        right = [
            hit.file == row["file"] and hit.article == row["article"] and contains(hit.text, row["answers"]) for hit in found
        ]
        places.append(right.index(True) if True in right else max(DEPTHS))
    return "  ".join(str(mean([place < depth for place in places])) for depth in DEPTHS)


def alone(agent: RagAgent, *, dense: bool) -> Callable[[str], list[Hit]]:
    """A search by vectors alone, or by BM25 alone."""
    index = agent._index
    assert index is not None

    def search(question: str) -> list[Hit]:
        with index._state() as arrays:
            scores = arrays.matrix @ index.vector(question) if dense else arrays.bm25.scores(question)
            best = best_first(np.asarray(scores, np.float32), max(DEPTHS)).tolist()
            return [index._hit(arrays, row, float(scores[row]), 0.0) for row in best]

    return search


def main() -> None:
    """Measure each model in each language."""
    parser = arguments(__doc__)
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--models", default="embedded,multilingual")
    options: argparse.Namespace = parsed(parser, "xquad/questions.jsonl")
    with tempfile.TemporaryDirectory() as scratch:
        docs = gathered(Path(scratch) / "docs", options.data / "xquad" / "docs", options.data / "haystack")
        for model in options.models.split(","):
            with RagAgent(docs, embeddings=model, settings=Settings.load(home=Path(scratch) / model, model="embedded")) as agent:
                began = time.perf_counter()
                report = agent.index()
                print(f"{model}: {report.chunks} chunks in {time.perf_counter() - began:.0f} s", flush=True)
                print(f"  {'':10s}{'hit@1':>22s}{'hit@4':>24s}{'hit@8':>24s}")
                for language in options.languages.split(","):
                    rows = asked(options.data, language, options.limit)
                    print(f"  {language} hybrid  {hits(lambda question: agent.search(question, k=8), rows)}  (n {len(rows)})")
                    print(f"  {language} vectors {hits(alone(agent, dense=True), rows)}", flush=True)
                    if model == options.models.split(",")[0]:
                        print(f"  {language} BM25    {hits(alone(agent, dense=False), rows)}", flush=True)


if __name__ == "__main__":
    main()
