"""XML of any kind: its texts by their elements."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag_agent.documents.builder import Builder
from rag_agent.documents.hypertext import add_page, decoded
from rag_agent.documents.reading import Reading, Unreadable

if TYPE_CHECKING:
    from lxml.etree import _Element

_ROW = 400  # characters of an element that is shown on a line
_LONG = 200  # characters of a value that is a text of its own
_DEEP = 40  # levels that are told apart
_TITLES = frozenset(("title", "head", "heading", "headline", "caption", "label", "titel"))
_TEXTS = frozenset(
    ("p", "para", "paragraph", "simpara", "text", "description", "summary", "abstract", "content", "body", "note", "quote")
)


def read(data: bytes) -> Reading:
    """The text of a file: `name: value` for short values, small records a row each, texts as paragraphs below their titles."""
    from lxml import etree

    source = decoded(data).removeprefix("\ufeff").lstrip()
    source = re.sub(r"\A<\?xml[^>]*\?>", "", source)  # it names the encoding of the bytes, not of this text
    # Nothing is fetched, no entity is resolved: what a file defines itself may double without end.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True, recover=True)
    root = etree.fromstring(source.encode("utf-8", "replace"), parser)
    if root is None:
        raise Unreadable("no XML")
    builder = Builder()
    if _name(root) == "html":
        page = add_page(builder, source)
        return builder.reading("xml", title=page.title, told=page.told)
    _add(builder, root, "", 1)
    title = next((said for one in root.iter() if _name(one) == "title" and (said := _said(one))), "")
    told = [f"damaged XML: {parser.error_log[0].message.strip()}"] if len(parser.error_log) else []
    return builder.reading("xml", title=title[:200], told=told)


def _name(element: "_Element") -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _said(element: "_Element") -> str:
    return " ".join("".join(element.itertext()).split())


def _children(element: "_Element") -> list["_Element"]:
    return [child for child in element if isinstance(child.tag, str)]


def _is_text(element: "_Element", children: Sequence["_Element"]) -> bool:
    """Whether an element says something itself: text beside its children, or nothing but text."""
    if not children:
        return True
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in children)


def _add(builder: Builder, element: "_Element", path: str, depth: int) -> None:
    children = _children(element)
    name = _name(element)
    if _is_text(element, children) or depth > _DEEP:
        _text(builder, element, name, path, depth)
        return
    attributes = "; ".join(f"{_local(key)}: {value}" for key, value in element.attrib.items() if value.strip())
    if attributes:
        builder.add("pair", f"{name}: {attributes}", tight=True)
    at = 0
    while at < len(children):
        end = at + 1
        while end < len(children) and children[end].tag == children[at].tag:
            end += 1
        _alike(builder, children[at:end], f"{path}.{_name(children[at])}".strip("."), depth)
        at = end


def _alike(builder: Builder, elements: Sequence["_Element"], path: str, depth: int) -> None:
    """Siblings of one name: rows where each is a small record, a list where they are short texts, else one by one."""
    rows = [_row(element) for element in elements] if any(map(_children, elements)) or any(one.attrib for one in elements) else []
    if rows and all(rows):
        builder.open("table")
        for row in rows:
            builder.add("row", f"{_name(elements[0])}: {row}")
        builder.close()
    elif len(elements) > 1 and not any(map(_children, elements)) and _name(elements[0]) not in _TEXTS:
        builder.add("paragraph", f"{_name(elements[0])}:")
        builder.open("list")
        for element in elements:
            builder.add("item", f"- {_said(element)}" if _said(element) else "")
        builder.close()
    else:
        for element in elements:
            _add(builder, element, path, depth + 1)


def _text(builder: Builder, element: "_Element", name: str, path: str, depth: int) -> None:
    text = _said(element)
    low = name.lower()
    if low in _TITLES and len(text) <= _LONG:
        builder.add("heading", text, level=min(6, max(1, depth - 1)))
    elif low in _TEXTS or len(text) > _LONG or _children(element):
        builder.add("paragraph", text)
    elif text:
        builder.add("pair", f"{name}: {text}", tight=True)


def _row(element: "_Element") -> str:
    """A record on one line, its attributes first; "" where it is none or too long."""
    pieces = [f"{_local(key)}: {value}" for key, value in element.attrib.items() if value.strip()]
    waiting = [(child, "") for child in reversed(_children(element))]
    if waiting and _is_text(element, _children(element)):
        return ""
    if not waiting and _said(element):
        pieces.append(_said(element))
    length = sum(map(len, pieces))
    while waiting:
        child, path = waiting.pop()
        path = f"{path}.{_name(child)}".strip(".")
        children = _children(child)
        if children and _is_text(child, children):
            return ""
        pieces += [f"{path}.{_local(key)}: {value}" for key, value in child.attrib.items() if value.strip()]
        if not children and (said := _said(child)):
            if len(said) > _LONG:
                return ""
            pieces.append(f"{path}: {said}")
        waiting += [(one, path) for one in reversed(children)]
        length += len(pieces[-1]) if pieces else 0
        if length > _ROW or len(waiting) > _ROW:
            return ""
    line = "; ".join(pieces)
    return line if len(line) <= _ROW else ""


def _local(name: object) -> str:
    return str(name).rpartition("}")[2]
