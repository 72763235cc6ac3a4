"""RTF.

Kept: paragraphs, headings by outline level or style, lists with the marks they show, tables, footnotes (behind the paragraph that
bears them), headers and footers (once), results of fields. Told: comments, pictures, embedded objects, hidden text, and deletions
that nobody accepted yet; they are left out.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as changed

from rag_agent.documents.archives import count
from rag_agent.documents.builder import Builder
from rag_agent.documents.prose import Item, add_list, refined, shown, typed_mark
from rag_agent.documents.reading import Reading, Unreadable
from rag_agent.documents.richtext_tokens import CHARSETS, known_codec, tokens
from rag_agent.documents.tables import Cell, add_table

_SIGNS = {
    "par": "\n", "sect": "\n", "page": "\n", "line": "\v", "tab": "\t", "emdash": "—", "endash": "–", "bullet": "•",
    "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "emspace": " ", "enspace": " ", "softline": "\v",
}  # fmt: skip
_UNREAD = {"pict": "picture", "objdata": "embedded object", "annotation": "comment"}
# What holds no text of the document.
_APART = frozenset(
    "colortbl datastore filetbl fldinst generator latentstyles listoverridetable listtable objdata pict pgdsctbl pnseclvl revtbl "
    "rsidtbl themedata xmlnstbl annotation atnauthor atnid atndate atnref bkmkstart bkmkend operator author company category "
    "keywords subject comment doccomm creatim revtim printim buptim fontemb fontfile panose falt mmathPr userprops docvar "
    "colorschememapping wgrffmtfilter nonshppict stylerestrictions template password private".split()
)
_DEEPEST = 500
_TITLE = 9  # in place of a heading's level: the title of the document


@dataclass(frozen=True)
class _State:
    """What holds until the end of a group."""

    target: str = "body"
    font: int = -1
    hidden: bool = False
    deleted: bool = False
    skip: int = 1  # characters that stand in for each one given by number


_LAYOUT = frozenset("f fcharset s outlinelevel pard intbl cell nestcell row ilvl li".split())
_STATES: dict[str, Callable[[_State, int | None], _State]] = {
    "uc": lambda state, number: changed(state, skip=max(0, min(10, number or 0))),
    "plain": lambda state, number: changed(state, hidden=False, deleted=False),
    "v": lambda state, number: changed(state, hidden=number != 0),
    "deleted": lambda state, number: changed(state, deleted=number != 0),
}
# Groups that are read, and what their text becomes.
_TARGETS = {
    **{f"{kind}{side}": kind for kind in ("header", "footer") for side in ("", "l", "r", "f")},
    **{name: name for name in ("fonttbl", "stylesheet", "title", "footnote", "listtext")},
    "info": "",
    "pntext": "listtext",
}


@dataclass
class _Paragraph:
    text: str = ""
    level: int = -1  # of a heading, from 0
    mark: str = ""
    depth: int = 0
    indent: int = 0
    in_table: bool = False
    notes: list[str] = field(default_factory=list)


def read(data: bytes) -> Reading:
    """The text of a Rich Text document."""
    if not data.lstrip()[:5] == b"{\\rtf":
        raise Unreadable("not an RTF file")
    return _Rtf(data).read()


class _Rtf:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._codec = "cp1252"
        self._fonts: dict[int, str] = {}
        self._styles: dict[int, int] = {}  # the heading level of styles
        self._style = 0  # that is being defined
        self._unread: Counter[str] = Counter()
        self._builder = Builder()
        self._texts: dict[str, str] = {}  # of what stands apart from the body: title, headers, notes, names of styles
        self._paragraph = _Paragraph()
        self._items: list[Item] = []
        self._indents: list[int] = []  # of the lists that the last item lies in
        self._cells: list[str] = []
        self._rows: list[list[str]] = []
        self._nested: tuple[list[str], list[list[str]]] = ([], [])  # cells and rows of a table inside a cell
        self._between: list[str] = []  # indented paragraphs behind the last item
        self._titled = False
        self._skipped = 0
        self._bytes = b""  # that are not decoded yet: a character may take two
        self._said: set[str] = set()

    def read(self) -> Reading:
        stack: list[_State] = []
        state = _State()
        star = False
        for kind, value, number in tokens(self._data):
            if kind == "{":
                stack.append(state)
                if len(stack) > _DEEPEST:
                    raise Unreadable("nested too deeply")
                star = False
            elif kind == "}":
                self._flush(state)
                before = state
                state = stack.pop() if stack else _State()
                self._left(before, state)
            elif kind == "*":
                star = True
            elif kind == "word":
                self._flush(state)
                state = self._word(value, number, state, star=star)
                star = False
            elif kind == "byte":
                self._byte(number or 0, state)
            else:
                self._text(value, state)
        self._flush(state)
        self._end_paragraph()
        self._end_blocks()
        self._add_running("footer")
        told = [line for name, many in self._unread.items() for line in count(many, name, _PLURALS.get(name, ""))]
        return refined(self._builder.reading("rtf", title=self._texts.get("title", ""), told=told))

    # --- control words ---

    def _word(self, word: str, number: int | None, state: _State, *, star: bool) -> _State:
        if word in _SIGNS:
            self._text(_SIGNS[word], state)
        elif word == "u" and number is not None:
            self._text(chr(number % 65536), state)
            self._skipped = state.skip
        elif word == "ansicpg":
            self._codec = known_codec(f"cp{number}") or self._codec
        elif word == "nestrow":  # it stands among what is left out
            self._nested[1].append(list(self._nested[0]))
            self._nested[0].clear()
        elif word in _LAYOUT:
            return self._layout(word, number, state)
        elif word in _STATES:
            return _STATES[word](state, number)
        else:
            return self._begun(word, state, star=star)
        return state

    def _begun(self, word: str, state: _State, *, star: bool) -> _State:
        """What holds in a group that begins with a word: whether it is part of the text."""
        if word in _UNREAD and state.target != word:
            self._unread[_UNREAD[word]] += state.target != "nonshppict"
            return changed(state, target=word)
        if word in _TARGETS or word in _APART:
            return changed(state, target=_TARGETS.get(word, word))
        if star and word not in ("shppict", "shpinst", "shptxt", "fldrslt", "field"):
            return changed(state, target="unknown")
        return state

    def _layout(self, word: str, number: int | None, state: _State) -> _State:
        """What fonts, styles, paragraphs and tables begin or end with."""
        if word == "f":
            return changed(state, font=number or 0)
        if word == "fcharset" and state.target == "fonttbl":
            self._fonts[state.font] = CHARSETS.get(number or 0, "")
        elif word == "s":
            self._style = number or 0
            if state.target == "body":
                self._paragraph.level = self._styles.get(self._style, -1)
        elif word == "outlinelevel" and number is not None:
            if state.target == "stylesheet":
                self._styles[self._style] = number
            elif state.target == "body" and number < 9:
                self._paragraph.level = number
        elif state.target == "body":
            self._flow(word, number)
        return state

    def _flow(self, word: str, number: int | None) -> None:
        if word == "pard":
            self._paragraph = changed(self._paragraph, level=-1, depth=0, indent=0, in_table=False)
        elif word == "intbl":
            self._paragraph.in_table = True
        elif word == "ilvl":
            self._paragraph.depth = max(0, min(8, number or 0))
        elif word == "li":
            self._paragraph.indent = number or 0
        elif word in ("cell", "nestcell"):
            (self._cells if word == "cell" else self._nested[0]).append(
                re.sub(r"\s*[\n\v]\s*", " / ", f"{self._paragraph.mark} {self._paragraph.text}".strip())
            )
            self._paragraph = _Paragraph(in_table=True, notes=self._paragraph.notes)
        elif word == "row":
            self._end_list()
            self._rows.append(self._cells)
            self._cells = []

    # --- text ---

    def _byte(self, value: int, state: _State) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        self._bytes += bytes([value])
        codec = self._fonts.get(state.font) or self._codec
        try:
            text = self._bytes.decode(codec)
        except UnicodeDecodeError:
            if len(self._bytes) < 2:
                return
            text = self._bytes.decode(codec, "replace")
        self._bytes = b""
        self._put(text, state)

    def _flush(self, state: _State) -> None:
        if self._bytes:
            held, self._bytes = self._bytes, b""
            self._put(held.decode("cp1252", "replace"), state)

    def _text(self, text: str, state: _State) -> None:
        self._flush(state)
        dropped = min(self._skipped, len(text))
        self._skipped -= dropped
        self._put(text[dropped:], state)

    def _put(self, text: str, state: _State) -> None:
        if state.hidden or state.deleted:
            if text.strip() and state.target == "body":
                self._unread["piece of hidden text" if state.hidden else "deletion"] += 1
        elif state.target == "body":
            while text:
                line, end, text = text.partition("\n")
                self._paragraph.text += line
                if end and not self._paragraph.in_table:
                    self._end_paragraph()
                elif end:
                    self._paragraph.text += "\n"
        elif state.target == "listtext":
            self._paragraph.mark += text
        elif state.target in ("title", "header", "footer", "footnote", "stylesheet"):
            self._texts[state.target] = self._texts.get(state.target, "") + text

    def _left(self, state: _State, outside: _State) -> None:
        """A group has ended: what stood apart in it is put where it belongs."""
        if state.target == outside.target:
            if state.target == "stylesheet":
                self._name_style()
            return
        if state.target == "footnote" and (text := self._texts.pop("footnote", "").strip()):
            self._paragraph.notes.append(text)
        elif state.target == "stylesheet":
            self._name_style()
        elif state.target == "header":
            self._add_running("header")

    def _name_style(self) -> None:
        """Remember the level of a style that is called a heading."""
        name = self._texts.pop("stylesheet", "").strip().rstrip(";")
        found = re.fullmatch(r"heading (\d)", name, re.IGNORECASE)
        if found or name.lower() == "title":
            self._styles.setdefault(self._style, int(found[1]) - 1 if found else _TITLE)

    # --- blocks ---

    def _end_paragraph(self) -> None:
        one = self._paragraph
        self._paragraph = _Paragraph(level=one.level, depth=one.depth, indent=one.indent, in_table=one.in_table)
        text, mark = one.text.replace("\v", "\n").strip(), one.mark.strip()
        if not text and not one.notes:
            return
        self._end_table()
        if text:
            self._add(one, text, mark)
        if one.notes:
            self._end_list()
            for note in one.notes:
                self._builder.add("paragraph", note.replace("\v", "\n"))

    def _add(self, one: _Paragraph, text: str, mark: str) -> None:
        text = f"{mark} {text}" if mark else text
        typed = typed_mark(text)
        if one.level >= 0:
            self._end_list()
            self._titled |= one.level == _TITLE
            level = 1 if one.level == _TITLE else one.level + 1 + self._titled
            self._builder.add("heading", " ".join(text.split()), level=level)
        elif mark or typed:
            if self._items and self._between:
                self._items[-1] = Item(self._items[-1].level, [*self._items[-1].paragraphs, *self._between])
            self._between = []
            self._indents = [indent for indent in self._indents if indent < one.indent] + [one.indent]
            self._items.append(Item(max(one.depth, len(self._indents) - 1), [shown(*typed) if typed else text]))
        elif self._items and one.indent > 0:
            self._between.append(text)  # it may go on with the item above
        else:
            self._end_list()
            self._builder.add("paragraph", text)

    def _end_list(self) -> None:
        items, self._items, self._indents = self._items, [], []
        if len(items) == 1 and not items[0].paragraphs[0].startswith("- "):
            self._builder.lines("paragraph", items[0].paragraphs)
        elif items:
            add_list(self._builder, items)
        between, self._between = self._between, []
        for text in between:
            self._builder.add("paragraph", text)

    def _end_table(self) -> None:
        rows, self._rows = self._rows, []
        nested = list(self._nested[1])
        self._nested[1].clear()
        for some in (rows, nested):
            if some:
                self._end_list()
                add_table(self._builder, [[Cell(text) for text in row] for row in some])

    def _end_blocks(self) -> None:
        self._end_list()
        self._rows += [self._cells] if self._cells else []
        self._end_table()
        for note in self._paragraph.notes:
            self._builder.add("paragraph", note)

    def _add_running(self, kind: str) -> None:
        """Add headers or footers, each once; numbers of pages are furniture."""
        for part in re.split(r"[\n\t\v]+", self._texts.pop(kind, "")):
            text = " ".join(part.split())
            if text and text not in self._said:
                self._said.add(text)
                self._builder.add("paragraph" if re.search(r"[^\W\d_]{2}", text) and len(text.split()) > 2 else "furniture", text)


_PLURALS = {"piece of hidden text": "pieces of hidden text"}
