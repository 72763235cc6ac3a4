"""The checkpointer: conversations in one SQLite file or PostgreSQL database that grows by what is said, sync and async."""

import asyncio
import copy
import json
import random
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from rag_agent.memory.database import database_at
from rag_agent.memory.migration import migrate
from rag_agent.memory.parts import Parts
from rag_agent.memory.rows import KEEP_WRITE, REPLACING, keep_only, read_rows, sweep, thread_key, write_rows
from rag_agent.memory.transcript import count_turns, first_question

_SNAPSHOT = """SELECT s.key, s.thread, t.thread_id, s.ns, s.id, s.parent, s.type, s.checkpoint, s.metadata
    FROM snapshots s JOIN threads t ON t.key = s.thread"""


class Checkpointer(BaseCheckpointSaver[Any]):
    """A LangGraph saver that keeps each message once, however many checkpoints hold it.

    One object serves many threads, sync and async; several processes may use one file. Only messages, documents and plain
    values are read back (strict msgpack). A checkpoint is stored whole or not at all.
    """

    def __init__(self, path: Path | str | None, *, damaged: bool = False) -> None:
        """Open or create the file. One of the first version is brought up to date.

        Args:
            path: The file, or the URL of a PostgreSQL database; None keeps conversations in memory.
            damaged: Open it as it is, to read what is readable.

        Raises:
            SettingsError: The folder cannot be written.
            ThreadError: The file is no database, damaged, or of a later version. It is left as it is.
        """
        super().__init__(serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        self.database = database_at(path, damaged=damaged)
        self.path = self.database.path
        self._parts = Parts(self.serde)
        if damaged:
            return
        try:
            migrate(self)
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def with_allowlist(self, extra_allowlist: Collection[tuple[str, ...]]) -> "Checkpointer":
        """The same file, read with more types allowed."""
        twin = cast(Checkpointer, super().with_allowlist(extra_allowlist))
        if twin is not self:
            twin._parts = Parts(twin.serde)
        return twin

    def lending(self) -> "Checkpointer":
        """The same file, for a graph that leaves messages as they are: they are handed out as remembered, without a copy.

        Copying is most of what a turn costs in a long conversation.
        """
        twin = copy.copy(self)
        twin._parts = Parts(self.serde, self._parts)
        return twin

    def get_next_version(self, current: Any, channel: None) -> Any:
        """Count up; in a file of the first version go on as the stock saver counts."""
        if isinstance(current, str):
            return f"{int(current.split('.')[0]) + 1:032}.{random.random():016}"
        return 1 if current is None else current + 1

    # --- LangGraph's calls -----------------------------------------------------------------------------------------------

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint named, or the latest of the thread."""
        wanted = config["configurable"]
        sql = f"{_SNAPSHOT} WHERE t.thread_id = ? AND s.ns = ?"
        values = [str(wanted["thread_id"]), wanted.get("checkpoint_ns", "")]
        if checkpoint_id := get_checkpoint_id(config):
            sql, values = f"{sql} AND s.id = ?", [*values, checkpoint_id]
        with self.database.reading() as connection:
            row = connection.execute(f"{sql} ORDER BY s.id DESC LIMIT 1", values).fetchone()
            return self._tuple(connection, row) if row else None

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Checkpoints, newest first."""
        where, values = _conditions(config, before)
        sql = f"SELECT s.key, s.metadata FROM snapshots s JOIN threads t ON t.key = s.thread {where} ORDER BY s.id DESC"
        with self.database.reading() as connection:
            rows = connection.execute(sql, values).fetchall()
        for key, metadata in rows:
            if limit is not None and limit <= 0:
                return
            if filter and not _matches(metadata, filter):
                continue
            with self.database.reading() as connection:
                row = connection.execute(f"{_SNAPSHOT} WHERE s.key = ?", (key,)).fetchone()
                found = self._tuple(connection, row) if row else None
            if found is not None:  # else it was deleted since
                limit = limit - 1 if limit is not None else None
                yield found

    def put(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> RunnableConfig:
        """Keep a checkpoint, whole or not at all."""
        wanted = config["configurable"]
        ns = str(wanted.get("checkpoint_ns", ""))
        told = get_serializable_checkpoint_metadata(config, metadata)
        with self.transaction() as connection:
            thread = thread_key(connection, str(wanted["thread_id"]))
            self.store(connection, thread, ns, wanted.get("checkpoint_id"), checkpoint, _json(told))
        return {"configurable": {"thread_id": wanted["thread_id"], "checkpoint_ns": ns, "checkpoint_id": checkpoint["id"]}}

    def put_writes(self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = "") -> None:
        """Keep what a task wrote on its way to the next checkpoint."""
        wanted = config["configurable"]
        special = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        sql = f"{KEEP_WRITE} {REPLACING if special else 'DO NOTHING'}"
        with self.transaction() as connection:
            thread = thread_key(connection, str(wanted["thread_id"]))
            where = (thread, str(wanted.get("checkpoint_ns", "")), str(wanted["checkpoint_id"]), task_id, task_path)
            for place, (channel, value) in enumerate(writes):
                index = WRITES_IDX_MAP.get(channel, place)
                connection.execute(sql, (*where, index, channel, *self.serde.dumps_typed(value)))

    def delete_thread(self, thread_id: str) -> None:
        """Delete a conversation with everything that belongs to it: in a file its bytes are overwritten, not only given up."""
        self._delete([thread_id])

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints that some runs made."""
        if not run_ids:
            return
        marks = ", ".join("?" * len(run_ids))
        sql = f"{self.database.RUN_ID} IN ({marks})"
        with self.transaction() as connection:
            threads = connection.execute(f"SELECT DISTINCT thread FROM snapshots WHERE {sql}", list(run_ids)).fetchall()
            connection.execute(f"DELETE FROM snapshots WHERE {sql}", list(run_ids))
            for (thread,) in threads:
                sweep(connection, thread)
                self.describe(connection, thread)
        self._forget()

    def copy_thread(self, source_thread_id: str, target_thread_id: str, *, until: str | None = None) -> None:
        """Copy a conversation, checkpoints, writes and all.

        Args:
            source_thread_id: The thread to copy.
            target_thread_id: The thread that gets the checkpoints beside those it has.
            until: A checkpoint of the main graph: copy only what led to it, to a thread that has nothing yet.
        """
        with self.transaction() as connection:
            source = connection.execute("SELECT key FROM threads WHERE thread_id = ?", (str(source_thread_id),)).fetchone()
            if source is None:
                return
            target = thread_key(connection, str(target_thread_id))
            write_rows(connection, target, read_rows(connection, source[0]))
            if until is not None:
                keep_only(connection, target, until)
            self.describe(connection, target)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete all checkpoints of some threads, or all but the latest of each namespace.

        Raises:
            ValueError: The strategy is neither "keep_latest" nor "delete".
        """
        if strategy == "delete":
            self._delete(thread_ids)
            return
        if strategy != "keep_latest":
            raise ValueError(f'there is no strategy "{strategy}"; name "keep_latest" or "delete"')
        sql = """DELETE FROM snapshots WHERE thread = ? AND EXISTS (SELECT 1 FROM snapshots later
            WHERE later.thread = snapshots.thread AND later.ns = snapshots.ns AND later.id > snapshots.id)"""
        with self.transaction() as connection:
            for thread_id in thread_ids:
                for (thread,) in connection.execute("SELECT key FROM threads WHERE thread_id = ?", (str(thread_id),)).fetchall():
                    connection.execute(sql, (thread,))
                    sweep(connection, thread)
        self._forget()

    # --- the same, async: the work is done in a thread --------------------------------------------------------------------

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """`get_tuple` in a thread."""
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """`list` in a thread."""
        found = self.list(config, filter=filter, before=before, limit=limit)
        while (item := await asyncio.to_thread(next, found, None)) is not None:
            yield item

    async def aput(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> RunnableConfig:
        """`put` in a thread."""
        return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """`put_writes` in a thread."""
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """`delete_thread` in a thread."""
        await asyncio.to_thread(self.delete_thread, thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """`delete_for_runs` in a thread."""
        await asyncio.to_thread(self.delete_for_runs, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """`copy_thread` in a thread."""
        await asyncio.to_thread(self.copy_thread, source_thread_id, target_thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """`prune` in a thread."""
        await asyncio.to_thread(lambda: self.prune(thread_ids, strategy=strategy))

    # --- parts -----------------------------------------------------------------------------------------------------------

    def begin(self, thread_id: str, question: str) -> None:
        """Note the question of a turn that begins: it stays as unfinished if the process is killed."""
        question = question.encode("utf-8", "replace").decode()
        with self.transaction() as connection:
            now = datetime.now(UTC).isoformat()
            connection.execute(
                "UPDATE threads SET asking = ?, asked = ? WHERE key = ?", (question, now, thread_key(connection, thread_id))
            )

    def give_up(self, thread_id: str) -> None:
        """Take the note back: the turn failed, and whoever asked was told."""
        with self.transaction() as connection:
            connection.execute("UPDATE threads SET asking = NULL, asked = NULL WHERE thread_id = ?", (thread_id,))
            connection.execute(
                "DELETE FROM threads WHERE thread_id = ? AND NOT EXISTS (SELECT 1 FROM snapshots WHERE thread = threads.key)",
                (thread_id,),
            )

    def store(
        self, connection: sqlite3.Connection, thread: int, ns: str, parent: str | None, checkpoint: Checkpoint, metadata: bytes
    ) -> None:
        """Write a snapshot in an open transaction; one of the main graph ends the thread's unfinished turn."""
        values = checkpoint["channel_values"]
        kind, data = self.serde.dumps_typed({**checkpoint, "channel_values": {}})
        snapshot = connection.execute(
            """INSERT INTO snapshots (thread, ns, id, parent, type, checkpoint, metadata, turns) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (thread, ns, id) DO UPDATE SET parent = excluded.parent, type = excluded.type,
                checkpoint = excluded.checkpoint, metadata = excluded.metadata, turns = excluded.turns RETURNING key""",
            (thread, ns, checkpoint["id"], parent, kind, data, metadata, count_turns(values.get("messages"))),
        ).fetchone()[0]
        lines = _lines(connection, thread, ns, parent)
        connection.execute("DELETE FROM channels WHERE snapshot = ?", (snapshot,))
        for channel, value in values.items():
            ref = self._parts.keep(connection, thread, value, lines.get(channel))
            connection.execute("INSERT INTO channels VALUES (?, ?, ?, ?)", (snapshot, channel, *ref))
        if not ns:
            connection.execute("UPDATE threads SET asking = NULL, asked = NULL WHERE key = ?", (thread,))
            self._describe(connection, thread, checkpoint)

    def describe(self, connection: sqlite3.Connection, thread: int) -> None:
        """Bring what lists tell of a thread in line with its latest checkpoint, in an open transaction."""
        row = connection.execute(f"{_SNAPSHOT} WHERE s.thread = ? AND s.ns = '' ORDER BY s.id DESC LIMIT 1", (thread,)).fetchone()
        if row:
            self._describe(connection, thread, self._tuple(connection, row).checkpoint)

    def _describe(self, connection: sqlite3.Connection, thread: int, checkpoint: Checkpoint) -> None:
        question = first_question(checkpoint["channel_values"].get("messages"))
        connection.execute("UPDATE threads SET question = ?, used = ? WHERE key = ?", (question, checkpoint["ts"], thread))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Several changes that are made together or not at all."""
        try:
            with self.database.writing() as connection:
                yield connection
        except BaseException:
            self._parts.forget()  # it may remember numbers that were taken back
            raise

    def _tuple(self, connection: sqlite3.Connection, row: tuple[Any, ...]) -> CheckpointTuple:
        key, thread, thread_id, ns, checkpoint_id, parent, kind, data, metadata = row
        try:
            checkpoint = self.serde.loads_typed((kind, data))
            sql = "SELECT channel, part, line FROM channels WHERE snapshot = ?"
            refs: Sequence[tuple[str, int | None, int | None]] = connection.execute(sql, (key,)).fetchall()
            values = {channel: self._parts.read(connection, (part, line)) for channel, part, line in refs}
            checkpoint["channel_values"] = values
            writes = connection.execute(
                "SELECT task, channel, type, value FROM pending WHERE thread = ? AND ns = ? AND id = ? ORDER BY path, task, idx",
                (thread, ns, checkpoint_id),
            ).fetchall()
            pending = [(task, channel, self.serde.loads_typed((kind, data))) for task, channel, kind, data in writes]
            told = json.loads(metadata)
            if not isinstance(told, dict) or not {checkpoint["id"]} == {checkpoint_id} or not isinstance(checkpoint["ts"], str):
                raise ValueError("it is none")
        except Exception as error:  # rows that are not what was written fail in as many ways as they are read
            if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError):
                raise
            raise sqlite3.DatabaseError(f"checkpoint {checkpoint_id} of thread '{thread_id}': {error}") from error
        return CheckpointTuple(
            _config(thread_id, ns, checkpoint_id),
            checkpoint,
            cast(CheckpointMetadata, told),
            _config(thread_id, ns, parent) if parent else None,
            pending,
        )

    def _delete(self, thread_ids: Sequence[str]) -> None:
        with self.transaction() as connection:
            connection.executemany("DELETE FROM threads WHERE thread_id = ?", [(str(thread_id),) for thread_id in thread_ids])
        self._forget()

    def forget_remembered(self) -> None:
        """Keep nothing of what was deleted: not in memory, and not in the log of the file."""
        self._forget()

    def _forget(self) -> None:
        self._parts.forget()
        self.database.forget_log()


def _matches(metadata: bytes, wanted: dict[str, Any]) -> bool:
    try:
        told = json.loads(metadata)
        return all(told.get(name) == value for name, value in wanted.items())
    except (ValueError, TypeError, AttributeError):
        return False  # a row that cannot be read is told where it is asked for


def _lines(connection: sqlite3.Connection, thread: int, ns: str, parent: str | None) -> dict[str, int]:
    """The last line of each conversation that the parent of a checkpoint holds, by channel."""
    sql = """SELECT channel, line FROM channels JOIN snapshots ON snapshot = key
        WHERE thread = ? AND ns = ? AND id = ? AND line IS NOT NULL"""
    return dict(connection.execute(sql, (thread, ns, parent)).fetchall()) if parent else {}


def _conditions(config: RunnableConfig | None, before: RunnableConfig | None) -> tuple[str, Sequence[str]]:
    wanted = config["configurable"] if config is not None else {}
    named = {
        "t.thread_id = ?": wanted.get("thread_id"),
        "s.ns = ?": wanted.get("checkpoint_ns"),
        "s.id = ?": wanted.get("checkpoint_id") or None,
        "s.id < ?": get_checkpoint_id(before) if before is not None else None,
    }
    given = {condition: str(value) for condition, value in named.items() if value is not None}
    return (f"WHERE {' AND '.join(given)}" if given else ""), [*given.values()]


def _config(thread_id: str, ns: str, checkpoint_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}}


def _json(metadata: CheckpointMetadata) -> bytes:
    return json.dumps(metadata, ensure_ascii=False).encode("utf-8", "ignore")
