"""What is damaged in a file of conversations, and a new file with what can still be read."""

import contextlib
import hashlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from langchain_core.runnables import RunnableConfig

from rag_agent.errors import ThreadError
from rag_agent.memory.checkpointer import Checkpointer


def problems(saver: Checkpointer) -> list[str]:
    """Read every page, checkpoint and message; what is wrong, in words."""
    found: list[str] = []
    try:
        with saver.database.reading() as connection:
            found += saver.database.broken()
            for number, digest, kind, value in connection.execute("SELECT id, hash, type, value FROM parts"):
                if not isinstance(value, bytes) or hashlib.sha256(f"{kind}\0".encode() + value).digest() != digest:
                    found.append(f"part {number} is not what was written")
            kept = connection.execute("SELECT thread_id, ns, id FROM snapshots JOIN threads ON thread = threads.key").fetchall()
    except ThreadError as error:
        return [*found, str(error)]
    for thread_id, ns, checkpoint_id in kept:
        named = {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}
        try:
            saver.get_tuple({"configurable": named})
        except ThreadError as error:
            found.append(f"checkpoint {checkpoint_id} of thread '{thread_id}': {error.__cause__ or error}")
    return found


def recover(path: Path) -> tuple[Path, int, int]:
    """Save what is readable of a damaged file into a new one, and keep the old one beside it.

    No other process may use the file meanwhile.

    Returns:
        Where the damaged file is now, and how many checkpoints could be read and how many not.

    Raises:
        ThreadError: Nothing can be read, or the files cannot be moved; then all is as it was.
    """
    fresh = path.with_name(f"{path.name}.recovered")
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    _remove(fresh)
    try:
        target = Checkpointer(fresh)
        source = Checkpointer(path, damaged=True)
        try:
            saved, lost = _take_over(source, target)
        finally:
            source.close()
            target.database.forget_log()
            target.close()
        if not saved:
            raise ThreadError(f"nothing in {path} can be read; it is left as it is: restore a copy of it, or move it away")
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
        fresh.rename(path)
    except OSError as error:
        raise ThreadError(f"{path} cannot be recovered ({error}); it is left as it is") from error
    finally:
        _remove(fresh)
    return aside, saved, lost


def _take_over(source: Checkpointer, target: Checkpointer) -> tuple[int, int]:
    """Copy checkpoint by checkpoint: how many went, and how many did not."""
    saved = lost = 0
    for thread_id, ns, checkpoint_id in _keys(source.database.connection):
        named = {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}
        try:
            kept = source.get_tuple({"configurable": named})
            assert kept is not None
            before: RunnableConfig = {"configurable": {**named, "checkpoint_id": None}}
            target.put(kept.parent_config or before, kept.checkpoint, kept.metadata, {})
            for task, channel, value in kept.pending_writes or []:
                target.put_writes(kept.config, [(channel, value)], task)
            saved += 1
        except (ThreadError, sqlite3.DatabaseError):
            lost += 1
    return saved, lost


def _keys(source: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Every checkpoint that can be found, by whichever way into the tables still works."""
    found: dict[tuple[str, str, str], None] = {}
    for order in ("s.id", "s.key", "s.key DESC"):
        sql = f"SELECT thread_id, ns, s.id FROM snapshots s JOIN threads ON thread = threads.key ORDER BY {order}"
        with contextlib.suppress(sqlite3.DatabaseError):
            for key in source.execute(sql):
                found[key] = None
    return sorted(found, key=lambda key: key[2])


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
