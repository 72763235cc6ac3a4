"""Text to articles to chunks, each a character span of the text it came from."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from rag_agent.documents.articles import articles
from rag_agent.documents.blocks import Block, Section
from rag_agent.documents.outline import Outline, outline
from rag_agent.documents.reading import Reading
from rag_agent.documents.structures import plain_reading, structure

if TYPE_CHECKING:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

_INK = re.compile(r"\S")
_PARTED = frozenset({"heading", "list", "table", "row", "pair", "code", "question", "answer", "furniture"})
_HOLDERS = frozenset({"list", "table", "answer", "quotation"})  # what they hold is cut by itself
_LINE, _LONGEST_CONTEXT = 80, 200  # characters: more would drown the chunk in its vector


@dataclass(frozen=True)
class Chunk:
    """A piece of an article: `text[start:end]` of the file as read is its text."""

    article: int
    start: int
    end: int
    page: int | None = None
    """Counted from 1, in formats that have pages."""
    context: str = ""
    """What it stands under, in a line: the title of its file and the headings above it."""


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

    def chunks(self, text: str) -> Iterator[Chunk]:
        """The chunks of a plain text, in order."""
        return self.chunks_of(self.articles(plain_reading(text)))

    def articles(self, reading: Reading) -> Reading:
        """A reading whose sections are its articles: those of its format, or what the literal separator parts."""
        if not self.separator or reading.extracted:
            return reading
        breaks = [found.span() for found in re.finditer(re.escape(self.separator), reading.text)]
        return replace(reading, sections=articles(reading.text, breaks))

    def chunks_of(self, reading: Reading) -> Iterator[Chunk]:
        """The chunks of a file, in order; none reaches over two articles, or begins within an item or a row that fits.

        What is furniture is in no chunk: it is kept in the text, and neither found nor quoted.
        """
        shape = outline(reading)
        for number, section in enumerate(reading.sections or ()):
            for start, end in self._segments(shape, section):
                for left, right in self._cut(reading.text, start, end):
                    yield Chunk(number, left, right, section.page, _context(shape, left))

    def _segments(self, shape: Outline, section: Section) -> Iterator[tuple[int, int]]:
        """The stretches of an article to be cut: prose as a whole; lists, tables and the like packed from whole parts."""
        blocks = [shape.blocks[n] for n in shape.touching(section.start, section.end)] if shape.blocks else []
        blocks = [block for block in blocks if section.start <= block.start and block.end <= section.end]
        if not any(block.kind in _PARTED for block in blocks):
            yield section.start, section.end
            return
        start = end = -1
        tied = False  # the stretch ends with what announces the next part
        for left, right, kind in _parts(blocks):
            # A section is found by its own heading, so it shares no chunk with the one before.
            opens = kind in ("heading", "question") and not tied
            if start >= 0 and not opens and (right - start <= self.chunk_size or (tied and end - start < self.chunk_size // 2)):
                end = right
            else:
                if start >= 0:
                    yield start, end
                start, end = left, right
            tied = kind in ("heading", "question", "names")
        if start >= 0:
            yield start, end

    def _cut(self, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        article = text[start:end]
        edge = 0  # behind the last chunk
        for piece in self._recursive.split_text(article):
            # Nothing but white space is lost between chunks, so a piece begins at the next ink at the latest. Of the
            # places where it stands up to there the last is taken: an earlier one could leave repeated text uncovered.
            ink = _INK.search(article, edge)
            latest = ink.start() if ink else len(article)
            offset = article.rfind(piece, 0, latest + len(piece))
            edge = offset + len(piece)
            yield start + offset, start + edge


def _parts(blocks: Sequence[Block]) -> Iterator[tuple[int, int, str]]:
    """The parts of an article that hang together, furniture left out, and what each is."""
    reached = -1
    for block, after in zip(blocks, [*blocks[1:], None], strict=True):
        holds = after is not None and after.start < block.end
        if block.start < reached or (holds and block.kind in _HOLDERS):
            continue
        reached = block.end
        if block.kind != "furniture":
            yield block.start, block.end, block.kind


def _context(shape: Outline, at: int) -> str:
    lines = [shape.reading.title, *(" ".join(shape.text(number).split()) for number in shape.over(at))]
    return " — ".join(dict.fromkeys(line[:_LINE] for line in lines if line))[-_LONGEST_CONTEXT:]


def article_spans(text: str, separator: str | None = None, *, markdown: bool = False) -> list[tuple[int, int]]:
    """The spans of a text's articles, without the white space around them; empty articles do not count.

    A line of three or more dashes and nothing else parts them, unless it underlines a heading or the head of a table; in Markdown
    a thematic break does, in the sense of CommonMark. A literal separator takes the place of both.
    """
    found = structure(".md" if markdown else ".txt", text)
    reading = Splitter(separator=separator).articles(Reading(text, "", found.sections, found.blocks))
    return [(section.start, section.end) for section in reading.sections or ()]
