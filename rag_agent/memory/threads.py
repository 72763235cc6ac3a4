"""Conversations as things one can list, read, rename, fork, rewind, hand on and delete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple, copy_checkpoint
from langgraph.checkpoint.base.id import uuid6

from rag_agent.errors import ThreadError, ThreadNotFoundError
from rag_agent.memory import recovery, summaries, transfer
from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.memory.locks import ThreadLocks
from rag_agent.memory.stale import StaleAnswer, stale_answers
from rag_agent.memory.transcript import Turn, pairs, turns
from rag_agent.telling import tell_once
from rag_agent.visible import visible_line

Messages = list[Any]  # a name, since `list` is a method below

# The size of a thread is what it says and where that is noted; 20 bytes are about what a line takes.
_LIST = """
SELECT thread_id, COALESCE(title, question, asking, thread_id), COALESCE((
        SELECT turns FROM snapshots WHERE thread = key_ AND ns = '' ORDER BY id DESC LIMIT 1), 0),
    COALESCE(used, asked, ''), (SELECT COALESCE(SUM(LENGTH(value)), 0) FROM parts WHERE thread = key_)
    + (SELECT COALESCE(SUM(LENGTH(value)), 0) FROM pending WHERE thread = key_)
    + (SELECT COALESCE(SUM(LENGTH(checkpoint) + LENGTH(metadata)), 0) FROM snapshots WHERE thread = key_)
    + (SELECT 20 * COUNT(*) FROM lines WHERE thread = key_), asking
