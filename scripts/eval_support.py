"""Measure the support check on Q2: does it tell claims that their context supports from those it does not, and how fast.

    .venv/bin/python scripts/eval_support.py [../shared/eval]

Intervals draw whole contexts. Baselines: the share of the claim's words that stand in the context, all words (the data
page's) and content words. Nothing is downloaded, no model is called.
"""

import json
import random
import re
import statistics
import time
from functools import partial
from pathlib import Path

import numpy as np
from eval_data import arguments, parsed

from rag_agent.evaluation.measures import auroc, best_threshold, bootstrap, cross_validated, mean
from rag_agent.grounding.lexicon import STOP
from rag_agent.grounding.support import THRESHOLD, SupportCheck, check
from rag_agent.language import sentence_texts


def overlap(claim: str, context: str, content: bool = False) -> float:
    """Share of the claim's words that stand in the context."""
    words = [word for word in re.findall(r"\w+", claim.lower()) if not content or word not in STOP["english"]]
    known = set(re.findall(r"\w+", context.lower()))
    return sum(word in known for word in words) / max(1, len(words))


def _auroc_at(scores: np.ndarray, truth: np.ndarray, at: np.ndarray) -> float:
    return auroc(scores[at], truth[at])


def report_q2(data: Path) -> None:
    """Print AUROC of the check and its baselines; precision and recall where it is set."""
    rows = [json.loads(line) for line in (data / "grounding" / "q2.jsonl").read_text(encoding="utf-8").splitlines()]
    truth = np.array([bool(row["supported"]) for row in rows])
    groups = [row["context"] for row in rows]
    scores = {
        "word overlap, all words": [overlap(row["claim"], row["context"]) for row in rows],
        "word overlap, content words": [overlap(row["claim"], row["context"], content=True) for row in rows],
        "support check": [check(row["claim"], [row["context"]]).score for row in rows],
        "support check, told the question": [
            check(row["claim"], [row["context"]], question=row["history"]).score for row in rows
        ],
    }
    print(f"Q2: {len(rows)} claims of {len(set(groups))} contexts, {truth.mean():.3f} supported; AUROC")
    for name, values in scores.items():
        array = np.array(values)
        print(f"  {name:44s} {bootstrap(groups, partial(_auroc_at, array, truth))}")
    ours = np.array(scores["support check"])
    for label, accepted in (
        (f"shipped threshold of {THRESHOLD}", ours >= THRESHOLD),
        ("best balanced accuracy, 5 folds by context", cross_validated(ours, truth, groups)),
    ):
        kept = np.flatnonzero(accepted)
        precision = mean(truth[kept], [groups[i] for i in kept])
        recall = mean(accepted[truth], [groups[i] for i in np.flatnonzero(truth)])
        print(f"  {label:44s} precision {precision}, recall {recall}")
    print(f"  {'(threshold that all would choose)':44s} {best_threshold(ours, truth, THRESHOLD):.2f}")


def report_time(data: Path) -> None:
    """Print the time for an answer of three sentences over six passages of 500 characters."""
    generator = random.Random(0)
    text = " ".join((data / "xquad" / "docs" / "article_10.txt").read_text(encoding="utf-8").split()) * 3
    seconds, cpu = [], []
    for _ in range(30):
        passages = [text[at : at + 500] for at in (generator.randrange(len(text) - 500) for _ in range(6))]
        claims = [generator.choice(sentence_texts(passage)) for passage in passages[:3]]
        begun, cpu_begun = time.perf_counter(), time.process_time()
        judge = SupportCheck(passages)
        for claim in claims:
            judge.check(claim)
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - cpu_begun)
    print(
        "Time for an answer of 3 sentences over 6 passages of 500 characters: "
        f"median {1000 * statistics.median(seconds):.0f} ms (processor {1000 * statistics.median(cpu):.0f} ms), "
        f"worst of 30 {1000 * max(seconds):.0f} ms (processor {1000 * max(cpu):.0f} ms)"
    )


def main() -> None:
    """Print both."""
    options = parsed(arguments(__doc__), "grounding/q2.jsonl")
    report_q2(options.data)
    report_time(options.data)


if __name__ == "__main__":
    main()
