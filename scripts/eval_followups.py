"""Measure follow-ups without a model on CAsT 2019 and MTRAG, and what becomes of transformations.

    .venv/bin/python scripts/eval_followups.py [../shared/eval] [--only cast|mtrag|transform|ablation]

CAsT: the terms that a person added to a turn, against those that were added here; precision and recall of each changed turn,
averaged (as on the data page: words as typed), and F1 of the two. MTRAG: recall@8 of the gold contexts over the 62 follow-ups
that have some, in all contexts + haystack + ClapNQ passages. `BM25` ranks by rag_agent's own BM25, several queries fused by
reciprocal rank; `as shipped` is the index's ranking (BM25 and vectors, `rank`), its queries fused as `Index.search` does it.
The ablation takes one mechanism away at a time: what falls on CAsT (by random halves of its conversations), on MTRAG and among
the turns of `tests/followups.jsonl`, which were made up in five languages.
"""

import json
import random
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from eval_data import ROOT, Remembering, arguments, parsed

from rag_agent import RagAgent, Settings
from rag_agent.evaluation.measures import bootstrap, mean
from rag_agent.index.lexical import BM25
from rag_agent.index.ranking import rank
from rag_agent.language import language
from rag_agent.memory.followups import Turn, antecedents, phrases, remarks, rewriting, understand
from rag_agent.testing import ScriptedChat

understanding = sys.modules["rag_agent.memory.followups.understand"]  # the package has a function of that name
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


def cast_shares(
    talks: Sequence[dict[str, Any]], system: Callable[[str, Sequence[Turn]], str]
) -> tuple[list[str], Any, list[bool]]:
    """Conversation, precision and recall of each changed turn; which stand-alone later turns were changed."""
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
    return groups, np.array(shares), alone


