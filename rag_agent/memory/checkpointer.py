"""The checkpointer: LangGraph's SQLite saver, for sync and async callers alike."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from rag_agent.errors import SettingsError, ThreadError
from rag_agent.settings import MEMORY


class Checkpointer(SqliteSaver):
    """Conversations in one SQLite file, or in memory.

    The stock saver has no async methods, and its async twin no sync ones. Here each async method runs its sync self in a
    thread, so one saver serves both. Only messages, documents and plain values are read back (strict msgpack).
    """

    def __init__(self, path: Path | None) -> None:
        """Open or create the file; `None` keeps conversations in memory.

        Raises:
            SettingsError: The folder cannot be written.
            ThreadError: The file is no database, or damaged. It is left as it is.
        """
        self.path = path
        try:
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path or MEMORY, check_same_thread=False, timeout=60)
        except (OSError, sqlite3.OperationalError) as error:
            raise SettingsError(f"{path} cannot be written ({error}); set home to a folder that can") from error
        super().__init__(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        with self.told():
            self.setup()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise ThreadError(f"the conversations in {self.path} cannot be used: {error}; mend that and try again") from error
        except sqlite3.DatabaseError as error:
            raise ThreadError(
                f"the file of conversations {self.path} is damaged ({error}); it is left as it is: restore a copy, or save "
                f"what is readable with `sqlite3 {self.path} .recover`, or move it away to begin anew"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self.conn.close()

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """One checkpoint."""
        with self.told():
            return super().get_tuple(config)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Checkpoints, newest first."""
        with self.told():
            yield from super().list(config, filter=filter, before=before, limit=limit)

    def put(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> RunnableConfig:
        """Keep a checkpoint."""
        with self.told():
            return super().put(config, checkpoint, metadata, new_versions)

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
        found = await asyncio.to_thread(lambda: list(self.list(config, filter=filter, before=before, limit=limit)))
        for item in found:
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
