"""Questions about the documents themselves: which there are, what is in one, what they are about."""

from collections.abc import Callable
from pathlib import Path

import pytest
from langchain_core.embeddings import Embeddings

from rag_agent import RagAgent, Settings
from rag_agent.grounding.survey import named_files
from rag_agent.models import embeddings
from rag_agent.testing import ScriptedChat

FILES = ("report.txt", "notes/2024-05.md", "faq.md", "price_list.csv", "summary.txt")


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("What is in report.txt?", ("report.txt",)),
        ("What is in REPORT.TXT?", ("report.txt",)),
        ("What does notes/2024-05.md say?", ("notes/2024-05.md",)),
        ("What does 2024-05.md say?", ("notes/2024-05.md",)),
        ("What does price_list say?", ("price_list.csv",)),  # a name that can be nothing else
        ("Compare report.txt and faq.md", ("report.txt", "faq.md")),
        ("What does the report say?", ()),  # a word
        ("Is there a faq?", ()),
        ("What is in myreport.txt?", ()),
        ("What is in report.txt.bak?", ()),
        ("Give me a summary", ()),
        ("", ()),
    ],
)
def test_a_file_is_named_by_its_path_or_its_name(question: str, named: tuple[str, ...]) -> None:
    assert set(named_files(question, FILES)) == set(named)


# --- with the embedded model --------------------------------------------------------------------------------------------

TEXTS = {
    "pump.md": "# The pump\n\nThe pump moves water from the well to the house. It runs on solar power.\n\n"
    "To clean it:\n\n1. Unplug it.\n2. Open the lid.\n3. Rinse the filter.\n",
    "garden.txt": "The garden has roses and an old apple tree. The roses are watered every evening in summer.\n",
    "bees.txt": "The bees live in three hives behind the barn. Honey is taken in July. The hives were painted white in 2019.\n",
}


@pytest.fixture(scope="module")
def minilm(embedded_models: dict[str, Path]) -> Embeddings:
    """The embedded embedding model, loaded once."""
    return embeddings(f"huggingface:{embedded_models['all-MiniLM-L6-v2']}")


@pytest.fixture
def agent(tmp_path: Path, minilm: Embeddings) -> Callable[..., RagAgent]:
    def agent(texts: dict[str, str]) -> RagAgent:
        (tmp_path / "docs").mkdir()
        for name, text in texts.items():
            (tmp_path / "docs" / name).write_text(text, encoding="utf-8")
        return RagAgent(
            tmp_path / "docs", settings=Settings.load(home=":memory:", answer="quote"), model=ScriptedChat([]), embeddings=minilm
        )

    return agent


@pytest.mark.model
class TestAsked:
    @pytest.mark.parametrize("question", ["Which files do you have?", "what documents are there", "Welke bestanden zijn er?"])
    def test_which_files_there_are(self, agent: Callable[..., RagAgent], question: str) -> None:
        with agent(TEXTS) as asked:
            answer = asked.ask(question)
        assert not answer.refused
        assert [sentence.text.partition(":")[0] for sentence in answer.sentences] == ["bees.txt", "garden.txt", "pump.md"]
        assert not any("\n" in sentence.text for sentence in answer.sentences), "a line a file"

    def test_files_past_what_is_listed_are_counted(self, agent: Callable[..., RagAgent]) -> None:
        with agent({f"{n:02}.txt": f"The number of this file is {n}." for n in range(25)}) as asked:
            answer = asked.ask("Which files do you have?")
        assert len(answer.sentences) == 20 and "20 of 25 files are listed" in answer.left_out

    @pytest.mark.parametrize("question", ["What is in bees.txt?", "Summarise bees.txt", "What does bees.txt say?"])
    def test_what_is_in_a_file_is_told_from_it_alone(self, agent: Callable[..., RagAgent], question: str) -> None:
        with agent(TEXTS) as asked:
            answer = asked.ask(question)
        assert not answer.refused and {citation.file for citation in answer.citations} == {"bees.txt"}
        assert [citation.start for citation in answer.citations] == sorted(citation.start for citation in answer.citations)

    def test_what_a_few_files_are_about_is_told_from_each(self, agent: Callable[..., RagAgent]) -> None:
        with agent(TEXTS) as asked:
            answer = asked.ask("What is this folder about?")
        assert not answer.refused and {citation.file for citation in answer.citations} == set(TEXTS)

    def test_a_summary_tells_nothing_twice(self, agent: Callable[..., RagAgent]) -> None:
        with agent(TEXTS) as asked:
            answer = asked.ask("Summarise pump.md")
        assert answer.text.count("Rinse the filter") <= 1

    def test_a_folder_of_many_files_is_told_by_how_they_begin(self, agent: Callable[..., RagAgent]) -> None:
        texts = {f"{n}.txt": f"Chapter {n} is about the bees in hive {n}. It is long." for n in range(9)}
        with agent(texts) as asked:
            answer = asked.ask("What are these documents about?")
        assert len(answer.sentences) == 6 and any("6 of 9 files" in note for note in answer.left_out)

    @pytest.mark.parametrize(
        ("question", "holds"),
        [
            ("What is the garden about?", ""),
            ("How many hives are there?", "three hives"),
            ("Which colour do the hives have?", "white"),
            ("What is in the garden?", "roses"),
            ("What does the pump do?", "moves water"),
        ],
    )
    def test_a_question_that_merely_resembles_these_is_none(
        self, agent: Callable[..., RagAgent], question: str, holds: str
    ) -> None:
        with agent(TEXTS) as asked:
            answer = asked.ask(question)
        assert holds in answer.text
        assert not all(name in answer.text for name in TEXTS), "it lists no files"

    def test_a_question_about_a_named_file_is_searched_for_there_alone(self, agent: Callable[..., RagAgent]) -> None:
        with agent({**TEXTS, "other.txt": "The hives were painted blue in 2021."}) as asked:
            first = asked.ask("When were the hives painted, according to other.txt?")
            assert {hit.file for hit in first.context} == {"other.txt"} and "2021" in first.text
            second = asked.ask("When were the hives painted, according to bees.txt?")
            assert {hit.file for hit in second.context} == {"bees.txt"} and "2019" in second.text
