"""Lines of pages to blocks: paragraphs whole over lines, columns and pages, headings by their type, lists, page furniture."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from rag_agent.documents.pdf_join import PageParts, Part, Role, text_of
from rag_agent.documents.pdf_lines import Line, Table
from rag_agent.documents.prose import typed_mark

_EDGE = 0.12  # of the height of a page, above and below: where running heads and page numbers stand
_NUMBER_EDGE = 0.2  # the same for what is nothing but a number
_NUMBER = re.compile(r"[\W_]{0,4}(?:#[\W_]{0,3}#?|[ivxlc]{1,6})[\W_]{0,4}")
_HEADING = 1.12  # of the size of most text
_LONGEST_HEADING = 200  # characters
_SLACK = 0.12  # of a column's width: a line that leaves that much room for the next word was ended on purpose
_SMALL = 0.92  # of the size of most text: notes below the text
_ENDED = re.compile(r"[.!?…:;。！？][\"'”’»)\]]*(?:\d{1,3})?$")
LEADER = re.compile(r"(?:\.\s?){4,}\s*\S{1,6}$")
"""What leads from an entry of a table of contents to its page."""
_BULLET = re.compile(r"[^\w\s(]")


class Style:
    """How most of the text of a document is set."""

    def __init__(self, pages: Sequence[Sequence[Line | Table]]) -> None:
        """Look at all its lines."""
        lines = [one for page in pages for one in page if isinstance(one, Line)]
        weights = [sum(len(word.text) for word in line.words) for line in lines]
        sizes: Counter[float] = Counter()
        for line, weight in zip(lines, weights, strict=True):
            sizes[round(line.size * 2) / 2] += weight
        self.size = sizes.most_common(1)[0][0] if sizes else 0.0
        usual = [(line, weight) for line, weight in zip(lines, weights, strict=True) if round(line.size * 2) / 2 == self.size]
        self.bold = sum(weight * (1 if line.bold else -1) for line, weight in usual) > 0
        self.fixed = sum(weight * (1 if line.fixed else -1) for line, weight in usual) > 0

    def sets_off(self, line: Line) -> bool:
        """Whether a line is set like a heading."""
        return line.size > _HEADING * self.size or (line.bold and not self.bold and line.size > 0.95 * self.size)


def parts_of(pages: Sequence[Sequence[Line | Table]], heights: Sequence[float]) -> list[PageParts]:
    """The blocks of a document's pages; a paragraph that goes on over a page stands on the one where it begins."""
    running = _running(pages, heights)
    kept = [[one for one in page if id(one) not in running] for page in pages]
    style = Style(kept)
    out = []
    for page, rest, height in zip(pages, kept, heights, strict=True):
        aside = [one for one in page if isinstance(one, Line) and id(one) in running]
        body = list(_paragraphs(rest, style))
        notes = _notes(body, style)
        heads = [line for line in aside if line.base < height / 2]
        out.append(
            PageParts(
                heads, body[: len(body) - notes], body[len(body) - notes :], [one for one in aside if one.base >= height / 2]
            )
        )
    _level(out)
    for before, after in zip(out, out[1:], strict=False):
        _join(before, after, style)
    return out


# --- furniture ---


def _running(pages: Sequence[Sequence[Line | Table]], heights: Sequence[float]) -> set[int]:
    """The ids of lines that are running heads or page numbers: at the edge, and the same on several pages but for numbers."""
    places: dict[str, list[tuple[int, Line]]] = {}
    for number, (page, height) in enumerate(zip(pages, heights, strict=True)):
        for line in page:
            if isinstance(line, Line) and not line.filled:
                text = re.sub(r"\d+", "#", line.text.casefold())
                edge = (_NUMBER_EDGE if _NUMBER.fullmatch(text) else _EDGE) * height
                if not edge < line.base < height - edge:
                    places.setdefault(text, []).append((number, line))
    least = 2 if len(pages) <= 10 else 3
    found: set[int] = set()
    for text, lines in places.items():
        for number, line in lines:
            level = {other for other, one in lines if abs(one.base - line.base) < 4}
            outer = not _EDGE * heights[number] < line.base < (1 - _EDGE) * heights[number]
            if len(level) >= least or (outer and _NUMBER.fullmatch(text)):
                found.add(id(line))
    return found


def _notes(body: Sequence[Part], style: Style) -> int:
    """How many of the last blocks of a page are notes: in smaller type, below everything else."""
    count = 0
    for part in reversed(body):
        if part.table or part.lines[0].size > _SMALL * style.size or not typed_note(part.lines[0]):
            small = not part.table and part.lines[0].size <= _SMALL * style.size
            if not (small and count):
                break
        count += 1
    return count if count < len(body) else 0


def typed_note(line: Line) -> str:
    """The mark that a note begins with, or nothing."""
    found = re.match(r"(\d{1,3}|[*†‡§]+)", line.words[0].text)
    return found[1] if found else ""


# --- paragraphs ---


