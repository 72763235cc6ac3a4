"""Documents as LangChain `Document`s, for any vector store."""

from pathlib import Path
from typing import TYPE_CHECKING

from rag_agent.documents.folder import list_sources
from rag_agent.documents.isolation import Reader
from rag_agent.documents.reading import Unreadable
from rag_agent.documents.splitting import Splitter

if TYPE_CHECKING:
    from langchain_core.documents import Document


def load_chunks(docs: str | Path, splitter: Splitter | None = None) -> "list[Document]":
    """The chunks of a folder or file, with `file`, `article`, `start`, `end` and `page` (where there are pages) as metadata.

    Files that cannot be read are passed over; an index reports them.

    Raises:
        DocumentsError: There is no such folder or file.
    """
    from langchain_core.documents import Document

    splitter = splitter or Splitter()
    found = []
    with Reader() as reader:
        for source in list_sources(docs).sources:
            try:
                reading = splitter.articles(reader.read(source.path))
            except Unreadable:
                continue
            for chunk in splitter.chunks_of(reading):
                metadata = {"file": source.file, "article": chunk.article, "start": chunk.start, "end": chunk.end}
                page = {} if chunk.page is None else {"page": chunk.page}
                found.append(Document(reading.text[chunk.start : chunk.end], metadata=metadata | page))
    return found
