"""The structure of a text: blocks, each a span with a kind.

Blocks are a flat tuple in reading order; spans nest (a list holds its items, a table its rows), so containment is the tree,
and a heading governs what follows it up to the next heading of its level or above.
"""

from typing import Literal, NamedTuple

Kind = Literal[
    "heading", "paragraph", "list", "item", "table", "names", "row", "code", "pair", "question", "answer", "quotation",
    "furniture",
]  # fmt: skip
"""What a block is.

A `list` spans its items; an `item` may hold paragraphs and a nested list. A `table` spans its `names` (the lines that name
columns) and its `row`s. A `pair` is a `key: value` line (of front matter, a form, a JSON record, a definition list). `question`
and `answer` belong to an FAQ where the format says so. A `quotation` is somebody else's words. `furniture` is no content:
running heads, page numbers, navigation, tables of contents; it is kept and never quoted.
"""


class Block(NamedTuple):
    """A part of a text: `text[start:end]`, without the white space around it."""

    kind: Kind
    start: int
    end: int
    level: int = 0
    """Of a heading: 1 is the highest. Of a list or an item: how deep it is nested, from 0."""
    names: tuple[str, ...] = ()
    """Of a row whose text does not name its columns itself: the names, one a cell (`""` where a column has none)."""


class Section(NamedTuple):
    """A part of an extracted text that is an article of its own: `text[start:end]`."""

    start: int
    end: int
    page: int | None = None
    """Counted from 1, in formats that have pages."""