def _paragraphs(elements: Sequence[Line | Table], style: Style) -> Iterator[Part]:
    gaps = [
        after.base - before.base
        for before, after in zip(elements, elements[1:], strict=False)
        if isinstance(before, Line) and isinstance(after, Line) and before.column == after.column and 0 < after.base - before.base
    ]
    near = sorted(gap for gap in gaps if gap < 2.2 * style.size)
    pitch = near[len(near) // 3] if near else 1.2 * style.size
    part: Part | None = None
    for element in elements:
        if isinstance(element, Table):
            if part:
                yield part
            yield Part("table", element.lines, table=element)
            part = None
            continue
        between = _between(part, element, style, pitch) if part else ""
        if part and between:
            part.lines.append(element)
            part.ends.append(between)
        else:
            if part:
                yield part
            part = _begun(element, style)
    if part:
        yield part


def _begun(line: Line, style: Style) -> Part:
    role: Role = "text"
    if LEADER.search(line.text):
        role = "furniture"
    elif line.filled:
        role = "pair"
    elif line.fixed and not style.fixed:
        role = "code"
    elif style.sets_off(line):
        role = "heading"
    elif typed_mark(line.text):
        role = "item"
    return Part(role, [line])


def _between(part: Part, line: Line, style: Style, pitch: float) -> str:
    """What stands between a block and a line that goes on with it: a space or a line break; nothing where it does not."""
    last = part.lines[-1]
    begun = _begun(line, style)
    if part.role == "code" and begun.role == "code":
        return "\n" if line.base - last.base < 3 * pitch else ""
    if _differ(part, begun):
        return ""
    if abs(line.size - last.size) > 0.08 * last.size or (part.role == "heading" and line.bold != last.bold):
        return ""
    if line.column != last.column:
        return " " if _goes_on(part, begun) else ""
    if begun.role == "item" and _new_item(part, line):
        return ""
    if not 0 < line.base - last.base < 1.3 * max(pitch, line.size) or _indented(part, line):
        return ""
    if last.text.endswith(("-", "\u2010", "\u00ad")):
        return " "
    if _ended_early(last, line):
        return "" if _ENDED.search(last.text) or part.role == "item" else "\n"
    return " "


def _differ(part: Part, begun: Part) -> bool:
    """Whether a line is something else than the block before it."""
    kinds = {part.role, begun.role}
    if kinds & {"pair", "furniture"} or part.role == "code" or (part.role == "heading") != (begun.role == "heading"):
        return True
    last = part.lines[-1]
    # Otherwise it is the end of a sentence that happens to be set like code.
    return begun.role == "code" and bool(_ENDED.search(last.text) or _ended_early(last, begun.lines[0]))


def _new_item(part: Part, line: Line) -> bool:
    """Whether a line with a mark begins an item: always behind a bullet or another item, else where the line before it ended."""
    if _BULLET.match(line.words[0].text) and line.words[0].text[0] not in "-–—":
        return True
    return part.role == "item" or bool(_ENDED.search(part.lines[-1].text)) or _ended_early(part.lines[-1], line)


def _indented(part: Part, line: Line) -> bool:
    """Whether a line begins further in than the one before it, as the first of a paragraph does."""
    step = line.left - part.lines[-1].left
    if part.role == "item":
        hanging = part.lines[1].left - part.left if len(part.lines) > 1 else None
        if hanging is None:
            return step < -2
        return line.left < part.lines[1].left - 3 if hanging > 3 else step > 8
    return 0.8 * line.size < step and part.role != "heading"


def _ended_early(last: Line, line: Line) -> bool:
    """Whether the next line's first word would have found room on the last one."""
    left, right = last.column
    first = line.words[0]
    return last.right + (first.right - first.left) + 0.3 * last.size < right - _SLACK * (right - left)


def _goes_on(part: Part, after: Part) -> bool:
    """Whether a block goes on in another column or on another page."""
    if part.role not in ("text", "item") or after.role != "text" or not part.lines:
        return False
    last, first = part.lines[-1], after.lines[0]
    if abs(first.size - last.size) > 0.08 * last.size or first.bold != last.bold or _ENDED.search(last.text):
        return False
    if first.text[0].islower() or last.text.endswith(("-", ",", "\u00ad")):
        return True
    left, right = last.column
    return last.right > right - _SLACK * (right - left) and len(last.words) > 3


def _join(before: PageParts, after: PageParts, style: Style) -> None:
    """Move what goes on over the page to where it begins."""
    if not before.body or not after.body:
        return
    place = next((place for place, part in enumerate(after.body[:3]) if not part.table), None)
    if place is None or (place > 0 and not after.body[place].lines[0].text[0].islower()):
        return
    part, rest = before.body[-1], after.body[place]
    if part.table is None and _goes_on(part, rest):
        part.ends += [" ", *rest.ends]
        part.lines += rest.lines
        del after.body[place]


def _level(pages: Sequence[PageParts]) -> None:
    """Tell headings from text that is merely set off, and give them levels by their type."""
    parts = [part for page in pages for part in page.body]
    for place, part in enumerate(parts):
        if part.role == "heading":
            text = text_of(part, Counter())
            alone = place + 1 == len(parts) and len(parts) > 1
            if len(text) > _LONGEST_HEADING or text.endswith((".", ",", ";")) or not re.search(r"[^\W\d]", text) or alone:
                part.role = "item" if typed_mark(text) and not part.lines[0].bold else "text"
    kinds = sorted({_type(part) for part in parts if part.role == "heading"}, reverse=True)
    for part in parts:
        if part.role == "heading":
            part.level = min(9, kinds.index(_type(part)) + 1)


def _type(part: Part) -> tuple[float, bool]:
    line = part.lines[0]
    return round(line.size * 2) / 2, line.bold
