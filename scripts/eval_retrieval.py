"""Retrieval figures on XQuAD + haystack and ClapNQ + haystack, with an ablation table in Markdown.

    scripts/eval_retrieval.py [../shared/eval] [--cache DIR] [--costly] [--cross-validate]

It scores with what the index searches with (`BM25`, `rank`) over the chunks that the index makes; scripts/RETRIEVAL.md keeps a
run. The baseline is reciprocal rank fusion of the vectors with BM25 at the usual k1=1.2, b=0.75.

A hit on XQuAD is a chunk of at most 500 characters from the gold passage that holds an answer (SQuAD normalisation). ClapNQ
has long answers stitched from sentences of a passage and names only the passage's title: the gold passage is, among those of
that title, the one that shares most words with an answer; a hit is a chunk of it that holds at least half as much of an
answer, in runs of three words or more, as its best chunk does. Intervals: percentile bootstrap over questions, seed 0;
the intervals of differences are paired with reciprocal rank fusion of the same run.
"""

import argparse
import hashlib
import json
import os
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag_agent.index.lexical import BM25
from rag_agent.index.ranking import RankingWeights, fuse, rank, reciprocal_rank_fusion

Embed = Callable[[Sequence[str]], np.ndarray]
Run = list[list[int]]
DEPTH = 50
SENTENCE = re.compile(r"(?<=[.!?])[\"”')\]]*\s+(?=[A-Z0-9\"“(\[])|\n+")


@dataclass
class Collection:
    """Chunks, questions and everything that does not depend on the variant measured."""

    name: str
    chunks: list[str]
    articles: np.ndarray
    openings: list[str]
    vectors: np.ndarray
    questions: list[str]
    query_vectors: np.ndarray
    gold: list[set[int]]
    dense: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.dense = self.query_vectors @ self.vectors.T
        self.index = BM25.build(self.chunks)
        self.lexical = np.array([self.index.scores(q, texts=self.texts) for q in self.questions])
        self.article = np.array([self.index.article_scores(q, self.articles) for q in self.questions])

    def texts(self, rows: Sequence[int]) -> list[str]:
        """The texts of some chunks."""
        return [self.chunks[row] for row in rows]


def embedder(cache: Path | None) -> Embed:
    """The embedded model; vectors are kept in `cache` by the hash of the texts."""
    from rag_agent.models import embeddings
    from rag_agent.settings import Settings

    model = embeddings("embedded", settings=Settings.load())

    def embed(texts: Sequence[str]) -> np.ndarray:
        key = hashlib.sha1("\0".join(texts).encode()).hexdigest()[:8]
        for found in cache.glob(f"*_{key}.npy") if cache else ():
            return np.asarray(np.load(found))
        out = np.asarray(model.embed_documents(list(texts)), np.float32)
        if cache:
            cache.mkdir(parents=True, exist_ok=True)
            np.save(cache / f"ret_{key}.npy", out)
        return out

    return embed


