"""What a channel holds, kept once: whole values by the hash of their bytes, lists of messages line by line."""

import copy
import hashlib
import sqlite3
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.serde.base import SerializerProtocol

_REMEMBERED = 10_000  # messages that are kept in memory
_LISTS = 64  # lists whose order is
_FIXED = frozenset({str, int, float, bool, bytes, type(None)})
_put = object.__setattr__

Ref = tuple[int | None, int | None]
"""Where a value is: a part, or the last line of a list of messages."""


class Parts:
    """Values in and out of an open transaction.

    Messages that were read are remembered, since a turn reads the whole conversation again; what is handed out is a copy,
    so that a caller may change it, unless the caller has promised not to.
    """

    def __init__(self, serde: SerializerProtocol, lender: "Parts | None" = None) -> None:
        """Read and write with a serializer.

        Args:
            serde: Values to bytes and back.
            lender: Share what this one remembers, and hand it out without a copy.
        """
        self._serde = serde
        self._lends = lender is not None
        self._messages: dict[int, _Known] = lender._messages if lender else {}
        self._lists: dict[int, tuple[int, ...]] = lender._lists if lender else {}

    def keep(self, connection: sqlite3.Connection, thread: int, value: Any, before: int | None) -> Ref:
        """Store a value unless the thread holds it.

        Args:
            connection: In a transaction.
            thread: The thread's key.
            value: What a channel holds.
            before: The last line of the list that the channel held until now, whose beginning is probably the same.
        """
        if not _is_conversation(value):
            return self._part(connection, thread, value), None
        held = self._list(connection, before) if before is not None else ()
        same = self._same(connection, held, value)
        new = [self._part(connection, thread, message) for message in value[same:]]
        line = _line_before(connection, before, len(held) - same) if before is not None else None
        for part in new:
            sql = "INSERT INTO lines (thread, previous, part) VALUES (?, ?, ?) RETURNING id"
            line = connection.execute(sql, (thread, line, part)).fetchone()[0]
        assert line is not None  # a conversation is not empty
        self._remember_list(line, (*held[:same], *new))
        return None, line

    def read(self, connection: sqlite3.Connection, ref: Ref) -> Any:
        """The value that was kept."""
        part, line = ref
        if line is not None:
            held = self._list(connection, line)
            messages = self._read_messages(connection, held)
            return [known.message for known in messages] if self._lends else [known.copy() for known in messages]
        row = connection.execute("SELECT type, value FROM parts WHERE id = ?", (part,)).fetchone()
        if row is None:
            raise sqlite3.DatabaseError(f"part {part} is missing")
        return self._serde.loads_typed(row)

    def forget(self) -> None:
        """Remember nothing: what was deleted must not stay in memory, nor what a transaction took back."""
        self._messages.clear()
        self._lists.clear()

    # --- parts ---------------------------------------------------------------------------------------------------------

    def _part(self, connection: sqlite3.Connection, thread: int, value: Any) -> int:
        kind, data = self._serde.dumps_typed(value)
        digest = hashlib.sha256(kind.encode() + b"\0" + data).digest()
        row = connection.execute("SELECT id FROM parts WHERE thread = ? AND hash = ?", (thread, digest)).fetchone()
        if row is None:
            sql = "INSERT INTO parts (thread, hash, type, value) VALUES (?, ?, ?, ?) RETURNING id"
            row = connection.execute(sql, (thread, digest, kind, data)).fetchone()
        return int(row[0])

    def _read_messages(self, connection: sqlite3.Connection, parts: Sequence[int]) -> list["_Known"]:
        if len(self._messages) + len(parts) > _REMEMBERED:
            self._messages.clear()
        for part in parts:
            if part not in self._messages:
                self._messages[part] = _Known(self.read(connection, (part, None)))
        return [self._messages[part] for part in parts]

    # --- lists ---------------------------------------------------------------------------------------------------------

    def _list(self, connection: sqlite3.Connection, last: int) -> tuple[int, ...]:
        """The parts of a list, by its last line."""
        beginning: tuple[int, ...] = ()
        parts: list[int] = []
        line: int | None = last
        passed: set[int] = set()
        while line is not None:
            if line in passed:
                raise sqlite3.DatabaseError(f"line {line} leads back to itself")
            passed.add(line)
            if line in self._lists:
                beginning = self._lists[line]
                break
            row = connection.execute("SELECT previous, part FROM lines WHERE id = ?", (line,)).fetchone()
            if row is None:
                raise sqlite3.DatabaseError(f"line {line} is missing")
            line, part = row
            parts.append(part)
        found = (*beginning, *reversed(parts))
        self._remember_list(last, found)
        return found

    def _remember_list(self, last: int, parts: tuple[int, ...]) -> None:
        if len(self._lists) >= _LISTS:
            self._lists.clear()
        self._lists[last] = parts

    def _same(self, connection: sqlite3.Connection, held: Sequence[int], value: Sequence[BaseMessage]) -> int:
        """How many messages at the beginning are the ones that are held."""
        known = self._read_messages(connection, held[: len(value)])
        for number, (old, new) in enumerate(zip(known, value, strict=False)):
            if not old.same(new):
                return number
        return len(known)


def _line_before(connection: sqlite3.Connection, line: int, steps: int) -> int | None:
    """The line so many steps back in a list; None before its first."""
    found: int | None = line
    for _ in range(steps):
        found = connection.execute("SELECT previous FROM lines WHERE id = ?", (found,)).fetchone()[0]
    return found


def _is_conversation(value: Any) -> bool:
    return type(value) is list and bool(value) and all(isinstance(message, BaseMessage) for message in value)


class _Known:
    """A message as it stands on the disk."""

    __slots__ = ("_deep", "_empty", "_fields", "_flat", "_kind", "message")

    def __init__(self, message: BaseMessage) -> None:
        self.message = message
        self._kind = type(message)
        self._fields = message.__dict__
        # Copying is the one thing that a turn does for every message before it, so what is to copy is sorted out once.
        containers = [(name, value) for name, value in self._fields.items() if type(value) not in _FIXED]
        self._empty = [(name, type(value)) for name, value in containers if type(value) in (dict, list) and not value]
        self._flat = [name for name, value in containers if value and _is_flat(value)]
        done = {name for name, _ in self._empty}.union(self._flat)
        self._deep = [name for name, _ in containers if name not in done]

    def same(self, other: BaseMessage) -> bool:
        """Whether another message says the same."""
        mine = self.message
        return mine is other or (
            self._kind is type(other) and self._fields == other.__dict__ and mine.__pydantic_extra__ == other.__pydantic_extra__
        )

    def copy(self) -> BaseMessage:
        """A copy as deep as its containers; `copy.deepcopy` takes twenty times as long."""
        mine, fields = self.message, self._fields.copy()
        for name, kind in self._empty:
            fields[name] = kind()
        for name in self._flat:
            fields[name] = fields[name].copy()
        for name in self._deep:
            fields[name] = copy.deepcopy(fields[name])
        twin = self._kind.__new__(self._kind)
        _put(twin, "__dict__", fields)
        _put(twin, "__pydantic_fields_set__", mine.__pydantic_fields_set__.copy())
        _put(twin, "__pydantic_extra__", copy.deepcopy(mine.__pydantic_extra__) if mine.__pydantic_extra__ else {})
        _put(twin, "__pydantic_private__", None)
        return twin


def _is_flat(value: Any) -> bool:
    if type(value) is dict:
        return all(type(inner) in _FIXED for inner in value.values())
    return type(value) is list and all(type(inner) in _FIXED for inner in value)
