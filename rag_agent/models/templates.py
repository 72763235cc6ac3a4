"""Messages to the one prompt string that a model was trained on."""

import json
from collections.abc import Sequence
from typing import Any

from jinja2.exceptions import TemplateError
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage

from rag_agent.errors import ModelError


def prompt_ids(tokenizer: Any, messages: Sequence[BaseMessage]) -> list[int]:
    """The prompt of some messages as token ids, with one BOS token where the tokenizer would set one.

    Most chat templates write it themselves (letting the tokenizer add its own is how prompts come to begin with two), some
    leave it to the tokenizer.
    """
    ids: list[int] = tokenizer(prompt_text(tokenizer, messages), add_special_tokens=False)["input_ids"]
    bos = tokenizer.bos_token_id
    adds = bos is not None and tokenizer("a")["input_ids"][:1] == [bos]
    return [bos, *ids] if adds and ids[:1] != [bos] else ids


def prompt_text(tokenizer: Any, messages: Sequence[BaseMessage]) -> str:
    """The prompt of some messages as the model's chat template writes it.

    A base model, which has no template, gets plain `User:` / `Assistant:` lines. Where a template rejects system messages or
    passes over them in silence, their text goes to the head of the first user message.
    """
    turns = _turns(messages)
    if not getattr(tokenizer, "chat_template", None):
        lines = [f"{_PLAIN.get(turn['role'], turn['role'].title())}: {turn['content']}" for turn in turns]
        return "\n".join([*lines, "Assistant:"])
    system = turns[0]["content"].strip() if turns[0]["role"] == "system" else ""
    try:
        text = _apply(tokenizer, turns)
        return text if system in text else _apply(tokenizer, _fold_system(turns))
    except TemplateError as error:
        refusal = error
    try:
        if system:
            return _apply(tokenizer, _fold_system(turns))
    except TemplateError as error:
        refusal = error
    raise ModelError(f"the model's chat template rejects these messages: {refusal}") from refusal


_PLAIN = {"system": "System", "user": "User", "assistant": "Assistant"}


def _apply(tokenizer: Any, turns: list[dict[str, str]]) -> str:
    # Templates of models that think before they answer (Qwen3) know the last setting; others pass it over.
    return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, enable_thinking=False))


def _turns(messages: Sequence[BaseMessage]) -> list[dict[str, str]]:
    """Messages as role and content; neighbours of one role are joined, since many templates demand alternation."""
    turns: list[dict[str, str]] = []
    for message in messages:
        role, content = _role(message), _content(message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += f"\n\n{content}"
        else:
            turns.append({"role": role, "content": content})
    if not turns:
        raise ModelError("there is no message to answer")
    return turns


def _content(message: BaseMessage) -> str:
    """What a message says. Calls of tools and their results, from a model that had some, are told in words."""
    text = str(message.text)
    if isinstance(message, ToolMessage):
        return f"Result of {message.name or 'a tool'}: {text}"
    calls = getattr(message, "tool_calls", None) or []
    told = [f"Call of {call['name']}: {json.dumps(call['args'], ensure_ascii=False, default=str)}" for call in calls]
    return "\n".join(filter(None, [text, *told])) if told else text


def _role(message: BaseMessage) -> str:
    if isinstance(message, ChatMessage):
        return message.role
    kinds = ((SystemMessage, "system"), (HumanMessage, "user"), (ToolMessage, "user"), (AIMessage, "assistant"))
    for kind, role in kinds:
        if isinstance(message, kind):
            return role
    raise ModelError(f"a {type(message).__name__} cannot be put before this model; send system, human, AI and tool messages")


def _fold_system(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    system, *rest = turns
    if rest and rest[0]["role"] == "user":
        rest = [{"role": "user", "content": f"{system['content']}\n\n{rest[0]['content']}"}, *rest[1:]]
        return rest
    return [{"role": "user", "content": system["content"]}, *rest]
