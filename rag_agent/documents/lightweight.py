"""The structure of reStructuredText and Org: plain text with marks of their own."""

import re

from rag_agent.documents.blocks import Kind
from rag_agent.documents.lines import trimmed
from rag_agent.documents.plain import Layout
from rag_agent.documents.structures import Structure

_DIRECTIVE = re.compile(r"\.\. +(?:\|[^|]*\| +)?([\w:.-]+?)::(?:[ \t]+(?P<argument>\S.*))?$")
_CODE = frozenset(
    "code code-block sourcecode highlight parsed-literal literalinclude doctest testcode math productionlist prompt".split()
)
_UNSEEN = frozenset(
    (
        "image figure toctree contents index meta raw include role default-role currentmodule module highlight only container "
        "replace unicode target-notes sectnum class rst-class tabularcolumns"
    ).split()
)
_FIELD = re.compile(r":[^:\s][^:\n]*:(?:\s|$)")
_OPTION = re.compile(r":[\w-]+:")
_ORG_HEADING = re.compile(r"(\*+)\s+\S")
_ORG_BLOCK = re.compile(r"#\+begin_(\w+)", re.IGNORECASE)
_ORG_KEYWORD = re.compile(r"#\+(\w+):\s*(.*)", re.IGNORECASE)


def rst(text: str) -> Structure:
    """The blocks of reStructuredText."""
    return _Rst(text, set()).structure()


def org(text: str) -> Structure:
    """The blocks of an Org file; its title is what `#+TITLE:` says."""
    layout = _Org(text, set())
    found = layout.structure()
    return found._replace(title=layout.title or found.title)


class _Rst(Layout):
    def _special(self, at: int) -> int:
        line, said = self._lines[at], self._said(at)
        last = self.blocks[-1] if self.blocks else None
        if last and last.kind in ("paragraph", "item", "pair") and self.text[last.end - 2 : last.end] == "::" and line.indent:
            return self._indented("code", at, line.indent)
        if said[:2] == ".." and (len(said) == 2 or said[2] == " "):
            return self._directive(at, said)
        if said[0] == ":" and _FIELD.match(said):
            behind = self._behind(at + 1, line.indent, blank=False)
            self._add("pair", line.start, self._end(at, behind))
            return behind
        return super()._special(at) or self._definition(at)

    def _directive(self, at: int, said: str) -> int:
        found = _DIRECTIVE.match(said)
        name = found[1].rpartition(":")[2] if found else ""
        line = self._lines[at]
        behind = self._behind(at + 1, line.indent)
        if not found or name in _UNSEEN:
            self._add("furniture", line.start, self._end(at, behind))
            return behind
        body = at + 1
        while body < behind and (not self._said(body) or _OPTION.match(self._said(body))):
            body += 1
        if name in _CODE:
            self._add("furniture", line.start, self._end(at, body))
            if body < behind:
                self._indented("code", body, self._lines[body].indent)
            return behind
        if argument := found["argument"]:
            heads = name in _OBJECTS or found[1].startswith(("py:", "c:", "cpp:", "js:"))
            self._add("heading" if heads else "paragraph", line.end - len(argument), line.end, 5 if heads else 0)
        else:
            self._add("furniture", line.start, line.end)
        return at + 1  # what is indented below is read as any other text

    def _definition(self, at: int) -> int:
        """A term with its indented definition below it."""
        line = self._lines[at]
        below = self._lines[at + 1] if at + 1 < len(self._lines) else line
        if below.start == below.end or below.indent <= line.indent or line.end - line.start > 100:
            return 0
        if self._said(at).endswith((".", ":", ",")):
            return 0
        behind = self._behind(at + 1, line.indent, blank=False)
        if self._end(at, behind) - line.start <= 400:
            self._add("pair", line.start, self._end(at, behind))
            return behind
        self._add("heading", line.start, line.end, 5)
        return at + 1

    def _indented(self, kind: Kind, at: int, indent: int) -> int:
        behind = self._behind(at, indent - 1)
        self._add(kind, self._lines[at].start, self._end(at, behind))
        return behind

    def _behind(self, at: int, indent: int, *, blank: bool = True) -> int:
        """The line behind those that are indented deeper; `blank`: whether empty lines may lie between."""
        behind = at
        for number in range(at, len(self._lines)):
            line = self._lines[number]
            if line.start == line.end:
                if not blank:
                    break
            elif line.indent > indent:
                behind = number + 1
            else:
                break
        return behind

    def _end(self, at: int, behind: int) -> int:
        return self._lines[max(at, behind - 1)].end


_OBJECTS = frozenset(
    "function class method attribute data exception option envvar confval module program describe glossary".split()
)


class _Org(Layout):
    title = ""

    def __init__(self, text: str, breaks: set[int]) -> None:
        super().__init__(text, breaks)
        self._unclosed: set[str] = set()
        self._stops = {line.start for line in self._lines if _ORG_LINE.match(text, line.begin)}

    def _special(self, at: int) -> int:
        line, said = self._lines[at], self._said(at)
        if said[0] == "*" and not line.indent and (stars := _ORG_HEADING.match(said)):
            self._add("heading", line.start, line.end, len(stars[1]))
            return at + 1
        if said[0] == "#":
            if begins := _ORG_BLOCK.match(said):
                return self._block(at, begins[1].lower())
            keyword = _ORG_KEYWORD.match(said)
            if keyword and keyword[1].lower() == "title":
                self.title = keyword[2]
            if keyword or said[1:2] in ("", " "):
                self._add("pair" if keyword and keyword[1].lower() in _ORG_TOLD else "furniture", line.start, line.end)
                return at + 1
        if said[0] == ":" and re.fullmatch(r":\w+:.*", said):
            self._add("furniture" if said.upper() in (":PROPERTIES:", ":END:", ":LOGBOOK:") else "pair", line.start, line.end)
            return at + 1
        return super()._special(at)

    def _block(self, at: int, name: str) -> int:
        last = at + 1
        while name not in self._unclosed and last < len(self._lines) and not self._said(last).lower().startswith(f"#+end_{name}"):
            last += 1
        if name in self._unclosed or last == len(self._lines):
            self._unclosed.add(name)  # none of the further ones is closed either
            self._add("furniture", self._lines[at].start, self._lines[at].end)
            return at + 1
        start, end = trimmed(self.text, self._lines[at].end, self._lines[last].begin)
        if start < end:
            kind: Kind = "quotation" if name == "quote" else "code" if name in ("src", "example") else "paragraph"
            self._add(kind, start, end)
        return last + 1


_ORG_LINE = re.compile(r"\*+ |[ \t]*(?:#\+|#\s|\||:\w+:)")
_ORG_TOLD = frozenset(("title", "author", "date", "email", "description", "keywords", "filetags", "subtitle"))
