"""haiku.rag, as its README starts it: documents into LanceDB by Docling, then `ask`."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from driver import Job, run


def start(job: Job) -> Callable[[str], str]:
    """A database of the folder's documents; MiniLM behind OpenAI's protocol, since it takes no folder of a model."""
    os.environ["OLLAMA_BASE_URL"] = job.ollama
    from haiku.rag.client import HaikuRAG
    from haiku.rag.config import AppConfig

    config = AppConfig.model_validate(
        {
            "embeddings": {"model": {"provider": "openai", "name": "minilm", "vector_dim": 384, "base_url": job.embeddings,
                                     "api_key": "none"}},
            "qa": {"model": {"provider": "ollama", "name": job.reader}},
            "processing": {"chunking_tokenizer": job.minilm, "pictures": "none"},
        }
    )  # fmt: skip
    path = job.work / "knowledge.lancedb"
    known = path.exists()
    loop = asyncio.new_event_loop()

    async def filled() -> Any:
        rag = await HaikuRAG(path, config=config, create=True).__aenter__()
        if not known:
            for file in sorted(job.docs.rglob("*")):
                if file.suffix in (".html", ".md", ".txt"):
                    await rag.create_document_from_source(file)
        return rag

    rag = loop.run_until_complete(filled())

    def answer(question: str) -> str:
        found = loop.run_until_complete(rag.ask(question))
        return str(found[0] if isinstance(found, tuple) else found)

    return answer


run(start)