def halves(path: Path) -> list[list[dict[str, Any]]]:
    """The conversations in two random halves: the rules were made on the first."""
    talks = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    random.Random(7).shuffle(talks)
    return [talks[: len(talks) // 2], talks[len(talks) // 2 :]]


def report_cast(path: Path) -> None:
    """Print precision, recall and F1 of the added terms, and how many stand-alone turns were changed."""
    first, second = halves(path)
    for which, talks in (("all", first + second), ("first half", first), ("second half", second)):
        print(f"CAsT 2019, {which}, {len(talks)} conversations: F1 of added terms, precision, recall; stand-alone turns changed")
        for name, system in (("all earlier content words", copied), ("ours", understood)):
            groups, shares, alone = cast_shares(talks, system)
            precision, recall = shares.mean(0)
            score = bootstrap(groups, partial(_f1_at, shares))
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


class Mtrag:
    """The follow-ups that have gold contexts, the passages, and two ways of ranking these."""

    def __init__(self, data: Path, embedder: Remembering) -> None:
        rows = [json.loads(line) for line in (data / "followups" / "mtrag_clapnq.jsonl").read_text(encoding="utf-8").splitlines()]
        self.chosen = [row for row in rows if row["multi_turn"] == "Follow-up" and row["contexts"]]
        self.pool = pool_of(data, rows)
        self._embedder = embedder
        self._bm25, self._articles = BM25.build(self.pool), np.arange(len(self.pool))
        self._vectors = np.array(embedder.embed_documents(self.pool), dtype=np.float32)
        self._known: dict[str, list[int]] = {}

    def by_words(self, query: str) -> list[int]:
        """BM25 alone."""
        scores = self._bm25.scores(query)
        return [int(i) for i in np.argsort(-scores, kind="stable")[:100] if scores[i] > 0]

    def as_shipped(self, query: str) -> list[int]:
        """As the index ranks."""
        if query not in self._known:
            dense = self._vectors @ np.array(self._embedder.embed_query(query), dtype=np.float32)
            found = rank(
                dense,
                self._bm25.scores(query),
                self._articles,
                lambda places: [self.pool[i] for i in places],
                k=50,
                article_lexical=self._bm25.article_scores(query, self._articles),
                ceiling=self._bm25.ceiling(query),
            )
            self._known[query] = [place for place, _ in found]
        return self._known[query]

    def recalls(self, queries: Callable[[dict[str, Any]], Queries], ranked: Callable[[str], list[int]]) -> list[float]:
        """recall@8 of each follow-up."""
        return [self._recall(row, queries(row), ranked) for row in self.chosen]

    def _recall(self, row: dict[str, Any], queries: Queries, ranked: Callable[[str], list[int]]) -> float:
        scores: dict[int, float] = {}
        for query, weight in queries:
            for place, index in enumerate(ranked(query), start=1):
                scores[index] = scores.get(index, 0.0) + weight / (60 + place)
        top = {self.pool[i] for i in sorted(scores, key=lambda i: -scores[i])[:8]}
        return len(top & set(row["contexts"])) / len(set(row["contexts"]))


def report_mtrag(mtrag: Mtrag) -> None:
    """Print recall@8 by way of ranking and of asking."""
    print(f"MTRAG, {len(mtrag.chosen)} follow-ups, {len(mtrag.pool)} passages: recall@8 of the gold contexts")
    for name, queries in (("raw question", raw), ("user history + 3 x question", crude), ("ours", ours)):
        by = [mean(mtrag.recalls(queries, way)) for way in (mtrag.by_words, mtrag.as_shipped)]
        print(f"  {name:28s} BM25 {by[0]}  as shipped {by[1]}")


# --- ablation ----------------------------------------------------------------------------------------------------------

OFF: tuple[tuple[str, Any, str, Any], ...] = (
    ("a subject named first in the turn", rewriting, "subject_first", lambda *_: None),
    ("corrections", rewriting, "correction", lambda *_: None),
    ("the second one", rewriting, "pick", lambda *_: None),
    ("parts of a question", rewriting, "part", lambda *_: None),
    ("pronouns", rewriting, "pointers", lambda *_: None),
    ("what names and repeats nothing", rewriting, "unsaid", lambda *_: None),
    ("but a thing that is introduced", rewriting, "_introduced", lambda *_: False),
    ("the most alike part is exchanged", rewriting, "_most_alike", lambda new, found, talk: found[-1] if found else None),
    ("predicates are no subject", phrases, "_without_predicate", lambda found, run, talk: run),
    ("small words inside names", phrases, "_in_a_name", lambda *_: False),
    ("short words inside names", phrases, "_particle", lambda *_: False),
    ("plurals", phrases, "singular", lambda word: word),
    ("names of the last answer", antecedents, "new_names", lambda *_: []),
    ("which thing it is, the answer says", antecedents, "_identity", lambda *_: False),
    ("who he is, the question says", antecedents, "_who_is", lambda *_: False),
    ("antecedents in the same turn", antecedents, "_inside", lambda *_: False),
    ("pronouns that stand for nothing", antecedents, "_empty", lambda *_: False),
    ("thanks before a question", understanding, "_plain", lambda question, talk: " ".join(question.split())),
    ("remarks", understanding, "remark_of", lambda question: None),
    ("languages but English", remarks, "TALKS", phrases.TALKS[:1]),
)


def report_ablation(data: Path, mtrag: Mtrag) -> None:
    """Print each measure without each mechanism."""
    first, second = halves(data / "followups" / "cast2019.jsonl")
    turns = [json.loads(line) for line in (ROOT / "tests" / "followups.jsonl").read_text(encoding="utf-8").splitlines()]

    def row(name: str) -> str:
        understanding._read.cache_clear()
        f1 = [harmonic(*cast_shares(talks, understood)[1].mean(0)) for talks in (first, second)]
        recall = float(np.mean(mtrag.recalls(ours, mtrag.as_shipped)))
        return f"| {name} | {f1[0]:.3f} | {f1[1]:.3f} | {recall:.3f} | {sum(map(is_right, turns))} |"

    print(f"| without | CAsT, first half | second half | MTRAG recall@8 | of {len(turns)} turns |\n|---|---|---|---|---|")
    print(row("(everything is there)"), flush=True)
    for name, module, attribute, nothing in OFF:
        kept = getattr(module, attribute)
        setattr(module, attribute, nothing)
        print(row(name), flush=True)
        setattr(module, attribute, kept)


def is_right(case: dict[str, Any]) -> bool:
    """Whether a turn of `tests/followups.jsonl` is understood as it says."""
    found = understand(case["ask"], [Turn(*turn) for turn in case["history"]])
    query, first = found.query.casefold(), (found.queries[0][0] if found.queries else found.query).casefold()
    return (
        found.kind in case.get("kind", found.kind)
        and first == case.get("searches", first).casefold()
        and all(text.casefold() in query for text in case.get("holds", []))
        and not any(text.casefold() in query for text in case.get("lacks", []))
        and not any(text.casefold() in first for text in case.get("first lacks", []))
    )


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
    """Print three parts, or one; the ablation where it is asked for."""
    parser = arguments(__doc__)
    parser.add_argument("--only", choices=("cast", "mtrag", "transform", "ablation"))
    options = parsed(parser, "followups")
    embedder = Remembering(options.cache)
    if options.only in (None, "cast"):
        report_cast(options.data / "followups" / "cast2019.jsonl")
    if options.only in (None, "mtrag", "ablation"):
        mtrag = Mtrag(options.data, embedder)
        if options.only != "ablation":
            report_mtrag(mtrag)
        else:
            report_ablation(options.data, mtrag)
        embedder.keep()
    if options.only in (None, "transform"):
        report_transformations(options.data, embedder)


if __name__ == "__main__":
    main()
