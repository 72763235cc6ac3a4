"""The words of a PDF's page with their places, in points from the upper left corner of the page as it is read."""

import ctypes
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_LIGATURES = re.compile("[\ufb00-\ufb06]")
_HYPHEN = "\x02"  # pdfium's sign for a hyphen at the end of a line
_GAP = 0.2  # of the size of the type: what is further apart is two words
_LEAST_RULE = 12.0  # points
_LOOKS = 50  # letters that are looked at to tell which way a page is read
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
        left, bottom, right, top = page.get_bbox()
        self._turn = _direction(page)
        self.width, self.height = (right - left, top - bottom) if self._turn % 2 == 0 else (top - bottom, right - left)
        self.bounds: tuple[float, float, float, float] = (left, bottom, right, top)
        self.garbled = False
        """Whether most of its text is in type whose letters are not known."""
        self.words, self.turned = self._read()

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the file, as it is shown."""
        left, bottom, right, top = self.bounds
        if self._turn == 1:
            return y - bottom, x - left
        if self._turn == 2:
            return right - x, y - bottom
        return (top - y, right - x) if self._turn == 3 else (x - left, top - y)

    def box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """A box of the file as left, top, right, bottom."""
        (a, b), (c, d) = self.point(x0, y0), self.point(x1, y1)
        return min(a, c), min(b, d), max(a, c), max(b, d)

    def _read(self) -> tuple[list[Word], list[str]]:
        """The words that stand upright, and the lines that do not."""
        text_page = self._page.get_textpage()
        try:
            letters = _Letters(self, text_page.raw, text_page.count_chars(), self._turn)
            letters.read()
        finally:
            text_page.close()
        self.garbled = letters.unknown * 2 > len(letters.words) > 0
        for one in letters.words:
            one.text = _LIGATURES.sub(lambda found: unicodedata.normalize("NFKC", found[0]), one.text).replace(_HYPHEN, "-")
        return letters.words, [" ".join(letters.tilted)] if letters.tilted else []

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
        return float(min(1.0, area / max(1.0, self.width * self.height)))

    def _boxes(self, kind: str) -> Iterator[tuple[float, float, float, float]]:
        import pypdfium2.raw as c

        wanted = {"path": c.FPDF_PAGEOBJ_PATH, "image": c.FPDF_PAGEOBJ_IMAGE}[kind]
        for one in self._page.get_objects(filter=[wanted], max_depth=5):
            try:
                left, bottom, right, top = one.get_bounds() if hasattr(one, "get_bounds") else one.get_pos()
            except Exception:  # of objects without an extent
                continue
            yield self.box(left, bottom, right, top)


def _direction(page: Any) -> int:
    """How many quarter turns most of a page's text is turned by: what a reader turns the page back by."""
    import pypdfium2.raw as c

    text_page = page.get_textpage()
    try:
        places = range(0, text_page.count_chars(), max(1, text_page.count_chars() // _LOOKS))
        angles = (c.FPDFText_GetCharAngle(text_page.raw, place) for place in places)
        turns = Counter(round(-angle / (math.pi / 2)) % 4 for angle in angles if angle >= 0)
    finally:
        text_page.close()
    return turns.most_common(1)[0][0] if turns else 0


class _Letters:
    """The letters of a page, put together to words."""

    def __init__(self, page: Page, raw: Any, count: int, turn: int) -> None:
        self._page, self._raw, self._count, self._turn = page, raw, count, turn
        self.words: list[Word] = []
        self.tilted: list[str] = []
        """Words that are not level."""
        self.unknown = 0
        """How many words are in type whose letters are not known."""

    def read(self) -> None:
        import pypdfium2.raw as c

        raw, page, rect = self._raw, self._page, c.FS_RECTF()
        edge, _, _, height = page.bounds
        word: Word | None = None
        floor = 0.0  # of the letters of the word
        apart = True  # whether white space came last
        for index in range(self._count):
            code = c.FPDFText_GetUnicode(raw, index)
            sign = chr(code) if code < 0x110000 else ""
            sign = _HYPHEN if sign in ("\ufffe", "\uffff") else sign
            if not sign or sign.isspace() or (sign < " " and sign != _HYPHEN) or not c.FPDFText_GetLooseCharBox(raw, index, rect):
                word, apart = None, True
                continue
            if self._turn:
                left, _, right, bottom = page.box(rect.left, rect.bottom, rect.right, rect.top)
            else:  # the same, for nearly all pages of nearly all files
                left, right, bottom = rect.left - edge, rect.right - edge, height - rect.bottom
            if word and abs(bottom - floor) < 0.2 * word.size and -word.size < left - word.right < _GAP * word.size:
                word.text += sign
                word.right = max(word.right, right)
            elif abs(math.sin(c.FPDFText_GetCharAngle(raw, index) + self._turn * math.pi / 2)) > 0.1:
                word = None
                self.tilted += [sign] if apart or not self.tilted else [self.tilted.pop() + sign]
            else:
                word, floor = self._word(c, index, sign, left, right), bottom
            apart = False

    def _word(self, c: Any, index: int, sign: str, left: float, right: float) -> Word:
        raw = self._raw
        x, y, flags, name, matrix = (
            ctypes.c_double(),
            ctypes.c_double(),
            ctypes.c_int(),
            ctypes.create_string_buffer(128),
            c.FS_MATRIX(),
        )
        c.FPDFText_GetCharOrigin(raw, index, x, y)
        c.FPDFText_GetFontInfo(raw, index, name, 128, flags)
        bold = c.FPDFText_GetFontWeight(raw, index) >= 600 or re.search(
            rb"bold|black|heavy|demi|medi(?!um)|(?:cm|sf|ec)[a-z]*bx", name.value, re.IGNORECASE
        )
        fixed = flags.value & 1 or re.search(rb"mono|courier|consol|typewriter|cmtt", name.value, re.IGNORECASE)
        scale = (matrix.c**2 + matrix.d**2) ** 0.5 if c.FPDFText_GetMatrix(raw, index, matrix) else 1.0
        size = max(1.0, c.FPDFText_GetFontSize(raw, index) * (scale or 1.0))
        self.unknown += c.FPDFText_HasUnicodeMapError(raw, index) == 1
        word = Word(sign, left, right, self._page.point(x.value, y.value)[1], size, bool(bold), bool(fixed))
        self.words.append(word)
        return word
