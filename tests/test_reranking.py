"""A reranker: a cross-encoder that puts the passages of a search in their last order."""

import math
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from rag_agent import RagAgent, Settings
from rag_agent.answers import Hit
from rag_agent.documents import Splitter
from rag_agent.errors import ModelNotFoundError, SettingsError
from rag_agent.index import Index, RerankedLibrary, VectorStoreLibrary
from rag_agent.index.library import Queries
from rag_agent.index.tokens import Analyser
from rag_agent.models.cross_encoder import RelevanceScorer
from rag_agent.testing import CountEmbeddings, ScriptedChat

WORDS = Analyser()
WITH, WITHOUT = 2 + 10 * math.tanh(math.sqrt(2)), 2.0  # the logits of the encoder that looks for "cheese"


@pytest.fixture(scope="module")
def relevance(tmp_path_factory: pytest.TempPathFactory, cross_encoder: Callable[..., Path]) -> Path:
    return cross_encoder(tmp_path_factory.mktemp("relevance"), {0: "relevance"}, weight=10.0)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Eighteen articles on the moon, of which two name cheese, and a search for the moon finds those neither first nor second."""
    docs = tmp_path / "pages.txt"
    articles = [f"The moon, moon number {n}." for n in range(16)] + ["The moon is not of cheese.", "Cheese, said the moon."]
    docs.write_text("\n---\n".join(articles), encoding="utf-8")
    return docs


def agent(docs: Path, reranker: str | None = None, model: Any = None, **settings: Any) -> RagAgent:
    chosen = Settings.load(home=":memory:", reranker=reranker, **settings)
    return RagAgent(docs, model=model or ScriptedChat([]), embeddings=CountEmbeddings(["moon", "cheese"]), settings=chosen)


class Shelf(VectorStoreLibrary):
    """A library of numbered texts in the order of their numbers."""

    root = "/shelf"  # type: ignore[assignment]
    name = "the shelf"

    def __init__(self) -> None:
        self.asked: list[tuple[Queries, int]] = []

    def search(self, queries: Queries, k: int, within: Collection[str] = ()) -> list[Hit]:
        self.asked.append((queries, k))
        texts = ["x" * (n % 5) for n in range(30)]
        return [Hit(f"{n}.txt", n, 0, len(t), t, 1 / (n + 1), n, n / 100) for n, t in enumerate(texts[:k])]

    def fingerprint(self, file: str) -> str | None:
        return f"fingerprint of {file}"

    def words(self) -> Analyser:
        return WORDS

    def idf(self, term: str) -> float:
        return float(len(term))


# --- the library --------------------------------------------------------------------------------------------------------


def test_the_best_by_the_scorer_come_first_and_ties_stay_in_the_order_of_the_search() -> None:
    shelf, seen = Shelf(), []

    def length(query: str, texts: Sequence[str]) -> list[float]:
        seen.append(query)
        return [10.0 * len(text) for text in texts]

    library = RerankedLibrary(shelf, length)
    queries = [("in full", 1.0), ("as typed", 0.5)]
    hits = library.search(queries, 6)
    assert [hit.file for hit in hits] == ["4.txt", "9.txt", "14.txt", "19.txt", "3.txt", "8.txt"]  # of 24, by length
    assert hits[1] == Hit("9.txt", 9, 0, 4, "xxxx", 40.0, 9, 0.09)
    assert seen == ["in full"]
    assert shelf.asked == [(queries, 24)]
    assert [hit.file for hit in library.search(queries, 1)] == ["4.txt"]
    assert shelf.asked[1][1] == 20


def test_everything_else_is_asked_of_the_library_within() -> None:
    library = RerankedLibrary(Shelf(), lambda query, texts: [0.0 for _ in texts])
    hit = library.search([("x", 1.0)], 1)[0]
    assert (library.name, library.root, library.words(), library.idf("moon")) == ("the shelf", "/shelf", WORDS, 4.0)
    base, outline = library.outline(hit)
    assert (base, outline.reading.text, library.fingerprint("a")) == (hit.start, hit.text, "fingerprint of a")


def test_nothing_found_is_not_scored(tmp_path: Path) -> None:
    docs = tmp_path / "a.txt"
    docs.write_text("Moon.", encoding="utf-8")
    library = RerankedLibrary(Index(docs, None, CountEmbeddings(), "counts", Splitter()), lambda query, texts: [1 / len(texts)])
    assert library.search([("moon", 1.0)], 3) == []  # of an index that was not made yet


# --- the cross-encoder --------------------------------------------------------------------------------------------------


def test_a_score_is_the_logit_of_the_one_label(relevance: Path) -> None:
    score = RelevanceScorer(str(relevance), Settings.load())
    texts = ["moon " * n + ("cheese" if n % 3 == 0 else "") for n in range(40)]  # three batches of many lengths
    assert score("Of what?", texts) == pytest.approx([WITH if n % 3 == 0 else WITHOUT for n in range(40)], abs=1e-4)
    assert score("Of what?", ["moon " * 500])[0] == pytest.approx(WITHOUT, abs=1e-4)  # what is too long is cut


def test_a_score_is_the_log_probability_of_the_last_of_several_labels(tmp_path: Path, cross_encoder: Callable[..., Path]) -> None:
    folder = cross_encoder(tmp_path / "two", {0: "no", 1: "yes"}, weight=10.0)
    with_it, without = RelevanceScorer(str(folder), Settings.load())("Of what?", ["Cheese.", "Moon."])
    assert with_it == pytest.approx(WITH - math.log(math.exp(WITH) + 1), abs=1e-4)
    assert without == pytest.approx(WITHOUT - math.log(math.exp(WITHOUT) + 1), abs=1e-4)


def test_it_is_loaded_at_the_first_call_and_many_threads_may_call(relevance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForSequenceClassification as Auto

    loaded, results = [], []
    load = Auto.from_pretrained

    def noted(*given: Any, **options: Any) -> Any:
        loaded.append(given)
        return load(*given, **options)

    monkeypatch.setattr(Auto, "from_pretrained", noted)
    score = RelevanceScorer(str(relevance), Settings.load())
    assert not loaded

    def work(number: int) -> None:
        results.append(score("Of what?", ["moon " * number, "cheese"]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 1
    assert results == [pytest.approx([WITHOUT, WITH], abs=1e-4)] * 8


def test_a_folder_without_a_classifier_is_told_in_one_line(tmp_path: Path, pages: Path, cross_encoder: Any) -> None:
    headless = cross_encoder(tmp_path / "headless", {0: "relevance"}, headless=True)
    for folder, told in ((headless, "reranker: .*has no weights of a classifier"), (tmp_path / "none", "none: no such folder")):
        with agent(pages, f"huggingface:{folder}") as asked, pytest.raises(ModelNotFoundError, match=told) as error:
            asked.search("moon")
        assert "\n" not in str(error.value)


# --- where it is set ----------------------------------------------------------------------------------------------------


def test_a_search_is_put_in_another_order(pages: Path, relevance: Path) -> None:
    with agent(pages) as plain, agent(pages, f"huggingface:{relevance}") as asked:
        before, hits = plain.search("the moon", 12), asked.search("the moon", 12)
    assert not any("heese" in hit.text for hit in before[:2])
    assert ["heese" in hit.text for hit in hits] == [True] * 2 + [False] * 10
    assert [hit.score for hit in hits] == pytest.approx([WITH] * 2 + [WITHOUT] * 10, abs=1e-4)
    similarity = {hit.text: hit.similarity for hit in before}
    assert all(hit.similarity == similarity[hit.text] for hit in hits if hit.text in similarity)


def test_an_answer_is_made_from_what_the_reranker_chose(pages: Path, relevance: Path) -> None:
    with agent(pages, f"huggingface:{relevance}", k=2, answer="quote") as asked:
        answer = asked.ask("What is the moon?")
    assert len(answer.citations) and all("heese" in citation.quote for citation in answer.citations)


@pytest.mark.parametrize("name", ["", "none", "builtin", "huggingface:", "ollama:x"])
def test_an_unknown_reranker_is_told_in_one_line(name: str) -> None:
    with pytest.raises(SettingsError, match="reranker: .* is no reranker; name huggingface:<id or folder>, or leave it out"):
        Settings.load(reranker=name)
    assert Settings.load().reranker is None


def test_the_commands_take_a_reranker(run: Callable[..., Any], docs: Path) -> None:
    told = "rag-agent: reranker: 'nobody' is no reranker; name huggingface:<id or folder>, or leave it out\n"
    for words in (("ask", "Who?"), ("chat",), ("search", "moon")):
        done = run(*words, "--docs", docs, "--reranker", "nobody")
        assert (done.code, done.out, done.err) == (1, "", told)
