"""Measures by hand, files of questions, and the command that CI acts on."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag_agent import Answer, Citation, RagAgent, Settings
from rag_agent.answers import Sentence, Standing
from rag_agent.errors import EvaluationError, SettingsError
from rag_agent.evaluation import Question, calibrate, evaluate, read_questions
from rag_agent.evaluation.calibration import NEVER
from rag_agent.evaluation.evaluation import stands
from rag_agent.evaluation.measures import (
    auroc,
    balanced_accuracy,
    best_threshold,
    contains,
    cross_validated,
    exact,
    f1,
    folds,
    mean,
    median,
    normalise,
)
from rag_agent.testing import CountEmbeddings, ScriptedChat

# --- measures -----------------------------------------------------------------------------------------------------------


def test_texts_are_compared_as_squad_does() -> None:
    assert normalise("The  Eagle, a lander!") == "eagle lander"
    assert contains("He landed: Neil A. Armstrong.", ["neil a armstrong"]) and not contains("Neil", ["Neil Armstrong"])
    assert exact("The Eagle.", ["eagle"]) and not exact("The Eagle has landed", ["eagle"])
    assert f1("the eagle landed", ["eagle"]) == pytest.approx(2 / 3)
    assert f1("", []) == 0.0
    assert not contains("anything", ["the"])  # nothing is left of it


def test_a_mean_comes_with_its_interval() -> None:
    found = mean([0.0, 1.0] * 50)
    assert found.value == 0.5 and found.n == 100
    assert 0.38 < found.low < 0.42 and 0.58 < found.high < 0.62  # 0.5 ± 1.96 · 0.05
    assert mean([0.0, 1.0] * 50) == found  # the seed is fixed


def test_the_interval_of_rows_that_go_together_is_wider() -> None:
    values = [0.0] * 50 + [1.0] * 50
    together = mean(values, [n // 10 for n in range(100)])
    assert together.high - together.low > 1.5 * (mean(values).high - mean(values).low)


def test_median_and_text_of_a_measure() -> None:
    assert str(median([3.0, 3.0, 3.0])) == "3.000 [3.000, 3.000]"
    assert str(median([60.0])) == "60.0 [60.0, 60.0]"


def test_balanced_accuracy_is_the_mean_of_two_shares() -> None:
    truth = np.array([True, True, True, False])
    assert balanced_accuracy(np.array([True, True, False, False]), truth) == pytest.approx((2 / 3 + 1) / 2)
    assert np.isnan(balanced_accuracy(np.array([True]), np.array([True])))


def test_auroc_counts_pairs_in_order() -> None:
    assert auroc(np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False])) == pytest.approx(3.5 / 4)
    assert np.isnan(auroc(np.array([0.9]), np.array([True])))


def test_the_best_threshold_lies_between_the_scores_it_tells_apart() -> None:
    assert best_threshold(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True])) == 0.5
    assert best_threshold(np.array([0.1, 0.2, 0.3, 0.9]), np.array([False, False, True, True])) == 0.25
    assert best_threshold(np.array([0.3, 0.3]), np.array([True, False]), near=0.5) == 0.5  # nothing tells them apart


def test_a_fold_is_decided_by_the_others() -> None:
    groups = [f"file{n // 2}" for n in range(20)]
    fold = folds(groups)
    assert all(fold[n] == fold[n + 1] for n in range(0, 20, 2)) and sorted(set(fold.tolist())) == [0, 1, 2, 3, 4]
    scores = np.array([0.9, 0.1] * 10)
    assert (cross_validated(scores, scores > 0.5, groups) == (scores > 0.5)).all()


# --- files of questions -------------------------------------------------------------------------------------------------


def test_questions_and_conversations_are_read(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        '\ufeff{"question": "Who?", "answers": ["A"], "file": "a.txt", "article": 1, "id": 7}\n\n'
        '{"turns": [{"question": "Why?"}, {"question": "Shorten it.", "kind": "transformed"}]}\n',
        encoding="utf-8",
    )
    assert read_questions(path) == [
        (Question("Who?", ("A",), "a.txt", 1),),
        (Question("Why?"), Question("Shorten it.", kind="transformed")),
    ]
    assert len(read_questions(path, limit=1)) == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: there is no question"),
        ('{"question": " "}', "line 2: there is no question"),
        ('{"question": "Who?", "answers": "A"}', "line 2: answers must be a list of texts"),
        ('{"question": "Who?", "answers": [1]}', "line 2: answers must be a list of texts"),
        ('{"question": "Who?", "article": true}', "line 2: article must be a whole number"),
        ('{"question": "Who?", "answerable": "no"}', "line 2: answerable must be true or false"),
        ('{"turns": []}', "line 2: turns must be a list"),
        ('{"turns": [{"question": "Who?"}, {}]}', "line 2, turn 2: there is no question"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"question": "Good?"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(EvaluationError) as error:
        read_questions(path)
    assert str(error.value).startswith(f"{path}, {told}") and "\n" not in str(error.value)


@pytest.mark.parametrize(("content", "told"), [(b"\n \n", "holds no question"), (b"\xff{}", "not UTF-8"), (None, "No such file")])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "q.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EvaluationError, match=told):
        read_questions(path)


# --- evaluation ---------------------------------------------------------------------------------------------------------

ORBIT = Question("Who stayed in orbit aboard Columbia?", ("Michael Collins",), "moon.txt", 0)
COLLINS = Question("Where was Michael Collins born?", ("Rome",), "crew.md", 0)
NOBODY = Question("Who won the Nobel prize in chemistry?", answerable=False)


@pytest.fixture
def agent(docs: Path, words: Sequence[str]) -> Callable[..., RagAgent]:
    def agent(replies: Any = ("unused",), **settings: Any) -> RagAgent:
        loaded = Settings.load(home=":memory:", **{"answer": "quote", **settings})
        return RagAgent(docs, model=ScriptedChat(replies), embeddings=CountEmbeddings(words), settings=loaded)

    return agent


def test_answers_are_measured(agent: Callable[..., RagAgent]) -> None:
    told: list[tuple[int, int]] = []
    with agent() as asked:
        found = evaluate(asked, [(ORBIT,), (COLLINS,), (NOBODY,)], lambda done, total: told.append((done, total)))
    value = {name: measure.value for name, measure in found.measures.items()}
    assert found.kinds == {"quote": 2, "refusal": 1} and found.model == "scripted"
    assert value["contained"] == value["hit@8"] == 1.0 and value["exact_match"] == 0.0 and 0 < value["f1"] < 1
    assert value["answered"] == value["refusal_precision"] == value["refusal_recall"] == value["balanced_accuracy"] == 1.0
    assert value["citations_valid"] == value["sentences_standing"] == 1.0
    assert value["tokens"] == 0.0 and value["seconds"] > 0 and 5 < value["words"] < 60
    assert "follow_up_contained" not in value and "transformed" not in value
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert json.loads(json.dumps(found.to_dict()))["measures"]["contained"]["n"] == 2


def test_the_wrong_article_is_no_hit_and_a_refusal_holds_nothing(agent: Callable[..., RagAgent]) -> None:
    wrong = Question(ORBIT.question, ORBIT.answers, "moon.txt", 1)
    with agent(refusal_threshold=1.0) as asked:
        result = evaluate(asked, [(wrong,)]).results[0]
    assert result.hit == 0
    assert result.answer.refused and result.answer.context and result.contained is False


def test_turns_are_measured_and_not_kept(agent: Callable[..., RagAgent]) -> None:
    conversation = (
        COLLINS,
        Question("When was he born?", ("31 October 1930",), "crew.md", 0),
        Question("Shorten the answer to 5 words.", kind="transformed"),
    )
    with agent(["Born on 31 October 1930."]) as asked:
        found = evaluate(asked, [conversation])
        assert not asked.threads.list()
    assert found.measures["follow_up_contained"].value == 1.0 and found.measures["follow_up_contained"].n == 1
    assert found.measures["transformed"].value == 1.0
    assert found.measures["contained"].n == 2  # what a transformation says is not compared
    assert found.measures["tokens"].value > 0
    assert len(found.results[2].answer.text.split()) <= 5


def test_a_conversation_that_breaks_off_leaves_no_thread(agent: Callable[..., RagAgent]) -> None:
    with agent([RuntimeError("broken")]) as asked:
        with pytest.raises(RuntimeError, match="broken"):
            evaluate(asked, [(COLLINS, Question("Shorten the answer to 5 words."))])
        assert not asked.threads.list()


@pytest.mark.parametrize(
    ("said", "quote", "holds"),
    [
        ("The harbour is empty.", "The har-\nbour is\nempty.", True),
        ("The harbour is full.", "The harbour is empty.", False),
        ("The harbour is empty.", "", False),
        ("Part: TX-300; Price: 690", "| TX-300 | 690 |", True),  # a row is shown with the names of its columns
        ("Part: TX-300; Price: 691", "| TX-300 | 690 |", False),
        ("Run it:\nmake test", "Run it:\n\n```sh\nmake test\n```", True),
    ],
)
def test_whether_a_sentence_is_what_it_cites_is_told_anew(said: str, quote: str, holds: bool) -> None:
    answer = Answer(f"{said} [1]", "quote", (Citation("a.txt", 0, 0, len(quote), quote),))
    assert stands(Sentence(said, "quote", (0,)), answer) is holds


@pytest.mark.parametrize(("standing", "holds"), [("quote", False), ("judged", True)])
def test_a_judged_sentence_needs_the_hard_facts_alone(standing: Standing, holds: bool) -> None:
    quote = "In 1969 the harbour lay deserted."
    answer = Answer("x", "generated", (Citation("a.txt", 0, 0, len(quote), quote),))
    assert stands(Sentence("The harbour was empty in 1969.", standing, (0,)), answer) is holds
    assert not stands(Sentence("The harbour was empty in 1970.", standing, (0,)), answer)


def test_calibration_wants_questions_of_both_sorts(agent: Callable[..., RagAgent]) -> None:
    with agent() as asked, pytest.raises(EvaluationError, match="5 answerable and 5 unanswerable"):
        calibrate(asked, [(ORBIT,)] * 5)


def test_calibration_finds_the_threshold_and_calls_no_model(agent: Callable[..., RagAgent]) -> None:
    with agent([], refusal_threshold=NEVER, answer="generate") as asked:
        found = calibrate(asked, [(ORBIT,), (COLLINS,), (NOBODY,)] * 5)
    assert found.fitted.value == found.cross_validated.value == 1.0
    assert 0 < found.threshold < 1


# --- the threshold ------------------------------------------------------------------------------------------------------


def test_the_threshold_decides(agent: Callable[..., RagAgent]) -> None:
    with agent(refusal_threshold=0.0) as never, agent(refusal_threshold=1.0) as always:
        assert not never.ask(NOBODY.question).refused
        answer = always.ask(ORBIT.question)
    assert answer.refused and answer.evidence is not None and 0.5 < answer.evidence < 1
    with pytest.raises(SettingsError, match="refusal_threshold"):
        Settings.load(refusal_threshold=1.5)


# --- the command --------------------------------------------------------------------------------------------------------


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "q.jsonl"
    rows = [
        {"question": q.question, "answers": list(q.answers), "file": q.file, "article": q.article, "answerable": q.answerable}
        for q in (ORBIT, COLLINS, NOBODY)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def doubles(words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's models are doubles."""
    monkeypatch.setattr("rag_agent.agent.chat_model", lambda name, **_: ScriptedChat(["unused"], rag_agent_name=name))
    monkeypatch.setattr("rag_agent.agent.embedding_model", lambda name, **_: CountEmbeddings(words))
    monkeypatch.setenv("RAG_AGENT_ANSWER", "quote")


