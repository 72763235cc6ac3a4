"""Measure the check on Q2: are the claims that it lets stand those that their context supports, and how fast is it.

    .venv/bin/python scripts/eval_support.py [../shared/eval] [--judge huggingface:MODEL_OR_FILE.gguf]

`restated` needs no model. With a judge, a chat model in this process, claims without standing whose hard facts match are put to
it: its AUROC, and precision and recall of what is shown at its threshold and at each other one. Intervals draw whole contexts.
Baselines: the share of the claim's words that stand in the context, all words (the data page's) and content words.
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

from rag_agent.evaluation.measures import auroc, bootstrap, cross_validated, mean
from rag_agent.grounding.judging import missing, standing_of
from rag_agent.grounding.template import neutralise
from rag_agent.language import language, sentence_texts, words
from rag_agent.models import chat_model
from rag_agent.models.judge import ReaderJudge

ENGLISH = language("en")
SMALL = ENGLISH.small_words if ENGLISH else frozenset[str]()


def overlap(claim: str, context: str, content: bool = False) -> float:
    """Share of the claim's words that stand in the context."""
    told = [word for word in words(claim) if not content or word not in SMALL]
    known = set(words(context))
    return sum(word in known for word in told) / max(1, len(told))


def without_opening(claim: str) -> str:
    """A claim without what a chatty reply puts before it ("yes,", "i'm not sure, but i know that")."""
    return re.sub(r"^(?:[^.,]*\b(?:sure|yes|yeah|well|know)\b[^.,]*[.,] )?(?:but )?(?:i (?:do )?know (?:that )?)?", "", claim)


def _auroc_at(scores: np.ndarray, truth: np.ndarray, at: np.ndarray) -> float:
    return auroc(scores[at], truth[at])


def report_q2(data: Path, judge: ReaderJudge | None) -> None:
    """Print AUROC of the check and its baselines; precision and recall where it is set."""
    rows = [json.loads(line) for line in (data / "grounding" / "q2.jsonl").read_text(encoding="utf-8").splitlines()]
    truth = np.array([bool(row["supported"]) for row in rows])
    groups = [row["context"] for row in rows]
    claims = [without_opening(row["claim"]) for row in rows]
    stood = np.array([standing_of(claim, [row["context"]]).standing is not None for claim, row in zip(claims, rows, strict=True)])
    content = [overlap(row["claim"], row["context"], content=True) for row in rows]
    scores = {
        "word overlap, all words": [overlap(row["claim"], row["context"]) for row in rows],
        "word overlap, content words": content,
        "restated": stood.astype(float),
        "restated, then content words": [1.0 + one if stands else one for stands, one in zip(stood, content, strict=True)],
    }
    probable = np.zeros(len(rows))
    if judge is not None:
        pairs = [(row["context"], claim) for claim, row in zip(claims, rows, strict=True)]
        alike = np.array([not missing(claim, context) for context, claim in pairs])
        asked = [judge(neutralise(context), neutralise(claim)) for context, claim in pairs]
        probable = np.where(alike, asked, 0.0)
        scores["judge alone"] = asked
        scores["judge, where hard facts match"] = probable.tolist()
        scores["restated, else the judge"] = np.where(stood, 1.0, probable).tolist()
    print(f"Q2: {len(rows)} claims of {len(set(groups))} contexts, {truth.mean():.3f} supported; AUROC")
    for name, values in scores.items():
        print(f"  {name:44s} {bootstrap(groups, partial(_auroc_at, np.array(values), truth))}")
    shown = {"all of it": np.ones(len(rows), bool), "content words, best threshold, 5 folds": cross_validated(
        np.array(content), truth, groups), "restated": stood}  # fmt: skip
    if judge is not None:
        for threshold in sorted({0.5, 0.6, 0.7, 0.8, 0.9, judge.threshold}):
            shown[f"restated, or judged at {threshold}"] = stood | (probable >= threshold)
    for name, kept in shown.items():
        at = np.flatnonzero(kept)
        told = f"{name:44s} shown {len(at)}"
        if len(at):
            told += f", precision {mean(truth[at], [groups[i] for i in at])}"
        supported = np.flatnonzero(truth)
        print(f"  {told}, recall {mean(kept[supported], [groups[i] for i in supported])}")


def report_time(data: Path) -> None:
    """Print the time for an answer of three sentences over six passages of 500 characters."""
    generator = random.Random(0)
    text = " ".join((data / "xquad" / "docs" / "article_10.txt").read_text(encoding="utf-8").split()) * 3
    cpu = []
    for _ in range(30):
        passages = [text[at : at + 500] for at in (generator.randrange(len(text) - 500) for _ in range(6))]
        claims = [generator.choice(sentence_texts(passage)) for passage in passages[:3]]
        begun = time.process_time()
        for claim in claims:
            standing_of(claim, passages)
        cpu.append(time.process_time() - begun)
    print(
        "Time for an answer of 3 sentences over 6 passages of 500 characters: processor, median "
        f"{1000 * statistics.median(cpu):.0f} ms, worst of 30 {1000 * max(cpu):.0f} ms"
    )


def main() -> None:
    """Print both."""
    parser = arguments(__doc__)
    parser.add_argument("--judge", help="a chat model in this process, such as huggingface:reader.gguf")
    options = parsed(parser, "grounding/q2.jsonl")
    report_q2(options.data, ReaderJudge(chat_model(options.judge)) if options.judge else None)
    report_time(options.data)


if __name__ == "__main__":
    main()
