"""Conversations as files: JSON that another home can open, and Markdown for readers."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from rag_agent import __version__
from rag_agent.documents import Reader
from rag_agent.errors import ThreadError
from rag_agent.index.index import index_path
from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.memory.rows import Rows, read_rows, thread_key, write_rows
from rag_agent.memory.stale import quote_stands
from rag_agent.memory.transcript import ANSWER_KEY, Turn, turn_messages, turns
from rag_agent.prompts import IMPORTED
from rag_agent.visible import visible_json, visible_line, visible_markdown

FORMAT = "rag-agent thread 1"
_TYPES = {"null", "empty", "bytes", "bytearray", "msgpack"}  # others might run code when they are read


def to_json(saver: Checkpointer, thread_id: str, turns: list[Turn]) -> str:
    """A conversation with all its checkpoints, its transcript in plain words, and a checksum over both."""
    with saver.database.reading() as connection:
        found = connection.execute("SELECT key, title FROM threads WHERE thread_id = ?", (thread_id,)).fetchone()
        rows = read_rows(connection, found[0])
    content: dict[str, Any] = {
        "format": FORMAT,
        "written_by": f"rag-agent {__version__}",
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "thread_id": thread_id,
        "title": found[1],
        "transcript": [{"question": turn.question, "answer": turn.answer.to_dict(), "docs": turn.docs} for turn in turns],
        "rows": {table: [[_packed(value) for value in row] for row in held] for table, held in vars(rows).items()},
    }
    return visible_json({**content, "sha256": _checksum(content)}, indent=1)


def from_json(saver: Checkpointer, text: str, thread_id: str | None = None) -> str:
    """Take over an exported conversation; all of it or nothing.

    Args:
        saver: Where it is kept from now on.
        text: What `to_json` wrote.
        thread_id: Another ID for it.

    Returns:
        The thread's ID.

    Raises:
        ThreadError: It is no export, was changed since, cannot be read, or the ID is taken.
    """
    content = _checked(text)
    try:
        thread_id = str(thread_id or content["thread_id"])
        rows = Rows(**{table: [tuple(map(_unpacked, row)) for row in held] for table, held in content["rows"].items()})
        _refuse_unsafe(rows)
        title = content["title"]
        if not isinstance(title, str | None) or not thread_id.strip():
            raise ValueError("its title or ID is no text")
        f"{title}{thread_id}".encode()  # half a character is no text either
        rows.parts = [_told_of(saver, row) for row in rows.parts]
        _try(rows, thread_id)
    except Exception as error:  # a file that anybody may have written fails in as many ways as it is read
        said = str(error.__cause__ or error).partition("\n")[0]
        raise ThreadError(f"this export cannot be read ({said}); export the thread again") from error
    with saver.transaction() as connection:
        if connection.execute("SELECT 1 FROM threads WHERE thread_id = ?", (thread_id,)).fetchone():
            raise ThreadError(f"there is a thread '{thread_id}' already; import it under another ID with --as NEW_ID")
        thread = thread_key(connection, thread_id)
        write_rows(connection, thread, rows)
        connection.execute("UPDATE threads SET title = ? WHERE key = ?", (title, thread))
        saver.describe(connection, thread)
    return thread_id


def _try(rows: Rows, thread_id: str) -> None:
    """Read everything once, in memory, as lists, searches and looks for what is stale will: nothing is kept before.

    Raises:
        ValueError: It holds no checkpoint.
        Exception: Whatever the reading of a row ends in.
    """
    trial = Checkpointer(None)
    try:
        with trial.transaction() as connection:
            thread = thread_key(connection, thread_id)
            write_rows(connection, thread, rows)
            trial.describe(connection, thread)
        found = list(trial.list({"configurable": {"thread_id": thread_id}}))
        for kept in found:
            turns(kept.checkpoint["channel_values"].get("messages", []))
        if not found:
            raise ValueError("it holds no checkpoint")
    finally:
        trial.close()


def _told_of(saver: Checkpointer, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A part as it is kept here: an answer whose quotes cannot be checked against files of this home says so."""
    number, _, kind, value = row
    message = saver.serde.loads_typed((kind, value))
    if not isinstance(message, AIMessage) or ANSWER_KEY not in message.additional_kwargs:
        return row
    [turn] = turns([HumanMessage("?"), message])
    if not turn.answer.citations or _quotes_stand(saver, turn):
        return row
    # What was asked there is not known here: nothing is to be read, hashed or indexed because an import names it.
    answer = replace(turn.answer, left_out=(*turn.answer.left_out, IMPORTED))
    [_, told] = turn_messages(Turn("?", answer))
    message = message.model_copy(update={"additional_kwargs": {**message.additional_kwargs, **told.additional_kwargs}})
    kind, value = saver.serde.dumps_typed(message)
    return number, hashlib.sha256(kind.encode() + b"\0" + value).digest(), kind, value


def _quotes_stand(saver: Checkpointer, turn: Turn) -> bool:
    """Whether each quote stands where it is said to, in documents that this home has indexed."""
    if saver.path is None or turn.docs is None or not index_path(saver.path.parent, Path(turn.docs)).is_file():
        return False
    with Reader() as reader:
        return all(quote_stands(reader, turn.docs, citation) for citation in turn.answer.citations)


def to_markdown(thread_id: str, title: str, turns: list[Turn]) -> str:
    """A conversation for readers; it cannot be imported."""
    told = [f"# {_line(title)}", "", f"Thread {_line(thread_id)}, {len(turns)} turns."]
    for number, turn in enumerate(turns, start=1):
        told += ["", f"## {number}. {_line(turn.question)}", "", visible_markdown(turn.answer.text)]
        told += [""] if turn.answer.citations else []
        for mark, citation in enumerate(turn.answer.citations, start=1):
            place = f"{_line(citation.file)}, characters {citation.start}-{citation.end}"
            told.append(f"{mark}. {place}: “{_line(citation.quote)}”")
        told += ["", *(f"> {_line(line)}" for line in turn.answer.left_out)] if turn.answer.left_out else []
    return "\n".join(told) + "\n"


def _line(text: str) -> str:
    return visible_markdown(visible_line(" ".join(text.split())))


def _checked(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
        checksum = content.pop("sha256")
        kind = content["format"]
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ThreadError("this is no exported thread; make one with `rag-agent threads export ID -o FILE`") from error
    if kind != FORMAT:
        raise ThreadError(f"this export has the format '{kind}', and '{FORMAT}' is read here; update rag-agent")
    try:
        unchanged = checksum == _checksum(content)
    except (ValueError, RecursionError):
        unchanged = False
    if not unchanged:
        raise ThreadError("this export was changed or cut since it was written: its checksum is wrong; export the thread again")
    return dict(content)


def _refuse_unsafe(rows: Rows) -> None:
    types = {row[2] for row in rows.parts} | {row[4] for row in rows.snapshots} | {row[6] for row in rows.pending}
    if types - _TYPES:
        raise ValueError(f"it holds values of the kinds {', '.join(sorted(map(str, types - _TYPES)))}")
    for _, digest, kind, value in rows.parts:
        if hashlib.sha256(kind.encode() + b"\0" + value).digest() != digest:
            raise ValueError("a part is not what its hash says")


def _checksum(content: dict[str, Any]) -> str:
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _packed(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _unpacked(value: Any) -> Any:
    return base64.b64decode(value["base64"], validate=True) if isinstance(value, dict) else value
