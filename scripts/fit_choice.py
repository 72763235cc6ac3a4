"""Fit the weights by which units are chosen, leave-one-corpus-out, and tell what each measure is worth.

    .venv/bin/python scripts/fit_choice.py [../shared/eval] [--limit N] [--cache FILE]

Corpora: XQuAD in the haystack, ClapNQ, real.jsonl and documents.jsonl of ../shared/cases, and rag_data. A unit is right where it
holds a gold answer (SQuAD's normalisation), everything that a case demands, or, for ClapNQ's long answers, where four of five
of its words are the answer's. The weights are those of a conditional logit: one of the units of a question answers it; corpora
count alike. The table gives, for each corpus, the share of questions whose best unit is right with weights fitted on the other
corpora; once with all measures and once without each of them.
"""

import argparse
import importlib.util
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from eval_data import Remembering, arguments, gathered, parsed

from rag_agent import RagAgent, Settings
from rag_agent.evaluation.measures import contains
from rag_agent.grounding.evidence import Candidate

MEASURES = ("similarity", "rank", "rest", "rest_around", "pairs", "gives", "first", "named")
LONG = 0.8  # share of a unit's words that are the answer's


class Asked(NamedTuple):
    """A question: the measures of its units, (units, measures), and which of them are right."""

    measures: np.ndarray
    right: np.ndarray


def asked(agent: RagAgent, question: str, is_right: Any) -> Asked | None:
    """Measure one question; None where no unit, or every unit, is right: it teaches nothing."""
    candidates: Sequence[Candidate] = agent.explain(question).evidence.candidates
    right = np.array([bool(is_right(candidate.unit.text)) for candidate in candidates])
    if not right.any() or right.all():
        return None
    return Asked(np.array([[float(getattr(c, name)) for name in MEASURES] for c in candidates]), right)


def holds(row: dict[str, Any]) -> Any:
    """Whether a text holds everything that a turn of a case demands."""
    wanted = [one if isinstance(one, list) else [one] for one in row.get("must", [])]

    def right(text: str) -> bool:
        low = " ".join(text.casefold().split())
        return all(any(" ".join(o.casefold().split()) in low for o in options) for options in wanted)

    return right


def overlaps(answers: Sequence[str]) -> Any:
    """Whether most words of a text are one long answer's."""
    known = [set(re.findall(r"\w+", answer.lower())) for answer in answers]

    def right(text: str) -> bool:
        words = set(re.findall(r"\w+", text.lower()))
        return len(words) > 5 and any(len(words & one) >= LONG * len(words) for one in known)

    return right


def cases(path: Path, agent_of: Any, makers: Any) -> Iterator[Asked]:
    """The questions of a file of cases that demand something."""
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        with tempfile.TemporaryDirectory() as scratch:
            docs = path.parent.parent / case["docs"] if "docs" in case else Path(scratch)
            for name, content in case.get("files", {}).items():
                (docs / name).parent.mkdir(parents=True, exist_ok=True)
                if isinstance(content, dict):
                    makers[content["make"]](docs / name)
                else:
                    (docs / name).write_bytes(content.encode())
            with agent_of(docs) as agent:
                for turn in case["turns"]:
                    if turn.get("must") and not turn.get("refused") and (found := asked(agent, turn["ask"], holds(turn))):
                        yield found


def fitted(corpora: Sequence[Sequence[Asked]], columns: Sequence[int]) -> np.ndarray:
    """The weights of a conditional logit by Newton's method, with a weak pull to zero."""
    weights = np.ones(len(columns))
    for _ in range(30):
        slope, bend = -0.002 * weights, -0.002 * np.eye(len(columns))
        for corpus in corpora:
            for one in corpus:
                rows = one.measures[:, columns]
                scores = rows @ weights
                all_of = np.exp(scores - scores.max())
                all_of /= all_of.sum()
                right = all_of * one.right / (all_of @ one.right)
                slope += (right - all_of) @ rows / len(corpus)
                centred = rows - all_of @ rows
                bend -= (centred * all_of[:, None]).T @ centred / len(corpus)
        step = np.linalg.solve(bend, slope)
        weights = weights - step * min(1.0, 2.0 / max(1e-9, float(np.abs(step).max())))
    return weights


def best_right(corpus: Sequence[Asked], columns: Sequence[int], weights: np.ndarray) -> float:
    """The share of questions whose best unit is right."""
    return float(np.mean([one.right[np.argmax(one.measures[:, columns] @ weights)] for one in corpus]))


def report(corpora: dict[str, list[Asked]]) -> None:
    """Print the weights of all corpora together, and the table."""
    everything = list(range(len(MEASURES)))
    weights = fitted(list(corpora.values()), everything)
    print("weights, all corpora:", ", ".join(f"{n} {w:.1f}" for n, w in zip(MEASURES, weights, strict=True)))
    print(f"\n{'best unit right':24s}" + "".join(f"{name:>18s}" for name in corpora))
    for label, columns in [("all measures", everything)] + [
        (f"without {MEASURES[n]}", [m for m in everything if m != n]) for n in everything
    ]:
        line = []
        for name, corpus in corpora.items():
            others = [one for other, one in corpora.items() if other != name]
            line.append(f"{best_right(corpus, columns, fitted(others, columns)):18.3f}")
        print(f"{label:24s}" + "".join(line), flush=True)


def main() -> None:
    """Measure all corpora and fit."""
    parser = arguments(__doc__)
    options: argparse.Namespace = parsed(parser, "xquad/questions.jsonl")
    data, embedder, corpora = options.data, Remembering(options.cache), dict[str, list[Asked]]()
    shared = data.parent
    spec = importlib.util.spec_from_file_location("make_files", shared / "tools" / "make_files.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def agent_of(docs: Path) -> RagAgent:
        return RagAgent(docs, model="embedded", embeddings=embedder, settings=Settings.load(home=":memory:"))

    def rows(path: Path) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        found = [row["turns"][0] if "turns" in row else row for row in found]
        found = [row for row in found if row.get("answers") and row.get("answerable", True)]
        return found[:: max(1, len(found) // options.limit)] if options.limit else found

    with tempfile.TemporaryDirectory() as scratch:
        docs = gathered(Path(scratch) / "docs", data / "xquad" / "docs", data / "haystack")
        for name, folder, questions, right in (
            ("xquad", docs, data / "xquad" / "questions.jsonl", lambda a: lambda text: contains(text, a)),
            ("clapnq", data / "clapnq" / "docs", data / "clapnq" / "questions.jsonl", overlaps),
            ("rag_data", Path("rag_data"), Path("rag_data/questions.jsonl"), lambda a: lambda text: contains(text, a)),
        ):
            with agent_of(folder) as agent:
                found = [asked(agent, row["question"], right(row["answers"])) for row in rows(questions)]
            corpora[name] = [one for one in found if one]
            print(f"{name}: {len(corpora[name])} questions", flush=True)
        embedder.keep()
    for name in ("real", "documents"):
        corpora[name] = list(cases(shared / "cases" / f"{name}.jsonl", agent_of, module.MAKERS))
        print(f"{name}: {len(corpora[name])} questions", flush=True)
        embedder.keep()
    report(corpora)


if __name__ == "__main__":
    main()
