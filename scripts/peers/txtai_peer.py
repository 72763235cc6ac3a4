"""txtai, as the page of its RAG pipeline starts it, over the sections that its Textractor makes of files."""

from collections.abc import Callable

from driver import Job, run

TEMPLATE = """
  Answer the following question using the provided context.

  Question:
  {question}

  Context:
  {context}
"""


def start(job: Job) -> Callable[[str], str]:
    """Embeddings with content, and the RAG pipeline over an Ollama model through LiteLLM."""
    from txtai import LLM, RAG, Embeddings
    from txtai.pipeline import Textractor

    embeddings = Embeddings(path=job.minilm, content=True)
    kept = job.work / "index"
    if kept.exists():
        embeddings.load(str(kept))
    else:
        textractor = Textractor(paragraphs=True, backend=None)
        files = [file for file in sorted(job.docs.rglob("*")) if file.is_file()]
        texts = [text for file in files for text in _texts(textractor, file)]
        embeddings.index(texts)
        embeddings.save(str(kept))
    llm = LLM(f"ollama/{job.reader}", api_base=job.ollama, method="litellm")
    rag = RAG(embeddings, llm, template=TEMPLATE, output="flatten")
    return lambda question: str(rag(question))


def _texts(textractor: object, file: object) -> list[str]:
    path = str(file)
    if not path.endswith((".html", ".htm")):
        path = open(path, encoding="utf-8", errors="replace").read()
        return [part for part in path.split("\n\n") if part.strip()]
    found = textractor(path)  # type: ignore[operator]
    return [text for text in (found if isinstance(found, list) else [found]) if text]


run(start)
