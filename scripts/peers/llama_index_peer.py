"""LlamaIndex, as "Starter Tutorial (Using Local LLMs)" starts a query engine over a folder."""

from collections.abc import Callable

from driver import Job, run


def start(job: Job) -> Callable[[str], str]:
    """The query engine of a VectorStoreIndex with its defaults: chunks of 1,024 tokens, the best two."""
    from llama_index.core import Settings, SimpleDirectoryReader, StorageContext, VectorStoreIndex, load_index_from_storage
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.llms.ollama import Ollama

    Settings.embed_model = HuggingFaceEmbedding(model_name=job.minilm)
    Settings.llm = Ollama(model=job.reader, base_url=job.ollama, request_timeout=1800.0, context_window=8000)
    kept = job.work / "storage"
    if kept.is_dir():
        index = load_index_from_storage(StorageContext.from_defaults(persist_dir=str(kept)))
    else:
        documents = SimpleDirectoryReader(str(job.docs), recursive=True).load_data()
        index = VectorStoreIndex.from_documents(documents)
        index.storage_context.persist(persist_dir=str(kept))
    engine = index.as_query_engine()
    return lambda question: str(engine.query(question))


run(start)
