"""Questions about the documents themselves: which there are, what is in one, what they are about.

What is asked is told by likeness to a few such questions, so that it does not hang on their words; a file is named as it is.
"""

import re
from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

import numpy as np

from rag_agent.grounding.asking import Place, place_of, without_place
from rag_agent.grounding.evidence import Documents, Embedder, Vector

__all__ = ["Survey", "named_files", "survey"]

Kind = Literal["files", "summary"]

_ASKED: dict[Kind, tuple[str, ...]] = {
    "files": (
        "Which files do you have?", "What documents are there?", "List all the documents.", "How many files are there?",
        "Which documents can you search?", "Which files are there?", "Show me all files.", "What documents can I ask about?",
        "How many documents do you know?", "Welke documenten zijn er?", "Welche Dokumente gibt es?",
        "Quels documents y a-t-il ?", "Welke bestanden heb je?", "Welche Dateien gibt es?", "Quels fichiers as-tu ?",
        "¿Qué archivos hay?",
    ),
    "summary": (
        "What is this folder about?", "What are these documents about?", "Summarise the documents.", "Summarise this file.",
        "What is in this file?", "What does this document say?", "What is this file about?", "Give a summary of this document.",
        "Give me an overview of the documents.", "tl;dr", "What do these files contain?", "What is this collection about?",
        "Give me a summary.", "Summarise everything.", "Can you summarise these documents for me?", "Waar gaat deze map over?",
        "Worum geht es in diesen Dokumenten?", "De quoi parlent ces documents ?", "¿De qué tratan estos documentos?",
        "Waar gaat dit document over?", "Vat dit bestand samen.",
        "Wovon handelt dieses Dokument?", "Fasse diese Datei zusammen.", "De quoi parle ce document ?", "Résume ce fichier.",
        "¿De qué trata este documento?", "Resume este archivo.",
    ),
}  # fmt: skip
_ALIKE = 0.77  # cosine from which a question is one of these; "How many files can be open at once?" reaches 0.73
_THIS = "this file"


class Survey(NamedTuple):
    """A question about the documents themselves."""

    kind: Kind
    files: tuple[str, ...]
    """The files it names; empty is all."""
    place: Place | None = None
    """The section or page of them that it names."""


def named_files(question: str, files: Collection[str]) -> tuple[str, ...]:
    """The files that a question names: by path, by name, or by a name without its suffix that can be nothing else."""
    low = question.casefold()
    found = []
    for file in files:
        name = file.rpartition("/")[2]
        stem = name.rpartition(".")[0] or name
        whole = [file, name, *([stem] if re.search(r"\d|[_-]", stem) and len(stem) > 3 else [])]
        if any(re.search(rf"(?<![\w./-]){re.escape(one.casefold())}(?![\w/-]|\.\w)", low) for one in whole):
            found.append(file)
    return tuple(found)


def survey(
    question: str, files: Sequence[str], documents: Documents, embeddings: Embedder | None, vectors: dict[str, Vector]
) -> Survey | None:
    """Whether a question is about the documents themselves, and which.

    Args:
        question: The question.
        files: The files there are.
        documents: What remembers the vector of a question.
        embeddings: What compares texts; None tells nothing.
        vectors: Where the vectors of the questions that it is compared with are kept from one call to the next.
    """
    if embeddings is None or not files:
        return None
    if not vectors:
        for kind, asked in _ASKED.items():
            vectors[kind] = _unit(np.asarray(embeddings.embed_documents(list(asked)), np.float32))
    named = named_files(question, files)
    place, plain = place_of(question), without_place(question)
    for file in sorted(named, key=len, reverse=True):
        for one in (file, file.rpartition("/")[2], file.rpartition("/")[2].rpartition(".")[0]):
            plain = re.sub(rf"(?<![\w./-]){re.escape(one)}(?![\w/-]|\.\w)", _THIS, plain, flags=re.IGNORECASE) if one else plain
    vector = documents.vector(plain)
    if vector is None:
        return None
    scale = documents.scale() or float
    alike = {kind: float(scale((vectors[kind] @ vector).max())) for kind in _ASKED}
    kind = max(alike, key=lambda one: alike[one])
    if alike[kind] < _ALIKE or (kind == "files" and (named or place)):
        return None
    return Survey(kind, named, place)


def _unit(rows: Vector) -> Vector:
    unit: Vector = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
    return unit
