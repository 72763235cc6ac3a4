"""Judges: what decides, beside the hard checks, whether a quote says what a generated sentence says."""

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rag_agent import Answer, RagAgent, Settings
from rag_agent.errors import ModelNotFoundError, SettingsError
from rag_agent.grounding.support import SupportCheck
from rag_agent.models.judge import EntailmentJudge
from rag_agent.testing import CountEmbeddings, ScriptedChat

CrossEncoders = Callable[..., Path]

QUOTE = "Collins waited alone in the command ship for 21 hours while the two others walked."
PARAPHRASE = "Collins was by himself aboard as his comrades strolled about."
QUESTION = "How long did Collins wait alone in the command ship?"
HARD = (
    PARAPHRASE.replace("Collins", "Aldrin"),
    PARAPHRASE.replace("aboard", "aboard for 22 hours"),
    PARAPHRASE.replace("aboard", "aboard on 3 May"),
    "Collins did not wait alone in the command ship.",
)


LABELS = {0: "contradiction", 1: "ENTAILMENT", 2: "neutral"}


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory, cross_encoder: CrossEncoders) -> Path:
    return cross_encoder(tmp_path_factory.mktemp("nli"), LABELS)


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., tuple[Answer, ScriptedChat]]:
    """The answer of an agent with a judge to the one question, and the model."""

    def ask(replies: Any, judge: str, model: Any = ScriptedChat, **settings: Any) -> tuple[Answer, ScriptedChat]:
        docs = tmp_path / "crew.txt"
        docs.write_text(f"{QUOTE}\n", encoding="utf-8")
        scripted = model(replies)
        chosen = Settings.load(home=":memory:", judge=judge, **settings)
        with RagAgent(docs, model=scripted, embeddings=CountEmbeddings(), settings=chosen) as agent:
            return agent.ask(QUESTION), scripted

    return ask


# --- the classifier -----------------------------------------------------------------------------------------------------


def test_the_score_is_the_probability_of_the_label_entailment(nli: Path) -> None:
    judge = EntailmentJudge(str(nli), Settings.load())
    assert judge(QUOTE, PARAPHRASE) == pytest.approx(math.e**2 / (math.e**2 + 2), abs=1e-4)
    low = math.exp(2 - 10 * math.tanh(math.sqrt(2)))
    for quote, sentence in ((f"Cheese. {QUOTE}", PARAPHRASE), (QUOTE, "Cheese.")):
        assert judge(quote, sentence) == pytest.approx(low / (low + 2), abs=1e-4)
    assert judge(f"{QUOTE} " * 100, PARAPHRASE) > 0.5  # what is too long is cut


def test_a_paraphrase_that_the_classifier_takes_is_shown_with_its_quote(ask: Any, nli: Path) -> None:
    assert ask([PARAPHRASE, PARAPHRASE], "builtin")[0].kind == "quote"
    answer, _ = ask([PARAPHRASE], f"huggingface:{nli}")
    assert (answer.kind, answer.text) == ("generated", f"{PARAPHRASE} [1]")
    assert answer.citations[0].quote == QUOTE


def test_what_the_classifier_does_not_take_is_not_shown(ask: Any, nli: Path) -> None:
    answer, _ = ask([f"{PARAPHRASE} Collins waited alone and ate cheese."], f"huggingface:{nli}")
    assert answer.text == f"{PARAPHRASE} [1]"
    assert answer.left_out == (
        "not shown, the judge does not find it in the source: “Collins waited alone and ate cheese.”",
    )  # fmt: skip


@pytest.mark.parametrize("sentence", HARD)
def test_names_numbers_dates_and_negation_are_not_left_to_a_judge(sentence: str) -> None:
    support = SupportCheck([QUOTE], judge=lambda quote, claim: 1.0).check(sentence)
    assert not support.supported


def test_a_verbatim_sentence_needs_no_judge() -> None:
    assert SupportCheck([QUOTE], judge=lambda quote, claim: 0.0).check(QUOTE).supported


def test_a_judge_is_given_the_quote_and_the_sentence() -> None:
    seen = []

    def judge(quote: str, sentence: str) -> float:
        seen.append((quote, sentence))
        return 0.9

    support = SupportCheck(["Aldrin slept.", QUOTE], judge=judge).check(PARAPHRASE)
    assert seen == [(QUOTE, PARAPHRASE)]
    assert (support.passage, support.start, support.end, support.score) == (1, 0, len(QUOTE), 0.9)


def test_a_folder_without_the_label_is_told_in_one_line(ask: Any, tmp_path: Path, cross_encoder: CrossEncoders) -> None:
    other = cross_encoder(tmp_path / "other", {0: "bad", 1: "not_entailment", 2: "good"})
    with pytest.raises(ModelNotFoundError, match=r"has no label 'entailment' \(its labels: bad, not_entailment, good\)") as told:
        ask([PARAPHRASE], f"huggingface:{other}")
    assert "\n" not in str(told.value)


def test_a_folder_without_a_classifier_is_told_in_one_line(ask: Any, tmp_path: Path, cross_encoder: CrossEncoders) -> None:
    headless = cross_encoder(tmp_path / "headless", LABELS, headless=True)
    with pytest.raises(ModelNotFoundError, match="has no weights of a classifier"):
        ask([PARAPHRASE], f"huggingface:{headless}")
    with pytest.raises(ModelNotFoundError, match="nothing/here: no such folder"):
        ask([PARAPHRASE], f"huggingface:{tmp_path}/nothing/here")


# --- the chat model -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verdict", "kind"), [("Yes.", "generated"), ("no", "quote"), ("Perhaps, yes", "quote")])
def test_the_chat_model_can_judge(ask: Any, verdict: str, kind: str) -> None:
    answer, model = ask(lambda messages: verdict if "yes or no" in messages[-1].text else PARAPHRASE, "model")
    assert answer.kind == kind
    judged = [sent for sent in model.sent if "yes or no" in sent[-1].text]
    assert QUOTE in judged[0][-1].text and PARAPHRASE in judged[0][-1].text
    assert answer.usage["input_tokens"] == sum(len(m.text.split()) for sent in model.sent for m in sent)


def test_a_small_model_is_no_judge(ask: Any) -> None:
    class Small(ScriptedChat):  # type: ignore[misc,unused-ignore]
        weights: Any = SimpleNamespace(parameters=lambda: 135_000_000)

    with pytest.raises(SettingsError, match="too small to judge"):
        ask([PARAPHRASE], "model", Small, answer="generate")


@pytest.mark.parametrize("name", ["", "nli", "huggingface:", "Model", "ollama:x"])
def test_an_unknown_judge_is_told_in_one_line(name: str) -> None:
    with pytest.raises(SettingsError, match="judge: .* is no judge; name builtin, model, or huggingface:<id or folder>"):
        Settings.load(judge=name)


def test_the_command_takes_a_judge(run: Callable[..., Any], docs: Path) -> None:
    done = run("ask", QUESTION, "--docs", docs, "--judge", "nobody")
    assert (done.code, done.out) == (1, "")
    assert done.err == "rag-agent: judge: 'nobody' is no judge; name builtin, model, or huggingface:<id or folder>\n"
