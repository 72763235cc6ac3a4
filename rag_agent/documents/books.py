"""EPUB: each part of a book, a chapter as a rule, an article; its pages are read as web pages are."""

import posixpath
import re
from collections import Counter
from urllib.parse import unquote

from rag_agent.documents.archives import Package, attribute, child, count, descendants
from rag_agent.documents.builder import Builder
from rag_agent.documents.hypertext import add_page, decoded
from rag_agent.documents.prose import refined
from rag_agent.documents.reading import Reading, Unreadable

_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")


def read(data: bytes) -> Reading:
    """The parts of a book in the order in which they are read."""
    package = Package(data)
    container = package.xml("META-INF/container.xml")
    roots = descendants(container, "rootfile") if container is not None else iter(())
    main = next((attribute(one, "full-path") for one in roots), "")
    book = package.xml(main)
    if book is None:
        raise Unreadable("damaged: its main part is missing")
    encrypted = package.data("META-INF/encryption.xml")
    if re.search(rb"CipherReference[^>]*URI=[\"'][^\"']*html?[\"']", encrypted):
        raise Unreadable("protected against copying")
    items = {attribute(one, "id"): one for one in descendants(book, "item")}
    builder = Builder()
    unread: Counter[str] = Counter()
    for entry in descendants(book, "itemref"):
        item = items.get(attribute(entry, "idref"))
        if item is None or attribute(item, "media-type") not in _PAGES:
            unread["part that is no text"] += 1
            continue
        page = package.data(posixpath.normpath(posixpath.join(posixpath.dirname(main), unquote(attribute(item, "href")))))
        if not page:
            unread["missing part"] += 1
            continue
        builder.article()
        for line in add_page(builder, decoded(page)).told:
            many, _, what = line.partition(" ")
            unread[what] += int(many) if many.isdigit() else 1
    title = child(book, "metadata", "title")
    told = [line for name, many in unread.items() for line in count(many, name, _PLURALS.get(name, name))]
    return refined(builder.reading("epub", title="" if title is None else title.text or "", told=told))


_PLURALS = {"part that is no text": "parts that are no text", "missing part": "missing parts"}
