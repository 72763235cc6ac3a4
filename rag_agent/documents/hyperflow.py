"""What comes in while a page is gone through, put together to blocks."""

import re

from rag_agent.documents.blocks import Kind
from rag_agent.documents.builder import Builder
from rag_agent.documents.paragraphs import asks, parts

_MOST_HEADING = 120  # characters


class _Holder:
    """A list, item, quotation or answer: opened when it turns out to hold more than one paragraph, else a block itself."""

    def __init__(self, kind: Kind, level: int, mark: str = "") -> None:
        self.kind, self.level, self.mark = kind, level, mark
        self.opened = False
        self.held = ""


class Flow:
    """The text that has come in, and the lists, items and quotations that are open."""

    def __init__(self, builder: Builder, level: int) -> None:
        self._builder = builder
        self._level = level  # of the last heading
        self._pieces: list[str] = []
        self._holders: list[_Holder] = []
        self._furniture = 0  # which element of page furniture is open
        self._term = ""  # of the pair that is being read
        self._plain = False  # whether text stands beside the bold text of this paragraph
        self._before = ""  # the last paragraph
        self._asked = False  # whether the last block was a question

    def _flush(self, kind: Kind = "paragraph", level: int = 0) -> None:
        """End the text that has come in."""
        if not self._pieces:
            return
        lines = (" ".join(line.split()) for line in "".join(self._pieces).split("\n"))
        text = "\n".join(line for line in lines if line)
        bold, self._plain = not self._plain, False
        self._pieces = []
        if not text or not re.search(r"[^\W_]", text):
            return
        if kind == "paragraph" and not self._holders and bold and len(text) <= _MOST_HEADING and text[-1] not in ".:;,!":
            kind, level = ("question", 0) if asks(text) else ("heading", self._level + 1)
        self._emit("furniture" if self._furniture and kind != "heading" else kind, text, level)

    def _emit(self, kind: Kind, text: str, level: int = 0) -> None:
        self._before = text
        if self._term and kind == "paragraph":
            kind, text, self._term = "pair", f"{self._term}: {text}", ""
        if kind == "paragraph" and self._holders:
            top = self._holders[-1]
            if not top.opened and not top.held and top.kind != "list":
                top.held = text
                return
        self._open()
        for part in parts(text, 0, len(text), after_question=self._asked) if kind == "paragraph" else ():
            self._asked = part.kind == "question"
            self._builder.add(part.kind, text[part.start : part.end], tight=part.start > 0)
        if kind != "paragraph":
            self._asked = kind == "question"
            self._builder.add(kind, text, level=level)

    def _open(self) -> None:
        """Open what has only been announced."""
        for holder in self._holders:
            if not holder.opened:
                self._builder.open(holder.kind, level=holder.level)
                holder.opened = True
            if holder.held:
                self._builder.add("paragraph", holder.mark + holder.held)
                holder.held = holder.mark = ""

    def _announce(self, kind: Kind, mark: str = "") -> None:
        level = sum(holder.kind == "list" for holder in self._holders) - (kind == "item")
        self._holders.append(_Holder(kind, level if kind in ("list", "item") else 0, mark))

    def _close(self) -> None:
        holder = self._holders.pop()
        if holder.held and not holder.opened:
            self._open()
            self._builder.add("furniture" if self._furniture else holder.kind, holder.mark + holder.held, level=holder.level)
        elif holder.opened:
            self._builder.close()