def passages(folder: Path) -> list[tuple[str, int, str]]:
    """File, article and text of every passage of a folder."""
    found = []
    for file in sorted(folder.glob("*.txt")):
        parts = re.split(r"^---\s*$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        found += [(file.name, i, part.strip()) for i, part in enumerate(parts)]
    return found


def load(name: str, data: Path, embed: Embed) -> Collection:
    """A question set with its documents and the haystack, split and embedded."""
    own, other = passages(data / name / "docs"), passages(data / "haystack")
    split = RecursiveCharacterTextSplitter(chunk_size=500, chunk_overlap=50).split_text
    pieces = [[(i, c) for i, p in enumerate(ps) for c in split(p[2])] for ps in (own, other)]
    chunks = [c for part in pieces for _, c in part]
    articles = np.array([i for i, _ in pieces[0]] + [i + len(own) for i, _ in pieces[1]])
    vectors = np.concatenate([embed([c for _, c in part]) for part in pieces])
    rows = [json.loads(line) for line in (data / name / "questions.jsonl").open(encoding="utf-8")]
    query_vectors = embed([row["question"] for row in rows])
    kept = [i for i, row in enumerate(rows) if row["answerable"]]
    mark = xquad_gold if name == "xquad" else clapnq_gold
    gold = [mark(rows[i], own, chunks, articles) for i in kept]
    openings = [SENTENCE.split(p[2])[0][:120] for p in own + other]
    return Collection(name, chunks, articles, openings, vectors, [rows[i]["question"] for i in kept], query_vectors[kept], gold)


def squad(text: str) -> str:
    """A text as the SQuAD measure compares it."""
    bare = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def xquad_gold(row: dict[str, Any], own: list[Any], chunks: list[str], articles: np.ndarray) -> set[int]:
    """The chunks of the gold passage that hold an answer."""
    passage = next(i for i, (file, article, _) in enumerate(own) if (file, article) == (row["file"], row["article"]))
    ids = np.flatnonzero(articles == passage).tolist()
    return {i for i in ids if any(squad(answer) in squad(chunks[i]) for answer in row["answers"])}


def clapnq_gold(row: dict[str, Any], own: list[Any], chunks: list[str], articles: np.ndarray) -> set[int]:
    """The chunks of the gold passage that hold at least half as much of an answer as its best."""
    answers = [words for answer in row["answers"] if (words := re.findall(r"\w+", answer.lower()))]
    titled = [i for i, (_, _, text) in enumerate(own) if text.startswith(row["passage_title"] + ".")]
    shared = {i: max(len({*a} & {*re.findall(r"\w+", own[i][2].lower())}) for a in answers) for i in titled}
    ids = np.flatnonzero(articles == max(titled, key=lambda i: shared[i])).tolist()
    held = {i: max(_held(a, re.findall(r"\w+", chunks[i].lower())) for a in answers) for i in ids}
    return {i for i in ids if held[i] >= 0.5 * max(held.values())}


def _held(answer: list[str], words: list[str]) -> float:
    blocks = SequenceMatcher(None, answer, words, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size >= 3) / len(answer)


def ours(data: Collection, weights: RankingWeights, dense: np.ndarray | None = None, lexical: np.ndarray | None = None) -> Run:
    """What ships, or a variant of it."""
    dense, lexical = data.dense if dense is None else dense, data.lexical if lexical is None else lexical
    return [
        [i for i, _ in rank(d, x, data.articles, data.texts, k=DEPTH, article_lexical=a, weights=weights)]
        for d, x, a in zip(dense, lexical, data.article, strict=True)
    ]


def baselines(data: Collection) -> dict[str, Run]:
    """Each kind of search alone, and both by reciprocal rank."""
    plain = BM25(data.index.arrays, language=data.index.language, k1=1.2, b=0.75)
    lexical = [plain.scores(question) for question in data.questions]
    return {
        "dense alone": [np.argsort(-d, kind="stable")[:DEPTH].tolist() for d in data.dense],
        "BM25 alone (k1=1.2, b=0.75)": [np.argsort(-x, kind="stable")[:DEPTH].tolist() for x in lexical],
        "RRF of the two (baseline)": [
            [i for i, _ in reciprocal_rank_fusion(d, x)[:DEPTH]] for d, x in zip(data.dense, lexical, strict=True)
        ],
    }


def ablation(data: Collection) -> dict[str, Run]:
    """What ships, and what each part of it adds."""
    full, index = RankingWeights(), data.index
    plain = replace(full, article_words=0.0, article_best=0.0)
    runs = {
        "BM25 alone (k1=0.9, b=0.4)": [np.argsort(-x, kind="stable")[:DEPTH].tolist() for x in data.lexical],
        "RRF with that": [
            [i for i, _ in reciprocal_rank_fusion(d, x)[:DEPTH]] for d, x in zip(data.dense, data.lexical, strict=True)
        ],
        "**shipped**": ours(data, full),
        "- article words": ours(data, replace(full, article_words=0.0)),
        "- best chunk of the article": ours(data, replace(full, article_best=0.0)),
        "- both (score fusion only)": ours(data, plain),
        "- near-duplicates last": ours(data, replace(full, duplicate=2.0)),
    }
    index.k1, index.b = 1.2, 0.75
    runs["k1=1.2, b=0.75"] = ours(data, full, lexical=np.array([index.scores(q) for q in data.questions]))
    index.k1, index.b = 0.9, 0.4
    for dense in (0.5, 0.7):
        runs[f"dense {dense} : lexical {1 - dense:.1f}"] = ours(data, replace(full, dense=dense, lexical=1 - dense))
    near = np.array([data.vectors[run[:5]].mean(0) for run in runs["**shipped**"]])
    runs["+ Rocchio (5 chunks, 0.2)"] = ours(data, full, (data.query_vectors + 0.2 * near) @ data.vectors.T)
    return runs


def costly(data: Collection, embed: Embed) -> dict[str, Run]:
    """Variants that embed further text: 3 vectors a chunk for sentences, other vectors for openings."""
    own = int(np.searchsorted(data.articles, len(data.openings) - 3264))
    first = np.r_[True, data.articles[1:] != data.articles[:-1]]
    texts = [c if start else f"{data.openings[a]} ... {c}" for c, a, start in zip(data.chunks, data.articles, first, strict=True)]
    opened = np.concatenate([embed(texts[:own]), embed(texts[own:])])
    parts = [[s for s in SENTENCE.split(c) if s and s.strip()] or [c] for c in data.chunks]
    flat = [[s for p in half for s in p] for half in (parts[:own], parts[own:])]
    similarity = data.query_vectors @ np.concatenate([embed(half) for half in flat]).T
    starts = np.cumsum([0, *(len(p) for p in parts[:-1])])
    best = np.maximum.reduceat(similarity, starts, axis=1)
    return {
        "+ article's first sentence in the vector": ours(data, RankingWeights(), data.query_vectors @ opened.T),
        "+ best sentence, half of the dense part": ours(data, RankingWeights(), 0.5 * data.dense + 0.5 * best),
    }


def places(data: Collection, run: Run) -> np.ndarray:
    """The place of the first gold chunk for each question."""
    return np.array([next((p for p, i in enumerate(o, 1) if i in g), np.inf) for o, g in zip(run, data.gold, strict=True)])


def measures(found: np.ndarray) -> np.ndarray:
    """One row a question: hit@1, hit@4, hit@8, reciprocal rank."""
    return np.stack([found <= 1, found <= 4, found <= 8, 1 / found], axis=1).astype(float)


def interval(values: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The percentile bootstrap interval of each measure."""
    drawn = values[rng.integers(0, len(values), (2000, len(values)))].mean(1)
    return np.percentile(drawn, 2.5, axis=0), np.percentile(drawn, 97.5, axis=0)


def table(data: Collection, runs: dict[str, Run]) -> str:
    """The Markdown table of one question set."""
    base = measures(places(data, runs["RRF of the two (baseline)"]))
    lines = [f"\n### {data.name} + haystack: {len(data.questions)} questions, {len(data.chunks)} chunks\n"]
    lines += ["| variant | hit@1 | hit@4 | hit@8 | MRR | hit@1 minus RRF | hit@4 minus RRF |", "|---|" + "---|" * 6]
    for label, run in runs.items():
        values, rng = measures(places(data, run)), np.random.default_rng(0)
        low, high = interval(values, rng)
        cells = [f"{m:.3f} [{a:.3f}, {b:.3f}]" for m, a, b in zip(values.mean(0), low, high, strict=True)]
        low, high = interval(values - base, np.random.default_rng(0))
        cells += [f"{(values - base).mean(0)[c]:+.3f} [{low[c]:+.3f}, {high[c]:+.3f}]" for c in (0, 1)]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cross_validate(sets: Sequence[Collection]) -> str:
    """Choose weights on half of the questions by mean MRR of both sets, measure on the other half; 50 random halvings."""
    grid = [RankingWeights(d, 1 - d, w, b) for d, w, b in product((0.5, 0.6, 0.7), (0.0, 0.1, 0.2), (0.0, 0.3, 0.5, 1.0))]
    tables = []
    for data in sets:
        rows = []
        for weights in grid:
            run = [
                np.argsort(-fuse(d, x, data.articles, article_lexical=a, weights=weights), kind="stable")[:DEPTH].tolist()
                for d, x, a in zip(data.dense, data.lexical, data.article, strict=True)
            ]
            rows.append(measures(places(data, run)))
        tables.append(np.array(rows))
    rng = np.random.default_rng(0)
    held: list[list[np.ndarray]] = [[] for _ in sets]
    for _ in range(50):
        halves = [rng.permutation(t.shape[1]) for t in tables]
        cut = [len(h) // 2 for h in halves]
        chosen = int(np.argmax(sum(t[:, h[:c], 3].mean(1) for t, h, c in zip(tables, halves, cut, strict=True))))
        for out, t, h, c in zip(held, tables, halves, cut, strict=True):
            out.append(t[chosen, h[c:]].mean(0))
    lines = [f"\n### Weights chosen on one half, measured on the other ({len(grid)} weightings, 50 halvings)\n"]
    lines += [f"- {s.name}: hit@1/4/8, MRR {np.round(np.mean(o, 0), 3).tolist()}" for s, o in zip(sets, held, strict=True)]
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=Path("../shared/eval"))
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--costly", action="store_true", help="also the variants that embed further text")
    parser.add_argument("--cross-validate", action="store_true")
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.exit(0, f"skipped: no evaluation data at {options.data}\n")
    embed = embedder(options.cache)
    sets = [load(name, options.data, embed) for name in ("xquad", "clapnq")]
    for data in sets:
        runs = baselines(data) | ablation(data) | (costly(data, embed) if options.costly else {})
        print(table(data, runs), flush=True)
    if options.cross_validate:
        print(cross_validate(sets))


if __name__ == "__main__":
    main()
