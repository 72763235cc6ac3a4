"""What a paragraph of a Word document shows: its runs with tracked changes accepted, fields by their results."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rag_agent.documents.archives import attribute, child, descendants, local
from rag_agent.documents.word_styles import Styles, on

_UNSEEN = frozenset(
    "del moveFrom delText instrText delInstrText pPr rPr sdtPr sdtEndPr annotationRef footnoteRef endnoteRef proofErr "
    "bookmarkStart bookmarkEnd lastRenderedPageBreak rt commentRangeStart commentRangeEnd tblPr tcPr trPr".split()
)
_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": ""}
_UNREAD = {
    "blip": "picture", "imagedata": "picture", "chart": "chart", "OLEObject": "embedded object", "hidden": "piece of hidden text",
}  # fmt: skip
_COUNTED = {"page", "numpages", "sectionpages", "section"}


@dataclass
class Shown:
    """What a paragraph shows."""

    pieces: list[str] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)
    """The bodies of its text boxes, in order."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Its notes: `footnote` or `endnote`, and the id."""
    diagrams: list[str] = field(default_factory=list)
    """The relations of its diagrams."""
    bold: bool = False
    """Whether all of its letters are."""
    numbered: bool = False
    """Whether it shows the number of the page or of pages."""

    @property
    def text(self) -> str:
        """The text of it all."""
        return "".join(self.pieces)


class Runs:
    """Reads paragraphs, and counts what it does not read."""

    def __init__(self, styles: Styles, unread: Counter[str]) -> None:
        """Use the styles of the document; count into `unread`."""
        self._styles = styles
        self._unread = unread
        self._fields: list[list[Any]] = []  # of each open field: whether its result has begun, and its instruction

    def read(self, paragraph: Any) -> Shown:
        """What a paragraph shows. Fields may go on into the next one."""
        shown = Shown()
        style = child(paragraph, "pPr", "pStyle")
        base = on(self._styles.find("" if style is None else attribute(style, "val"), "rPr", "b"))
        weights: list[bool] = []
        for element, run in _leaves(paragraph):
            self._take(element, shown)
            if local(element) == "t" and run is not None and (element.text or "").strip():
                weights.append(self._bold(run, base))
        shown.bold = bool(weights) and all(weights)
        return shown

    @property
    def in_contents(self) -> bool:
        """Whether what is read now belongs to a table of contents that a field makes."""
        return any(_instruction(one).startswith(("toc", "index", "toa")) for one in self._fields)

    def _bold(self, run: Any, base: bool) -> bool:
        properties = child(run, "rPr")
        if properties is not None:
            if (own := child(properties, "b")) is not None:
                return on(own)
            if (style := child(properties, "rStyle")) is not None:
                named = self._styles.find(attribute(style, "val"), "rPr", "b")
                return base if named is None else on(named)
        return base

    def _take(self, element: Any, shown: Shown) -> None:
        name = local(element)
        if name == "fldChar":
            self._field(element, shown)
        elif name == "instrText":
            if self._fields:
                self._fields[-1][1] += element.text or ""
        elif name == "pgNum":
            shown.numbered = True
        elif name == "fldSimple":
            shown.numbered |= bool(_COUNTED & set(attribute(element, "instr").lower().split()))
        elif all(begun for begun, _ in self._fields):
            shown.pieces += _characters(element, name)
            self._hang(element, name, shown)

    def _hang(self, element: Any, name: str, shown: Shown) -> None:
        """What is read beside the paragraph, or not at all."""
        if name in _UNREAD:
            self._unread[_UNREAD[name]] += 1
        elif name in ("footnoteReference", "endnoteReference"):
            shown.notes.append((name.removesuffix("Reference"), attribute(element, "id")))
        elif name == "txbxContent":
            shown.boxes.append(element)
        elif name == "relIds":
            shown.diagrams.append(attribute(element, "dm"))

    def _field(self, element: Any, shown: Shown) -> None:
        kind = attribute(element, "fldCharType")
        if kind == "begin":
            self._fields.append([False, ""])
            for box in descendants(element, "checkBox"):
                state = child(box, "checked")
                shown.pieces.append("☒ " if on(child(box, "default") if state is None else state) else "☐ ")
            for menu in descendants(element, "ddList"):
                entries = [attribute(one, "val") for one in menu if local(one) == "listEntry"]
                chosen = child(menu, "result")
                place = attribute(chosen, "val", "0") if chosen is not None else "0"
                shown.pieces += [entries[int(place)]] if place.isdigit() and int(place) < len(entries) else []
        elif kind == "separate" and self._fields:
            self._fields[-1][0] = True
        elif kind == "end" and self._fields:
            shown.numbered |= _instruction(self._fields.pop()) in _COUNTED


def _characters(element: Any, name: str) -> list[str]:
    if name == "t":
        return [element.text or ""]
    if name == "sym":
        code = attribute(element, "char")
        sign = chr(int(code, 16)) if re.fullmatch("[0-9a-fA-F]{1,4}", code) else ""
        return [] if "\ue000" <= sign <= "\uf8ff" else [sign]
    return [_SIGNS[name]] if name in _SIGNS else []


def _instruction(field: list[Any]) -> str:
    """The first word of a field's instruction."""
    return next(iter(str(field[1]).lower().split()), "")


def _leaves(paragraph: Any) -> Iterator[tuple[Any, Any]]:
    """What a paragraph is made of in reading order, each with the run it stands in; without what is not shown."""
    waiting: list[tuple[Any, Any]] = [(one, None) for one in reversed(paragraph)]
    while waiting:
        element, run = waiting.pop()
        name = local(element)
        if not name or (name in _UNSEEN and name != "instrText"):
            continue
        if name == "AlternateContent":
            waiting += [(one, run) for one in reversed(alternative(element))]
            continue
        if name == "r":
            if on(child(element, "rPr", "vanish")):
                yield from ((one, None) for one in element if local(one) == "fldChar")
                if any((one.text or "").strip() for one in descendants(element, "t")):
                    yield _Hidden, None
                continue
            run = element
        yield element, run
        if name not in ("t", "txbxContent", "fldChar"):
            waiting += [(one, run) for one in reversed(element)]


class _Hidden:
    """Stands for a run that is not shown."""

    tag = "hidden"


def alternative(element: Any) -> list[Any]:
    """The content of the first of several forms of the same thing that holds text, else of the first."""
    forms = [one for one in element if local(one) in ("Choice", "Fallback")]
    best = next((one for one in forms if any((text.text or "").strip() for text in descendants(one, "t"))), None)
    return list(best if best is not None else forms[0] if forms else ())