FROM (SELECT *, key AS key_ FROM threads) AS named
"""


@dataclass(frozen=True)
class ThreadSummary:
    """A line of `threads list`."""

    thread_id: str
    title: str
    """The name it was given, else the first question."""
    turns: int
    last_used: str
    """Date and time of the last turn, ISO 8601, UTC."""
    size: int | None = None
    """Bytes; None for a saver that does not tell."""
    unfinished: str | None = None
    """The question of a turn that was cut off: ask it again."""


class Threads:
    """The conversations of one checkpointer. With a foreign one they can be listed, shown and deleted.

    A conversation that is changed here waits for the turn that is under way, and turns wait for the change.
    """

    def __init__(self, checkpointer: BaseCheckpointSaver[Any], locks: ThreadLocks | None = None) -> None:
        self._checkpointer = checkpointer
        self._locks = locks or ThreadLocks(None)

    # --- reading -------------------------------------------------------------------------------------------------------

    def list(self, search: str | None = None) -> Sequence[ThreadSummary]:
        """The conversations that hold a turn, finished or cut off, the last used first.

        Args:
            search: Only those in which each of these words stands, in the title or in what was said.
        """
        found = self._listed() if isinstance(self._checkpointer, Checkpointer) else self._listed_abroad()
        words = (search or "").casefold().split()
        held = [thread for thread in found if not words or self._holds(thread, words)]
        return sorted(held, key=lambda thread: thread.last_used, reverse=True)

    def show(self, thread_id: str) -> Sequence[Turn]:
        """The turns of a conversation, oldest first; none when its first one was cut off.

        Raises:
            ThreadError: There is no such conversation.
        """
        kept = self._checkpointer.get_tuple(_config(thread_id))
        found = _turns(thread_id, kept) if kept else []
        if not found and (kept is None or not self._is_own) and not self.unfinished(thread_id):
            raise _unknown(thread_id)
        return found

    def unfinished(self, thread_id: str) -> str | None:
        """The question of a turn that was cut off, by a kill or a loss of power; None while a turn is under way."""
        if not isinstance(self._checkpointer, Checkpointer):
            return None
        with self._checkpointer.database.reading() as connection:
            row = connection.execute("SELECT asking FROM threads WHERE thread_id = ?", (str(thread_id),)).fetchone()
        return row[0] if row and row[0] and self._at_rest(thread_id) else None

    def stale(self, thread_id: str | None = None) -> Sequence[StaleAnswer]:
        """The answers whose cited files have changed or gone since, of one conversation or of all."""
        if thread_id is not None:
            return stale_answers([(thread_id, self.show(thread_id))])
        return stale_answers((thread.thread_id, self._shown(thread.thread_id)) for thread in self.list())

    # --- changing ------------------------------------------------------------------------------------------------------

    def rename(self, thread_id: str, title: str) -> None:
        """Give a conversation a title; an empty one gives the first question back.

        Raises:
            ThreadError: There is no such conversation.
        """
        with self._own.transaction() as connection:
            changed = connection.execute(
                "UPDATE threads SET title = ? WHERE thread_id = ?", (title.strip() or None, str(thread_id))
            )
            if not changed.rowcount:
                raise _unknown(thread_id)

    def fork(self, thread_id: str, new_id: str, turn: int | None = None) -> None:
        """Go on from a turn in a conversation of its own; the old one stays as it is.

        Args:
            thread_id: The conversation to fork.
            new_id: The ID of the new one.
            turn: The last turn that the new one holds, counted from 1; None takes all.

        Raises:
            ThreadError: There is no such conversation or turn, or the new ID is taken.
        """
        saver = self._own
        if thread_id == new_id or saver.get_tuple(_config(new_id)) is not None:
            raise ThreadError(f"there is a thread '{new_id}' already; fork to another ID, or delete that one first")
        first, second = sorted((thread_id, new_id))  # in one order, so that two forks never wait for each other
        with self._locks.hold(first), self._locks.hold(second):
            if turn is None:
                self.show(thread_id)
                saver.copy_thread(thread_id, new_id)
                return
            exact, _ = self._at(thread_id, turn)
            saver.copy_thread(thread_id, new_id, until=exact.checkpoint["id"] if exact else None)
            if exact is None:
                self._rewind(new_id, turn)

    def before(self, thread_id: str, turn: int) -> Messages:
        """The messages of a conversation before a turn.

        Raises:
            ThreadError: There is no such conversation or turn.
        """
        latest = self._own.get_tuple(_config(thread_id))
        if latest is None:
            raise _unknown(thread_id)
        said = latest.checkpoint["channel_values"].get("messages", [])
        count = len(pairs(said))
        if not 1 <= turn <= count:
            raise ThreadError(f"thread '{thread_id}' has {count} turns; name one of them, counted from 1")
        return _up_to(said, turn - 1)

    def replace(self, thread_id: str, turn: int, messages: Messages) -> None:
        """Put messages in the place of a turn and of what follows it, in one step. The caller holds the conversation's lock.

        Raises:
            ThreadError: There is no such conversation or turn.
        """
        from langgraph.graph.message import add_messages

        said: Any = add_messages(self.before(thread_id, turn), messages)  # gives each an ID, by which it is known again
        latest = self._own.get_tuple(_config(thread_id))
        assert latest is not None  # else nothing was before the turn
        self._put(latest, said)

    def rewind(self, thread_id: str, turn: int) -> None:
        """Go back to a turn: the next question follows on it.

        Later turns are no longer part of the conversation but stay among its checkpoints, so that rewinding to one of
        their numbers brings them back; `prune` and `delete` remove them for good.

        Args:
            thread_id: The conversation.
            turn: The last turn that it holds, counted from 1; 0 is an empty conversation.

        Raises:
            ThreadError: There is no such conversation or turn.
        """
        with self._locks.hold(thread_id):
            self._rewind(thread_id, turn)

    def delete(self, thread_id: str) -> None:
        """Delete a conversation for good: its bytes in the file are overwritten; in a database its rows are deleted.

        Raises:
            ThreadError: There is no such conversation.
        """
        thread_id = str(thread_id)
        with self._locks.hold(thread_id):
            if self._checkpointer.get_tuple(_config(thread_id)) is None and not self._noted(thread_id):
                raise _unknown(thread_id)
            self._checkpointer.delete_thread(thread_id)
            summaries.forget()

    def prune(
        self, *, older_than: timedelta | None = None, keep: int | None = None, max_bytes: int | None = None
    ) -> Sequence[ThreadSummary]:
        """Delete conversations for good, the least recently used first; one with a turn under way is passed over.

        Args:
            older_than: Delete those not used for so long.
            keep: Delete all but so many.
            max_bytes: Delete until the rest is no larger.

        Returns:
            What was deleted.

        Raises:
            ThreadError: No limit is named.
        """
        if older_than is None and keep is None and max_bytes is None:
            raise ThreadError("prune what? name an age (--older-than 30d), a number to keep (--keep N) or a size (--max-bytes N)")
        before = (datetime.now(UTC) - older_than).isoformat() if older_than is not None else ""
        chosen, total = [], 0
        for place, thread in enumerate(self.list()):
            total += thread.size or 0
            too_old = thread.last_used < before
            too_many = keep is not None and place >= keep
            too_large = max_bytes is not None and total > max_bytes
            if (too_old or too_many or too_large) and self._at_rest(thread.thread_id):
                chosen.append(thread)
        self._own.prune([thread.thread_id for thread in chosen], strategy="delete")
        summaries.forget()
        return chosen

    def vacuum(self) -> tuple[int, int]:
        """Give unused space back to the disk: the file's bytes before and after."""
        return self._own.database.vacuum()

    # --- handing on ----------------------------------------------------------------------------------------------------

    def export(self, thread_id: str, form: Literal["json", "markdown"] = "json") -> str:
        """A conversation as a text: JSON with all its checkpoints and a checksum, or Markdown for readers.

        Raises:
            ThreadError: There is no such conversation.
        """
        thread_id = str(thread_id)
        told = [*self.show(thread_id)]
        if form == "json":
            return transfer.to_json(self._own, thread_id, told)
        title = next((thread.title for thread in self.list() if thread.thread_id == thread_id), thread_id)
        return transfer.to_markdown(thread_id, title, told)

    def import_(self, text: str, thread_id: str | None = None) -> str:
        """Take over what `export` wrote as JSON, under its own ID or another; returns the ID.

        Raises:
            ThreadError: It is no export, was changed since, or the ID is taken.
        """
        return transfer.from_json(self._own, text, thread_id)

    def check(self) -> Sequence[str]:
        """Read every page, checkpoint and message of the file: what is damaged, in words; nothing when all is well."""
        return recovery.problems(self._own)

    # --- parts ---------------------------------------------------------------------------------------------------------

    @property
    def _is_own(self) -> bool:
        return isinstance(self._checkpointer, Checkpointer)

    @property
    def _own(self) -> Checkpointer:
        if not isinstance(self._checkpointer, Checkpointer):
            raise ThreadError(
                f"a {type(self._checkpointer).__name__} can list, show and delete only; leave the checkpointer out for the rest"
            )
        return self._checkpointer

    def _listed(self) -> Sequence[ThreadSummary]:
        with self._own.database.reading() as connection:
            rows = connection.execute(_LIST).fetchall()
        found = [ThreadSummary(*row) for row in rows]
        return [
            ThreadSummary(**{**vars(thread), "unfinished": thread.unfinished if self._at_rest(thread.thread_id) else None})
            if thread.unfinished
            else thread
            for thread in found
            if thread.turns or thread.unfinished
        ]

    def _listed_abroad(self) -> Sequence[ThreadSummary]:
        found: dict[str, ThreadSummary | None] = {}
        for kept in self._checkpointer.list(None):  # newest first
            thread_id = str(kept.config["configurable"]["thread_id"])
            if thread_id not in found and not kept.config["configurable"].get("checkpoint_ns"):
                told = _turns(thread_id, kept)
                found[thread_id] = ThreadSummary(thread_id, told[0].question, len(told), kept.checkpoint["ts"]) if told else None
        return [thread for thread in found.values() if thread]

    def _holds(self, thread: ThreadSummary, words: Sequence[str]) -> bool:
        said = [f"{turn.question}\n{turn.answer.text}" for turn in self._shown(thread.thread_id)]
        text = "\n".join([thread.title, thread.unfinished or "", *said]).casefold()
        return all(word in text for word in words)

    def _shown(self, thread_id: str) -> Sequence[Turn]:
        """The turns of one of many conversations: one that is broken is told, and does not keep the others back."""
        try:
            return self.show(thread_id)
        except ThreadError as error:
            tell_once(f"thread {visible_line(thread_id)} is left out: {visible_line(error)}")
            return []

    def _at_rest(self, thread_id: str) -> bool:
        """Whether no turn is under way, here or in another process."""
        held = self._locks.acquire(thread_id, wait=False)
        if held:
            held.release()
        return held is not None

    def _noted(self, thread_id: str) -> bool:
        return self._is_own and any(thread.thread_id == thread_id for thread in self._listed())

    def _at(self, thread_id: str, turn: int) -> tuple[CheckpointTuple | None, CheckpointTuple]:
        """The checkpoint that a turn left, where there is one, and the latest."""
        saver = self._own
        latest = saver.get_tuple(_config(thread_id))
        if latest is None:
            raise _unknown(thread_id)
        with saver.database.reading() as connection:
            rows = connection.execute(
                """SELECT s.id, s.parent, s.turns FROM snapshots s JOIN threads t ON t.key = s.thread
                WHERE t.thread_id = ? AND s.ns = '' ORDER BY s.id DESC""",
                (str(thread_id),),
            ).fetchall()
        parents = {checkpoint_id: parent for checkpoint_id, parent, _ in rows}
        led: set[str | None] = set()
        step: str | None = rows[0][0]
        while step is not None and step not in led:
            led.add(step)
            step = parents.get(step)
        # Those that led to the latest come first; the others are what was rewound before.
        there = [checkpoint_id for checkpoint_id, _, count in rows if count == turn]
        for checkpoint_id in sorted(there, key=lambda checkpoint_id: checkpoint_id not in led):
            kept = saver.get_tuple(_config(thread_id, checkpoint_id))
            if kept and _rests(kept):
                return kept, latest
        most = max((count for _, _, count in rows if count is not None), default=0)
        if not 0 <= turn <= len(pairs(latest.checkpoint["channel_values"].get("messages", []))):
            raise ThreadError(f"thread '{thread_id}' has no turn {turn}; it has {most}, counted from 1")
        return None, latest

    def _rewind(self, thread_id: str, turn: int) -> None:
        exact, latest = self._at(thread_id, turn)
        said = latest.checkpoint["channel_values"].get("messages", [])
        self._put(exact or latest, None if exact else _up_to(said, turn))

    def _put(self, base: CheckpointTuple, messages: Messages | None) -> None:
        """Make a former state the latest, with other messages where there are some."""
        checkpoint = copy_checkpoint(base.checkpoint)
        # The latest checkpoint is the one with the largest ID, so the former state gets a new one.
        checkpoint["id"], checkpoint["ts"] = str(uuid6(clock_seq=-2)), datetime.now(UTC).isoformat()
        if messages is not None:
            checkpoint["channel_values"]["messages"] = messages
        step = base.metadata.get("step", -1) + 1
        self._own.put(base.config, checkpoint, {"source": "fork", "step": step, "parents": {}}, {})


def _turns(thread_id: str, kept: CheckpointTuple) -> Sequence[Turn]:
    try:
        return turns(kept.checkpoint["channel_values"].get("messages", []))
    except (ThreadError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ThreadError(f"thread '{thread_id}' cannot be read: {error}") from error


def _rests(kept: CheckpointTuple) -> bool:
    """Whether a checkpoint stands between two turns, with no question left open."""
    said = kept.checkpoint["channel_values"].get("messages", [])
    told = pairs(said)
    return said[-1] is told[-1][1] if told else not said


def _up_to(messages: Messages, turn: int) -> Messages:
    """What was said up to the end of a turn; 0 is before the first."""
    end = pairs(messages)[turn - 1][1] if turn else None
    return messages[: next(i for i, message in enumerate(messages) if message is end) + 1] if end else []


def _config(thread_id: str, checkpoint_id: str | None = None) -> RunnableConfig:
    named = {"checkpoint_id": checkpoint_id} if checkpoint_id else {}
    return {"configurable": {"thread_id": str(thread_id), "checkpoint_ns": "", **named}}


def _unknown(thread_id: str) -> ThreadError:
    return ThreadNotFoundError(f"there is no thread '{thread_id}'; `rag-agent threads list` shows those there are")
