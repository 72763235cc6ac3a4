"""A text as a model's tokenizer sees it."""

from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from rag_agent.errors import ModelError
from rag_agent.models.providers import name_of


@dataclass(frozen=True)
class Tokens:
    """What a tokenizer makes of a text."""

    model: str
    vocabulary: int
    """How many tokens the model knows."""
    special: dict[str, str]
    """The tokens with a meaning of their own, by what they are for."""
    count: int
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    """The text of each id."""
    decoded: str
    """The ids as text again."""
    same: bool
    """Whether that is the text that was given."""
    prompt: str
    """What a chat model is sent for this text."""
    prompt_count: int


def tokens(model: BaseChatModel, text: str, system: str | None = None) -> Tokens:
    """Look at a text with the tokenizer of a model of this process. The weights are not loaded.

    Raises:
        ModelError: The model keeps its tokenizer to itself, as those of a server do.
    """
    weights = getattr(model, "weights", None)
    if weights is None:
        raise ModelError(
            f"{name_of(model)} does not show its tokens; name its files: --model huggingface:/path/to/folder-or.gguf"
        )
    from transformers import AutoTokenizer

    from rag_agent.models.templates import prompt_ids, prompt_text

    tokenizer: Any = weights.load(AutoTokenizer)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    decoded = tokenizer.decode(ids, clean_up_tokenization_spaces=False)
    messages = [*([SystemMessage(system)] if system else []), HumanMessage(text)]
    named = {name: str(token) for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)}
    return Tokens(
        model=name_of(model),
        vocabulary=len(tokenizer),
        special=named,
        count=len(ids),
        ids=tuple(ids),
        pieces=tuple(tokenizer.decode([one], clean_up_tokenization_spaces=False) for one in ids),
        decoded=decoded,
        same=decoded == text,
        prompt=prompt_text(tokenizer, messages),
        prompt_count=len(prompt_ids(tokenizer, messages)),
    )
