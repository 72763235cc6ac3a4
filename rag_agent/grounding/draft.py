"""What a reader is asked, and what its reply says: sentences, and the units that it took them from.

Small models keep a simple form only, and not always. So the reply may be plain text with numbers in it, lines with labels, JSON
or Markdown; numbers may be missing or wrong. A number is a hint: whether a sentence stands on a unit is decided by the check.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from rag_agent import prompts
from rag_agent.grounding.template import neutralise
from rag_agent.language import sentence_texts

__all__ = ["Draft", "DraftSentence", "Unit", "draft_messages", "read_draft"]

_MOST = 10  # units that a range of numbers may name
_WORD = r"(?:passages?|units?|sources?|numbers?|nos?\.?|#)"
_NUMBERS = r"\d{1,3}(?:\s*(?:,|;|&|-|–|and)\s*\d{1,3})*"
# "[1, 3]", "[passages 1 and 3]", "(passage 2)"; in round brackets with the word alone: "(1986)" is text.
_MARK = re.compile(rf"\s*(?:[\[【]\s*(?:{_WORD}\s*)?({_NUMBERS})\s*[\]】]|\(\s*{_WORD}\s*({_NUMBERS})\s*\))", re.IGNORECASE)
_BEHIND = re.compile(rf"([.!?…。！？][\"'”’»)]*)((?:{_MARK.pattern})+)", re.IGNORECASE)
# "Passages: 1, 3", "Source: [2]": a line of its own.
_LINE = re.compile(rf"[\s*_-]*{_WORD}[\s*_]*:?[\s*_]*[\[(]?\s*({_NUMBERS})\s*[\])]?[.\s*_]*", re.IGNORECASE)
_LABEL = re.compile(r"^[\s*_#>]*(?:answer|a)[\s*_]*:[\s*_]*", re.IGNORECASE)
_FENCE = re.compile(r"^\s*```[\w-]*\s*$", re.MULTILINE)
_JSON = re.compile(r"\{.*\}", re.DOTALL)
_CUT = re.compile(r'^\s*\{\s*"answer"\s*:\s*"((?:[^"\\]|\\.)*)\\?$', re.DOTALL)
_BULLET = re.compile(r"^\s*(?:[-*•+]|\d{1,2}[.)])\s+")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")


class Unit(Protocol):
    """What a reader is shown: a passage, or a part of one."""

    @property
    def number(self) -> int:
        """By which the reader names it, counted from 1."""

    @property
    def text(self) -> str:
        """What it says, clean."""

    @property
    def context(self) -> str:
        """What it stands under: file, headings, names of columns, in words."""


@dataclass(frozen=True)
class DraftSentence:
    """A sentence, or a piece of one, that a reader replied.

    Attributes:
        text: Without marks and markup.
        units: The numbers of the units that it names, those that exist, in its order.
    """

    text: str
    units: tuple[int, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A reader's reply, read.

    Attributes:
        sentences: What it says.
        declined: Whether the whole of it is that the documents do not say.
    """

    sentences: tuple[DraftSentence, ...] = ()
    declined: bool = False


def draft_messages(question: str, units: Sequence[Unit], system: str | None = None) -> list[BaseMessage]:
    """The prompt of a draft: what is to be read, each with its number; then the question, so that a repeated text is read once.

    Args:
        question: Said in full.
        units: In the order to read them.
        system: The role of the assistant, before its task.
    """
    blocks = [neutralise(f"[{unit.number}] {unit.context}\n{unit.text}") for unit in units]
    role = f"{system}\n\n{prompts.DOCUMENTS_SYSTEM}" if system else prompts.DOCUMENTS_SYSTEM
    task = prompts.DRAFT.format(passages="\n\n".join(blocks), question=question, no_answer=prompts.NO_ANSWER)
    return [SystemMessage(role), HumanMessage(task)]


def read_draft(reply: str, units: Sequence[Unit], question: str = "") -> Draft:
    """Read a reply as sentences with the numbers of units.

    A reply is never dropped whole because it says somewhere that the documents do not answer: that sentence alone is.

    Args:
        reply: What the model wrote.
        units: Those that it was shown.
        question: As it was put; a reply often begins by repeating it.
    """
    known = {unit.number for unit in units}
    text, common = _unwrapped(reply)
    found: list[DraftSentence] = []
    declined = False
    for line in text.splitlines():
        if numbers := _LINE.fullmatch(line):
            common += _numbers(numbers[1])
            continue
        for sentence, named in _marked(_BULLET.sub("", _LABEL.sub("", line))):
            if _plain(sentence) == _plain(question):
                continue
            if _plain(prompts.NO_ANSWER) in _plain(sentence):
                declined = True
            elif any(char.isalnum() for char in sentence):
                found.append(DraftSentence(sentence, tuple(number for number in named if number in known)))
    shared = tuple(dict.fromkeys(number for number in common if number in known))
    sentences = tuple(one if one.units else DraftSentence(one.text, shared) for one in found)
    return Draft(tuple(dict.fromkeys(sentences)), declined and not sentences)


def _unwrapped(reply: str) -> tuple[str, list[int]]:
    """The answer in a reply, which may be JSON, and the numbers that stand beside it there."""
    text = _FENCE.sub("", reply).strip()
    if found := _JSON.search(text):
        try:
            values = json.loads(found.group(), strict=False)
        except ValueError:
            values = None
        if isinstance(values, dict) and "answer" in values:
            numbers = [number for key, value in values.items() if key != "answer" for number in _integers(value)]
            return _lines(values["answer"]), numbers
    if cut := _CUT.search(text):  # the reply was longer than it may be
        return cut[1].replace('\\"', '"').replace("\\n", "\n"), []
    return _EMPHASIS.sub(r"\2", text), []


def _lines(answer: Any) -> str:
    if isinstance(answer, dict):
        return "\n".join(f"{key}: {_lines(value)}" for key, value in answer.items())
    return "\n".join(map(_lines, answer)) if isinstance(answer, list) else "" if answer is None else str(answer)


def _integers(value: Any) -> list[int]:
    items = value if isinstance(value, list) else [value]
    return [int(item) for item in items if isinstance(item, int) or (isinstance(item, str) and item.isdigit())]


def _marked(line: str) -> Iterator[tuple[str, list[int]]]:
    """The sentences of a line, each with the numbers that stand in it or directly behind it."""
    # "... in 1969. [2] It ..." becomes "... in 1969 [2]. It ...": a mark belongs to what stands before it.
    for piece in sentence_texts(_BEHIND.sub(r"\2\1", line)):
        numbers = [number for mark in _MARK.finditer(piece) for number in _numbers(mark[1] or mark[2])]
        yield " ".join(_MARK.sub("", piece).strip().strip('"`').split()), numbers


def _numbers(text: str) -> list[int]:
    """The numbers in a mark: two in "1, 3" and in "1 and 3", three in "1-3"."""
    found: list[int] = []
    for first, last in re.findall(r"(\d{1,3})(?:\s*[-–]\s*(\d{1,3}))?", text):
        end = int(last or first)
        found += range(int(first), end + 1) if end - int(first) < _MOST else [int(first), end]
    return found


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
