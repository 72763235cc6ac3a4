"""Files of questions: one JSON object a line, a question or a conversation of several."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_agent.errors import EvaluationError

_FIELDS: dict[str, tuple[type, str]] = {
    "question": (str, "a text"),
    "answers": (list, "a list of texts"),
    "file": (str, "a text"),
    "article": (int, "a whole number"),
    "answerable": (bool, "true or false"),
    "kind": (str, "a text"),
}


@dataclass(frozen=True)
class Question:
    """One turn, and what is known of its right answer."""

    question: str
    answers: tuple[str, ...] = ()
    """Any of these is right; none where the right answer is not known."""
    file: str | None = None
    """The file that holds the answer, relative to the docs root."""
    article: int | None = None
    """The article in it, counted from 0."""
    answerable: bool = True
    """Whether the documents hold an answer."""
    kind: str | None = None
    """The kind of answer that is right, such as "transformed"; None for a question to the documents."""


Conversation = tuple[Question, ...]
"""Questions that are asked one after the other on one thread; a single one stands alone."""


def read_questions(path: str | Path, limit: int | None = None) -> list[Conversation]:
    """The conversations of a file; empty lines are passed over, fields of other names are ignored.

    Args:
        path: Each line is `{"question", "answers"?, "file"?, "article"?, "answerable"?, "kind"?}` or `{"turns": [such, ...]}`.
        limit: Read so many lines at most.

    Raises:
        EvaluationError: The file cannot be read, holds no question, or a line is wrong; the message names file and line.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise EvaluationError(f"{path}: {error.strerror}; name a file of questions, one JSON object a line") from error
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{path}: not UTF-8; save the questions in that encoding") from error
    found: list[Conversation] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and (limit is None or len(found) < limit):
            found.append(_conversation(line, f"{path}, line {number}"))
    if not found:
        raise EvaluationError(f"{path} holds no question; write one JSON object a line, such as {_EXAMPLE}")
    return found


_EXAMPLE = '{"question": "Who landed?", "answers": ["Armstrong"]}'


def _conversation(line: str, place: str) -> Conversation:
    try:
        values = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise EvaluationError(f"{place}: not JSON ({error}); write one object a line, such as {_EXAMPLE}") from error
    if isinstance(values, dict) and "turns" in values:
        turns = values["turns"]
        if not isinstance(turns, list) or not turns:
            raise EvaluationError(f"{place}: turns must be a list of questions, such as [{_EXAMPLE}]")
        return tuple(_question(turn, f"{place}, turn {n}") for n, turn in enumerate(turns, start=1))
    return (_question(values, place),)


def _question(values: Any, place: str) -> Question:
    if not isinstance(values, dict) or not isinstance(values.get("question"), str) or not values["question"].strip():
        raise EvaluationError(f"{place}: there is no question; write an object such as {_EXAMPLE}")
    given = {name: value for name, value in values.items() if name in _FIELDS and value is not None}
    for name, value in given.items():
        kind, words = _FIELDS[name]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise EvaluationError(f"{place}: {name} must be {words}, not {json.dumps(value)[:40]}")
    answers = given.pop("answers", [])
    if not all(isinstance(answer, str) and answer.strip() for answer in answers):
        raise EvaluationError(f"{place}: answers must be a list of texts that are not empty")
    return Question(answers=tuple(answers), **given)
