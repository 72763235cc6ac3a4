"""Text to articles to chunks, each a character span of the text it came from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rag_agent.documents.blocks import Section
from rag_agent.documents.plain import articles, rules
from rag_agent.documents.reading import Reading
from rag_agent.documents.structures import structure

if TYPE_CHECKING:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

_INK = re.compile(r"\S")


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
        """The chunks of a text, in order."""
        return self.chunks_of(
            Reading(text, "", tuple(Section(*s) for s in article_spans(text, self.separator, markdown=markdown)))
        )

    def chunks_of(self, reading: Reading) -> Iterator[Chunk]:
        """The chunks of a file: no chunk reaches over two of its articles."""
        text = reading.text
        sections = reading.sections
        if sections is None or (self.separator and not reading.extracted):
            sections = tuple(Section(*span) for span in article_spans(text, self.separator))
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

    A line of three or more dashes and nothing else parts them, unless it underlines a heading or the head of a table; in Markdown
    a thematic break does, in the sense of CommonMark. A literal separator takes the place of both.
    """
    if separator:
        breaks = [found.span() for found in re.finditer(re.escape(separator), text)]
        return [(section.start, section.end) for section in articles(text, breaks)]
    sections = structure(".md", text).sections if markdown else articles(text, rules(text))
    return [(section.start, section.end) for section in sections]
