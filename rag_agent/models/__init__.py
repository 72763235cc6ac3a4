"""Chat and embedding models by name: `chat_model("ollama:llama3.1:8b")`, `embeddings("embedded")`.

A handle is cheap to make: weights load, and servers are asked, at its first call.
"""

from rag_agent.models.providers import chat_model, embeddings, name_of, providers

__all__ = ["chat_model", "embeddings", "name_of", "providers"]
