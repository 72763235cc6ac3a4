"""Exports and rows that were made to break something: one line that names the thread, nothing kept, all others spared."""

import base64
import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from rag_agent import RagAgent
from rag_agent.errors import ThreadError
from rag_agent.memory.transfer import _checksum
from rag_agent.testing import CountEmbeddings, ScriptedChat

SERDE = JsonPlusSerializer(allowed_msgpack_modules=None)


def agent(home: Path, docs: Path | None = None) -> RagAgent:
    return RagAgent(docs, model=ScriptedChat(lambda messages: "Yes."), embeddings=CountEmbeddings(("moon", "water")), home=home)


@pytest.fixture
def exported(tmp_path: Path, docs: Path) -> dict[str, Any]:
    """A conversation with a quote, from another home."""
    from rag_agent import Settings

    settings = Settings.load(answer="quote", home=tmp_path / "theirs")
    with RagAgent(docs, model=ScriptedChat([]), embeddings=CountEmbeddings(("moon", "water")), settings=settings) as theirs:
        assert theirs.ask("Who landed on the Moon in 1969?", thread_id="t").citations
        found: dict[str, Any] = json.loads(theirs.threads.export("t"))
    return found


def with_answer(content: dict[str, Any], change: Callable[[AIMessage], AIMessage]) -> str:
    """The export with another reply, its hashes and checksum right."""
    for row in content["rows"]["parts"]:
        message = SERDE.loads_typed((row[2], base64.b64decode(row[3]["base64"])))
        if isinstance(message, AIMessage):
            kind, data = SERDE.dumps_typed(change(message))
            row[1] = {"base64": base64.b64encode(hashlib.sha256(kind.encode() + b"\0" + data).digest()).decode()}
            row[2:] = [kind, {"base64": base64.b64encode(data).decode()}]
    return sealed(content)


def sealed(content: dict[str, Any]) -> str:
    content.pop("sha256", None)
    return json.dumps({**content, "sha256": _checksum(content)})


def kept(values: Any) -> Callable[[AIMessage], AIMessage]:
    return lambda message: message.model_copy(update={"additional_kwargs": {"rag_agent": values}})


ODD: list[Any] = [
    "{", "3", "null", "[]", "[" * 50_000, json.dumps({"answer": 3, "docs": None}), {"answer": {}}, 3, ["x"],
    json.dumps({"answer": {"text": "x", "kind": "no kind"}, "docs": None}),
    json.dumps({"answer": {"text": 3, "kind": "chat"}, "docs": None}),
    json.dumps({"answer": {"text": "x", "kind": "quote", "citations": [3]}, "docs": None}),
    json.dumps({"answer": {"text": "x", "kind": "quote", "citations": [{"file": 3}]}, "docs": None}),
    json.dumps({"answer": {"text": "x", "kind": "chat", "left_out": 5}, "docs": None}),
    json.dumps({"answer": {"text": "x", "kind": "chat"}, "docs": 3}),
    json.dumps({"answer": {"text": "x", "kind": "chat"}, "docs": "/", "files": ["a"]}),
    json.dumps({"answer": {"text": "x", "kind": "chat"}, "docs": "/", "files": {"a": 3}}),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_an_export_with_an_odd_answer_is_refused_whole(exported: dict[str, Any], odd: Any, tmp_path: Path) -> None:
    with agent(tmp_path / "ours") as ours:
        ours.ask("Hello?", thread_id="mine")
        with pytest.raises(ThreadError, match="cannot be read") as caught:
            ours.threads.import_(with_answer(exported, kept(odd)))
        assert "\n" not in str(caught.value)
        assert [thread.thread_id for thread in ours.threads.list("hello")] == ["mine"]
        assert not ours.threads.stale()


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["rows"]["lines"][0].__setitem__(1, content["rows"]["lines"][-1][0]),
        lambda content: content["rows"]["snapshots"][0].__setitem__(6, "metadata"),
        lambda content: content["rows"]["snapshots"][0].__setitem__(4, "json"),
        lambda content: content["rows"]["snapshots"][0].__setitem__(2, None),
        lambda content: content["rows"]["snapshots"][0].__setitem__(0, 10**30),
        lambda content: content["rows"]["channels"].append([1, "x", None, None]),
        lambda content: content["rows"].__setitem__("snapshots", []),
        lambda content: content["rows"].__setitem__("parts", None),
        lambda content: content["rows"].__setitem__("more", []),
        lambda content: content.__setitem__("rows", "x"),
        lambda content: content.__setitem__("title", ["x"]),
        lambda content: content.__setitem__("title", "\ud800"),
        lambda content: content.__setitem__("thread_id", ""),
        lambda content: content.pop("thread_id"),
        lambda content: content["rows"]["parts"].append([99, None, 3, "x"]),
    ],
    ids=range(15),
)
def test_an_export_with_odd_rows_is_refused_whole(
    exported: dict[str, Any], change: Callable[[dict[str, Any]], Any], tmp_path: Path
) -> None:
    change(exported)
    with agent(tmp_path / "ours") as ours:
        with pytest.raises(ThreadError) as caught:
            ours.threads.import_(sealed(exported))
        assert "\n" not in str(caught.value) and "threads check" not in str(caught.value)
        assert not ours.threads.list() and not ours.threads.check()


