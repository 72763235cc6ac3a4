"""JSON and JSON Lines: each value is named by the keys that lead to it; what belongs to one object stays together."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag_agent.documents.builder import Builder
from rag_agent.documents.plain import structure
from rag_agent.documents.reading import Reading, Unreadable, decode

_ASKED = ("question", "q", "vraag", "frage", "pregunta", "vraagstelling")
_SAID = ("answer", "answers", "a", "acceptedAnswer", "antwoord", "antwort", "respuesta", "response", "reply")
_TITLES = ("title", "headline", "name", "subject", "heading", "titel")
_EVALUATION = frozenset(("question", "answers", "file", "article", "answerable", "turns", "id"))
_ROW = 400  # characters of an object that is shown on a line
_TITLE = 120  # characters of a value that is the title of its object
_LONG = 240  # characters of a value that is a text of its own
_DEEP = 20  # deeper values are written as JSON


def read_json(data: bytes) -> Reading:
    """The values of a JSON file; one that holds a value a line is read as JSON Lines."""
    text = _text(data)
    try:
        value = json.loads(text)
    except ValueError as error:
        records, bad = _lines(text)
        if bad or len(records) < 2:
            raise Unreadable(f"no valid JSON ({error})") from error
        value = records
    return _reading(value, "json")


def read_jsonl(data: bytes) -> Reading:
    """The records of a JSON Lines file; lines that are none are counted."""
    records, bad = _lines(_text(data))
    if not records and bad:
        raise Unreadable("no line of it is JSON")
    if records and all(_is_evaluation(record) for record in records):
        raise Unreadable("questions for an evaluation, not a document")
    told = (f"{bad} {'line that is' if bad == 1 else 'lines that are'} no JSON",) if bad else ()
    return _reading(records, "jsonl", told)


def _text(data: bytes) -> str:
    return decode(data)[0].removeprefix("\ufeff")


def _lines(text: str) -> tuple[list[Any], int]:
    records, bad = [], 0
    for line in text.split("\n"):
        if line.strip():
            try:
                records.append(json.loads(line))
            except ValueError:
                bad += 1
    return records, bad


def _is_evaluation(record: Any) -> bool:
    """Whether a line is one of `rag-agent eval`: it says where the answer is to be found, or gives none."""
    if not isinstance(record, dict) or not set(record) <= _EVALUATION:
        return False
    return "turns" in record or ("question" in record and ("answers" not in record or len(set(record) - {"id"}) > 2))


def _reading(value: Any, format: str, told: Sequence[str] = ()) -> Reading:
    builder = Builder()
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        _objects(builder, "", value, 0, articles=True)
    else:
        _value(builder, "", value, 0)
    title = value.get("title") if isinstance(value, dict) else None
    return builder.reading(format, title=title if isinstance(title, str) else "", told=told)


def _value(builder: Builder, name: str, value: Any, depth: int) -> None:
    if isinstance(value, dict):
        _object(builder, name, value, depth)
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value) and depth < _DEEP:
        _objects(builder, name, value, depth)
    elif isinstance(value, list):
        _list(builder, name, value)
    elif value is not None and value != "":
        _scalar(builder, name, _said(value))


def _object(builder: Builder, name: str, value: Mapping[str, Any], depth: int) -> None:
    if _faq(builder, name, value, depth):
        return
    # Texts of their own come last, so that what is short does not stand below their names.
    for key, one in sorted(value.items(), key=lambda item: _is_long(item[1])):
        path = f"{name}.{key}"[-200:] if name else str(key)
        _value(builder, path, one, depth + 1) if depth < _DEEP else _scalar(builder, path, _said(one))


def _objects(builder: Builder, name: str, values: Sequence[Mapping[str, Any]], depth: int, *, articles: bool = False) -> None:
    """Small objects are rows of a table; larger ones follow each other, and at the top each is an article."""
    rows = [_row(value) for value in values]
    if all(rows) and not any(_pair(value) for value in values):
        builder.open("table")
        for row in rows:
            builder.add("row", f"{name}: {row}" if name else row)
        builder.close()
        return
    for number, value in enumerate(values, start=1):
        if articles:
            builder.article()
        title = next((key for key in _TITLES if isinstance(value.get(key), str) and 0 < len(value[key]) <= _TITLE), None)
        if title and not _pair(value):
            builder.add("heading", value[title], level=min(6, depth + 1))
            value = {key: one for key, one in value.items() if key != title}
        _object(builder, f"{name}[{number}]" if name else "", value, depth + 1)


def _pair(value: Mapping[str, Any]) -> tuple[str, str] | None:
    """The keys of a question and its answer, where an object is such a pair."""
    asked = next((key for key in _ASKED if isinstance(value.get(key), str)), None)
    if asked is None and value.get("@type") == "Question" and isinstance(value.get("name"), str):
        asked = "name"  # schema.org
    said = next((key for key in _SAID if value.get(key)), None)
    return (asked, said) if asked and said else None


def _faq(builder: Builder, name: str, value: Mapping[str, Any], depth: int) -> bool:
    keys = _pair(value)
    if not keys:
        return False
    builder.add("question", value[keys[0]])
    answer = value[keys[1]]
    if isinstance(answer, dict):
        answer = answer.get("text") or list(answer.values())
    answers = [_said(one) for one in answer] if isinstance(answer, list) else [_said(answer)]
    if len(answers) == 1:
        builder.add("answer", answers[0], tight=True)
    else:
        builder.open("answer")
        builder.lines("paragraph", answers)
        builder.close()
    for key, one in value.items():
        if key not in keys and not key.startswith("@"):
            _value(builder, key, one, depth + 1)
    return True


def _row(value: Mapping[str, Any]) -> str:
    """An object on one line, "" where that would be too long."""
    pieces: list[str] = []
    length = 0
    for path, one in _flat(value):
        pieces.append(f"{path}: {one}")
        length += len(pieces[-1]) + 2
        if length > _ROW or "\n" in one:
            return ""
    return "; ".join(pieces)


def _flat(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Paths and values; no recursion, since values may lie thousands deep."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend((f"{path}.{key}"[-200:] if path else str(key), inner) for key, inner in reversed(one.items()))
        elif isinstance(one, list) and any(isinstance(inner, dict | list) for inner in one):
            waiting.extend((path, inner) for inner in reversed(one))
        elif isinstance(one, list):
            if one:
                yield path, ", ".join(_said(inner) for inner in one)
        elif one is not None and one != "":
            yield path, _said(one)


def _list(builder: Builder, name: str, values: Sequence[Any]) -> None:
    """Values on a line where they fit, else a list that its name introduces."""
    said = ((_row(value) if isinstance(value, dict) else "") or _said(value) for value in values if value is not None)
    texts = [text for text in said if text]
    line = ", ".join(texts)
    if not texts:
        return
    if len(line) <= _LONG / 3 and not any("\n" in text for text in texts):
        builder.add("pair", f"{name}: {line}" if name else line)
        return
    if name:
        builder.add("paragraph", f"{name}:")
    builder.open("list")
    for text in texts:
        builder.add("item", f"- {text}")
    builder.close()


def _scalar(builder: Builder, name: str, text: str) -> None:
    if not _is_long(text):
        builder.add("pair", f"{name}: {text}" if name else text, tight=True)
        return
    if name:
        builder.add("heading", name, level=6)
    builder.add_text(text, structure(text).blocks)


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and (len(value) > _LONG or "\n" in value.strip())


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
