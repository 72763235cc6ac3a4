"""What a span of a file says, without the marks of its format: for showing; the span itself is what is quoted."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from rag_agent.documents.blocks import Block
from rag_agent.documents.columns import cells
from rag_agent.documents.structures import TEXTS

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_BULLET = re.compile(r"(?:[-*+•‣◦▪·●○■□►✓✔☐☑➢–—o]|\[[ xX]\])\s+")
_ITEM = re.compile(r"[ \t]*(?:[-*+•‣◦▪·●○■□►✓✔☐☑➢–—>]|\(?\w{1,5}[.)]|\[\w{1,3}\])[ \t]")
_STRAY = re.compile(r"(?<!\w)(?:\*{2,3}|__)|(?:\*{2,3}|__)(?!\w)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
_BREAK = re.compile(r"<(?:br|/td|/th)\b[^<>]*>", re.IGNORECASE)
_COMMENT = re.compile(
    r"^[ \t]*(?:#+|//[/!]?|/\*+|\*+/|\*|--+|;+|%+|[rRuUbB]{0,2}(?:\"\"\"|'''))[ \t]?|[ \t]*(?:\*+/|\"\"\"|''')[ \t]*$",
    re.MULTILINE,
)
_HYPHEN = re.compile(r"([^\W\d_]+)-[ \t]*\n[ \t]*([a-zß-ÿ][^\W\d_]*)")
_RST = (
    (re.compile(r":[\w:+.-]+:`~?([^`<]*?)\s*(?:<[^`<>]*>)?`"), r"\1"),
    (re.compile(r"`([^`<]+?)\s*<[^`<>]*>`__?"), r"\1"),
    (re.compile(r"``([^`]+)``|`([^`]+)`_{0,2}"), r"\1\2"),
    (re.compile(r"\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*"), r"\1\2"),
    (re.compile(r"::$"), ":"),
    (re.compile(r"^:([^:\n]+):"), r"\1:"),
)
_ORG = (
    (re.compile(r"\[\[[^\[\]]*\]\[([^\[\]]*)\]\]|\[\[([^\[\]]*)\]\]"), r"\1\2"),
    (re.compile(r"(?<!\w)([*/_=~+])(\S(?:[^\n]*?\S)?)\1(?!\w)"), r"\2"),
    (re.compile(r"^#\+(\w+):", re.IGNORECASE), r"\1:"),
)
_LATEX = (
    (re.compile(r"(?<!\\)%.*"), ""),
    (re.compile(r"\\item\b\s*(?:\[([^\]]*)\])?"), r"\1"),
    (re.compile(r"\\(?:label|cite\w*|index)\*?(?:\[[^\]]*\])*\{[^{}]*\}"), ""),
    (re.compile(r"\\[a-zA-Z]+\*?(?:\[[^\]]*\])*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\([%&$#_{}])"), r"\1"),
    (re.compile(r"[{}]|\\\\|\$"), ""),
    (re.compile(r"~|\\[ ,;]"), " "),
)
_WORDS = {"lightweight:rst": _RST, "lightweight:org": _ORG, "latex:structure": _LATEX}


def shown(text: str, block: Block, format: str) -> str:
    """The clean text of a block, or of a part of one.

    Code keeps its lines, a list, an answer and a table have a line an item, paragraph or row, and everything else is one line. A
    row whose text does not name its columns itself is given as `name: value; name: value`.

    Args:
        text: The file's text.
        block: The kind decides how the span is read; `block._replace(start=..., end=...)` shows a part, a sentence.
        format: The suffix of the file, in lower case: ".md".
    """
    said = text[block.start : block.end].replace("\r\n", "\n").replace("\r", "\n")
    said = _flush(said, text[max(text.rfind("\n", 0, block.start), text.rfind("\r", 0, block.start)) + 1 : block.start])
    if block.kind == "code":
        return said
    family = TEXTS.get(format, "")
    if family == "source:logs":
        return " ".join(said.split())
    clean = _cleaner(family, text)
    if block.kind in ("row", "names"):
        return _row(said, block.names, clean, markdown=clean is inline)
    if block.kind == "table":
        rows = (line for line in said.split("\n") if not re.fullmatch(r"[-=+|: \t]+", line))
        return "\n".join(_row(line.strip(), (), clean, markdown=clean is inline) for line in rows)
    if "\n" in said and (block.kind == "pair" or (block.kind == "item" and family == "source:settings")):
        return clean(_pair(said, "; " if block.kind == "item" else ", "))
    if block.kind == "heading":
        said = re.sub(r"^(?:#{1,6}|=+|\*+)[ \t]+|[ \t]+#+$|\n[ \t]*[-=~^*#+]{2,}[ \t]*$", "", said)
        said = said.rstrip(":") if family == "source:settings" else said
        return inline(said, images=False) if clean is inline else clean(said)
    if block.kind in ("list", "quotation", "answer", "item") and clean is inline:
        return _rendered(said)
    if block.kind in ("list", "answer", "quotation"):
        return "\n".join(_indented(line, clean) for line in _lines(said))
    return clean(_BULLET.sub("", said, count=1) if block.kind == "item" and _BULLET.match(said) else said)


def inline(said: str, *, images: bool = True) -> str:
    """The words of a piece of Markdown without emphasis, targets of links and tags; an image is its description."""
    if not re.search(r"[\\`*_\[\]<&!\n]", said):
        return " ".join(said.split())
    tokens = _markdown().parseInline(said)[0].children or []
    return " ".join(_STRAY.sub("", "".join(_words(tokens, images))).split())


def _cleaner(family: str, text: str) -> Callable[[str], str]:
    """What takes the marks of a format out of running text; the whole `text` tells which hyphens are real."""
    if family.startswith("markdown:"):
        return inline
    if family.startswith("source:"):
        return lambda said: _folded(_COMMENT.sub("", said), text)
    return lambda said: _folded(_replaced(said, _WORDS.get(family, ())), text)


def _replaced(said: str, pairs: Sequence[tuple[re.Pattern[str], str]]) -> str:
    for pattern, words in pairs:
        said = pattern.sub(words, said)
    return said


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # only where there is Markdown

    return MarkdownIt("commonmark").enable("table").enable("strikethrough")


def _words(tokens: "list[Token]", images: bool) -> list[str]:
    pieces = []
    for token in tokens:
        if token.type == "text":
            # Links and footnotes whose definitions stand elsewhere are left as they were written.
            pieces.append(re.sub(r"\[([^\[\]]*)\]\[[^\[\]]*\]|\[\^[^\[\]]*\]", r"\1", token.content))
        elif token.type == "code_inline":
            pieces.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            pieces.append(" ")
        elif token.type == "image":
            pieces.append(token.content if images else "")
        elif token.type == "html_inline" and _BREAK.match(token.content):
            pieces.append(" ")
    return pieces


def _rendered(said: str) -> str:
    """Markdown of several blocks: a line each."""
    lines: list[str] = []
    marker, depth = "", -1
    for token in _markdown().parse(said):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            depth += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
        elif token.type == "list_item_open":
            marker = f"{token.info}{token.markup} " if token.info else "- "
        elif token.type == "inline":
            words = " ".join(_STRAY.sub("", "".join(_words(token.children or [], True))).split())
            words = re.sub(r"^\[!(\w+)\]\s*", lambda found: f"{found[1].capitalize()}: ", words)
            indent = "  " * max(0, depth)
            lines.append(f"{indent}{marker}{words}" if marker else f"{indent}  {words}" if depth >= 0 else words)
            marker = ""
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.rstrip())
        elif token.type == "html_block" and (words := " ".join(_TAG.sub(" ", token.content).split())):
            lines.append(words)
    return lines[0].removeprefix("- ") if len(lines) == 1 else "\n".join(lines)


def _flush(said: str, before: str) -> str:
    """Lines without the indentation and the marks of quotation that the first one has before it."""
    if "\n" not in said or not before:
        return said
    quotes = before.count(">")
    first, *others = said.split("\n")
    pattern = re.compile(rf"(?:[ \t]*>){{0,{quotes}}}[ \t]{{0,{len(before)}}}" if quotes else rf"[ \t]{{0,{len(before)}}}")
    return "\n".join([first, *(pattern.sub("", line, count=1) for line in others)])


def _row(said: str, names: tuple[str, ...], clean: Callable[[str], str], *, markdown: bool) -> str:
    if markdown and re.search(r"</?t[dhr]\b", said):
        values = [" ".join(_TAG.sub(" ", cell).split()) for cell in re.split(r"<t[dh]\b[^<>]*>", said)]
    else:
        whole = re.sub(r"(?<!\\)\|", " | ", said) if markdown and " | " not in said else said
        values = [clean(cell.text.replace("\\|", "|")) for cell in cells(whole)] or [clean(said)]
    if names and len(names) >= len(values):
        pairs = zip(names, values, strict=False)
        return "; ".join(f"{name}: {value}" if name else value for name, value in pairs if value)
    return " | ".join(value for value in values if value)


def _pair(said: str, between: str) -> str:
    """A key, and the lines of its value: "tags: a, b"."""
    first, *others = (
        re.sub(r"^(?:- +|[:~] +)?|\s*[:=]?\s*[|>][+-]?$", "", line.strip(), count=2).strip() for line in said.split("\n")
    )
    rest = between.join(line for line in others if line)
    if between == "; ":
        return f"{first}; {rest}" if rest else first
    keyed = re.search(r"[:=：]", first)
    first = first.rstrip(":= ") if not keyed or keyed.end() == len(first) else first
    return f"{first} {rest}" if keyed and keyed.end() < len(first) else f"{first}: {rest}"


def _lines(said: str) -> list[str]:
    """Lines, each with those that only go on with it."""
    lines: list[str] = []
    blank = True
    for line in said.split("\n"):
        if not line.strip():
            blank = True
            continue
        if lines and not blank and not _ITEM.match(line):
            lines[-1] = f"{lines[-1]}\n{line.strip()}"
        else:
            lines.append(line.rstrip())
        blank = False
    return lines


def _indented(line: str, clean: Callable[[str], str]) -> str:
    return line[: len(line) - len(line.lstrip())] + clean(line)


def _folded(said: str, text: str) -> str:
    """One line, words put together that the end of a line had parted.

    A hyphen stays where the text writes the word with it in the middle of a line, and nowhere without.
    """

    def joined(found: re.Match[str]) -> str:
        with_hyphen, without = f"{found[1]}-{found[2]}", f"{found[1]}{found[2]}"
        return with_hyphen if with_hyphen in text and without not in text else without

    return " ".join((_HYPHEN.sub(joined, said) if "-" in said else said).split())
