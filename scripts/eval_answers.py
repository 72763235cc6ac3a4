"""Measure answers from end to end: what `RagAgent.ask` says on XQuAD in a haystack, and when it refuses.

    .venv/bin/python scripts/eval_answers.py [../shared/eval] [--lesson 40] [--limit N] [--by-words]
        [--only answers|disagreements|refusals|lesson] [--embeddings NAME]

Embedded models; the home is in memory. `contained`: the text holds a right answer by SQuAD's normalisation. Refusals: XQuAD's
questions with and without its 48 articles in the index, and ClapNQ's. Thresholds are cross-validated in five folds by
article. `--by-words` compares units by their words alone, as with embeddings whose cosines were not measured. Baselines from
the same run: the lesson's way (scripts/lesson.py) and the data page's one, two, three best sentences.
"""

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import lesson
import numpy as np
from eval_data import Remembering, arguments, gathered, parsed, some

from rag_agent import RagAgent, Settings, prompts
from rag_agent.evaluation import Evaluation, Question, evaluate, read_questions
from rag_agent.evaluation.calibration import NEVER, weighed
from rag_agent.evaluation.evaluation import measured, stands
from rag_agent.evaluation.measures import balanced, best_threshold, contains, cross_validated, mean, median, plain

BY_WORDS = "not measured"  # a name of embeddings that no threshold was measured with


def agent(docs: Path, embedder: Remembering, threshold: float | None = None) -> RagAgent:
    """An agent with the embedded chat model that writes nothing."""
    settings = Settings.load(home=":memory:", refusal_threshold=threshold)
    return RagAgent(docs, model="embedded", embeddings=embedder, settings=settings)


def said(number: int, total: int) -> None:
    """Tell how far it is, now and then."""
    if number % 100 == 0:
        print(f"    {number} of {total}", flush=True)


# --- answers -----------------------------------------------------------------------------------------------------------


def report_answers(docs: Path, questions: Sequence[Question], embedder: Remembering) -> None:
    """Print what the answers are worth, beside the best sentences by a simple score."""
    with agent(docs, embedder) as asked:
        report = asked.index()
        print(f"Answers: XQuAD + haystack, {len(questions)} questions, {report.chunks} chunks")
        found = evaluate(asked, [(question,) for question in questions], said)
        for name, measure in found.measures.items():
            print(f"  {name:24s} {measure}  (n {measure.n})")
        print(f"  kinds: {found.kinds}")
        literal = [contains(plain(r.answer.text), r.question.answers) for r in found.results]
        print(f"  {'contained, refusals read':24s} {mean(literal)}  (the nearest passage that a refusal names may hold it)")
        disputed = [r for r in found.results if r.answer.text.startswith(prompts.DISAGREE)]
        print(f"  answers that say the documents disagree: {len(disputed)}")
        for result in disputed:
            print(f"    {result.question.question} {plain(result.answer.text)}")
        neither = sum(r.sentences - r.standing for r in found.results)
        print(f"  shown sentences that are neither verbatim nor pass the check: {neither}")
        print("  the best whole sentences by similarity + 0.5 x share of question terms, within the chunks found, no refusal:")
        texts = [best_sentences(asked, question.question) for question in questions]
        for count in (1, 2, 3):
            parts = [" ".join(sentences[:count]) for sentences in texts]
            held = mean([contains(text, q.answers) for text, q in zip(parts, questions, strict=True)])
            print(f"    {count}: {held}, {median([len(text.split()) for text in parts])} words")
        report_latency(found)


def best_sentences(asked: RagAgent, question: str) -> list[str]:
    """Units of the chunks found, best first by the data page's simple score."""
    candidates = asked.explain(question).evidence.candidates
    return [c.unit.text for c in sorted(candidates, key=lambda c: -(c.similarity + 0.5 * c.own))]


def report_latency(found: Evaluation) -> None:
    """Print the time that checking all sentences of an answer takes."""
    seconds = []
    for result in found.results[:100]:
        if result.answer.sentences:
            begun = time.perf_counter()
            for sentence in result.answer.sentences:
                stands(sentence, result.answer)
            seconds.append(time.perf_counter() - begun)
    if seconds:
        median, worst = 1000 * statistics.median(seconds), 1000 * max(seconds)
        print(f"  the check, per answer: median {median:.0f} ms, worst of {len(seconds)} {worst:.0f} ms")


# --- disagreements -----------------------------------------------------------------------------------------------------


def report_disagreements(data: Path, docs: Path, questions: Sequence[Question], embedder: Remembering) -> None:
    """Print how often both sides are quoted where a copy of the article gives another year: one question an article."""
    by_year = {str(q.file): q for q in questions if q.answers and re.fullmatch(r"1\d{3}|20[01]\d", q.answers[0])}
    for file, question in by_year.items():
        text = (data / "xquad" / "docs" / file).read_text(encoding="utf-8")
        changed = text.replace(question.answers[0], str(int(question.answers[0]) + 1))
        (docs / f"copy-of-{file}").write_text(changed, encoding="utf-8")
    with agent(docs, embedder) as asked:
        answers = [asked.ask(question.question).text for question in by_year.values()]
    held = mean([contains(text, q.answers) for text, q in zip(answers, by_year.values(), strict=True)])
    both = mean([float(text.startswith(prompts.DISAGREE)) for text in answers])
    print(f"Disagreements: {len(by_year)} articles beside a copy with another year: {both} say so; right answer contained {held}")


# --- the lesson's way --------------------------------------------------------------------------------------------------


