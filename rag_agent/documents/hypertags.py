"""What the elements of web pages mean: which begin a new line, which are hidden, which are furniture of the page."""

import re
from typing import TYPE_CHECKING

from rag_agent.documents.tables import Cell

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

Attributes = dict[str, str | None]

UNREAD = frozenset(
    "audio button canvas embed frame frameset head iframe map math noscript object option progress script select style svg "
    "template textarea title video".split()
)
"""Elements whose text is none of the page's."""
BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer "
    "form frame h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre search section summary table tbody td "
    "tfoot th thead tr ul".split()
)
"""Elements that stand on lines of their own."""
FURNITURE = frozenset(("nav", "header", "footer", "aside", "form", "dialog"))
"""Elements that may be furniture of the page."""

_HIDES = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)(?![\w-])", re.IGNORECASE)
_NAVIGATES = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navheader|navfooter|navigation|breadcrumbs?|toc|pagination|pager|skip-?(?:link|nav|to-content))(?:$|[\s_-])",
    re.IGNORECASE,
)
_CONSENT = re.compile(r"cookie|consent|gdpr", re.IGNORECASE)
_AROUND = re.compile(r"(?:^|[\s_-])(?:header|footer|menu|sidebar|masthead|related|share|social)(?:$|[\s_-])", re.IGNORECASE)
_ROLES = frozenset(("navigation", "search", "menu", "menubar", "banner", "contentinfo"))
_RIGHTS = re.compile(r"©|\(c\) ?\d{4}|copyright|all rights reserved", re.IGNORECASE)
_HOLDS_BLOCKS = "p, div, ul, ol, dl, table, pre, blockquote, h1, h2, h3, h4, h5, h6"


def tag_of(node: "LexborNode") -> str:
    """The name of an element; "-text" of a text."""
    return node.tag or "-"


def said(node: "LexborNode") -> str:
    """All text below a node, on one line."""
    return " ".join((node.text(deep=True, separator=" ") or "").split())


def hidden(attributes: Attributes) -> bool:
    """Whether an element is not shown."""
    return bool(
        "hidden" in attributes
        or (attributes.get("aria-hidden") or "").lower() == "true"
        or _HIDES.search(attributes.get("style") or "")
    )


def is_furniture(tag: str, node: "LexborNode", *, inside: bool) -> bool:
    """Whether an element is furniture: navigation and consent by their names, what stands around the content by its many links.

    Args:
        tag: The element's name.
        node: The element.
        inside: Whether it lies inside of the content, where a header, footer or aside belongs to the content.
    """
    attributes: Attributes = node.attributes
    names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    role = (attributes.get("role") or "").lower()
    if tag in ("body", "html", "main", "article"):
        return False
    if tag == "nav" or role in ("navigation", "search", "menu", "menubar") or _NAVIGATES.search(names):
        return True
    if _CONSENT.search(names):
        return len(said(node)) < 2000
    around = tag in ("header", "footer", "aside") or role in _ROLES or _AROUND.search(names)
    return bool(around) and not inside and _is_mostly_links(node)


def _is_mostly_links(node: "LexborNode") -> bool:
    text = said(node)
    linked = sum(len(said(link)) for link in node.css("a"))
    return linked * 2 > len(text) or (len(text) < 200 and bool(_RIGHTS.search(text)))


def is_link_list(node: "LexborNode", *, inside: bool) -> bool:
    """Whether a list holds nothing but links: to parts of the page itself where it lies inside of the content."""
    items = [item for item in node.iter() if item.tag == "li"]
    if len(items) < 2:
        return False
    links = [item.css("a[href]") for item in items]
    if any(sum(len(said(link)) for link in here) < len(said(item)) - len(here) for item, here in zip(items, links, strict=True)):
        return False
    return not inside or all((link.attributes.get("href") or "").startswith("#") for here in links for link in here)


def standing_alone(node: "LexborNode") -> bool:
    """Whether an element holds one run of text and no more than a paragraph around it."""
    blocks = node.css("p, div, ul, ol, dl, table, pre, blockquote, h1, h2, h3, h4, h5, h6")
    return len([block for block in blocks if block.tag != "p"]) <= 1 and len([b for b in blocks if b.tag == "p"]) <= 1


def rows_of(table: "LexborNode") -> list[list[Cell]] | None:
    """The cells of a table of data; None where a table only lays out the page."""
    if (table.attributes.get("role") or "") in ("presentation", "none"):
        return None
    if table.css_first("table table, td h1, td h2, td h3, td pre, td form, td ul ul, td p + p + p"):
        return None
    rows = []
    for row in table.css("tr"):
        cells = [cell for cell in row.iter() if cell.tag in ("td", "th")]
        headed = row.parent is not None and row.parent.tag == "thead"
        rows.append(
            [
                Cell(_seen(cell), _number(cell, "colspan"), _number(cell, "rowspan"), headed or cell.tag == "th")
                for cell in cells
                if not hidden(cell.attributes)
            ]
        )
    return rows


def _seen(cell: "LexborNode") -> str:
    """The text of a cell; what stands on lines of its own is parted from the rest."""
    if cell.css_first(f"br, {_HOLDS_BLOCKS}") is None:
        return " ".join((cell.text(deep=True) or "").split())
    return said(cell)


def _number(node: "LexborNode", name: str) -> int:
    value = (node.attributes.get(name) or "").strip()
    return int(value) if value.isdecimal() and len(value) < 6 else 1
