"""Measure follow-ups without a model on CAsT 2019 and MTRAG, and what becomes of transformations.

    .venv/bin/python scripts/eval_followups.py [../shared/eval] [--only cast|mtrag|transform]

CAsT: the terms that a person added to a turn, against those that were added here; precision and recall of each changed turn,
averaged (as on the data page: words as typed), and F1 of the two. MTRAG: recall@8 of the gold contexts over the 62 follow-ups
that have some, in all contexts + haystack + ClapNQ passages. `BM25` ranks by rag_agent's own BM25, several queries fused by
reciprocal rank; `as shipped` is the index's ranking (BM25 and vectors, `rank`), its queries fused as `Index.search` does it.
"""

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from eval_data import Remembering, arguments, parsed

from rag_agent import RagAgent, Settings
from rag_agent.evaluation.measures import bootstrap, mean
from rag_agent.index.lexical import BM25
from rag_agent.index.ranking import rank
from rag_agent.language import language
from rag_agent.memory.followups import Turn, understand
from rag_agent.testing import ScriptedChat

Queries = Sequence[tuple[str, float]]


def words(text: str) -> set[str]:
    """Words as typed, lower case."""
    return set(re.findall(r"\w+", text.lower()))


# --- CAsT --------------------------------------------------------------------------------------------------------------


known = language("en")
SMALL = known.small_words if known else frozenset[str]()


def copied(raw: str, history: Sequence[Turn]) -> str:
    """The baseline: all earlier content words are carried over."""
    earlier = {word for turn in history for word in words(turn.question) if word not in SMALL}
    return " ".join([raw, *sorted(earlier)])


def understood(raw: str, history: Sequence[Turn]) -> str:
    """The question said in full."""
    return understand(raw, history).query


def report_cast(path: Path) -> None:
    """Print precision, recall and F1 of the added terms, and how many stand-alone turns were changed."""
    talks = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    print(f"CAsT 2019, {len(talks)} conversations: F1 of the added terms, precision, recall; stand-alone later turns changed")
    for name, system in (("all earlier content words", copied), ("ours", understood)):
        groups, shares, alone = [], [], []
        for talk in talks:
            history: list[Turn] = []
            for turn in talk["turns"]:
                raw, gold = turn["raw"], turn["rewrite_human"]
                query = system(raw, history) if history else raw
                put, wanted = words(query) - words(raw), words(gold) - words(raw)
                if history and re.findall(r"\w+", raw.lower()) == re.findall(r"\w+", gold.lower()):
                    alone.append(query != raw)
                elif history and wanted:
                    groups.append(talk["conv_id"])
                    shares.append((len(put & wanted) / max(len(put), 1), len(put & wanted) / len(wanted)))
                history.append(Turn(raw))
        array = np.array(shares)
        score = bootstrap(groups, partial(_f1_at, array))
        precision, recall = array.mean(0)
        print(f"  {name:28s} {score}  {precision:.3f}  {recall:.3f}; {sum(alone)} of {len(alone)}")


def _f1_at(shares: np.ndarray, at: np.ndarray) -> float:
    return harmonic(*shares[at].mean(0))


def harmonic(precision: float, recall: float) -> float:
    """The harmonic mean; 0 where both are."""
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


# --- MTRAG -------------------------------------------------------------------------------------------------------------


def pool_of(data: Path, rows: Sequence[dict[str, Any]]) -> list[str]:
    """All contexts of the file, the haystack and the ClapNQ passages, each once."""
    pool = dict.fromkeys(context for row in rows for context in row["contexts"])
    for folder in ("haystack", "clapnq/docs"):
        for file in sorted((data / folder).glob("*.txt")):
            parts = re.split(r"^---\s*$", file.read_text(encoding="utf-8"), flags=re.M)
            pool.update(dict.fromkeys(part.strip() for part in parts if part.strip()))
    return list(pool)


def turns_of(messages: Sequence[Sequence[str]]) -> list[Turn]:
    """History messages as turns."""
    turns: list[Turn] = []
    for who, text in messages:
        if who == "user":
            turns.append(Turn(text))
        elif turns:
            turns[-1] = Turn(turns[-1].question, text)
    return turns


def raw(row: dict[str, Any]) -> Queries:
    """The question as typed."""
    return [(row["question"], 1.0)]


