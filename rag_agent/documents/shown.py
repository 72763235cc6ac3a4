"""What a span of a file says, without the marks of its format: for showing; the span itself is what is quoted."""

import re
from functools import cache
from typing import TYPE_CHECKING

from rag_agent.documents.blocks import Block
from rag_agent.documents.columns import cells

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MARKDOWN = frozenset((".md", ".markdown"))
_STRAY = re.compile(r"(?<!\w)(?:\*{2,3}|__)|(?:\*{2,3}|__)(?!\w)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
_BREAK = re.compile(r"<(?:br|/td|/th)\b[^<>]*>", re.IGNORECASE)


def shown(text: str, block: Block, format: str) -> str:
    """The clean text of a block, or of a part of one.

    Code keeps its lines, a list and a table have a line an item or row, and everything else is one line. A row whose text does
    not name its columns itself is given as `name: value; name: value`.

    Args:
        text: The file's text.
        block: The kind decides how the span is read; `block._replace(start=..., end=...)` shows a part, a sentence.
        format: The suffix of the file, in lower case: ".md".
    """
    said = text[block.start : block.end]
    begun = text.rfind("\n", 0, block.start) + 1
    said = _flush(said, text[begun : block.start])
    markdown = format in _MARKDOWN
    if block.kind == "code":
        return said
    if block.kind in ("row", "names"):
        return _row(said, block.names, markdown)
    if block.kind == "pair" and "\n" in said:
        return re.sub(r":\s*,? ", ": ", ", ".join(re.sub(r"^[ \t]*-?[ \t]*", "", line).strip() for line in said.splitlines()))
    if block.kind == "table":
        rows = (line for line in said.splitlines() if not re.fullmatch(r"[-=+|: \t]+", line))
        return "\n".join(_row(line.strip(), (), markdown) for line in rows)
    if block.kind == "heading":
        said = re.sub(r"^(?:#{1,6}|=+|\*+)[ \t]+|[ \t]+#+$|\n[ \t]*[-=~^*#+]{2,}[ \t]*$", "", said)
    if markdown:
        return _rendered(said) if block.kind in ("list", "quotation", "answer", "item") else inline(said)
    if block.kind in ("list", "answer", "quotation"):
        return _joined(said)
    if block.kind == "item":
        said = re.sub(r"^(?:[-*+•‣◦▪·●○■□►✓✔☐☑➢–—]|\[[ xX]\])\s+", "", said)
    return _folded(said)


def inline(said: str, *, images: bool = True) -> str:
    """The words of a piece of Markdown without emphasis, targets of links and tags; an image is its description."""
    if not re.search(r"[\\`*_\[\]<&!\n]", said):
        return " ".join(said.split())
    tokens = _inline().parseInline(said)[0].children or []
    return " ".join(_STRAY.sub("", "".join(_words(tokens, images))).split())


@cache
def _inline() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # only where there is Markdown

    return MarkdownIt("commonmark").enable("table").enable("strikethrough")


def _words(tokens: "list[Token]", images: bool) -> "list[str]":
    pieces = []
    for token in tokens:
        if token.type in ("text", "code_inline"):
            # Reference links and footnotes whose definitions stand elsewhere stay as they were written.
            pieces.append(
                re.sub(r"\[([^\[\]]*)\]\[[^\[\]]*\]|\[\^[^\[\]]*\]", r"\1", token.content)
                if token.type == "text"
                else token.content
            )
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
    for token in _inline().parse(said):
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
    whole = "\n".join(lines)
    return whole.removeprefix("- ") if len(lines) == 1 else whole


def _flush(said: str, before: str) -> str:
    """Lines with the indentation and the marks of quotation that the first one has before it taken from the others."""
    if "\n" not in said or not before:
        return said
    quotes = before.count(">")
    lines = said.split("\n")
    pattern = re.compile(rf"(?:[ \t]*>){{0,{quotes}}}[ \t]{{0,{len(before)}}}" if quotes else rf"[ \t]{{0,{len(before)}}}")
    return "\n".join([lines[0], *(pattern.sub("", line, count=1) for line in lines[1:])])


def _row(said: str, names: tuple[str, ...], markdown: bool) -> str:
    if markdown and re.search(r"</?t[dhr]\b", said):
        values = [" ".join(_TAG.sub(" ", cell).split()) for cell in re.split(r"<t[dh]\b[^<>]*>", said)]
    elif markdown and "|" in said:
        values = [
            inline(cell.text.replace("\\|", "|")) for cell in cells(said.replace("|", " | ") if " | " not in said else said)
        ]
    else:
        values = [cell.text for cell in cells(said)] or [_folded(said)]
    if names and len(names) >= len(values):
        pairs = zip(names, values, strict=False)
        return "; ".join(f"{name}: {value}" if name else value for name, value in pairs if value)
    return " | ".join(value for value in values if value)


def _joined(said: str) -> str:
    """Lines, each with those that only go on with it."""
    lines: list[str] = []
    for line in said.splitlines():
        if lines and line.strip() and not re.match(r"[ \t]*(?:[-*+•‣◦▪·●○■□►✓✔☐☑➢–—>]|\(?\w{1,5}[.)])[ \t]", line):
            lines[-1] = f"{lines[-1]}\n{line.strip()}"
        elif line.strip():
            lines.append(line.rstrip())
    return "\n".join(_indented(line) for line in lines)


def _indented(line: str) -> str:
    return line[: len(line) - len(line.lstrip())] + _folded(line)


def _folded(said: str) -> str:
    """One line, words put together that a line's end had parted."""
    return " ".join(re.sub(r"(?<=[^\W\d_])-[ \t]*\r?\n[ \t]*(?=[a-zà-ÿ])", "", said).split())