@pytest.mark.usefixtures("doubles")
class TestCommand:
    def test_prints_each_measure_with_its_interval(self, run: Callable[..., Any], questions: Path, docs: Path) -> None:
        done = run("eval", questions, "--docs", docs)
        assert done.code == 0, done.err
        assert "contained\t1.000 [1.000, 1.000]\t2" in done.out.splitlines()
        assert "embedded: 3 questions answered as 2 quote, 1 refusal." in done.err

    def test_several_models_stand_side_by_side(self, run: Callable[..., Any], questions: Path, docs: Path) -> None:
        done = run("eval", questions, "--docs", docs, "--model", "ollama:a", "--model", "ollama:b", "--json")
        assert [one["model"] for one in json.loads(done.out)["runs"]] == ["ollama:a", "ollama:b"]
        table = run("eval", questions, "--docs", docs, "--model", "ollama:a", "--model", "ollama:b").out
        assert "contained\t1.000 [1.000, 1.000]\t2\t1.000 [1.000, 1.000]\t2" in table.splitlines()

    def test_limit_asks_the_first(self, run: Callable[..., Any], questions: Path, docs: Path) -> None:
        done = run("eval", questions, "--docs", docs, "--limit", 1, "--json")
        assert len(json.loads(done.out)["runs"][0]["results"]) == 1

    def test_a_baseline_shows_what_changed(self, run: Callable[..., Any], questions: Path, docs: Path, tmp_path: Path) -> None:
        before = tmp_path / "before.json"
        values = json.loads(run("eval", questions, "--docs", docs, "--json").out)
        before.write_text(json.dumps(values), encoding="utf-8")
        assert "contained\t1.000 [1.000, 1.000]\t2\t+0.000" in run("eval", questions, "--docs", docs, "--baseline", before).out
        kept = run("eval", questions, "--docs", docs, "--baseline", before, "--fail-under", "contained")
        assert kept.code == 0
        values["runs"][0]["measures"]["f1"]["value"] = 0.9
        before.write_text(json.dumps(values), encoding="utf-8")
        fell = run("eval", questions, "--docs", docs, "--baseline", before, "--fail-under", "f1")
        assert fell.code == 1 and fell.err.splitlines()[-1].startswith("rag-agent: f1 of embedded is 0.")

    @pytest.mark.parametrize(
        ("words", "code", "told"),
        [
            (["--fail-under", "contained=1"], 0, ""),
            (["--fail-under", "f1=0.99"], 1, "under 0.99"),
            (["--fail-under", "words=1"], 1, "above 1"),
            (["--fail-under", "words=1000"], 0, ""),
            (["--fail-under", "beauty=1"], 1, "has no measure 'beauty'"),
            (["--fail-under", "contained"], 1, "names no value"),
            (["--fail-under", "contained=high"], 1, "'high' is no number"),
            (["--baseline", "nowhere.json"], 1, "nowhere.json: No such file"),
            (["--limit", "0"], 2, ""),
        ],
    )
    def test_the_exit_status_tells(
        self, run: Callable[..., Any], questions: Path, docs: Path, words: list[str], code: int, told: str
    ) -> None:
        done = run("eval", questions, "--docs", docs, *words)
        assert done.code == code and told in done.err
        assert code != 1 or done.err.splitlines()[-1].startswith("rag-agent: ")

    @pytest.mark.parametrize("content", ["{}", "[]", "not", '{"runs": [{"model": "a", "measures": {"f1": 1}}]}'])
    def test_a_baseline_that_is_none_is_named(
        self, run: Callable[..., Any], questions: Path, docs: Path, tmp_path: Path, content: str
    ) -> None:
        before = tmp_path / "before.json"
        before.write_text(content, encoding="utf-8")
        done = run("eval", questions, "--docs", docs, "--baseline", before)
        assert done.code == 1 and f"{before} is not what" in done.err

    def test_calibrate_prints_the_line_for_the_settings(
        self, run: Callable[..., Any], questions: Path, docs: Path, tmp_path: Path
    ) -> None:
        questions.write_text(questions.read_text(encoding="utf-8") * 5, encoding="utf-8")
        done = run("eval", questions, "--docs", docs, "--calibrate")
        assert done.code == 0 and done.out.startswith("refusal_threshold = 0.")
        Path("rag_agent.toml").write_text(done.out, encoding="utf-8")
        assert Settings.load().refusal_threshold == pytest.approx(float(done.out.split()[-1]))

    def test_no_documents_is_one_line(self, run: Callable[..., Any], questions: Path) -> None:
        done = run("eval", questions)
        assert done.code == 1 and "--docs PATH" in done.err


def test_a_report_is_one_file_with_every_question_and_its_verdict(docs: Path, words: tuple[str, ...]) -> None:
    from rag_agent.evaluation.report import report

    asked = [(Question("Who stayed in orbit?", ("Collins",)),), (Question("Who won the cup in <b>1969</b>?", answerable=False),)]
    settings = Settings.load(home=":memory:")
    with RagAgent(docs, model=ScriptedChat(lambda messages: "?"), embeddings=CountEmbeddings(words), settings=settings) as agent:
        page = report([evaluate(agent, asked)], lambda name, run: f"change of {name}", {"docs": docs})
    assert page.count("<details>") == 2
    assert '<b class="right">right</b> Who stayed in orbit?' in page
    assert '<b class="right">refused</b> Who won the cup in &lt;b&gt;1969&lt;/b&gt;?' in page
    assert "Michael Collins stayed in orbit aboard Columbia." in page
    assert "change of contained" in page
    assert not re.search(r"(src|href)=|url\(|@import|<script", page)