def test_quotes_of_an_import_are_told_as_not_checked_and_lead_to_no_files(exported: dict[str, Any], tmp_path: Path) -> None:
    with agent(tmp_path / "ours") as ours:
        ours.threads.import_(sealed(exported))
        [turn] = ours.threads.show("t")
        assert any("imported, not checked" in line for line in turn.answer.left_out)
        assert turn.answer.citations and turn.docs is None and not turn.files
        assert "imported, not checked" in ours.threads.export("t", "markdown")


def test_quotes_of_an_import_that_stand_in_documents_of_this_home_are_checked(
    exported: dict[str, Any], tmp_path: Path, docs: Path
) -> None:
    with agent(tmp_path / "ours", docs) as ours:
        ours.index()
        ours.threads.import_(sealed(exported))
        [turn] = ours.threads.show("t")
        assert not any("imported" in line for line in turn.answer.left_out) and turn.docs == str(docs)
        text = (docs / "moon.txt").read_text(encoding="utf-8")
        (docs / "moon.txt").write_text(text.replace("Armstrong", "Someone else"), encoding="utf-8")
        ours.threads.import_(sealed(exported), "changed")
        [turn] = ours.threads.show("changed")
        assert any("imported, not checked" in line for line in turn.answer.left_out)


BREAK = {
    "a cycle": "UPDATE lines SET previous = (SELECT max(id) FROM lines WHERE thread = 1) WHERE thread = 1",
    "no metadata": "UPDATE snapshots SET metadata = x'00' WHERE thread = 1",
    "a list as metadata": "UPDATE snapshots SET metadata = '[]' WHERE thread = 1",
    "an odd type": "UPDATE snapshots SET type = 'strange' WHERE thread = 1",
    "an odd type of a part": "UPDATE parts SET type = 'pickle' WHERE thread = 1",
    "no bytes": "UPDATE parts SET value = x'' WHERE thread = 1",
    "text for bytes": "UPDATE parts SET value = 'text' WHERE thread = 1",
    "lost parts": "DELETE FROM parts WHERE thread = 1",
    "lost lines": "DELETE FROM lines WHERE thread = 1",
    "no checkpoint": "UPDATE snapshots SET checkpoint = x'80' WHERE thread = 1",
}


@pytest.mark.parametrize("how", BREAK)
def test_broken_rows_name_their_thread_and_spare_the_others(how: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with agent(tmp_path / "h") as made:
        for thread in ("broken", "whole"):
            made.ask("Hello?", thread_id=thread)
            made.ask("Hello again?", thread_id=thread)
    with sqlite3.connect(tmp_path / "h" / "threads.sqlite") as connection:
        connection.execute(BREAK[how])
    connection.close()
    with agent(tmp_path / "h") as opened:
        assert [thread.thread_id for thread in opened.threads.list("hello") if thread.thread_id != "broken"] == ["whole"]
        assert any("broken" in line and "\n" not in line for line in caplog.messages)
        assert not opened.threads.stale()
        assert len(opened.threads.show("whole")) == 2
        with pytest.raises(ThreadError, match="broken") as caught:
            opened.threads.show("broken")
        assert "\n" not in str(caught.value)
        with pytest.raises(ThreadError):
            opened.ask("And now?", thread_id="broken")
        assert opened.ask("And now?", thread_id="whole").text == "Yes."
        assert opened.threads.check()
        opened.threads.list()
    with agent(tmp_path / "h") as opened:
        assert len(opened.threads.show("whole")) == 3
