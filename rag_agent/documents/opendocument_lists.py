"""The marks that the lists of an OpenDocument file show."""

from collections.abc import Iterable, Sequence
from typing import Any

from rag_agent.documents.archives import attribute, local
from rag_agent.documents.prose import Item, shown, typed_mark
from rag_agent.documents.word_styles import counted, number

_FORMATS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}


class ListMarks:
    """Counts the items of lists."""

    def __init__(self, styles: Iterable[Any]) -> None:
        """Know the styles of lists."""
        self._lists = {attribute(one, "name"): one for one in styles}
        self._counts: dict[str, list[int]] = {}  # of each list that may go on: how far its numbers are, by level

    def begun(self, element: Any, style: str, level: int, counts: Sequence[int]) -> list[int]:
        """How far the numbers are, by level, where a list begins that lies in others with `counts`."""
        before = attribute(element, "continue-list")
        if attribute(element, "continue-numbering") == "true":
            before = f"style {style} {level}"
        known = self._counts.get(before, []) if before else []
        return [*counts[:level], *(known[level : level + 1] or [0])]

    def keep(self, element: Any, style: str, level: int, counts: list[int]) -> None:
        """Remember how far a list has come: another one may go on with it."""
        for name in (attribute(element, "id"), f"style {style} {level}"):
            self._counts[name] = counts

    def item(self, entry: Any, paragraphs: list[str], style: str, level: int, counts: list[int]) -> Item:
        """An item with its mark; of no level where a blank takes the place of the mark."""
        look = self._level(style, level)
        if look is not None and "bullet" in local(look) and not attribute(look, "bullet-char", "-").strip():
            return Item(-1, paragraphs)
        start = attribute(entry, "start-value")
        counts[level] = number(start, 1) if start else counts[level] + 1 if counts[level] else self._start(style, level)
        mark = self._mark(style, level, counts)
        typed = typed_mark(paragraphs[0])
        first = f"{mark} {paragraphs[0]}" if mark else shown(*typed) if typed else paragraphs[0]
        return Item(level, [first, *paragraphs[1:]])

    def _level(self, style: str, level: int) -> Any:
        root = self._lists.get(style)
        return next((one for one in (root if root is not None else ()) if attribute(one, "level") == str(level + 1)), None)

    def _start(self, style: str, level: int) -> int:
        look = self._level(style, level)
        return 1 if look is None else number(attribute(look, "start-value"), 1)

    def _mark(self, style: str, level: int, counts: Sequence[int]) -> str:
        look = self._level(style, level)
        if look is None or "number" not in local(look):
            return "-"
        form = attribute(look, "num-format")
        if not form:
            return ""
        levels = max(1, min(number(attribute(look, "display-levels"), 1), level + 1))
        digits = [counted(value or 1, _FORMATS.get(form, "decimal")) for value in counts[level + 1 - levels : level + 1]]
        return attribute(look, "num-prefix") + ".".join(digits) + attribute(look, "num-suffix")
