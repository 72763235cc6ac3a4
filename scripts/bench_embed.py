"""Embedding on the CPU: ours against langchain-huggingface's HuggingFaceEmbeddings with its defaults, on the same chunks.

    .venv/bin/python scripts/bench_embed.py [DATA] [--limit 2000]

All but the last use the embedded all-MiniLM-L6-v2: langchain-huggingface's by sentence-transformers, ours by ONNX Runtime
("embedded") and by transformers (what `huggingface:` loads); the last is multilingual-e5-small, where it is here. The chunks, of
the haystack's text files, are embedded block by block, each block by every system in turn, so that what else the machine does
falls on all alike.
"""

import subprocess
import sys
import time

import numpy as np
from eval_data import arguments, parsed, some

from rag_agent.documents import load_chunks
from rag_agent.models import embeddings
from rag_agent.models.embedded import EMBEDDINGS_NAME, MULTILINGUAL_NAME, place
from rag_agent.models.transformers_embeddings import TransformersEmbeddings
from rag_agent.models.weights import Weights
from rag_agent.settings import Settings

BLOCK = 250
READY = """
import sys, time
began = time.perf_counter()
if sys.argv[1] == "HuggingFaceEmbeddings":
    from langchain_huggingface import HuggingFaceEmbeddings
    model = HuggingFaceEmbeddings(model_name=sys.argv[2])
elif sys.argv[1] == "transformers":
    from rag_agent.models.transformers_embeddings import TransformersEmbeddings
    from rag_agent.models.weights import Weights
    model = TransformersEmbeddings(Weights(sys.argv[2]))
else:
    from rag_agent.models import embeddings
    model = embeddings(sys.argv[1])
model.embed_query("hello")
print(time.perf_counter() - began)
"""


def ready(name: str, folder: str) -> float:
    """Seconds from the start of a fresh process's imports to its first vector."""
    done = subprocess.run([sys.executable, "-c", READY, name, folder], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Print a line for each system."""
    options = parsed(arguments(__doc__), "haystack")
    folder = place(Settings.load(), EMBEDDINGS_NAME)
    if folder is None:
        sys.exit("the embedded models are not here: rag-agent models pull embedded")
    from langchain_huggingface import HuggingFaceEmbeddings

    chunks = [chunk.page_content for chunk in load_chunks(options.data / "haystack")]
    chunks = some(chunks, options.limit or 2000)
    systems = {
        "HuggingFaceEmbeddings": HuggingFaceEmbeddings(model_name=str(folder)),
        "embedded": embeddings("embedded"),
        "transformers": TransformersEmbeddings(Weights(str(folder))),
    }
    if place(Settings.load(), MULTILINGUAL_NAME):
        systems["multilingual"] = embeddings("multilingual")
    seconds: dict[str, list[float]] = {name: [] for name in systems}
    vectors: dict[str, list[list[float]]] = {name: [] for name in systems}
    for system in systems.values():
        system.embed_documents(chunks[:32])  # loads
    for start in range(0, len(chunks), BLOCK):
        for name, system in systems.items():
            began = time.perf_counter()
            vectors[name] += system.embed_documents(chunks[start : start + BLOCK])
            seconds[name].append(time.perf_counter() - began)
    baseline = "HuggingFaceEmbeddings"
    exact = np.array(vectors[baseline])
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    length = sum(map(len, chunks)) / len(chunks)
    print(f"{len(chunks)} chunks of {length:.0f} characters in the mean, in blocks of {BLOCK}")
    for name in systems:
        rate, ratios = len(chunks) / sum(seconds[name]), np.array(seconds[baseline]) / np.array(seconds[name])
        same = "" if name == "multilingual" else f"smallest cosine {(np.array(vectors[name]) * exact).sum(axis=1).min():.5f}; "
        print(
            f"{name:22} {rate:6.1f} chunks/s = {sum(seconds[baseline]) / sum(seconds[name]):.2f} times the baseline "
            f"(blocks {ratios.min():.2f} to {ratios.max():.2f}); {same}"
            f"first vector {ready(name, str(folder)):.1f} s after the start of imports"
        )


if __name__ == "__main__":
    main()
