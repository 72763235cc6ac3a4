"""Text to articles to chunks, each a character span of the text it came from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rag_agent.documents.blocks import Section
from rag_agent.documents.reading import Reading

if TYPE_CHECKING:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

_INK = re.compile(r"\S")
_RULE = re.compile(r"^[ \t\ufeff]*-{3,}[ \t]*\r?$", re.MULTILINE)
# One line of the metadata block that Jekyll and Pandoc read at the head of a Markdown file.
_METADATA = re.compile(r"[^\s:]+:(\s|$)|\s|#|-\s|$")


@dataclass(frozen=True)
class Chunk:
    """A piece of an article: `text[start:end]` of the file as read is its text."""

    article: int
    start: int
    end: int
    page: int | None = None
    """Counted from 1, in formats that have pages."""


@dataclass(frozen=True)
class Splitter:
    """Cuts a file's text into articles and these into chunks.

    Attributes:
        chunk_size: The longest chunk, in characters.
        chunk_overlap: How much of a chunk its follower may repeat, in characters.
        separator: A literal text between articles; `None` is a line of three or more dashes and nothing else.
    """

    chunk_size: int = 500
    chunk_overlap: int = 50
    separator: str | None = None

    @cached_property
    def _recursive(self) -> "RecursiveCharacterTextSplitter":
        from langchain_text_splitters import RecursiveCharacterTextSplitter  # 0.7 s, and a warm start splits nothing

        return RecursiveCharacterTextSplitter(chunk_size=self.chunk_size, chunk_overlap=self.chunk_overlap)

    def chunks(self, text: str, *, markdown: bool = False) -> Iterator[Chunk]:
        """The chunks of a text, in order; `markdown` passes over YAML front matter."""
        return self.chunks_of(Reading(text, ""), markdown=markdown)

    def chunks_of(self, reading: Reading, *, markdown: bool = False) -> Iterator[Chunk]:
        """The chunks of a file; where its format has sections, they are the articles, and no chunk reaches over two."""
        text = reading.text
        sections = reading.sections
        if sections is None:
            sections = tuple(Section(*span) for span in article_spans(text, self.separator, markdown=markdown))
        for number, (start, end, page) in enumerate(sections):
            article = text[start:end]
            edge = 0  # behind the last chunk
            for piece in self._recursive.split_text(article):
                # Nothing but white space is lost between chunks, so a piece begins at the next ink at the latest. Of the
                # places where it stands up to there the last is taken: an earlier one could leave repeated text uncovered.
                ink = _INK.search(article, edge)
                latest = ink.start() if ink else len(article)
                offset = article.rfind(piece, 0, latest + len(piece))
                edge = offset + len(piece)
                yield Chunk(number, start + offset, start + edge, page)


def article_spans(text: str, separator: str | None = None, *, markdown: bool = False) -> list[tuple[int, int]]:
    """The spans of a text's articles, without the white space around them; empty articles do not count.

    A table rule or a dash inside a sentence never separates: the line must hold dashes alone, three or more.
    """
    begin = 0
    if markdown:
        begin = _front_matter_end(text)
    breaks = re.finditer(re.escape(separator), text) if separator else _RULE.finditer(text, begin)
    spans = []
    for found in breaks:
        if found.start() >= begin:
            spans.append((begin, found.start()))
            begin = found.end()
    spans.append((begin, len(text)))
    return [span for span in (_stripped(text, *span) for span in spans) if span[0] < span[1]]


def _front_matter_end(text: str) -> int:
    """Where the body of a Markdown text begins: behind a first block of `key: value` lines between rules, else 0."""
    first = _RULE.match(text)
    closing = _RULE.search(text, first.end()) if first else None
    if not first or not closing:
        return 0
    lines = text[first.end() : closing.start()].splitlines()
    return closing.end() if any(lines) and all(_METADATA.match(line) for line in lines) else 0


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    left = piece.lstrip("\ufeff \t\r\n\f\v")
    start = end - len(left)
    return start, start + len(left.rstrip())
