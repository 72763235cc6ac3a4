"""RAGLight 3, as "Basic RAG" of its documentation starts a pipeline over a folder."""

from collections.abc import Callable

from driver import Job, run


def start(job: Job) -> Callable[[str], str]:
    """A RAGPipeline with its defaults, over Chroma."""
    from raglight.config.rag_config import RAGConfig
    from raglight.config.settings import Settings
    from raglight.config.vector_store_config import VectorStoreConfig
    from raglight.models.data_source_model import FolderSource
    from raglight.rag.simple_rag_api import RAGPipeline

    kept = job.work / "chroma"
    known = kept.is_dir()
    store = VectorStoreConfig(
        embedding_model=job.minilm, provider=Settings.HUGGINGFACE, database=Settings.CHROMA,
        persist_directory=str(kept), collection_name=Settings.DEFAULT_COLLECTION_NAME,
    )  # fmt: skip

    def pipeline() -> RAGPipeline:
        config = RAGConfig(
            provider=Settings.OLLAMA, llm=job.reader, api_base=job.ollama, knowledge_base=[FolderSource(path=str(job.docs))]
        )
        return RAGPipeline(config, store)

    first = pipeline()
    if not known:
        first.build()

    def answer(question: str) -> str:
        # Every question is one of its own: a pipeline would answer in the light of those before.
        return str(pipeline().generate(question))

    return answer


run(start)
