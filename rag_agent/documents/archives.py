"""Formats that are ZIP archives of XML: office documents, books."""

import io
import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

from rag_agent.documents.reading import MAX_BYTES, Unreadable


def check_zip(data: bytes) -> zipfile.ZipFile:
    """An archive, refused where it unpacks to more than is read; what it states is what `zipfile` will unpack at most."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise Unreadable("damaged, or protected by a password") from error
    size = sum(entry.file_size for entry in archive.infolist())
    if size > MAX_BYTES:
        raise Unreadable(f"unpacks to {size // 1024 // 1024} MiB, more than {MAX_BYTES // 1024 // 1024}")
    return archive


def parse_xml(data: bytes) -> Any:
    """The root of an XML part: nothing is fetched, no entity is expanded, and depth is bounded."""
    from lxml import etree

    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True))


def local(element: Any) -> str:
    """An element's name without its namespace: editions of the same format differ in it. Empty for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Any, name: str, default: str = "") -> str:
    """An attribute, whatever its namespace."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return default


def child(element: Any, *path: str) -> Any:
    """The first element down a path of local names, or None."""
    for name in path:
        element = next((one for one in element if local(one) == name), None) if element is not None else None
    return element


def descendants(element: Any, *names: str) -> Iterator[Any]:
    """All elements below (and with) one, of some local names, in document order."""
    return (one for one in element.iter() if local(one) in names)


class Relation(NamedTuple):
    """A link from one part of a package to another."""

    id: str
    kind: str
    """The last word of its type: `header`, `footnotes`, `slide`."""
    part: str
    """The name of the part it leads to."""


class Package:
    """An office document: XML parts that refer to each other (Open Packaging Conventions)."""

    def __init__(self, data: bytes) -> None:
        """Open one.

        Raises:
            Unreadable: It is no archive, or unpacks to too much.
        """
        self._archive = check_zip(data)
        self._names = {name.lower(): name for name in self._archive.namelist()}

    def xml(self, name: str) -> Any:
        """The root of a part, or None where there is no such part."""
        data = self.data(name)
        return parse_xml(data) if data else None

    def data(self, name: str) -> bytes:
        """The bytes of a part; none where there is no such part."""
        found = self._names.get(name.lower())
        return b"" if found is None else self._archive.read(found)

    def relations(self, name: str) -> list[Relation]:
        """Where a part (`""`: the package) leads to, inside the package."""
        folder, _, file = name.rpartition("/")
        root = self.xml(f"{folder}/_rels/{file}.rels".lstrip("/"))
        return [
            Relation(
                attribute(one, "Id"),
                attribute(one, "Type").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, unquote(attribute(one, "Target")))).lstrip("/"),
            )
            for one in ([] if root is None else root)
            if local(one) == "Relationship" and attribute(one, "TargetMode") != "External"
        ]

    def related(self, name: str, kind: str) -> list[str]:
        """The parts that a part leads to as `kind`."""
        return [one.part for one in self.relations(name) if one.kind == kind]

    def main(self, *otherwise: str) -> str:
        """The name of the main part.

        Raises:
            Unreadable: There is none.
        """
        for name in (*self.related("", "officeDocument"), *otherwise):
            if name.lower() in self._names:
                return name
        raise Unreadable("damaged: its main part is missing")

    def title(self) -> str:
        """The title of the document's properties."""
        for name in self.related("", "core-properties"):
            root = self.xml(name)
            if root is not None and (found := child(root, "title")) is not None:
                return found.text or ""
        return ""


def count(number: int, one: str, many: str = "") -> list[str]:
    """What is told of things that were not read: `["2 comments"]`, or nothing of none."""
    return [f"{number} {one if number == 1 else many or one + 's'}"] if number else []
