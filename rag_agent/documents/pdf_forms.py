"""What is filled in on a PDF's page, each value beside its label; and what hangs on the page without being read."""

import ctypes
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rag_agent.documents.pdf_words import Page, Word

_FAR = 250.0  # points between a label and its field
_TICKS = ("☐ ", "☒ ")


def add_values(document: Any, page: Any, read: Page, unread: Counter[str]) -> list[str]:
    """Put the values of a page's form into its words, and count its comments and attachments.

    Returns:
        What stands in annotations as text of the page, and values without a label, a line each.
    """
    import pypdfium2.raw as c

    env = document.formenv.raw if document.formenv else None
    loose: list[str] = []
    for number in range(c.FPDFPage_GetAnnotCount(page.raw)):
        annotation = c.FPDFPage_GetAnnot(page.raw, number)
        if not annotation:
            continue
        kind = c.FPDFAnnot_GetSubtype(annotation)
        if kind == c.FPDF_ANNOT_WIDGET and env:
            loose += _field(c, env, annotation, read)
        elif kind == c.FPDF_ANNOT_FREETEXT:
            loose += filter(None, [_string(c.FPDFAnnot_GetStringValue, annotation, b"Contents")])
        elif kind == c.FPDF_ANNOT_FILEATTACHMENT:
            unread["attached file"] += 1
        elif kind not in (c.FPDF_ANNOT_LINK, c.FPDF_ANNOT_POPUP, c.FPDF_ANNOT_WIDGET):
            unread["comment"] += bool(_string(c.FPDFAnnot_GetStringValue, annotation, b"Contents"))
        c.FPDFPage_CloseAnnot(annotation)
    return loose


def _field(c: Any, env: Any, annotation: Any, read: Page) -> list[str]:
    kind = c.FPDFAnnot_GetFormFieldType(env, annotation)
    rect = c.FS_RECTF()
    if not c.FPDFAnnot_GetRect(annotation, rect):
        return []
    box = read.box(rect.left, rect.bottom, rect.right, rect.top)
    if kind in (c.FPDF_FORMFIELD_CHECKBOX, c.FPDF_FORMFIELD_RADIOBUTTON):
        return _tick(read.words, box, bool(c.FPDFAnnot_IsChecked(env, annotation)))
    value = " ".join(_string(c.FPDFAnnot_GetFormFieldValue, env, annotation).split())
    if kind == c.FPDF_FORMFIELD_LISTBOX:
        places = range(min(1000, max(0, c.FPDFAnnot_GetOptionCount(env, annotation))))
        chosen = [place for place in places if c.FPDFAnnot_IsOptionSelected(env, annotation, place)]
        value = ", ".join(_string(c.FPDFAnnot_GetOptionLabel, env, annotation, place) for place in chosen) or value
    if not value or kind == c.FPDF_FORMFIELD_PUSHBUTTON:
        return []
    label = _label(read.words, box)
    if label is not None:
        label.value = f"{label.value} {value}".strip()
        return []
    name = _string(c.FPDFAnnot_GetFormFieldAlternateName, env, annotation) or _string(
        c.FPDFAnnot_GetFormFieldName, env, annotation
    )
    return [f"{name}: {value}" if name else value]


def _tick(words: Sequence[Word], box: tuple[float, float, float, float], on: bool) -> list[str]:
    """Put the sign of a box before its label, which stands to the right as a rule."""
    left, top, right, bottom = box
    beside = [word for word in words if top < word.base and word.top < bottom and -2 <= word.left - right < 30]
    if beside:
        min(beside, key=lambda word: word.left).ticked = _TICKS[on]
    elif (label := _label(words, box)) is not None:
        label.value = f"{label.value} {_TICKS[on]}".strip()
    return []


def _label(words: Sequence[Word], box: tuple[float, float, float, float]) -> Word | None:
    """The last word of the label of a field: to the left of it on the same line, else above it."""
    left, top, right, bottom = box
    beside = [word for word in words if top - 2 < word.base < bottom + 4 and -3 <= left - word.right < _FAR]
    if beside:
        return max(beside, key=lambda word: word.right)
    above = [word for word in words if -4 < top - word.base < 1.5 * word.size and word.left < right and word.right > left - 4]
    if not above:
        return None
    base = max(word.base for word in above)
    return max((word for word in above if abs(word.base - base) < 3), key=lambda word: word.right)


def _string(call: Any, *arguments: Any) -> str:
    """What a function of pdfium writes as UTF-16."""
    length = call(*arguments, None, 0)
    if length <= 2 or length > 1_000_000:
        return ""
    buffer = ctypes.create_string_buffer(length)
    import pypdfium2.raw as c

    call(*arguments, ctypes.cast(buffer, ctypes.POINTER(c.FPDF_WCHAR)), length)
    return buffer.raw[: length - 2].decode("utf-16-le", "replace").strip()
