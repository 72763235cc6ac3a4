"""Documents as LangChain `Document`s, for any vector store."""

from pathlib import Path
from typing import TYPE_CHECKING

from rag_agent.documents.folder import list_sources
from rag_agent.documents.reading import Unreadable, read_text
from rag_agent.documents.splitting import Splitter

if TYPE_CHECKING:
    from langchain_core.documents import Document


def load_chunks(docs: str | Path, splitter: Splitter | None = None) -> "list[Document]":
    """The chunks of a folder or file, with `file`, `article`, `start` and `end` in their metadata.

    Files that cannot be read are passed over; an index reports them.

    Raises:
        DocumentsError: There is no such folder or file.
    """
    from langchain_core.documents import Document

    splitter = splitter or Splitter()
    found = []
    for source in list_sources(docs).sources:
        try:
            text, _ = read_text(source.path)
        except Unreadable:
            continue
        for chunk in splitter.chunks(text, markdown=source.path.suffix.lower() == ".md"):
            metadata = {"file": source.file, "article": chunk.article, "start": chunk.start, "end": chunk.end}
            found.append(Document(text[chunk.start : chunk.end], metadata=metadata))
    return found
