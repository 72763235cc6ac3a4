"""Plain values as HTML, for notebooks and reports. All text is escaped; nothing is loaded from anywhere."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from rag_agent.visible import visible

__all__ = ["answer_html", "element", "table"]

_COLOURS = {"quote": "#1a7048", "restated": "#1d5fa8", "judged": "#8a5a00", "remembered": "#6b4fa0"}
_NAMES = {"quote": "quote", "restated": "word for word", "judged": "judged", "remembered": "remembered, no source"}
_LINES = {"quote": "solid", "restated": "dashed", "judged": "dotted", "remembered": "double"}


def element(tag: str, *children: str, **attributes: str) -> str:
    """An element; children are HTML already, attributes are text."""
    given = "".join(f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"' for name, value in attributes.items())
    return f"<{tag}{given}>{''.join(children)}</{tag}>"


def text(value: Any) -> str:
    """A text, escaped, its invisible characters made visible."""
    return escape(visible(str(value)))


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are HTML already."""
    head = element("tr", *(element("th", text(name), scope="col") for name in headers))
    body = "".join(element("tr", *(element("td", cell) for cell in row)) for row in rows)
    return element("table", element("thead", head), element("tbody", body))


def answer_html(answer: Mapping[str, Any]) -> str:
    """An answer, given as `Answer.to_dict` does: its sentences with their standing, its sources, and what was left out."""
    parts = [_sentence(one) for one in answer["sentences"]] if answer["sentences"] else [element("p", text(answer["text"]))]
    sources = [_source(citation) for citation in answer["citations"]]
    parts += [element("ol", *sources)] if sources else []
    parts += [element("p", element("em", "Note: ", text(told))) for told in answer["left_out"]]
    return element("div", *parts)


def _sentence(sentence: Mapping[str, Any]) -> str:
    standing = sentence["standing"]
    style = f"border-left: 4px {_LINES[standing]} {_COLOURS[standing]}; padding-left: .6em; white-space: pre-wrap"
    numbers = "".join(f" [{number + 1}]" for number in sentence["citations"])
    badge = element("small", _NAMES[standing], style=f"color: {_COLOURS[standing]}")
    return element("p", text(sentence["text"]), numbers, " ", badge, style=style)


def _source(citation: Mapping[str, Any]) -> str:
    page = f", page {citation['page']}" if citation["page"] else ""
    section = f" · {citation['section']}" if citation["section"] else ""
    where = f"{citation['file']}{page}, characters {citation['start']}-{citation['end']}{section}"
    return element("li", element("small", text(where)), element("blockquote", text(citation["quote"])))