def report_lesson(docs: Path, questions: Sequence[Question], embedder: Remembering) -> None:
    """Print what the lesson's way and this agent hold of the answers to the same questions.

    The lesson's store is filled with vectors of the same embedding model.
    """
    from langchain_core.vectorstores import InMemoryVectorStore

    from rag_agent.models.embedded import CHAT_NAME, place

    folder = place(Settings.load(), CHAT_NAME)
    assert folder is not None, "get the embedded models: rag-agent models pull embedded"
    store = InMemoryVectorStore.from_documents(lesson.chunks(docs), embedder)
    graph = lesson.rag(store, lesson.chat_model(folder))
    replies, seconds = [], []
    for number, question in enumerate(questions, start=1):
        begun = time.perf_counter()
        replies.append(graph.invoke({"question": question.question})["answer"])
        seconds.append(time.perf_counter() - begun)
        if number % 10 == 0:
            print(f"    {number} of {len(questions)}", flush=True)
    print(f"The lesson's way: {len(questions)} of the same questions")
    held = [contains(reply, q.answers) for reply, q in zip(replies, questions, strict=True)]
    words = median([len(reply.split()) for reply in replies])
    print(f"  {'contained':24s} {mean(held)}; {words} words, {statistics.median(seconds):.1f} s a question")
    with agent(docs, embedder) as asked:
        ours = measured(evaluate(asked, [(question,) for question in questions]).results)
    print(f"  {'rag-agent, the same ones':24s} {ours['contained']}; {ours['words']} words")


# --- refusals ----------------------------------------------------------------------------------------------------------


def report_refusals(
    data: Path, scratch: Path, xquad: Sequence[Question], clapnq: Sequence[Question], embedder: Remembering
) -> None:
    """Print balanced accuracy of answering or refusing, as shipped and with thresholds from the other articles."""
    docs = gathered(scratch / "refusals", data / "xquad" / "docs", data / "haystack")
    with agent(docs, embedder, NEVER) as asked:
        here = weighed(asked, xquad, said)
        for file in (data / "xquad" / "docs").glob("*.txt"):
            (docs / file.name).unlink()
        asked.index()
        gone = weighed(asked, xquad, said)
    files = [str(question.file) for question in xquad]
    both, truth = np.concatenate([here, gone]), [True] * len(here) + [False] * len(gone)
    report_refusal("XQuAD, with and without its articles", both, truth, 2 * files)
    with agent(data / "clapnq" / "docs", embedder, NEVER) as asked:
        scores, truth = weighed(asked, clapnq, said), [question.answerable for question in clapnq]
        titles = [str(question.file) for question in clapnq]
        report_refusal("ClapNQ, the right article but another passage of it", scores, truth, titles)


def report_refusal(name: str, scores: np.ndarray, answerable: Sequence[bool], groups: Sequence[str]) -> None:
    """Print one set."""
    truth = np.array(answerable)
    print(f"Answer or refuse: {name} ({truth.sum()} answerable, {(~truth).sum()} not), balanced accuracy")
    for label, accepted in (
        ("as shipped", scores >= Settings.load().refusal_threshold),
        ("threshold cross-validated, 5 folds by article", cross_validated(scores, truth, groups)),
    ):
        print(
            f"  {label:46s} {balanced(accepted, answerable, groups)}  answered {accepted[truth].mean():.3f}, "
            f"refused {(~accepted[~truth]).mean():.3f}"
        )
    print(f"  (threshold that all would choose: {best_threshold(scores, truth):.3f})")


# --- run ---------------------------------------------------------------------------------------------------------------


def questions_of(path: Path, limit: int | None) -> list[Question]:
    """The questions of a file, so many of them."""
    return some([conversation[0] for conversation in read_questions(path)], limit)


def clapnq_questions(path: Path, limit: int | None) -> list[Question]:
    """ClapNQ's questions with the title of their article in place of the file, to group by."""
    import json

    titles = [json.loads(line)["passage_title"] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    found = [conversation[0] for conversation in read_questions(path)]
    return some([replace(question, file=title) for question, title in zip(found, titles, strict=True)], limit)


def main() -> None:
    """Print the parts, or one."""
    parser = arguments(__doc__)
    parser.add_argument("--lesson", type=int, default=40, help="how many questions the lesson's way answers, 5-10 s each")
    parser.add_argument("--only", choices=("answers", "disagreements", "refusals", "lesson"))
    parser.add_argument("--embeddings", default="embedded", help="another embedding model, as provider:model; without --cache")
    parser.add_argument("--by-words", action="store_true", help="compare sentences by their words alone")
    options: argparse.Namespace = parsed(parser, "xquad/questions.jsonl")
    embedder = Remembering(options.cache, options.embeddings)
    embedder.rag_agent_name = BY_WORDS if options.by_words else embedder.rag_agent_name
    xquad = questions_of(options.data / "xquad" / "questions.jsonl", options.limit)
    with tempfile.TemporaryDirectory() as scratch:
        docs = gathered(Path(scratch) / "docs", options.data / "xquad" / "docs", options.data / "haystack")
        if options.only in (None, "answers"):
            report_answers(docs, xquad, embedder)
            embedder.keep()
        if options.only in (None, "disagreements"):
            copied = gathered(Path(scratch) / "copied", options.data / "xquad" / "docs", options.data / "haystack")
            report_disagreements(options.data, copied, xquad, embedder)
            embedder.keep()
        if options.only in (None, "refusals"):
            clapnq = clapnq_questions(options.data / "clapnq" / "questions.jsonl", options.limit)
            report_refusals(options.data, Path(scratch), xquad, clapnq, embedder)
            embedder.keep()
        if options.only in (None, "lesson") and options.lesson:
            report_lesson(docs, some(xquad, options.lesson), embedder)


if __name__ == "__main__":
    main()
