"""Follow-ups without a model: which turns lean on the conversation, and what they mean.

`understand(question, history)` is the door; `Understood` is what it hands out.
"""

from rag_agent.memory.followups.transforms import is_chat, is_transformation, names_language, word_limit
from rag_agent.memory.followups.understand import Turn, Understood, understand

__all__ = ["Turn", "Understood", "is_chat", "is_transformation", "names_language", "understand", "word_limit"]