def crude(row: dict[str, Any]) -> Queries:
    """The data page's baseline: the user's earlier questions and the question three times, as one query."""
    return [(" ".join([text for who, text in row["history"] if who == "user"] + 3 * [row["question"]]), 1.0)]


def ours(row: dict[str, Any]) -> Queries:
    """The weighted queries that the graph searches for."""
    return understand(row["question"], turns_of(row["history"])).queries or raw(row)


def report_mtrag(data: Path, embedder: Remembering) -> None:
    """Print recall@8 by way of ranking and of asking."""
    rows = [json.loads(line) for line in (data / "followups" / "mtrag_clapnq.jsonl").read_text(encoding="utf-8").splitlines()]
    chosen = [row for row in rows if row["multi_turn"] == "Follow-up" and row["contexts"]]
    pool = pool_of(data, rows)
    bm25, articles = BM25.build(pool), np.arange(len(pool))
    vectors = np.array(embedder.embed_documents(pool), dtype=np.float32)

    def by_words(query: str) -> list[int]:
        scores = bm25.scores(query)
        return [int(i) for i in np.argsort(-scores, kind="stable")[:100] if scores[i] > 0]

    def as_shipped(query: str) -> list[int]:
        dense = vectors @ np.array(embedder.embed_query(query), dtype=np.float32)
        found = rank(
            dense,
            bm25.scores(query),
            articles,
            lambda places: [pool[i] for i in places],
            k=50,
            article_lexical=bm25.article_scores(query, articles),
            ceiling=bm25.ceiling(query),
        )
        return [place for place, _ in found]

    def recall(row: dict[str, Any], queries: Queries, ranked: Callable[[str], list[int]]) -> float:
        scores: dict[int, float] = {}
        for query, weight in queries:
            for place, index in enumerate(ranked(query), start=1):
                scores[index] = scores.get(index, 0.0) + weight / (60 + place)
        top = {pool[i] for i in sorted(scores, key=lambda i: -scores[i])[:8]}
        return len(top & set(row["contexts"])) / len(set(row["contexts"]))

    print(f"MTRAG, {len(chosen)} follow-ups, {len(pool)} passages: recall@8 of the gold contexts")
    for name, queries in (("raw question", raw), ("user history + 3 x question", crude), ("ours", ours)):
        by = {way: mean([recall(row, queries(row), way) for row in chosen]) for way in (by_words, as_shipped)}
        print(f"  {name:28s} BM25 {by[by_words]}  as shipped {by[as_shipped]}")


# --- transformations ---------------------------------------------------------------------------------------------------


def report_transformations(data: Path, embedder: Remembering) -> None:
    """Print what becomes of "shorten" and "translate", with a scripted and with the embedded model."""
    scripted = ScriptedChat(["word " * 30, "De speler was 39 jaar oud."])
    for name, model in (("scripted", scripted), ("embedded", "embedded")):
        settings = Settings.load(home=":memory:", answer="quote")
        with RagAgent(data / "xquad" / "docs", model=model, embeddings=embedder, settings=settings) as agent:
            first = agent.ask("How old was Peyton Manning when he played in Super Bowl 50?", thread_id="talk")
            print(f"Transformations, {name} model. First answer ({first.kind}): {first.text}")
            for turn in ("Shorten the answer to 20 words", "Translate the answer to Dutch"):
                answer = agent.ask(turn, thread_id="talk")
                searched = "retrieve" in answer.timings
                print(f"  {turn}: {answer.kind}, {len(answer.text.split())} words, searched: {searched}: {answer.text!r}")
                for line in answer.left_out:
                    print(f"    {line}")
    prompts = [str(messages[-1].text) for messages in scripted.sent]
    print("  the scripted model was sent, the second time:", repr(prompts[-1]))


def main() -> None:
    """Print the three parts, or one."""
    parser = arguments(__doc__)
    parser.add_argument("--only", choices=("cast", "mtrag", "transform"))
    options = parsed(parser, "followups")
    embedder = Remembering(options.cache)
    if options.only in (None, "cast"):
        report_cast(options.data / "followups" / "cast2019.jsonl")
    if options.only in (None, "mtrag"):
        report_mtrag(options.data, embedder)
        embedder.keep()
    if options.only in (None, "transform"):
        report_transformations(options.data, embedder)


if __name__ == "__main__":
    main()
