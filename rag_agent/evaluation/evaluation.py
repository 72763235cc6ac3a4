"""`evaluate`: every question through `RagAgent.ask`, and what its answers are worth."""

import re
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rag_agent.agent import RagAgent
from rag_agent.answers import Answer, Sentence
from rag_agent.errors import ThreadError
from rag_agent.evaluation.measures import Measure, balanced, contains, exact, f1, mean, median, plain
from rag_agent.evaluation.questions import Conversation, Question
from rag_agent.grounding.judging import missing
from rag_agent.grounding.standing import standing

Progress = Callable[[int, int], None]
"""Told how many of how many questions are asked."""

HITS = (1, 4, 8)
COSTS = ("words", "seconds", "tokens")
"""Measures of which less is better."""
_DOCUMENTS = ("generated", "quote", "refusal")


@dataclass(frozen=True)
class Result:
    """A question, its answer, and what the answer is worth; None where that cannot be told."""

    conversation: int
    """The number of its conversation, counted from 0."""
    turn: int
    """Its place in it, counted from 0."""
    question: Question
    answer: Answer
    hit: int | None
    """The place, counted from 1, of the first hit with the answer; 0: not among the first eight."""
    contained: bool | None
    """The answer is not refused and holds a right one."""
    exact: bool | None
    f1: float | None
    sentences: int
    """How many sentences with a citation are shown."""
    standing: int
    """Of these, how many are what they cite, word for word, or pass the support check on it."""
    valid: int
    """How many citations hold: `agent.read(file)[start:end] == quote`."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values; of the answer only what can be read at a glance."""
        answer = {"text": self.answer.text, "kind": self.answer.kind, "query": self.answer.query}
        return {**asdict(self), "answer": answer, "evidence": self.answer.evidence}


