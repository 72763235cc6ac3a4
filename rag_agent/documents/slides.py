"""PPTX: each slide an article.

Kept: titles as headings, text, nested lists with the numbers they show, tables, diagrams, speaker's notes. Told: hidden slides,
comments, pictures, charts, recordings, embedded objects. Dates, footers and slide numbers are furniture.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rag_agent.documents.archives import Package, attribute, child, count, descendants, local
from rag_agent.documents.builder import Builder
from rag_agent.documents.prose import Item, add_list, refined, shown, typed_mark
from rag_agent.documents.reading import Reading
from rag_agent.documents.tables import Cell, add_table
from rag_agent.documents.word_styles import counted, number

_TITLES = ("title", "ctrTitle")
_FURNITURE = ("sldNum", "dt", "ftr", "hdr")
_FORMATS = {"alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman"}
_UNREAD = {"pic": "picture", "chart": "chart", "oleObj": "embedded object", "videoFile": "recording", "audioFile": "recording"}


class _Line(NamedTuple):
    text: str
    level: int
    """Of an item of a list, else -1."""
    goes_on: bool = False
    """Whether it has a number above one: what stands before it belongs to the same list."""


def read(data: bytes) -> Reading:
    """The slides of a presentation."""
    package = Package(data)
    main = package.main("ppt/presentation.xml")
    targets = {relation.id: relation.part for relation in package.relations(main)}
    order = child(package.xml(main), "sldIdLst")
    builder = Builder()
    unread: Counter[str] = Counter()
    title = ""
    for place, entry in enumerate([] if order is None else order, start=1):
        part = targets.get(_relation(entry), "")
        root = package.xml(part)
        if root is None:
            continue
        if attribute(root, "show") == "0":
            unread["hidden slide"] += 1
            continue
        builder.article(place)
        named = _add_slide(builder, package, part, root, unread)
        title = title or named
    told = [line for name, many in unread.items() for line in count(many, name)]
    return refined(builder.reading("pptx", title=package.title() or title, told=told))


def _add_slide(builder: Builder, package: Package, part: str, root: Any, unread: Counter[str]) -> str:
    """Add a slide; its title."""
    shapes = list(_shapes(child(root, "cSld", "spTree")))
    titles = [shape for shape in shapes if _place(shape) in _TITLES]
    title = " ".join(" ".join(line.text for line in _lines(shape)) for shape in titles)
    builder.add("heading", " ".join(title.split()), level=1)
    for shape in shapes:
        if _place(shape) in _FURNITURE:
            builder.lines("furniture", (line.text for line in _lines(shape)))
        elif _place(shape) not in _TITLES:
            _add_shape(builder, package, part, shape)
    for name, what in _UNREAD.items():
        unread[what] += sum(1 for _ in descendants(root, name))
    for relation in package.relations(part):
        if relation.kind == "notesSlide" and (notes := package.xml(relation.part)) is not None:
            for shape in _shapes(child(notes, "cSld", "spTree")):
                if _place(shape) == "body":
                    _add_lines(builder, _lines(shape))
        elif relation.kind == "comments" and (comments := package.xml(relation.part)) is not None:
            unread["comment"] += sum(1 for _ in descendants(comments, "cm"))
    return title


def _shapes(tree: Any) -> Iterator[Any]:
    """The shapes of a slide in order, those of groups among them."""
    waiting = list(reversed([] if tree is None else tree))
    while waiting:
        element = waiting.pop()
        if local(element) in ("grpSp", "AlternateContent", "Choice"):
            waiting += [one for one in reversed(element) if local(one) != "Fallback"]
        elif local(element) in ("sp", "graphicFrame", "cxnSp"):
            yield element


def _place(shape: Any) -> str:
    """Which of the layout's places a shape fills; `-` for none."""
    holder = next((one for properties in shape[:1] for one in descendants(properties, "ph")), None)
    return "-" if holder is None else attribute(holder, "type", "obj")


def _add_shape(builder: Builder, package: Package, part: str, shape: Any) -> None:
    table = next(descendants(shape, "tbl"), None)
    if table is not None:
        add_table(builder, _rows(table))
        return
    for ids in descendants(shape, "relIds"):
        targets = {relation.id: relation.part for relation in package.relations(part)}
        root = package.xml(targets.get(attribute(ids, "dm"), ""))
        points = [] if root is None else list(descendants(root, "pt"))
        builder.lines("paragraph", (" ".join(line.text for line in _lines(point)) for point in points))
    _add_lines(builder, _lines(shape))


def _lines(shape: Any) -> list[_Line]:
    """The paragraphs of a shape; those of a place for text are a list unless they say otherwise."""
    paragraphs = [one for one in descendants(shape, "p") if any((text.text or "").strip() for text in descendants(one, "t"))]
    listed = _place(shape) in ("obj", "body") and len(paragraphs) > 1
    counts: Counter[int] = Counter()
    lines = []
    for paragraph in paragraphs:
        properties = child(paragraph, "pPr")
        level = number(attribute(properties, "lvl")) if properties is not None else 0
        text = "".join("\n" if local(one) == "br" else one.text or "" for one in descendants(paragraph, "t", "br")).strip()
        numbered = child(properties, "buAutoNum") if properties is not None else None
        bullet = properties is not None and any(local(one) in ("buChar", "buBlip") for one in properties)
        plain = properties is not None and child(properties, "buNone") is not None
        for deeper in [one for one in counts if one > level or (one == level and numbered is None)]:
            del counts[deeper]
        if numbered is not None:
            counts[level] += 1
            style = attribute(numbered, "type")
            value = counts[level] - 1 + number(attribute(numbered, "startAt"), 1)
            mark = counted(value, _FORMATS.get(style[:7], "decimal"))
            end = ")" if "Paren" in style else "." if "Period" in style else ""
            lines.append(_Line(f"{'(' if 'ParenBoth' in style else ''}{mark}{end} {text}", level, value > 1))
        elif typed := typed_mark(text):
            lines.append(_Line(shown(*typed), level))
        else:
            lines.append(_Line(f"- {text}", level) if bullet or (listed and not plain) else _Line(text, -1))
    return lines


def _add_lines(builder: Builder, lines: Sequence[_Line]) -> None:
    at = 0
    while at < len(lines):
        end, items = at, list[Item]()
        while end < len(lines):
            behind = next((place for place in range(end, len(lines)) if lines[place].level >= 0), len(lines))
            if behind > end and not (items and behind < len(lines) and lines[behind].goes_on):
                break
            if behind > end:
                items[-1] = Item(items[-1].level, [*items[-1].paragraphs, *(line.text for line in lines[end:behind])])
                end = behind
            else:
                items.append(Item(lines[end].level, [lines[end].text]))
                end += 1
        if items:
            add_list(builder, items)
        else:
            end = at + 1
            builder.add("paragraph", lines[at].text)
        at = end


def _rows(table: Any) -> Iterator[list[Cell]]:
    look = child(table, "tblPr")
    first = look is not None and attribute(look, "firstRow") == "1"
    for place, row in enumerate(one for one in table if local(one) == "tr"):
        cells = []
        for cell in row:
            if local(cell) != "tc" or "1" in (attribute(cell, "hMerge"), attribute(cell, "vMerge")):
                continue
            text = " / ".join(line.text for line in _lines(cell))
            across, down = number(attribute(cell, "gridSpan"), 1), number(attribute(cell, "rowSpan"), 1)
            cells.append(Cell(text, across, down, first and place == 0))
        yield cells


def _relation(entry: Any) -> str:
    return next((str(value) for key, value in entry.attrib.items() if key.startswith("{") and key.endswith("}id")), "")
