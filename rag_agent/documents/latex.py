"""The structure of LaTeX: sections, paragraphs, items; commands stay where they are in the text."""

import re

from rag_agent.documents.blocks import Kind
from rag_agent.documents.lines import trimmed
from rag_agent.documents.plain import Layout
from rag_agent.documents.structures import Structure

_HEADING = re.compile(
    r"\\(part|chapter|section|subsection|subsubsection|paragraph|title|frametitle)\*?\s*(?:\[[^\]]*\])?\{(.*)\}"
    r"\s*(?:\\label\{[^}]*\})?$"
)
_LEVELS = ("title", "part", "chapter", "section", "subsection", "subsubsection", "paragraph")
_VERBATIM = re.compile(r"\\begin\{(verbatim|lstlisting|minted|Verbatim|alltt|equation|align|tikzpicture)\*?\}")
_ITEM = re.compile(r"\\item\b")
_ALONE = re.compile(
    r"(?:%.*|\\(?:begin|end|label|usepackage|documentclass|maketitle|tableofcontents|newcommand|includegraphics|centering|"
    r"bibliography|bibliographystyle|input|include|vspace|clearpage|newpage|hline|pagestyle)\b.*)$"
)


def structure(text: str) -> Structure:
    r"""The blocks of a LaTeX document; what stands before `\begin{document}` is furniture, but for the title."""
    layout = _Latex(text, set())
    found = layout.structure()
    return found._replace(title=layout.title or found.title)


class _Latex(Layout):
    title = ""

    def __init__(self, text: str, breaks: set[int]) -> None:
        super().__init__(text, breaks)
        self._unclosed: set[str] = set()
        self._preamble = max(0, text.find("\\begin{document}"))

    def _heads(self, at: int, behind: int) -> int:
        return 0

    def _goes_on(self, at: int) -> bool:
        said = self._said(at)
        return bool(said) and not (_ALONE.match(said) or _HEADING.match(said) or _ITEM.match(said))

    def _special(self, at: int) -> int:
        line, said = self._lines[at], self._said(at)
        heading = _HEADING.match(said)
        if heading:
            start = line.start + heading.start(2)
            self._add(
                "heading",
                start,
                start + len(heading[2].rstrip()),
                max(1, min(6, _LEVELS.index(heading[1]) if heading[1] in _LEVELS else 3)),
            )
            self.title = self.title or (heading[2] if heading[1] == "title" else "")
            return at + 1
        if line.start < self._preamble or _ALONE.match(said):
            if verbatim := _VERBATIM.match(said):
                return self._verbatim(at, verbatim[1])
            self._add("furniture", line.start, line.end)
            return at + 1
        if _ITEM.match(said):
            behind = at + 1
            while behind < len(self._lines) and self._goes_on(behind):
                behind += 1
            self._add("item", line.start, self._lines[behind - 1].end)
            return behind
        behind = at + 1
        while behind < len(self._lines) and self._goes_on(behind):
            behind += 1
        self._add("paragraph", line.start, self._lines[behind - 1].end)
        return behind

    def _verbatim(self, at: int, name: str) -> int:
        last = at + 1
        while name not in self._unclosed and last < len(self._lines) and not self._said(last).startswith(f"\\end{{{name}"):
            last += 1
        if name in self._unclosed or last == len(self._lines):
            self._unclosed.add(name)  # none of the further ones is closed either
            self._add("furniture", self._lines[at].start, self._lines[at].end)
            return at + 1
        start, end = trimmed(self.text, self._lines[at].end, self._lines[last].begin)
        if start < end:
            kind: Kind = "code"
            self._add(kind, start, end)
        return last + 1
