"""Follow-ups without a model: which turns lean on the conversation, and what they mean.

`understand(question, history)` is the door; `Understood` is what it hands out. A capable model may say a follow-up in full
instead: `rewriting_prompt` asks it, and `usable_rewriting` judges its reply.
"""

from rag_agent.memory.followups.asking_model import rewriting_prompt, usable_rewriting
from rag_agent.memory.followups.remarks import Recall, is_transformation, names_language, recall_of, remark_of, word_limit
from rag_agent.memory.followups.understand import Turn, Understood, understand

__all__ = [
    "Recall",
    "Turn",
    "Understood",
    "is_transformation",
    "names_language",
    "recall_of",
    "remark_of",
    "rewriting_prompt",
    "understand",
    "usable_rewriting",
    "word_limit",
]
