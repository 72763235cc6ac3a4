"""From the tables of the first version, which were the stock SqliteSaver's, to those of this one."""

import sqlite3
from typing import TYPE_CHECKING

from rag_agent.memory.database import UNREADABLE
from rag_agent.memory.rows import thread_key

if TYPE_CHECKING:
    from rag_agent.memory.checkpointer import Checkpointer


def migrate(saver: "Checkpointer") -> None:
    """Take over the checkpoints of the first version, all or none; does nothing in a file that has none.

    Raises:
        ThreadError: The file is damaged. It is left as it is.
    """
    with saver.database.reading():
        if not saver.database.has("checkpoints"):
            return
    with saver.database.writing() as connection:
        if not saver.database.has("checkpoints"):  # another process was faster
            return
        columns = "thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata"
        old = connection.execute(f"SELECT rowid, {columns} FROM checkpoints ORDER BY thread_id, checkpoint_ns, checkpoint_id")
        for number, thread_id, ns, _, parent, kind, data, metadata in old.fetchall():
            try:
                checkpoint = saver.serde.loads_typed((kind, data))
            except (ValueError, TypeError, KeyError, AttributeError):
                connection.execute(f"CREATE TABLE IF NOT EXISTS {UNREADABLE} AS SELECT * FROM checkpoints WHERE 0")
                connection.execute(f"INSERT INTO {UNREADABLE} SELECT * FROM checkpoints WHERE rowid = ?", (number,))
                continue
            saver.store(connection, thread_key(connection, thread_id), ns, parent, checkpoint, metadata or b"{}")
        if saver.database.has("writes"):
            path = "task_path" if "task_path" in _columns(connection, "writes") else "''"
            connection.execute(
                f"""INSERT OR REPLACE INTO pending SELECT key, checkpoint_ns, checkpoint_id, task_id, {path}, idx, channel, type,
                value FROM writes JOIN threads USING (thread_id)"""
            )
            connection.execute("DROP TABLE writes")
        connection.execute("DROP TABLE checkpoints")


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
