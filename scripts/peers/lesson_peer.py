"""The lesson: four chunks of 500 characters and its prompt. HTML and folders are handed to it as flat text files."""

import sys
from collections.abc import Callable
from pathlib import Path

from driver import Job, run

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def start(job: Job) -> Callable[[str], str]:
    """Its graph, with the reader through Ollama in place of the small model."""
    import lesson
    from langchain_core.vectorstores import InMemoryVectorStore
    from langchain_ollama import ChatOllama

    store = InMemoryVectorStore.from_documents(lesson.chunks(job.docs), lesson.embeddings(Path(job.minilm)))
    graph = lesson.rag(store, ChatOllama(model=job.reader, base_url=job.ollama, temperature=0))
    return lambda question: str(graph.invoke({"question": question})["answer"])


run(start)
