"""Files in, chunks out: each chunk knows its file, its article and its character span in the file as read."""

from rag_agent.documents.blocks import Block, Section
from rag_agent.documents.chunking import load_chunks
from rag_agent.documents.folder import Listing, Source, list_sources
from rag_agent.documents.isolation import Reader
from rag_agent.documents.reading import Reading, Unreadable, decode, read_text
from rag_agent.documents.splitting import Chunk, Splitter, article_spans

__all__ = [
    "Block",
    "Chunk",
    "Listing",
    "Reader",
    "Reading",
    "Section",
    "Source",
    "Splitter",
    "Unreadable",
    "article_spans",
    "decode",
    "list_sources",
    "load_chunks",
    "read_text",
]
