"""What a Word document says about its paragraphs elsewhere: styles, and the numbers of its lists."""

import re
from collections.abc import Iterator
from typing import Any

from rag_agent.documents.archives import attribute, child, descendants, local


class Styles:
    """The styles of a document, each with what it takes over from those it is based on."""

    def __init__(self, root: Any) -> None:
        """Read `styles.xml`, or nothing where it is missing."""
        found = [] if root is None else [one for one in root if local(one) == "style"]
        self._styles = {attribute(one, "styleId"): one for one in found}
        self._default = next(
            (
                attribute(one, "styleId")
                for one in found
                if attribute(one, "type") == "paragraph" and attribute(one, "default") in ("1", "true")
            ),
            "",
        )

    def name(self, style: str) -> str:
        """The name of a style, in lower case; of built-in ones it is English in every language's Word."""
        one = self._styles.get(style)
        named = None if one is None else child(one, "name")
        return (style if named is None else attribute(named, "val")).lower()

    def chain(self, style: str) -> Iterator[Any]:
        """A style and those it is based on."""
        seen: set[str] = set()
        style = style or self._default
        while style in self._styles and style not in seen:
            seen.add(style)
            one = self._styles[style]
            yield one
            based = child(one, "basedOn")
            style = "" if based is None else attribute(based, "val")

    def find(self, style: str, *path: str) -> Any:
        """What the nearest style of the chain says at a path of elements, or None."""
        return next((found for one in self.chain(style) if (found := child(one, *path)) is not None), None)

    def bold_first_row(self, style: str) -> bool:
        """Whether a table style sets its first row off by bold type."""
        for one in self.chain(style):
            for part in descendants(one, "tblStylePr"):
                if attribute(part, "type") == "firstRow" and on(child(part, "rPr", "b")):
                    return True
        return False

    def heading(self, style: str, properties: Any) -> int:
        """The level of a heading from 1, 0 for the document's title, -1 for everything else."""
        name = self.name(style)
        if name == "title":
            return 0
        outline = child(properties, "outlineLvl") if properties is not None else None
        if outline is None:
            outline = self.find(style, "pPr", "outlineLvl")
        if outline is not None:
            level = number(attribute(outline, "val"), 9)
            return level + 1 if level < 9 else -1
        for one in self.chain(style):
            named = re.fullmatch(r"heading (\d)", self.name(attribute(one, "styleId")))
            if named:
                return int(named[1])
        return -1


class Numbering:
    """The lists of a document: which mark each item shows."""

    def __init__(self, root: Any) -> None:
        """Read `numbering.xml`, or nothing where it is missing."""
        found = [] if root is None else list(root)
        self._lists = {attribute(one, "abstractNumId"): one for one in found if local(one) == "abstractNum"}
        self._nums = {attribute(one, "numId"): one for one in found if local(one) == "num"}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[str] = set()

    def mark(self, num: str, level: int) -> tuple[str, int] | None:
        """The mark of the next item of a list at a level, and its number (0: none); None where there is no such list."""
        key, abstract = self._abstract(num)
        if abstract is None:
            return None
        levels = {number(attribute(one, "ilvl")): one for one in abstract if local(one) == "lvl"}
        for override in self._overrides(num):
            if (own := child(override, "lvl")) is not None:
                levels[number(attribute(override, "ilvl"))] = own
        counts = self._counts.setdefault(key, {})
        if num not in self._begun:
            self._begun.add(num)
            for override in self._overrides(num):
                if (start := child(override, "startOverride")) is not None:
                    counts[number(attribute(override, "ilvl"))] = number(attribute(start, "val"), 1) - 1
        counts[level] = counts.get(level, self._start(levels, level) - 1) + 1
        for deeper in [one for one in counts if one > level]:
            del counts[deeper]
        here = levels.get(level)
        style = self._format(here)
        text = child(here, "lvlText") if here is not None else None
        if style in ("bullet", "none") or here is None:
            blank = text is not None and not attribute(text, "val", "-").strip()  # indents what belongs to the item above
            return None if blank or style == "none" or here is None else ("-", 0)
        shown = re.sub(
            r"%(\d)",
            lambda found: self._digit(levels, counts, int(found[1]) - 1, decimal=child(here, "isLgl") is not None),
            "%1." if text is None else attribute(text, "val"),
        )
        return shown.strip(), counts[level]

    def _abstract(self, num: str) -> tuple[str, Any]:
        one = self._nums.get(num)
        link = None if one is None else child(one, "abstractNumId")
        key = "" if link is None else attribute(link, "val")
        abstract = self._lists.get(key)
        style = None if abstract is None else child(abstract, "numStyleLink")
        if style is not None:  # its levels are kept with the list style it names
            for other, root in self._lists.items():
                named = child(root, "styleLink")
                if named is not None and attribute(named, "val") == attribute(style, "val"):
                    return other, root
        return key, abstract

    def _overrides(self, num: str) -> list[Any]:
        return [one for one in self._nums[num] if local(one) == "lvlOverride"]

    def _start(self, levels: dict[int, Any], level: int) -> int:
        start = child(levels[level], "start") if level in levels else None
        return 1 if start is None else number(attribute(start, "val"), 1)

    def _format(self, level: Any) -> str:
        kind = None if level is None else child(level, "numFmt")
        return "decimal" if kind is None else attribute(kind, "val")

    def _digit(self, levels: dict[int, Any], counts: dict[int, int], level: int, *, decimal: bool) -> str:
        value = counts.get(level, self._start(levels, level))
        return counted(value, "decimal" if decimal else self._format(levels.get(level)))


def counted(value: int, style: str) -> str:
    """A number in the way a list shows it."""
    if style in ("lowerLetter", "upperLetter") and value > 0:
        letter = chr(ord("a") + (value - 1) % 26) * ((value - 1) // 26 + 1)
        return letter[:20].upper() if style == "upperLetter" else letter[:20]
    if style in ("lowerRoman", "upperRoman") and 0 < value < 4000:
        roman = _roman(value)
        return roman.upper() if style == "upperRoman" else roman
    return f"{value:02d}" if style == "decimalZero" else str(value)


def _roman(value: int) -> str:
    out = ""
    signs = zip((1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1), "m cm d cd c xc l xl x ix v iv i".split(), strict=True)
    for worth, sign in signs:
        out, value = out + sign * (value // worth), value % worth
    return out


def number(text: str, default: int = 0) -> int:
    """A whole number as files write it; `default` where it is none."""
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else default


def on(element: Any) -> bool:
    """Whether a switch such as `<w:b/>` is there and not turned off."""
    return element is not None and attribute(element, "val", "1").lower() not in ("0", "false", "off", "none")
