"""A whole conversation as rows: what copying, exporting, importing and recovering have in common."""

import sqlite3
from dataclasses import dataclass, field
from typing import Any

Row = tuple[Any, ...]

# What no snapshot of a thread reaches any more: lines, then parts, then writes.
_UNREACHED = (
    """DELETE FROM lines WHERE thread = :thread AND id NOT IN (
        WITH RECURSIVE reached(id) AS (
            SELECT line FROM channels JOIN snapshots ON snapshot = key WHERE thread = :thread AND line IS NOT NULL
            UNION SELECT previous FROM lines JOIN reached USING (id) WHERE previous IS NOT NULL)
        SELECT id FROM reached)""",
    """DELETE FROM parts WHERE thread = :thread AND id NOT IN (
        SELECT part FROM lines WHERE thread = :thread
        UNION SELECT part FROM channels JOIN snapshots ON snapshot = key WHERE thread = :thread AND part IS NOT NULL)""",
    """DELETE FROM pending WHERE thread = :thread AND NOT EXISTS (
        SELECT 1 FROM snapshots s WHERE s.thread = pending.thread AND s.ns = pending.ns AND s.id = pending.id)""",
)

_COLUMNS = {
    "parts": "id, hash, type, value",
    "lines": "id, previous, part",
    "snapshots": "key, ns, id, parent, type, checkpoint, metadata, turns",
    "pending": "ns, id, task, path, idx, channel, type, value",
}


KEEP_WRITE = "INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (thread, ns, id, task, idx)"
REPLACING = """DO UPDATE SET path = excluded.path, channel = excluded.channel, type = excluded.type, value = excluded.value"""


@dataclass
class Rows:
    """The rows of one thread, with the numbers they have in their file."""

    parts: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    snapshots: list[Row] = field(default_factory=list)
    channels: list[Row] = field(default_factory=list)
    pending: list[Row] = field(default_factory=list)


def thread_key(connection: sqlite3.Connection, thread_id: str) -> int:
    """The number of a thread, which begins with it if need be."""
    row = connection.execute("SELECT key FROM threads WHERE thread_id = ?", (thread_id,)).fetchone()
    if row is None:
        row = connection.execute("INSERT INTO threads (thread_id) VALUES (?) RETURNING key", (thread_id,)).fetchone()
    return int(row[0])


def read_rows(connection: sqlite3.Connection, thread: int) -> Rows:
    """All rows of a thread."""
    rows = Rows()
    for table, columns in _COLUMNS.items():
        sql = f"SELECT {columns} FROM {table} WHERE thread = ? ORDER BY {'ns, id, path, task, idx' if table == 'pending' else 1}"
        setattr(rows, table, connection.execute(sql, (thread,)).fetchall())
    rows.channels = connection.execute(
        "SELECT snapshot, channel, part, line FROM channels JOIN snapshots ON snapshot = key WHERE thread = ?", (thread,)
    ).fetchall()
    return rows


def write_rows(connection: sqlite3.Connection, thread: int, rows: Rows) -> None:
    """Give rows to a thread, beside those it has; they get new numbers.

    Raises:
        KeyError: A row names another that is not there.
    """
    parts: dict[int | None, int | None] = {None: None}
    lines: dict[int | None, int | None] = {None: None}
    snapshots: dict[int, int] = {}
    for number, *values in rows.parts:
        connection.execute(
            "INSERT INTO parts (thread, hash, type, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (thread, *values)
        )
        found = connection.execute("SELECT id FROM parts WHERE thread = ? AND hash = ?", (thread, values[0])).fetchone()
        parts[number] = found[0]
    for number, previous, part in rows.lines:  # each stands behind the one it names
        sql = "INSERT INTO lines (thread, previous, part) VALUES (?, ?, ?) RETURNING id"
        lines[number] = connection.execute(sql, (thread, lines[previous], parts[part])).fetchone()[0]
    for number, *values in rows.snapshots:
        connection.execute("DELETE FROM snapshots WHERE thread = ? AND ns = ? AND id = ?", (thread, *values[:2]))
        sql = f"INSERT INTO snapshots (thread{_COLUMNS['snapshots'][3:]}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING key"
        snapshots[number] = connection.execute(sql, (thread, *values)).fetchone()[0]
    for snapshot, channel, part, line in rows.channels:
        connection.execute("INSERT INTO channels VALUES (?, ?, ?, ?)", (snapshots[snapshot], channel, parts[part], lines[line]))
    connection.executemany(f"{KEEP_WRITE} {REPLACING}", [(thread, *values) for values in rows.pending])


def keep_only(connection: sqlite3.Connection, thread: int, until: str) -> None:
    """Delete what did not lead to a checkpoint: of the main graph all but its ancestors, of subgraphs what is later."""
    connection.execute(
        """DELETE FROM snapshots WHERE thread = :thread AND CASE WHEN ns = '' THEN id NOT IN (
            WITH RECURSIVE led(id) AS (SELECT CAST(:until AS TEXT) UNION SELECT parent FROM snapshots s JOIN led USING (id)
                WHERE s.thread = :thread AND s.ns = '' AND parent IS NOT NULL)
            SELECT id FROM led) ELSE id > :until END""",
        {"thread": thread, "until": until},
    )
    sweep(connection, thread)


def sweep(connection: sqlite3.Connection, thread: int) -> None:
    """Delete what no snapshot of a thread reaches any more, and the thread itself when it has none."""
    for statement in _UNREACHED:
        connection.execute(statement, {"thread": thread})
    connection.execute(
        """DELETE FROM threads WHERE key = ? AND asking IS NULL
        AND NOT EXISTS (SELECT 1 FROM snapshots WHERE thread = threads.key)""",
        (thread,),
    )
