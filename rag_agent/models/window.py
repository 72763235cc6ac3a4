"""A model's context window: how long a prompt may be, and how much of something fits into it."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

_WINDOW = 4096  # tokens, of a model that does not tell: what Ollama reads unless it is set otherwise
_REPLY = 256  # tokens kept free for the reply of a model that does not tell


class Window:
    """Lengths by the model's own tokenizer where it has one, else three bytes a token, which is rather too many."""

    def __init__(self, model: BaseChatModel) -> None:
        reply = getattr(model, "max_new_tokens", None) or getattr(model, "num_predict", None) or _REPLY
        window = getattr(model, "window", None) or getattr(model, "num_ctx", None) or _WINDOW
        self.most: int = max(window - int(reply), window // 2)
        """Tokens that a prompt may have."""
        self._counts: Callable[[Sequence[BaseMessage]], int] | None = getattr(model, "count_tokens", None)

    def count(self, messages: Sequence[BaseMessage]) -> int:
        """The length of a prompt in tokens."""
        if self._counts is not None:
            return self._counts(messages)
        return sum(len(_text(message).encode()) // 3 + 8 for message in messages)


def as_many(model: BaseChatModel, prompt: Callable[[int], list[BaseMessage]], total: int) -> int:
    """How many of `total` things fit: the largest n for which `prompt(n)` does.

    Args:
        model: Whose window it is.
        prompt: The prompt with the first n things; it grows with n.
        total: How many there are.
    """
    window = Window(model)
    low, high = 0, total
    while low < high:
        # All of them is the usual case, so it is tried first.
        middle = total if (low, high) == (0, total) else (low + high + 1) // 2
        low, high = (middle, high) if window.count(prompt(middle)) <= window.most else (low, middle - 1)
    return low


def _text(message: Any) -> str:
    return message.content if isinstance(message.content, str) else str(message.text)
