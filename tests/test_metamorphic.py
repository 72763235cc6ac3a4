"""What must not change an answer: other files, the name of the file, the length of its lines."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from rag_agent import RagAgent, Settings
from rag_agent.testing import CountEmbeddings, ScriptedChat

CASES = {
    "prose": (
        "bridge.txt",
        "The bridge of Alder was opened in 1894 by Anna Lund. Tolls were paid until the war. Forty masons built it in all.\n",
        "Who opened the bridge of Alder?",
        "The bridge of Alder was opened in 1894 by Anna Lund.",
    ),
    "table": (
        "prices.md",
        "# Prices\n\n| Part | Price |\n|---|---|\n| TX-300 | 690 |\n| TX-400 | 790 |\n",
        "What is the price of TX-400?",
        "Part: TX-400; Price: 790",
    ),
    "list": (
        "pump.md",
        "# Pump\n\nTo clean the pump, do this:\n\n1. Unplug it.\n2. Open the lid.\n3. Rinse the filter.\n",
        "How do I clean the pump?",
        "To clean the pump, do this:\n1. Unplug it.\n2. Open the lid.\n3. Rinse the filter.",
    ),
    "question and answer": (
        "faq.md",
        "# Questions\n\nShould I commit the settings file?\n\nNo.\n\nWhere do backups go?\n\nTo the cellar.\n",
        "Should I commit the settings file?",
        "No.",
    ),
}
OTHERS = {
    "birds.txt": "Herons nest in high trees near still water. They return in spring and leave with the first frost.\n",
    "bread.md": "# Bread\n\nFlour, salt and yeast are kneaded for ten minutes.\n\n- rye\n- wheat\n",
    "clouds.csv": "name,height\ncirrus,9000\nstratus,500\n",
    "music.txt": "A quartet has four players. The viola is larger than the violin. Strings were once made of gut.\n",
}


@pytest.fixture
def shown(tmp_path: Path) -> Callable[..., list[str]]:
    """What is shown for a question, over some files."""

    def shown(question: str, files: dict[str, str]) -> list[str]:
        docs = tmp_path / f"docs{len(list(tmp_path.iterdir()))}"
        docs.mkdir()
        for name, text in files.items():
            (docs / name).write_text(text, encoding="utf-8")
        embeddings = CountEmbeddings(["bridge", "price", "pump", "settings", "heron", "bread"])
        settings = Settings.load(home=":memory:", answer="quote")
        with RagAgent(docs, model=ScriptedChat([]), embeddings=embeddings, settings=settings) as agent:
            return [sentence.text for sentence in agent.ask(question).sentences]

    return shown


@pytest.mark.parametrize("case", CASES)
def test_a_clear_question_has_a_clear_answer(shown: Callable[..., list[str]], case: str) -> None:
    name, text, question, wanted = CASES[case]
    assert wanted in shown(question, {name: text})


@pytest.mark.parametrize("case", CASES)
def test_unrelated_files_change_nothing(shown: Callable[..., list[str]], case: str) -> None:
    name, text, question, _ = CASES[case]
    assert shown(question, {name: text, **OTHERS}) == shown(question, {name: text})


@pytest.mark.parametrize("case", CASES)
def test_another_name_of_the_file_changes_nothing(shown: Callable[..., list[str]], case: str) -> None:
    name, text, question, _ = CASES[case]
    suffix = name[name.index(".") :]
    assert shown(question, {f"zzz{suffix}": text, **OTHERS}) == shown(question, {name: text, **OTHERS})


@pytest.mark.parametrize("width", [20, 40, 70])
def test_the_length_of_lines_changes_nothing(shown: Callable[..., list[str]], width: int) -> None:
    name, text, question, _ = CASES["prose"]
    wrapped = "\n".join(textwrap.wrap(text, width))
    told = [" ".join(one.split()) for one in shown(question, {name: wrapped, **OTHERS})]
    assert told == shown(question, {name: text, **OTHERS})


@pytest.mark.parametrize("case", CASES)
def test_a_copy_of_the_file_changes_nothing(shown: Callable[..., list[str]], case: str) -> None:
    name, text, question, _ = CASES[case]
    assert shown(question, {name: text, f"copy_of_{name}": text}) == shown(question, {name: text})


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("change", [str.lower, lambda q: f"  {q}\n", lambda q: q.rstrip("?")], ids=["lower", "spaces", "no mark"])
def test_how_a_question_is_typed_changes_nothing(
    shown: Callable[..., list[str]], case: str, change: Callable[[str], str]
) -> None:
    name, text, question, wanted = CASES[case]
    assert wanted in shown(change(question), {name: text, **OTHERS})
