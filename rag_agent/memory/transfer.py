"""Conversations as files: JSON that another home can open, and Markdown for readers."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from rag_agent import __version__
from rag_agent.errors import ThreadError
from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.memory.rows import Rows, read_rows, thread_key, write_rows
from rag_agent.memory.transcript import Turn
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
    thread_id = thread_id or str(content["thread_id"])
    try:
        rows = Rows(**{table: [tuple(map(_unpacked, row)) for row in held] for table, held in content["rows"].items()})
        _refuse_unsafe(rows)
        with saver.transaction() as connection:
            if connection.execute("SELECT 1 FROM threads WHERE thread_id = ?", (thread_id,)).fetchone():
                raise ThreadError(f"there is a thread '{thread_id}' already; import it under another ID with --as NEW_ID")
            thread = thread_key(connection, thread_id)
            write_rows(connection, thread, rows)
            connection.execute("UPDATE threads SET title = ? WHERE key = ?", (content["title"], thread))
            if not list(saver.list({"configurable": {"thread_id": thread_id}})):  # reads every checkpoint
                raise ValueError("it holds no checkpoint")
            saver.describe(connection, thread)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ThreadError(f"this export cannot be read ({error}); export the thread again") from error
    return thread_id


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
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ThreadError("this is no exported thread; make one with `rag-agent threads export ID -o FILE`") from error
    if kind != FORMAT:
        raise ThreadError(f"this export has the format '{kind}', and '{FORMAT}' is read here; update rag-agent")
    if checksum != _checksum(content):
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
