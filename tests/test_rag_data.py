"""The sample documents and their questions are what they claim to be."""

import json
from pathlib import Path
from typing import Any

import pytest

from rag_agent.documents import article_spans, read_text


@pytest.fixture(scope="module")
def lines(rag_data: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (rag_data / "questions.jsonl").read_text(encoding="utf-8").splitlines()]


def single(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if "question" in line]


def test_there_are_as_many_questions_as_were_promised(lines: list[dict[str, Any]]) -> None:
    conversations = [line for line in lines if "turns" in line]
    assert len(single(lines)) + len(conversations) == len(lines)
    assert len(lines) >= 30
    assert len([line for line in single(lines) if not line["answerable"]]) >= 8
    assert len(conversations) >= 6
    assert all(len(conversation["turns"]) > 1 for conversation in conversations)


def test_every_answer_stands_in_the_article_it_names(rag_data: Path, lines: list[dict[str, Any]]) -> None:
    turns = [turn for line in lines for turn in line.get("turns", [line])]
    checked = 0
    for turn in turns:
        if not turn.get("answerable", True) or not turn["answers"]:
            continue
        text, _ = read_text(rag_data / turn["file"])
        start, end = article_spans(text)[turn["article"]]
        article = " ".join(text[start:end].replace("-\n", "").split()).casefold()
        assert any(answer.casefold() in article for answer in turn["answers"]), turn["question"]
        checked += 1
    assert checked >= 50


def test_each_page_holds_several_articles(rag_data: Path) -> None:
    pages = sorted(rag_data.glob("*.txt"))
    assert len(pages) == 4
    for page in pages:
        assert len(article_spans(read_text(page)[0])) >= 3


def test_one_page_looks_scanned(rag_data: Path) -> None:
    text, _ = read_text(rag_data / "1969-07-25_daily_scan.txt")
    assert text.count("-\n") > 5  # words broken at the ends of lines
    assert max(len(line) for line in text.splitlines()) < 80


def test_no_user_state_lies_among_the_documents(rag_data: Path) -> None:
    assert {path.suffix for path in rag_data.iterdir()} == {".txt", ".jsonl"}
