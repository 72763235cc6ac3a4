"""What office documents leave to the reader: lists out of paragraphs and typed marks; pairs, questions and answers."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from rag_agent.documents.answers import answered
from rag_agent.documents.blocks import Block
from rag_agent.documents.builder import Builder
from rag_agent.documents.paragraphs import parts
from rag_agent.documents.reading import Reading

_BULLETS = "•‣⁃◦▪▫●○■□◆◇►▶➢➤✓✔✗\u2219\u00b7\uf0b7\uf0a7\uf0d8\uf076\uf0fc\u2013\u2014*-"
_MARK = re.compile(
    rf"([{_BULLETS}]|o(?=\s\s)|\(?(?:\d{{1,3}}|[a-zA-Z]|[ivxIVX]{{1,5}})[.)]|\d{{1,3}}(?:\.\d{{1,3}}){{1,4}}\.?)\s+(?=\S)"
)


class Item(NamedTuple):
    """An item of a list."""

    level: int
    """How deep it lies, from 0."""
    paragraphs: Sequence[str]
    """What it says, its mark included."""


def typed_mark(text: str) -> tuple[str, str] | None:
    """The mark that somebody typed before an item, and the item; None of what has none."""
    found = _MARK.match(text)
    return (found[1], text[found.end() :]) if found else None


def shown(mark: str, text: str) -> str:
    """An item as it stands in the text: numbers and letters as they are, any bullet as a dash."""
    return f"{mark if any(map(str.isalnum, mark)) and mark != 'o' else '-'} {text}"


def add_list(builder: Builder, items: Sequence[Item], level: int = 0) -> None:
    """Add a list with the lists in it; an item that lies deeper than the one before it belongs to that one."""
    builder.open("list", level=level)
    at = 0
    while at < len(items):
        end = at + 1
        while end < len(items) and items[end].level > items[at].level:
            end += 1
        paragraphs = [text for text in items[at].paragraphs if text.strip()]
        if end - at == 1 and len(paragraphs) == 1:
            builder.add("item", paragraphs[0], level=level)
        else:
            builder.open("item", level=level)
            builder.lines("paragraph", paragraphs)
            if end - at > 1:
                add_list(builder, items[at + 1 : end], level + 1)
            builder.close()
        at = end
    builder.close()


def refined(reading: Reading) -> Reading:
    """A reading with the paragraphs that are `key: value` lines, questions or answers told from others, as in plain text."""
    blocks: list[Block] = []
    inside = 0  # where the list or table ends that was begun last
    for block in reading.blocks:
        if block.kind == "paragraph" and block.start >= inside:
            asked = bool(blocks) and blocks[-1].kind == "question"
            blocks += parts(reading.text, block.start, block.end, after_question=asked)
        else:
            blocks.append(block)
            inside = max(inside, block.end) if block.kind in ("list", "table") else inside
    return replace(reading, blocks=tuple(answered(reading.text, blocks)))
