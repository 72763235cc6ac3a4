"""Judges: what decides, beside the hard checks, whether a quote says what a generated sentence says."""

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rag_agent import Answer, RagAgent, Settings
from rag_agent.errors import ModelNotFoundError, SettingsError
from rag_agent.grounding.judging import Stood, missing, standing_of
from rag_agent.models.judge import EntailmentJudge, ReaderJudge
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
        "not shown, no document says this: “Collins waited alone and ate cheese.”",
    )  # fmt: skip


@pytest.mark.parametrize("sentence", HARD)
def test_names_numbers_dates_and_negation_are_not_left_to_a_judge(sentence: str) -> None:
    assert standing_of(sentence, [QUOTE], lambda quote, claim: 1.0).standing is None
    assert missing(sentence, QUOTE)


def test_a_verbatim_sentence_needs_no_judge() -> None:
    assert standing_of(QUOTE, ["Aldrin slept.", QUOTE], lambda quote, claim: 0.0) == Stood("quote", 1)


def test_a_judge_is_given_the_quote_and_the_sentence() -> None:
    seen = []

    def judge(quote: str, sentence: str) -> float:
        seen.append((quote, sentence))
        return 0.9

    assert standing_of(PARAPHRASE, ["Aldrin slept.", QUOTE], judge) == Stood("judged", 1)
    assert seen == [(QUOTE, PARAPHRASE)]


def test_a_judge_counts_from_its_own_threshold() -> None:
    class Careful:
        threshold = 0.95

        def __call__(self, quote: str, sentence: str) -> float:
            return 0.9

    assert standing_of(PARAPHRASE, [QUOTE], lambda quote, sentence: 0.9).standing == "judged"
    assert standing_of(PARAPHRASE, [QUOTE], Careful()) == Stood(None, 0)


def test_without_standing_the_nearest_unit_is_told() -> None:
    assert standing_of("Collins slept alone.", ["Nothing of it.", "The dog slept.", QUOTE]) == Stood(None, 2)
    assert standing_of("Collins slept alone.", []) == Stood(None, -1)


@pytest.mark.parametrize(
    ("sentence", "unit"),
    [
        ("The mill burnt down in 1912.", "In May 1912 the mill fell victim to a fire."),
        ("Anna Lund gave up her seat.", "Anna Lund resigned from the council, though she had not been asked."),
        ("The fee is 1200 euros a year.", "Each year 1,200 euros are charged as a fee."),
        ("De molen brandde af in 1912.", "Op 3 mei 1912 viel de molen ten prooi aan het vuur."),
    ],
)
def test_facts_in_another_form_do_not_speak_against_a_paraphrase(sentence: str, unit: str) -> None:
    assert missing(sentence, unit) == ""


def test_where_negation_cannot_be_told_no_judge_is_asked() -> None:
    quote = "Ministern hade redan lämnat sin post när regeringen bildades på nytt i slutet av året."
    assert standing_of("Ministern avgick före regeringsbildningen i slutet av året.", [quote], lambda *_: 1.0).standing is None


def test_a_model_in_this_process_tells_how_likely_its_yes_is() -> None:
    class Local(ScriptedChat):  # type: ignore[misc,unused-ignore]
        def probability(self, messages: Any, word: str, other: str) -> float:
            assert QUOTE in messages[-1].text and (word, other) == ("yes", "no")
            return 0.25

    assert ReaderJudge(Local(replies=[]))(QUOTE, PARAPHRASE) == 0.25
    assert ReaderJudge(ScriptedChat(["Yes."]))(QUOTE, PARAPHRASE) == 1.0
    assert ReaderJudge(ScriptedChat(["No, not quite."]))(QUOTE, PARAPHRASE) == 0.0


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


@pytest.mark.parametrize(("billions", "kind"), [(1.5, "quote"), (8, "generated")])
def test_by_default_a_model_judges_where_it_is_known_to_be_large_enough(ask: Any, billions: float, kind: str) -> None:
    class Sized(ScriptedChat):  # type: ignore[misc,unused-ignore]
        weights: Any = SimpleNamespace(parameters=lambda: int(billions * 1e9))

    answer, _ = ask(lambda messages: "Yes." if "yes or no" in messages[-1].text else PARAPHRASE, Settings.load().judge, Sized)
    assert answer.kind == kind
    assert ask([PARAPHRASE, PARAPHRASE], Settings.load().judge)[0].kind == "quote"  # of unknown size


def test_a_small_model_is_no_judge(ask: Any) -> None:
    class Small(ScriptedChat):  # type: ignore[misc,unused-ignore]
        weights: Any = SimpleNamespace(parameters=lambda: 135_000_000)

    with pytest.raises(SettingsError, match="too small to judge"):
        ask([PARAPHRASE], "model", Small, answer="generate")


@pytest.mark.parametrize("name", ["", "nli", "huggingface:", "Model", "ollama:x"])
def test_an_unknown_judge_is_told_in_one_line(name: str) -> None:
    with pytest.raises(SettingsError, match="judge: .* is no judge; name auto, builtin, model, or huggingface:<id or folder>"):
        Settings.load(judge=name)


def test_the_command_takes_a_judge(run: Callable[..., Any], docs: Path) -> None:
    done = run("ask", QUESTION, "--docs", docs, "--judge", "nobody")
    assert (done.code, done.out) == (1, "")
    assert done.err == "rag-agent: judge: 'nobody' is no judge; name auto, builtin, model, or huggingface:<id or folder>\n"
