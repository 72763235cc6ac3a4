"""The shipped notebook runs from top to bottom, and notebooks show answers as they stand."""

import asyncio
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag_agent import RagAgent, Settings
from rag_agent.testing import CountEmbeddings, ScriptedChat
from tests.conftest import ROOT


@pytest.mark.model
def test_the_tour_runs(embedded: Callable[..., Any], rag_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    if sys.platform == "win32":
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    shutil.copytree(rag_data, "rag_data")
    notebook = nbformat.read(ROOT / "graphs" / "tour.ipynb", as_version=4)
    assert not [cell for cell in notebook.cells if cell.get("outputs")]  # it is shipped clean
    done = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(Path.cwd())}}
    ).execute()
    shown = [output.get("data", {}) for cell in done.cells for output in cell.get("outputs", [])]
    pages = [data["text/html"] for data in shown if "text/html" in data]
    assert any("Michael Collins stayed in lunar orbit" in page for page in pages)
    assert any("Rome" in page for page in pages)
    assert any("```mermaid" in str(data.get("text/markdown")) for data in shown)
    assert any("(True, None, " in str(data.get("text/plain")) for data in shown)


def test_an_answer_is_shown_with_its_standing_and_no_markup_of_documents(docs: Path, words: tuple[str, ...]) -> None:
    (docs / "moon.txt").write_text("Collins <b>stayed</b> in orbit & waited.", encoding="utf-8")
    settings = Settings.load(home=":memory:")
    with RagAgent(docs, model=ScriptedChat(lambda messages: "?"), embeddings=CountEmbeddings(words), settings=settings) as agent:
        page = agent.ask("Who stayed in orbit?")._repr_html_()
        assert "scripted" in agent._repr_html_()
    assert "Collins &lt;b&gt;stayed&lt;/b&gt; in orbit &amp; waited." in page
    assert "<b>" not in page
    assert "quote</small>" in page


def test_chat_asks_until_an_empty_line(
    docs: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter(["Who stayed in orbit?", "Where was he born?", ""])
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    settings = Settings.load(home=":memory:")
    with RagAgent(docs, model=ScriptedChat(lambda messages: "?"), embeddings=CountEmbeddings(words), settings=settings) as agent:
        agent.chat()
    assert "Rome" in capsys.readouterr().out
