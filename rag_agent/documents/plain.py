"""The structure of plain text, by its layout: one pass over its lines."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from rag_agent.documents.answers import answered
from rag_agent.documents.articles import SENTENCE_END, articles, rules
from rag_agent.documents.blocks import Block
from rag_agent.documents.columns import table_at
from rag_agent.documents.lines import lines_of, trimmed, whole
from rag_agent.documents.listing import begins, is_numbered_heading, listing_at, marked
from rag_agent.documents.paragraphs import asks, parts
from rag_agent.documents.structures import Structure

_UNDERLINE = re.compile(r"([-=~^*#+_\"'`.])(?: ?\1){2,}$")
_FENCE = re.compile(r"(`{3,}|~{3,})[\w+#.-]*$")
_HEADED = re.compile(
    r"#{1,6}\s+\S|=+ \S|§\s*\d|(?:chapter|part|section|article|appendix|annex|hoofdstuk|artikel|deel|bijlage|kapitel|teil|"
    r"abschnitt|anhang|capítulo|capitulo|artículo|sección|chapitre|partie|capitolo|глава|раздел|статья|bölüm)\s+(?:\d|[ivxlc]+\b|[a-z]\b)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3})*)[.)]?\s+\S|([A-Z]|[IVXLC]+)\.\s+\S")
# "1. Source Code.": as titles are written, no long word begins in lower case.
_TITLED = re.compile(
    r"^[^.]*\.\s(?:[A-ZÀ-Þ][\w'’-]*|[a-z]{1,3}|from|into|this|with)(?:\s(?:[A-ZÀ-Þ][\w'’-]*|[a-z]{1,3}|from|into|this|with))*\.$"
)
_YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b")
_LINE = re.compile(r"[^\s][^\n]*(?<=\S)")
_MOST_OPENING = 4  # lines
MOST_HEADING = 90  # characters
_BODY_END = re.compile(r"[.!?…。！？][\"'”’)\]]*$")


def structure(text: str) -> Structure:
    """The blocks of a plain text, its articles and its first line, where that is a title."""
    breaks = rules(text)
    return Layout(text, {trimmed(text, *span)[0] for span in breaks}).structure(breaks)


def _opened(text: str, blocks: Iterable[Block], breaks: Sequence[tuple[int, int]]) -> list[Block]:
    """Lines at the head of an article that end no sentence, parted: its title, and a line each of who, where and when."""
    found: list[Block] = []
    ends = [end for _, end in breaks]
    reached = 0  # the article that the last block lay in
    for number, block in enumerate(blocks):
        article = bisect_right(ends, block.start)
        opens, reached = number == 0 or article != reached, article
        lines = [line for line in _LINE.finditer(text, block.start, block.end)] if opens and block.kind == "paragraph" else []
        if not 2 <= len(lines) <= _MOST_OPENING or any(
            len(line.group()) > MOST_HEADING or line.group().endswith(SENTENCE_END) for line in lines
        ):
            found.append(block)
            continue
        found.append(Block("heading", *lines[0].span(), 1))
        found += [Block("paragraph", *line.span()) for line in lines[1:]]
    return found


class Layout:
    """Goes through the lines of a text; formats of their own add what they mark."""

    def __init__(self, text: str, breaks: set[int]) -> None:
        self.text = text
        self.blocks: list[Block] = []
        self._breaks = breaks
        self._stops = breaks  # where lines begin that end any paragraph and list
        self._lines = lines_of(text)
        self._underlines: list[str] = []  # in the order in which they came: the first is the highest
        self._fresh = True  # whether nothing stands before in the article

    def structure(self, breaks: Sequence[tuple[int, int]] = ()) -> Structure:
        """What the text is made of; `breaks` part its articles."""
        self._run()
        blocks = _opened(self.text, answered(self.text, self.blocks, breaks), breaks)
        first = next((block for block in blocks if block.kind != "furniture"), None)
        title = " ".join(self.text[first.start : first.end].split()) if first and first.kind == "heading" else ""
        return Structure(whole(self.text, blocks), articles(self.text, breaks), title.strip("#=*-~ "))

    def _run(self) -> None:
        at, lines = 0, self._lines
        while at < len(lines):
            line = lines[at]
            if line.start == line.end:
                at += 1
            elif line.start in self._breaks:
                self._add("furniture", line.start, line.end)
                at, self._fresh = at + 1, True
            else:
                at = self._special(at) or self._paragraph(at)
                self._fresh = False

    def _said(self, at: int) -> str:
        return self.text[self._lines[at].start : self._lines[at].end] if at < len(self._lines) else ""

    def _add(self, kind: str, start: int, end: int, level: int = 0) -> None:
        self.blocks.append(Block(kind, start, end, level))  # type: ignore[arg-type]

    def _special(self, at: int) -> int:
        """What its first characters tell; hands back the line behind it, 0 where it is nothing of the kind."""
        said = self._said(at)
        if said[0] in "`~" and _FENCE.match(said):
            return self._fence(at, said)
        if said[0] == ">":
            return self._quotation(at)
        if _UNDERLINE.fullmatch(said):
            if (over := self._said(at + 2)) and over == said and self._is_title(at + 1):
                return self._heading(at + 1, 2)
            self._add("furniture", self._lines[at].start, self._lines[at].end)
            return at + 1
        if table := table_at(self.text, self._lines, at):
            self.blocks += table.blocks
            return table.behind
        if self._underlined(at):
            return self._heading(at, 2)
        found = listing_at(self.text, self._lines, at, self._stops)
        if found:
            self.blocks += found[0]
            return found[1]
        return 0

    def _fence(self, at: int, said: str) -> int:
        mark = said[:3]
        last = at + 1
        while last < len(self._lines) and not self._said(last).startswith(mark):
            last += 1
        if last == len(self._lines):
            return 0
        start, end = trimmed(self.text, self._lines[at + 1].begin, self._lines[last].begin)
        if start < end:
            self._add("code", start, end)
        return last + 1

    def _quotation(self, at: int) -> int:
        last = at
        while self._said(last + 1).startswith(">"):
            last += 1
        self._add("quotation", self._lines[at].start, self._lines[last].end)
        return last + 1

    def _is_title(self, at: int) -> bool:
        said = self._said(at)
        return 0 < len(said) <= MOST_HEADING and not _UNDERLINE.fullmatch(said)

    def _underlined(self, at: int) -> bool:
        """Whether the next line underlines this one, which stands alone."""
        under = self._said(at + 1)
        if not under or self._lines[at + 1].start in self._breaks or not _UNDERLINE.fullmatch(under) or not self._is_title(at):
            return False
        said = self._said(at)
        return under[0] in '=-~^*#+"' and abs(len(under) - len(said)) <= max(3, len(said) // 2) and not said.endswith((".", ","))

    def _heading(self, at: int, behind: int) -> int:
        mark = self._said(at + 1)[0]
        if mark not in self._underlines:
            self._underlines.append(mark)
        line = self._lines[at]
        self._add("heading", line.start, line.end, self._underlines.index(mark) + 1)
        return at + behind

    # --- paragraphs and headings

    def _paragraph(self, at: int) -> int:
        behind = at + 1
        while behind < len(self._lines) and self._goes_on(behind):
            behind += 1
        first = at
        if level := self._heads(at, behind):
            last = behind - 1 if self._is_loud(at, behind) else at
            self._add("heading", self._lines[at].start, self._lines[last].end, level)
            at = last + 1
        if at < behind:
            self._body(at, behind)
        return max(behind, first + 1)

    def _goes_on(self, at: int) -> bool:
        line = self._lines[at]
        said = self._said(at)
        if not said or line.start in self._stops or said[0] == ">" or (said[0] in "`~" and _FENCE.match(said)):
            return False
        if _UNDERLINE.fullmatch(said):
            return False
        if (mark := marked(said)) and begins(self.text, self._lines, at, mark):
            return False
        if is_numbered_heading(self.text, self._lines, at):
            return False
        return not (("|" in said or "\t" in said or "  " in said) and table_at(self.text, self._lines, at))

    def _body(self, at: int, behind: int) -> None:
        """Lines that belong together, but for those that are paragraphs of their own."""
        begin = at
        for number in range(at + 1, behind + 1):
            if number == behind or self._parted(number):
                start, end = self._lines[begin].start, self._lines[number - 1].end
                after = bool(self.blocks) and self.blocks[-1].kind == "question"
                self.blocks += parts(self.text, start, end, after_question=after)
                begin = number

    def _parted(self, number: int) -> bool:
        """Whether a line begins a paragraph, although none is empty before it: below a question, or a paragraph of one line."""
        before = self._lines[number - 1]
        if asks(self.text[before.start : before.end]) and (number < 2 or not self._said(number - 2)):
            return True  # what follows is the answer
        return before.end - before.start > 160 and bool(_BODY_END.search(self.text, before.end - 4, before.end))

    def _heads(self, at: int, behind: int) -> int:
        """The level of the heading that the first of some lines is, 0 where it is none."""
        said = self._said(at)
        if len(said) > MOST_HEADING or not self._is_followed(at, behind):
            return 0
        if self._is_loud(at, behind):
            return 2
        if behind > at + 1 and (self._said(at + 1)[0].islower() or (said.isupper() and self._said(at + 1).isupper())):
            return 0  # the sentence goes on
        if is_numbered_heading(self.text, self._lines, at):
            return 2 + said.split()[0].strip(".)").count(".")
        strong = self._strong(said)
        if strong:
            return strong
        if said.endswith(SENTENCE_END) or _PAIRED.search(said):
            return 0
        return self._weak(said, at, behind)

    def _is_loud(self, at: int, behind: int) -> bool:
        """Whether all of some lines, three at most, are a heading in capitals."""
        lines = [self._said(number) for number in range(at, behind)]
        return (
            1 < len(lines) <= 3
            and all(map(str.isupper, lines))
            and not lines[-1].endswith(SENTENCE_END)
            and not any(_PAIRED.search(line) for line in lines)
        )

    def _is_followed(self, at: int, behind: int) -> bool:
        """Whether something stands below that a line can be the heading of."""
        number = at + 1
        while number < len(self._lines) and not self._said(number):
            number += 1
        return number < len(self._lines) and self._lines[number].start not in self._breaks

    @staticmethod
    def _strong(said: str) -> int:
        if said.startswith("#") and (marks := len(said) - len(said.lstrip("#"))) <= 6 and said[marks : marks + 1] == " ":
            return marks
        numbered = _NUMBERED.match(said)
        if numbered and said.endswith(".") and _TITLED.search(said):
            said = said[:-1]
        if said.endswith((".", ",", ";")):
            return 0
        if _HEADED.match(said):
            return 2
        if numbered and not said.endswith(SENTENCE_END) and len(said.split()) <= 10 and re.search(r"\s[^\W\d]", said):
            return 2 + (numbered[1] or "").count(".")
        return 2 if said.isupper() and sum(map(str.isalpha, said)) >= 4 else 0

    def _weak(self, said: str, at: int, behind: int) -> int:
        """A short line without a full stop: a heading where prose follows it, and where none like it stands beside it."""
        if not (said[0].isupper() or said[0].isdigit()) or len(said.split()) > 12:
            return 0
        if self._fresh and not self._lines[at].indent:
            if behind == at + 1:
                return 1
            below = self._said(at + 1)
            return 1 if len(below) > len(said) + 10 and (below[0].isupper() or below[0].isdigit()) else 0
        if any(map(str.isdigit, _YEAR.sub("", said))) and not said[0].isdigit():
            return 0  # a fact more likely than a heading
        if behind == at + 1:
            return 3 if self._prose_below(at + 1) else 0
        below = self._said(at + 1)
        return 3 if below[0].isupper() and len(below) > 1.5 * len(said) + 10 and len(said.split()) <= 8 else 0

    def _prose_below(self, at: int) -> bool:
        while at < len(self._lines) and not self._said(at):
            at += 1
        said = self._said(at)
        if marked(said):
            return True
        last = at
        while last + 1 < len(self._lines) and last < at + 40 and self._said(last + 1):
            last += 1
        return last > at or len(said) > 60 or bool(_BODY_END.search(said)) or said.endswith(":") or bool(_PAIRED.search(said))


_PAIRED = re.compile(r"\S[:：]\s+\S|\S\s*=\s*\S|@\w|https?://|\t|\S {2,}\S|\s\|\s")
