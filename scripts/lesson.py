"""The baseline: the simplest RAG and chat that a course teaches with these same packages. Benchmarks import it.

Run it to see what it does: `.venv/bin/python scripts/lesson.py rag_data "Who landed on the Moon?"` (`--times` prints where the
time went). It uses the embedded models by the off-the-shelf classes: HuggingFaceEmbeddings, and ChatHuggingFace over a
HuggingFacePipeline.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

_START = time.perf_counter()

PROMPT = """You answer questions. Here is the context:

{context}

Think about it. Here is the question: {question}

Answer from this context alone, in at most ten sentences, concisely."""


def documents(folder: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The pieces of every file, cut at "---" wherever it stands, and the name of the file of each."""
    texts, metadatas = [], []
    for file in sorted(folder.iterdir()):
        if file.suffix in (".txt", ".md"):
            for piece in file.read_text(encoding="utf-8").split("---"):
                texts.append(piece)
                metadatas.append({"source": file.name})
    return texts, metadatas


def chunks(folder: Path) -> list[Any]:
    """The pieces in chunks of 500 characters that overlap by 50."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    texts, metadatas = documents(folder)
    return RecursiveCharacterTextSplitter(chunk_size=500, chunk_overlap=50).create_documents(texts, metadatas)


def embeddings(model_folder: Path) -> Any:
    """The embedding model with its class's defaults."""
    from langchain_huggingface import HuggingFaceEmbeddings

    return HuggingFaceEmbeddings(model_name=str(model_folder))


def chat_model(model_folder: Path, max_new_tokens: int = 80, min_new_tokens: int | None = None) -> Any:
    """The chat model with its class's defaults, greedy."""
    from langchain_huggingface import ChatHuggingFace, HuggingFacePipeline

    arguments: dict[str, Any] = {"max_new_tokens": max_new_tokens, "do_sample": False, "return_full_text": False}
    if min_new_tokens:
        arguments["min_new_tokens"] = min_new_tokens
    pipeline = HuggingFacePipeline.from_model_id(model_id=str(model_folder), task="text-generation", pipeline_kwargs=arguments)
    return ChatHuggingFace(llm=pipeline)


def rag(store: Any, model: Any) -> Any:
    """Retrieve -> generate, compiled: `rag(...).invoke({"question": ...})["answer"]`."""
    from langchain_core.documents import Document
    from langchain_core.messages import HumanMessage
    from langgraph.graph import END, START, StateGraph
    from typing_extensions import TypedDict

    class State(TypedDict, total=False):
        question: str
        context: list[Document]
        answer: str

    def retrieve(state: State) -> State:
        return {"context": store.similarity_search(state["question"], k=4)}

    def generate(state: State) -> State:
        context = "\n\n".join(document.page_content for document in state["context"])
        prompt = PROMPT.format(context=context, question=state["question"])
        return {"answer": str(model.invoke([HumanMessage(prompt)]).content)}

    builder = StateGraph(State)
    builder.add_node("retrieve", retrieve)
    builder.add_node("generate", generate)
    builder.add_edge(START, "retrieve")
    builder.add_edge("retrieve", "generate")
    builder.add_edge("generate", END)
    return builder.compile()


def chat(model: Any) -> Any:
    """One node over the messages, with a memory: three turns on one thread shorten and translate an answer."""
    from langgraph.checkpoint.memory import MemorySaver
    from langgraph.graph import END, START, MessagesState, StateGraph

    def llm(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("llm", llm)
    builder.add_edge(START, "llm")
    builder.add_edge("llm", END)
    return builder.compile(checkpointer=MemorySaver())


def plain_loop(generator: Any) -> None:
    """History as lines of text, until the user types quit or exit; `generator` is a transformers pipeline."""
    history = ""
    while (line := input("> ")) not in ("quit", "exit"):
        history += f"User: {line}\nAssistant:"
        reply = generator(history, return_full_text=False)[0]["generated_text"]
        history += f"{reply}\n"
        print(reply)


def main() -> None:
    """Ask one question the lesson's way."""
    from rag_agent.models.embedded import CHAT_NAME, EMBEDDINGS_NAME, place
    from rag_agent.settings import Settings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("docs", type=Path)
    parser.add_argument("question")
    parser.add_argument("--tokens", type=int, help="generate exactly so many tokens")
    parser.add_argument("--times", action="store_true", help="print a JSON object of seconds on standard error")
    options = parser.parse_args()
    settings = Settings.load()
    chat_folder, embedding_folder = place(settings, CHAT_NAME), place(settings, EMBEDDINGS_NAME)
    if not chat_folder or not embedding_folder:
        raise SystemExit("the embedded models are not here; get them: rag-agent models pull embedded")

    times = {}
    began = time.perf_counter()
    import langchain_core.vectorstores
    import langchain_huggingface  # noqa: F401
    import langchain_text_splitters  # noqa: F401
    import langgraph.graph  # noqa: F401
    import sentence_transformers  # noqa: F401
    import transformers.pipelines  # noqa: F401

    times["imports"] = time.perf_counter() - began
    began = time.perf_counter()
    embedder = embeddings(embedding_folder)
    model = chat_model(chat_folder, options.tokens or 80, options.tokens)
    times["loading"] = time.perf_counter() - began
    began = time.perf_counter()
    store = langchain_core.vectorstores.InMemoryVectorStore.from_documents(chunks(options.docs), embedder)
    times["indexing"] = time.perf_counter() - began
    began = time.perf_counter()
    graph = rag(store, model)
    found: dict[str, Any] = {}
    for update in graph.stream({"question": options.question}, stream_mode="updates"):
        for node, values in update.items():
            times["retrieval" if node == "retrieve" else "generation"] = time.perf_counter() - began
            began = time.perf_counter()
            found.update(values)
    print(found["answer"])
    if options.times:
        times["total"] = time.perf_counter() - _START
        import sys

        print(json.dumps(times), file=sys.stderr)


if __name__ == "__main__":
    main()
