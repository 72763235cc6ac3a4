"""What puts the text of an extracted format together: blocks in, a `Reading` out."""

import re
from collections.abc import Iterable, Sequence

from rag_agent.documents.blocks import Block, Kind, Section
from rag_agent.documents.lines import trimmed
from rag_agent.documents.reading import Reading, Unreadable

MAX_CHARACTERS = 50_000_000
"""Longer texts are refused: they would take gigabytes while they are split."""
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")


class Builder:
    """Puts an extracted text together block by block, an empty line between blocks, a line an item, row or pair.

    Text is taken as it is given, but for the white space around it; empty text adds nothing.
    """

    def __init__(self) -> None:
        """Start with an empty text."""
        self._pieces: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._sections: list[Section] = []
        self._open: list[tuple[int, Kind, int]] = []  # place among the blocks, kind, level
        self._began: int | None = None
        self._page: int | None = None
        self._line = False  # whether the next block goes on the next line, not behind an empty one

    def article(self, page: int | None = None) -> None:
        """Begin an article of its own (a page, a sheet, a record): no chunk reaches over two."""
        self._end_section()
        self._began, self._page, self._line = None, page, False

    def add(self, kind: Kind, text: str, *, level: int = 0, names: Sequence[str] = (), tight: bool = False) -> Block | None:
        """Add a block at the end.

        Args:
            kind: What it is.
            text: What it says.
            level: See `Block.level`.
            names: See `Block.names`.
            tight: Whether it begins on the next line instead of behind an empty line.

        Raises:
            Unreadable: The text has grown too long.
        """
        text = _NOT_TEXT.sub("\ufffd", text).strip()
        if not text:
            return None
        start = self._append(text, tight=tight or self._line)
        block = Block(kind, start, self._length, level, tuple(names))
        self._blocks.append(block)
        self._line = bool(self._open)
        return block

    def open(self, kind: Kind, *, level: int = 0) -> None:
        """Begin a block that holds others (`list`, `item`, `table`, `answer`); what follows goes into it line by line."""
        self._open.append((len(self._blocks), kind, level))
        self._blocks.append(Block(kind, -1, -1, level))  # its span is known when it is closed

    def close(self) -> None:
        """End the block that was opened last; one that holds nothing is dropped."""
        place, kind, level = self._open.pop()
        inside = self._blocks[place + 1 :]
        if inside:
            self._blocks[place] = Block(kind, inside[0].start, max(block.end for block in inside), level)
        else:
            del self._blocks[place]
        self._line = bool(self._open)

    def lines(self, kind: Kind, texts: Iterable[str]) -> None:
        """Add blocks of one kind, one a line."""
        for number, text in enumerate(texts):
            self.add(kind, text, tight=number > 0)

    def add_text(self, text: str, blocks: Iterable[Block]) -> None:
        """Add a text of several blocks as it stands; their spans index it.

        Raises:
            Unreadable: The text has grown too long.
        """
        text = _NOT_TEXT.sub("\ufffd", text)
        start, end = trimmed(text, 0, len(text))
        if start == end:
            return
        by = self._append(text[start:end], tight=self._line) - start
        self._blocks += [block._replace(start=block.start + by, end=block.end + by) for block in blocks]
        self._line = bool(self._open)

    def reading(self, format: str, *, title: str = "", told: Iterable[str] = ()) -> Reading:
        """The whole; `format` stands in place of an encoding."""
        while self._open:
            self.close()
        self._end_section()
        self._began = None
        return Reading(
            "".join(self._pieces), format, tuple(self._sections), tuple(self._blocks), " ".join(title.split()), True, tuple(told)
        )

    def _append(self, text: str, *, tight: bool) -> int:
        between = ("\n" if tight and self._began is not None else "\n\n") if self._length else ""
        self._pieces += [between, text]
        start = self._length + len(between)
        self._length = start + len(text)
        if self._length > MAX_CHARACTERS:
            raise Unreadable(f"more than {MAX_CHARACTERS:,} characters of text; split it into smaller files")
        if self._began is None:
            self._began = start
        return start

    def _end_section(self) -> None:
        if self._began is not None:
            self._sections.append(Section(self._began, self._length, self._page))
