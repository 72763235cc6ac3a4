"""An index of the format before this one opens, answers, and is brought up to date at the price of what changed."""

import hashlib
import json
import sqlite3
import struct
from pathlib import Path

import pytest

from rag_agent import RagAgent, Settings
from rag_agent.errors import IndexFileError
from rag_agent.index.index import index_path
from rag_agent.testing import CountEmbeddings, ScriptedChat

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    id INTEGER PRIMARY KEY, file TEXT NOT NULL, live INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 BLOB NOT NULL, encoding TEXT NOT NULL, UNIQUE (file, live));
CREATE TABLE texts (file_id INTEGER PRIMARY KEY REFERENCES files ON DELETE CASCADE, text BLOB NOT NULL);
CREATE TABLE vectors (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, vector BLOB NOT NULL);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_id INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
    article INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, page INTEGER,
    vector_id INTEGER NOT NULL REFERENCES vectors);
CREATE INDEX chunks_by_file ON chunks (file_id, article);
CREATE INDEX chunks_by_vector ON chunks (vector_id);
"""
PLAIN = "the bridge opened in 1931 and is two hundred metres long.\n---\nthe tunnel opened in 1950 and is longer than that."
HEADED = "# Ferry\n\nThe ferry sails every hour in summer and twice a day in winter.\n"
EMBEDDINGS = CountEmbeddings(["bridge", "tunnel", "ferry"])


def format_2(path: Path, docs: Path) -> None:
    """What version 0.1 wrote for `docs`: every article of at most 500 characters is a chunk."""
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    with connection:
        connection.executescript(SCHEMA)
        made_with = {"embeddings": EMBEDDINGS.rag_agent_name, "chunk_size": "500", "chunk_overlap": "50", "separator": ""}
        meta = {"format": "2", "version": "0" * 32, **made_with}
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        for file in sorted(docs.iterdir()):
            data, stat = file.read_bytes(), file.stat()
            text = data.decode()
            row = connection.execute(
                "INSERT INTO files (file, live, size, mtime_ns, sha256, encoding) VALUES (?, 1, ?, ?, ?, 'utf-8')",
                (file.name, stat.st_size, stat.st_mtime_ns, hashlib.sha256(data).digest()),
            ).lastrowid
            connection.execute("INSERT INTO texts VALUES (?, ?)", (row, data))
            start = 0
            for article, part in enumerate(text.strip().split("\n---\n")):
                key = hashlib.sha256(f"{EMBEDDINGS.rag_agent_name}\0{part}".encode()).digest()[:16]
                vector = EMBEDDINGS.embed_query(part)
                vector_id = connection.execute(
                    "INSERT INTO vectors (hash, vector) VALUES (?, ?)", (key, struct.pack(f"<{len(vector)}f", *vector))
                ).lastrowid
                connection.execute(
                    'INSERT INTO chunks (file_id, article, start, "end", page, vector_id) VALUES (?, ?, ?, ?, NULL, ?)',
                    (row, article, text.index(part, start), text.index(part, start) + len(part), vector_id),
                )
                start = text.index(part, start) + len(part)
    connection.close()


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "plain.txt").write_text(PLAIN, encoding="utf-8")
    (folder / "headed.md").write_text(HEADED, encoding="utf-8")
    format_2(index_path(tmp_path / "h", folder), folder)
    return folder


def agent(docs: Path) -> RagAgent:
    embeddings = CountEmbeddings(["bridge", "tunnel", "ferry"])
    settings = Settings.load(home=docs.parent / "h", answer="quote")
    return RagAgent(docs, model=ScriptedChat([]), embeddings=embeddings, settings=settings)


def test_it_answers(docs: Path) -> None:
    with agent(docs) as asked:
        answer = asked.ask("When did the bridge open?")
        assert "1931" in answer.text
        (citation, *_) = answer.citations
        assert asked.read(citation.file)[citation.start : citation.end] == citation.quote


def test_only_what_stands_under_a_heading_is_embedded_anew(docs: Path) -> None:
    with agent(docs) as asked:
        report = asked.index()
        assert set(report.updated) == {"plain.txt", "headed.md"} and report.files == 2
        embeddings = asked._given_embeddings
        assert isinstance(embeddings, CountEmbeddings)
        assert not any(text in PLAIN for text in embeddings.documents)
        assert report.embedded == len(embeddings.documents) == 1
        assert asked.index().unchanged == 2
    with agent(docs) as again:
        assert again.ask("When does the ferry sail?").citations[0].section == "Ferry"


def test_it_searches_before_it_is_brought_up_to_date(docs: Path) -> None:
    """Another process is at the update: the texts are there, without their structure."""
    from rag_agent.documents import Splitter
    from rag_agent.index import Index

    made = Index(docs, docs.parent / "h", EMBEDDINGS, EMBEDDINGS.rag_agent_name, Splitter())
    (hit, *_) = made.search([("bridge", 1.0)], 2)
    base, outline = made.outline(hit)
    assert (base, outline.reading.text) == (0, PLAIN)
    assert hit.text == PLAIN[hit.start : hit.end]
    made.close()


def test_it_is_brought_up_to_date_once(docs: Path) -> None:
    path = index_path(docs.parent / "h", docs)
    for _ in range(2):
        with agent(docs) as asked:
            asked.index()
        connection = sqlite3.connect(path)
        assert connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone() == ("3",)
        connection.close()


@pytest.mark.parametrize("found", ["1", "4", "none"])
def test_any_other_format_is_one_line_that_names_the_command(docs: Path, found: str) -> None:
    path = index_path(docs.parent / "h", docs)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'format'", (json.dumps(found).strip('"'),))
    connection.close()
    with agent(docs) as asked, pytest.raises(IndexFileError, match=f"rag-agent index {docs}") as told:
        asked.ask("Who?")
    assert "\n" not in str(told.value)
    with agent(docs) as asked:
        assert asked.index().files == 2  # asked for by name, it is made anew