@dataclass(frozen=True)
class Evaluation:
    """What one agent's answers to a file of questions are worth."""

    model: str
    measures: dict[str, Measure]
    """By name: those that the questions can tell."""
    kinds: dict[str, int]
    """How many answers of each kind there are."""
    results: tuple[Result, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        measures = {name: asdict(measure) for name, measure in self.measures.items()}
        results = [result.to_dict() for result in self.results]
        return {"model": self.model, "measures": measures, "kinds": self.kinds, "results": results}


def evaluate(agent: RagAgent, conversations: Sequence[Conversation], progress: Progress = lambda done, total: None) -> Evaluation:
    """Ask every question and measure the answers.

    Conversations are kept on threads of their own, deleted afterwards. The measures, each from 0 to 1 unless it says so:

    * `hit@1`, `hit@4`, `hit@8`: one of the first k chunks of `agent.search` is of the right article and holds the answer.
    * `contained`: the text holds a right answer (SQuAD's normalisation) and is no refusal; `exact_match`, `f1` as in SQuAD.
    * `answered`: answerable questions that are not refused; `refusal_precision`, `refusal_recall`: refused questions that
      have no answer, questions without an answer that are refused; `balanced_accuracy`: the mean of `answered` and that recall.
    * `citations_valid`: citations whose quote is what stands in the file; `sentences_standing`: sentences that are what they
      cite, or pass the support check on it.
    * `follow_up_contained`: `contained` over the later turns of conversations; `transformed`: turns marked as transformations
      of the answer before that were taken as such.
    * `words` (median, of answers from documents that are no refusals), `seconds` (median) and `tokens` (mean, read and written).

    Args:
        agent: The agent, with documents.
        conversations: As `read_questions` gives them.
        progress: Told after each question.
    """
    total = sum(map(len, conversations))
    results: list[Result] = []
    for number, conversation in enumerate(conversations):
        thread = f"evaluation-{uuid.uuid4().hex}" if len(conversation) > 1 else None
        try:
            for turn, question in enumerate(conversation):
                results.append(_result(agent, number, turn, question, agent.ask(question.question, thread_id=thread)))
                progress(len(results), total)
        finally:
            if thread is not None:
                with suppress(ThreadError):  # it failed before anything was kept
                    agent.threads.delete(thread)
    model = results[0].answer.model if results else ""
    return Evaluation(model, measured(results), dict(Counter(result.answer.kind for result in results)), tuple(results))


def measured(results: Sequence[Result]) -> dict[str, Measure]:
    """The measures of some results, by name; those that they cannot tell are left out."""
    found: dict[str, Measure] = {}

    def share(name: str, rows: Sequence[tuple[Result, float | None]]) -> None:
        known = [(result.conversation, value) for result, value in rows if value is not None]
        if known:
            found[name] = mean([value for _, value in known], [group for group, _ in known])

    for k in HITS:
        share(f"hit@{k}", [(r, None if r.hit is None else float(0 < r.hit <= k)) for r in results])
    share("contained", [(r, r.contained) for r in results])
    share("exact_match", [(r, r.exact) for r in results])
    share("f1", [(r, r.f1) for r in results])
    found.update(_refusals([r for r in results if r.question.kind in (None, *_DOCUMENTS)]))
    share("citations_valid", [(r, float(n < r.valid)) for r in results for n in range(len(r.answer.citations))])
    share("sentences_standing", [(r, float(n < r.standing)) for r in results for n in range(r.sentences)])
    share("follow_up_contained", [(r, r.contained) for r in results if r.turn])
    asked = [r for r in results if r.question.kind == "transformed"]
    share("transformed", [(r, float(r.answer.kind == "transformed")) for r in asked])
    shown = [r for r in results if r.answer.kind in ("generated", "quote")]
    if shown:
        found["words"] = median([len(plain(r.answer.text).split()) for r in shown], [r.conversation for r in shown])
    if results:
        groups = [r.conversation for r in results]
        found["seconds"] = median([r.answer.timings.get("total", 0.0) for r in results], groups)
        found["tokens"] = mean([float(sum(r.answer.usage.values())) for r in results], groups)
    return found


def _refusals(results: Sequence[Result]) -> dict[str, Measure]:
    """Refusal precision, recall and balanced accuracy, as far as there are questions of both sorts."""
    rows = [(r.conversation, r.answer.refused, r.question.answerable) for r in results]
    parts = {
        "answered": [(group, not refused) for group, refused, answerable in rows if answerable],
        "refusal_precision": [(group, not answerable) for group, refused, answerable in rows if refused],
        "refusal_recall": [(group, refused) for group, refused, answerable in rows if not answerable],
    }
    if not parts["refusal_recall"]:
        del parts["refusal_precision"]
    found = {name: mean([float(v) for _, v in part], [g for g, _ in part]) for name, part in parts.items() if part}
    if parts["answered"] and parts["refusal_recall"]:
        groups, refused, truth = zip(*rows, strict=True)
        found["balanced_accuracy"] = balanced(~np.array(refused), truth, groups)
    return found


def _result(agent: RagAgent, conversation: int, turn: int, question: Question, answer: Answer) -> Result:
    text = plain(answer.text)
    gold = question.answers if question.answerable and question.kind in (None, *_DOCUMENTS) else ()
    said = "" if answer.refused else text
    return Result(
        conversation,
        turn,
        question,
        answer,
        hit=_hit(agent, question, answer) if gold else None,
        contained=contains(said, gold) if gold else None,
        exact=exact(said, gold) if gold else None,
        f1=f1(said, gold) if gold else None,
        sentences=len(answer.sentences),
        standing=sum(stands(sentence, answer) for sentence in answer.sentences),
        valid=sum(agent.read(c.file)[c.start : c.end] == c.quote for c in answer.citations),
    )


def _hit(agent: RagAgent, question: Question, answer: Answer) -> int:
    for place, hit in enumerate(agent.search(answer.query or question.question, k=max(HITS)), start=1):
        right_file = question.file in (None, hit.file)
        right_article = question.article in (None, hit.article) or question.file is None
        if right_file and right_article and contains(hit.text, question.answers):
            return place
    return 0


def stands(sentence: Sentence, answer: Answer) -> bool:
    """Whether a sentence is what it cites, or says it: told anew from the quotes, whatever the answer claims.

    A quote is shown without the marks of its format, a row with the names of its columns, and some below the heading that they
    stand under: letters and digits decide.
    """
    cited = [answer.citations[number] for number in sentence.citations]
    quotes = [f"{one.section} {one.quote}" if "\n" in sentence.text else one.quote for one in cited]
    if sentence.standing == "judged":
        return any(not missing(sentence.text, quote) for quote in quotes)
    return any(
        standing(sentence.text, quote) or all(_holds(quote, part) for part in re.split(r"; |\n", sentence.text))
        for quote in quotes
    )


def _holds(quote: str, part: str) -> bool:
    """Whether the letters and digits of a text, or of the value behind `name: `, stand in a quote in order."""
    found = [char for char in quote.casefold() if char.isalnum()]
    for text in (part, part.partition(": ")[2]):
        rest = iter(found)
        if text and all(char in rest for char in text.casefold() if char.isalnum()):
            return True
    return False
