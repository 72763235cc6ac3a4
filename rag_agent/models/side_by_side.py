"""The same prompts to several models, with several settings: what each answers, how fast, and in how much memory."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage

from rag_agent.errors import RagAgentError
from rag_agent.tracing import untraced


@dataclass(frozen=True)
class Run:
    """A model's answer to a prompt."""

    prompt: str
    model: str
    settings: dict[str, Any]
    text: str
    seconds: float
    first_token: float
    """Seconds until the answer began."""
    output_tokens: int
    tokens_per_second: float
    """While it was written."""
    memory: int | None
    """Bytes that this process has grown by since before the model was loaded, or that the model takes in its server."""
    error: str = ""
    """Why there is no answer."""


def compare(
    names: Sequence[str],
    variants: Sequence[Mapping[str, Any]],
    prompts: Sequence[str],
    make: Callable[..., BaseChatModel],
    system: str | None = None,
) -> Iterator[Run]:
    """Every model with every variant of its settings, for every prompt; the models one after the other.

    A model is asked one short question first, so that its loading is no part of the times.

    Args:
        names: Of the models.
        variants: Generation settings.
        prompts: What is asked.
        make: Makes a model of a name and generation settings.
        system: A role that is put before each prompt.
    """
    role = [SystemMessage(system)] if system else []
    for name in names:
        before: int | None = None
        for variant in variants:
            for prompt in prompts:
                try:
                    model = make(name, **variant)
                    if before is None:
                        before = _resident_without(model)
                        with untraced():
                            next(iter(model.stream([HumanMessage("Hello")])), None)
                    with untraced():
                        run = _asked(model, name, variant, prompt, [*role, HumanMessage(prompt)], before)
                    yield run
                except RagAgentError as error:
                    yield Run(prompt, name, dict(variant), "", 0.0, 0.0, 0, 0.0, None, error=str(error))


def _asked(model: BaseChatModel, name: str, variant: Mapping[str, Any], prompt: str, messages: Sequence[Any], before: int) -> Run:
    whole: AIMessageChunk | None = None
    began = time.perf_counter()
    first = 0.0
    for chunk in model.stream(messages):
        if not first and chunk.text:
            first = time.perf_counter() - began
        whole = chunk if whole is None else whole + chunk
    seconds = time.perf_counter() - began
    count = whole.usage_metadata["output_tokens"] if whole and whole.usage_metadata else 0
    writing = seconds - first
    return Run(
        prompt=prompt,
        model=name,
        settings=dict(variant),
        text=str(whole.text) if whole else "",
        seconds=seconds,
        first_token=first or seconds,
        output_tokens=count,
        tokens_per_second=(count - 1) / writing if count > 1 and first and writing > 0 else 0.0,
        memory=_memory(model, before),
    )


def _memory(model: BaseChatModel, before: int) -> int | None:
    if type(model).__module__ == "rag_agent.models.ollama":
        from rag_agent.models.ollama_server import loaded_size

        return loaded_size(str(getattr(model, "model", "")))
    return max(0, _resident() - before) if before else None


def _resident_without(model: BaseChatModel) -> int:
    """What this process holds before it loads a model, with the libraries that it needs."""
    if hasattr(model, "weights"):
        import rag_agent.models.generation  # noqa: F401
    return _resident()


def _resident() -> int:
    """Bytes of memory that this process holds; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
