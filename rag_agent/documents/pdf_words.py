"""The words of a PDF's page with their places, in points from the upper left corner of the page as it is shown."""

import ctypes
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_LIGATURES = re.compile("[\ufb00-\ufb06]")
_HYPHEN = "\x02"  # pdfium's sign for a hyphen at the end of a line
_GAP = 0.3  # of the size of the type: what is further apart is two words
_LEAST_RULE = 12.0  # points
_THIN = 2.5  # points: thinner boxes are rules


@dataclass(slots=True)
class Word:
    """A word as it is drawn."""

    text: str
    left: float
    right: float
    base: float
    """The line it stands on; it grows downward."""
    size: float
    bold: bool = False
    fixed: bool = False
    """Whether all letters of its type are equally wide."""
    raised: bool = False
    """Whether it is small and stands higher than the rest of its line."""
    value: str = ""
    """What a form's field holds whose label ends with this word."""
    ticked: str = ""
    """The sign of a box to tick whose label begins with this word."""

    @property
    def top(self) -> float:
        """Roughly where its letters begin."""
        return self.base - 0.8 * self.size


@dataclass(slots=True)
class Rule:
    """A straight line that is drawn: level where `top == bottom`, upright where `left == right`."""

    left: float
    top: float
    right: float
    bottom: float


class Page:
    """A page that is read: what is on it, and how large it is."""

    def __init__(self, page: Any) -> None:
        """Read a page of pypdfium2."""
        self._page = page
        self.width, self.height = page.get_size()
        left, bottom, right, top = page.get_bbox()
        self._turn = page.get_rotation() // 90
        self._box = (left, bottom, right, top)
        self.garbled = False
        """Whether most of its text is in type whose letters are not known."""
        self.words, self.turned = self._read()

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the file, as it is shown."""
        left, bottom, right, top = self._box
        return [(x - left, top - y), (y - bottom, x - left), (right - x, y - bottom), (top - y, right - x)][self._turn]

    def box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """A box of the file as left, top, right, bottom."""
        (a, b), (c, d) = self.point(x0, y0), self.point(x1, y1)
        return min(a, c), min(b, d), max(a, c), max(b, d)

    def _read(self) -> tuple[list[Word], list[str]]:
        """The words that stand upright, and the lines that do not."""
        import pypdfium2.raw as c

        text_page = self._page.get_textpage()
        raw = text_page.raw
        rect, x, y, flags = c.FS_RECTF(), ctypes.c_double(), ctypes.c_double(), ctypes.c_int()
        name = ctypes.create_string_buffer(128)
        words: list[Word] = []
        turned: list[str] = []
        word: Word | None = None
        tilted = ""
        unknown = known = 0
        edge, height = self._box[0], self._box[3]
        for index in range(text_page.count_chars()):
            code = c.FPDFText_GetUnicode(raw, index)
            sign = chr(code) if code < 0x110000 else ""
            if sign in ("\ufffe", "\uffff"):
                sign = _HYPHEN
            if not sign or sign.isspace() or (sign < " " and sign != _HYPHEN) or not c.FPDFText_GetLooseCharBox(raw, index, rect):
                word = None
                if tilted:
                    turned.append(tilted)
                    tilted = ""
                continue
            if self._turn:
                left, _, right, bottom = self.box(rect.left, rect.bottom, rect.right, rect.top)
            else:  # the same, for nearly all pages of nearly all files
                left, right, bottom = rect.left - edge, rect.right - edge, height - rect.bottom
            if word and abs(bottom - self._bottom) < 0.2 * word.size and -word.size < left - word.right < _GAP * word.size:
                word.text += sign
                word.right = max(word.right, right)
                continue
            if tilted:
                tilted += sign
                continue
            if not self._turn and abs(math.sin(c.FPDFText_GetCharAngle(raw, index))) > 0.1:
                tilted, word = sign, None
                continue
            c.FPDFText_GetCharOrigin(raw, index, x, y)
            c.FPDFText_GetFontInfo(raw, index, name, 128, flags)
            bold = c.FPDFText_GetFontWeight(raw, index) >= 600 or re.search(rb"bold|black|heavy|semibold|demi", name.value, re.IGNORECASE)
            fixed = bool(flags.value & 1) or re.search(rb"mono|courier|consol|typewriter|cmtt", name.value, re.IGNORECASE)
            size = max(1.0, c.FPDFText_GetFontSize(raw, index) * self._scale(raw, index, c))
            word = Word(sign, left, right, self.point(x.value, y.value)[1], size, bool(bold), bool(fixed))
            words.append(word)
            self._bottom = bottom
            unknown += c.FPDFText_HasUnicodeMapError(raw, index) == 1
            known += 1
        if tilted:
            turned.append(tilted)
        text_page.close()
        self.garbled = unknown * 2 > known > 0
        for one in words:
            one.text = _LIGATURES.sub(lambda found: unicodedata.normalize("NFKC", found[0]), one.text).replace(_HYPHEN, "-")
        return words, [" ".join(turned)] if turned else []

    def _scale(self, raw: Any, index: int, c: Any) -> float:
        matrix = c.FS_MATRIX()
        if not c.FPDFText_GetMatrix(raw, index, matrix):
            return 1.0
        return float((matrix.c**2 + matrix.d**2) ** 0.5) or 1.0

    def rules(self) -> list[Rule]:
        """The straight lines, thin boxes, and the edges of boxes on the page."""
        found = []
        for left, top, right, bottom in self._boxes("path"):
            if bottom - top <= _THIN and right - left >= _LEAST_RULE:
                found.append(Rule(left, (top + bottom) / 2, right, (top + bottom) / 2))
            elif right - left <= _THIN and bottom - top >= _LEAST_RULE / 2:
                found.append(Rule((left + right) / 2, top, (left + right) / 2, bottom))
            elif right - left < 0.95 * self.width or bottom - top < 0.95 * self.height:
                found += [Rule(left, top, right, top), Rule(left, bottom, right, bottom)]
                found += [Rule(left, top, left, bottom), Rule(right, top, right, bottom)]
        return found

    def pictured(self) -> float:
        """How much of the page pictures cover, at most 1."""
        area = sum((right - left) * (bottom - top) for left, top, right, bottom in self._boxes("image"))
        return min(1.0, area / max(1.0, self.width * self.height))

    def _boxes(self, kind: str) -> Iterator[tuple[float, float, float, float]]:
        import pypdfium2.raw as c

        wanted = {"path": c.FPDF_PAGEOBJ_PATH, "image": c.FPDF_PAGEOBJ_IMAGE}[kind]
        for one in self._page.get_objects(filter=[wanted], max_depth=5):
            try:
                left, bottom, right, top = one.get_bounds() if hasattr(one, "get_bounds") else one.get_pos()
            except Exception:  # of objects without an extent
                continue
            yield self.box(left, bottom, right, top)
