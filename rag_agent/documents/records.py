"""JSON and JSON Lines: a line a value, each record of a list an article."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rag_agent.documents.builder import Builder
from rag_agent.documents.reading import Reading, Unreadable, decode


def read_json(data: bytes) -> Reading:
    """The values of a JSON file."""
    value = json.loads(decode(data)[0].removeprefix("\ufeff"))
    return _records(value if isinstance(value, list) and all(isinstance(one, dict) for one in value) else [value], "json")


def read_jsonl(data: bytes) -> Reading:
    """The records of a JSON Lines file."""
    records = []
    for number, line in enumerate(decode(data)[0].removeprefix("\ufeff").split("\n"), start=1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except ValueError as error:
                raise Unreadable(f"line {number} is not JSON") from error
    return _records(records, "jsonl")


def _records(records: Sequence[Any], format: str) -> Reading:
    if records and all(isinstance(r, dict) and ("turns" in r or ("question" in r and "answer" not in r)) for r in records):
        raise Unreadable("questions for an evaluation, not a document")
    builder = Builder()
    for record in records:
        builder.article()
        builder.lines("pair", _flat(record))
    return builder.reading(format)


def _flat(value: Any) -> Iterator[str]:
    """A line a value, named by the keys that lead to it; no recursion, since values may lie thousands deep."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((f"{name}.{key}"[-200:] if name else str(key), one) for key, one in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend((name, one) for one in reversed(value))
        elif value is not None and value != "":
            said = value if isinstance(value, str) else json.dumps(value)
            yield f"{name}: {said}" if name else said
