"""Turns of conversations whose words are taken out, in every checkpoint and every copy, so that they are in no file."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from rag_agent.memory import summaries
from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.memory.locks import ThreadLocks
from rag_agent.memory.rows import Rows, read_rows, write_rows
from rag_agent.memory.transcript import ANSWER_KEY, CITATIONS_KEY

FORGOTTEN = "[forgotten]"
"""What stands in place of what was forgotten."""

_TABLES = ("pending", "snapshots", "lines", "parts")


def redact(saver: Checkpointer, locks: ThreadLocks, texts: Collection[str], ids: Collection[str]) -> Sequence[tuple[str, int]]:
    """Replace the question and reply of every turn that says one of some texts, or whose answer rests on one of some memories.

    Args:
        saver: Whose conversations.
        locks: A conversation is changed when no turn of it is under way.
        texts: Statements; white space and case make no difference.
        ids: Of memories.

    Returns:
        The thread and the number of questions and replies that were replaced, for each thread that had any.
    """
    wanted = {_plain(text) for text in texts if text.strip()} | {f'"id": "{one}"' for one in ids}
    changed = []
    with saver.database.reading() as connection:
        threads = connection.execute("SELECT thread_id FROM threads ORDER BY key").fetchall()
    for (thread_id,) in threads:
        with locks.hold(thread_id), saver.transaction() as connection:
            row = connection.execute("SELECT key FROM threads WHERE thread_id = ?", (thread_id,)).fetchone()
            if row and (count := _redact_thread(saver, connection, row[0], wanted)):
                changed.append((thread_id, count))
    if changed:
        saver.forget_remembered()
        summaries.forget()
    return changed


def _redact_thread(saver: Checkpointer, connection: sqlite3.Connection, thread: int, wanted: Collection[str]) -> int:
    rows = read_rows(connection, thread)
    values = {number: saver.serde.loads_typed((kind, data)) for number, _, kind, data in rows.parts}
    messages = {number for number, value in values.items() if isinstance(value, BaseMessage)}
    said = {number for number, value in values.items() if _says(value, wanted)}
    for left, right in _neighbours(rows):
        if {left, right} & said and isinstance(values[left], HumanMessage) and isinstance(values[right], AIMessage):
            said |= {left, right}
    pending = [row for row in rows.pending if not _says(saver.serde.loads_typed((row[6], row[7])), wanted)]
    named = connection.execute("SELECT title, asking FROM threads WHERE key = ?", (thread,)).fetchone()
    columns = [None if text and _says(text, wanted) else text for text in named]
    if not said and len(pending) == len(rows.pending) and columns == [*named]:
        return 0

    def replaced(row: tuple[Any, ...]) -> tuple[Any, ...]:
        if row[0] not in said:
            return row
        kind, data = saver.serde.dumps_typed(_forgotten(values[row[0]], lambda text: _says(text, wanted)))
        return row[0], hashlib.sha256(kind.encode() + b"\0" + data).digest(), kind, data

    rows.parts, rows.pending = [replaced(row) for row in rows.parts], pending
    # Other processes remember what the numbers of parts and lines stand for, so all get new ones.
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE thread = ?", (thread,))
    write_rows(connection, thread, rows)
    connection.execute("UPDATE threads SET title = ?, asking = ? WHERE key = ?", (*columns, thread))
    saver.describe(connection, thread)
    return len(said & messages)


def _neighbours(rows: Rows) -> Sequence[tuple[int, int]]:
    """The parts that follow each other in a conversation."""
    parts = {number: part for number, _, part in rows.lines}
    return [(parts[previous], part) for _, previous, part in rows.lines if previous is not None]


def _says(value: Any, wanted: Collection[str]) -> bool:
    """Whether a text says one of some statements, or a value holds such a text."""
    if isinstance(value, str):
        plain = _plain(value)
        return any(text in plain for text in wanted)
    if isinstance(value, BaseMessage):
        return _says(value.content, wanted) or _says(value.additional_kwargs, wanted)
    if isinstance(value, dict):
        return any(_says(one, wanted) for one in value.values())
    if isinstance(value, list | tuple):
        return any(_says(one, wanted) for one in value)
    content = getattr(value, "page_content", None)
    return isinstance(content, str) and _says(content, wanted)


def _forgotten(value: Any, says: Callable[[str], bool]) -> Any:
    """A value without its words: a message keeps its kind and ID; of plain values the texts are replaced that say it."""
    if isinstance(value, AIMessage):
        return AIMessage(FORGOTTEN, id=value.id, additional_kwargs=_emptied(value))
    if isinstance(value, BaseMessage):
        return type(value)(content=FORGOTTEN, id=value.id)
    if isinstance(value, str):
        return FORGOTTEN if says(value) else value
    if isinstance(value, dict):
        return {name: _forgotten(one, says) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_forgotten(one, says) for one in value)
    return FORGOTTEN  # a document or any other object that says it


def _emptied(reply: AIMessage) -> dict[str, Any]:
    """What a reply keeps of its `Answer`: what kind it was."""
    kept = reply.additional_kwargs.get(ANSWER_KEY)
    if not kept:
        return {}
    values = json.loads(kept) if isinstance(kept, str) else kept
    answer = {"text": FORGOTTEN, "kind": values["answer"]["kind"], "question": FORGOTTEN, "query": FORGOTTEN}
    return {ANSWER_KEY: json.dumps({"answer": answer, "docs": values.get("docs"), "files": {}}), CITATIONS_KEY: []}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
