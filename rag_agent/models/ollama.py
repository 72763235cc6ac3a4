"""The provider `ollama:`: chat models of an Ollama server, at `OLLAMA_HOST` or this machine's port 11434.

A server cuts a prompt that is longer than its window without a word, the oldest messages first, and its window is 4,096 tokens
unless it is told otherwise. So the window is sized to what is sent, and what the server says it read is checked against it.
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, NoReturn

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_ollama import ChatOllama
from pydantic import PrivateAttr, ValidationError

from rag_agent.errors import BackendError, ContextLengthError, ModelError, SettingsError
from rag_agent.models.ollama_server import SILENCE, Facts, client_settings, facts, tell_where, told
from rag_agent.models.providers import refuse_unknown
from rag_agent.models.thoughts import Thoughts
from rag_agent.settings import Settings

_RENAMED = {"max_new_tokens": "num_predict", "max_tokens": "num_predict", "repetition_penalty": "repeat_penalty"}
_GENERATION = {
    "temperature", "top_p", "top_k", "seed", "num_ctx", "num_thread", "keep_alive", "repeat_penalty", "num_predict",
    "mirostat", "mirostat_eta", "mirostat_tau", "num_gpu", "tfs_z", "repeat_last_n", "stop", "format", "reasoning", "timeout",
}  # fmt: skip
_OF_A_CALL = _GENERATION - {"timeout", "stop", "format", "reasoning", "keep_alive"}  # the client itself takes the last four
_LEAST = 4096  # tokens: the server's own default, so that other programs' requests do not make it load the model anew
_CONVERSATION = 8192  # tokens that a conversation may grow to by itself: for 8B parameters this is 1 GB of keys and values
_REPLY = 1024  # tokens kept free where the length of the reply is not bounded


def ollama_chat(model: str, settings: Settings, **generation: Any) -> ChatOllama:
    """A chat model of the server. Settings go by their transformers names, or by Ollama's own.

    `num_ctx` left out is sized to each prompt; `reasoning` left out keeps models that can think from it; `timeout` is how
    many seconds the server may be silent.

    Raises:
        SettingsError: A setting is unknown or has a value that cannot be used.
    """
    refuse_unknown(generation, _GENERATION | set(_RENAMED), "Ollama")
    options = {_RENAMED.get(name, name): value for name, value in generation.items()}
    timeout = options.pop("timeout", SILENCE)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0:
        raise SettingsError(f"timeout={timeout} is no number of seconds above 0; write it like timeout=900")
    tell_where()
    if isinstance(options.get("stop"), str):
        options["stop"] = [options["stop"]]
    try:
        return OllamaChat(
            model=model, client_kwargs=client_settings(timeout), **{"temperature": 0, "num_predict": 256, **options}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"{first['loc'][0]}: {first['msg'][:1].lower()}{first['msg'][1:]}") from error


class OllamaChat(ChatOllama):
    """`ChatOllama` that loses nothing in silence, keeps thoughts to itself, and fails in one line with what mends it."""

    _grown: list[int] = PrivateAttr(default_factory=lambda: [_LEAST])
    """The window of the latest call: a smaller one would make the server load the model anew. A list, since copies share it."""

    @property
    def window(self) -> int:
        """Tokens that a conversation and its reply may have together."""
        most = self._facts().context_length
        return min(self.num_ctx or max(_CONVERSATION, self._facts().num_ctx), most)

    @property
    def _identifying_params(self) -> dict[str, Any]:
        """All that a reply depends on: LangChain's cache of replies tells models and settings apart by it."""
        # `stop` is the name of what one call asks for, so the model's own goes by another.
        settings = {f"own_{name}": getattr(self, name) for name in sorted(_GENERATION - {"timeout", "keep_alive"})}
        return {"model": self.model, "host": os.environ.get("OLLAMA_HOST"), **settings}

    def count_tokens(self, messages: Sequence[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """About how many tokens some messages have, rather too many: the server counts only what it has read."""
        return 8 + sum(map(_estimate, messages)) + (_tokens(_json(tools)) if tools else 0)  # the reply's beginning is read too

    def get_num_tokens(self, text: str) -> int:
        """About how many tokens a text has, rather too many; LangChain's default would ask the model hub for GPT-2's."""
        return _tokens(text)

    def get_num_tokens_from_messages(self, messages: Sequence[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """About how many tokens some messages and tools have, rather too many."""
        return self.count_tokens(messages, tools) if messages or tools else 0

    def get_token_ids(self, text: str) -> NoReturn:
        """Not to be had: the server keeps its tokenizer to itself.

        Raises:
            ModelError: Always.
        """
        raise ModelError(f"the Ollama server does not show the tokens of '{self.model}'; `get_num_tokens` tells about how many")

    def _facts(self) -> Facts:
        return facts(self.model)

    def _with(self, given: dict[str, Any]) -> tuple["OllamaChat", dict[str, Any]]:
        """This model with the settings of one call, as `bind` and `invoke` pass them, and what else was passed."""
        renamed = {_RENAMED.get(name, name): value for name, value in given.items()}
        changes = {name: renamed.pop(name) for name in _OF_A_CALL & renamed.keys()}
        return (self.model_copy(update=changes) if changes else self), renamed

    def _sized(self, messages: Sequence[BaseMessage], tools: Sequence[Any] | None) -> "OllamaChat":
        """This model with the window that the messages and tools need."""
        known = self._facts()
        if known.bare and (len(messages) > 1 or any(message.type == "system" for message in messages)):
            raise _bare(self.model)
        reply = self.num_predict if self.num_predict is not None and self.num_predict >= 0 else _REPLY
        needed = self.count_tokens(messages, tools) + reply
        if needed > 3 * known.context_length:  # an estimate is seldom twice the truth: no need to read it all to find out
            raise _too_long(f"about {needed} tokens", known.context_length, self.model, known.context_length)
        size = self.num_ctx or max(self._grown[0], known.num_ctx, _rounded(needed))
        size = min(size, known.context_length)
        if self.num_ctx is None:
            self._grown[0] = size
        # Thinking takes more tokens than most replies are given, and minutes without a GPU: only where it is asked for.
        reasoning = False if self.reasoning is None and known.thinks else self.reasoning
        return self.model_copy(update={"num_ctx": size, "reasoning": reasoning})

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with told(self.model):
            model, kwargs = self._with(kwargs)
            sized = model._sized(messages, kwargs.get("tools"))
            reply = _Reply(sized, messages, self._facts())
            for chunk in ChatOllama._stream(sized, messages, stop, **kwargs):
                if shown := reply.push(chunk):
                    if run_manager:
                        run_manager.on_llm_new_token(shown.text, chunk=shown)
                    yield shown
            reply.check()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        with told(self.model):
            model, kwargs = self._with(kwargs)
            sized = await asyncio.to_thread(model._sized, messages, kwargs.get("tools"))
            reply = _Reply(sized, messages, self._facts())
            async for chunk in ChatOllama._astream(sized, messages, stop, **kwargs):
                if shown := reply.push(chunk):
                    if run_manager:
                        await run_manager.on_llm_new_token(shown.text, chunk=shown)
                    yield shown
            reply.check()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))


class _Reply:
    """A reply as it comes in: freed of thoughts, and checked at its end."""

    def __init__(self, model: OllamaChat, messages: Sequence[BaseMessage], known: Facts) -> None:
        self._model, self._messages, self._known = model, messages, known
        self._thoughts = Thoughts(begun=known.begins_with_thoughts and model.reasoning is None)
        self._said = False
        self._end: dict[str, Any] | None = None

    def push(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk | None:
        """What of a chunk is the answer's; None where it is all thoughts."""
        message = chunk.message
        assert isinstance(message, AIMessageChunk)
        text = self._thoughts.push(str(message.content))
        info = chunk.generation_info or {}
        if info.get("done"):
            self._end = info
            text += self._thoughts.flush()
        self._said = self._said or bool(text.strip())
        if not (text or info or message.additional_kwargs or message.tool_calls):
            return None
        return ChatGenerationChunk(message=message.model_copy(update={"content": text}), generation_info=chunk.generation_info)

    def check(self) -> None:
        """Raise where the reply is none, or the prompt was cut.

        Some versions of the server leave out of the count what they still knew of the prompt: it may be too low, never too
        high, so a prompt that was read whole is no error in any of them.

        Raises:
            BackendError: The stream ended before the reply did.
            ContextLengthError: The server left part of the prompt out.
            ModelError: There are thoughts and no answer.
        """
        name = self._model.model
        if self._end is None:
            raise BackendError(
                f"the Ollama server broke off in the middle of a reply of '{name}'; look at its log, then ask again"
            )
        read, written = self._end.get("prompt_eval_count") or 0, self._end.get("eval_count") or 0
        window = self._model.num_ctx or 0
        if read >= window or read + written > window or self._dropped(read, window):
            raise _too_long(f"more tokens than the {read} that the server read", window, name, self._known.context_length)
        if self._end.get("done_reason") == "length" and self._thoughts.inside and not self._said:
            raise ModelError(
                f"'{name}' used its {written} tokens to think and gave no answer; set max_new_tokens higher, or reasoning=false"
            )

    def _dropped(self, read: int, window: int) -> bool:
        """Whether older messages may have been left out.

        The server drops as few as it can, so the next one would not have fitted; where the estimate of them all, which is
        rather too high, fits, nothing was dropped.
        """
        lengths = [_estimate(message) for message in self._messages]
        older = [n for n, message in zip(lengths, self._messages[:-1], strict=False) if message.type != "system"]
        return bool(read) and sum(lengths) > window and max(older, default=0) > window - read


def _too_long(length: str, window: int, model: str, most: int) -> ContextLengthError:
    mend = "shorten it" if window >= most else f"shorten it, or leave num_ctx out or set it higher ({most} at the most)"
    return ContextLengthError(f"the prompt with its reply has {length}, but '{model}' was given a window of {window}; {mend}")


def _estimate(message: BaseMessage) -> int:
    """The tokens of a message with its calls of tools, rather too many."""
    calls = getattr(message, "tool_calls", None)
    return 8 + _tokens(str(message.text)) + (_tokens(_json(calls)) if calls else 0)


def _tokens(text: str) -> int:
    """The tokens of a text, rather too many: one for three letters, for a digit or a mark, one or two for a foreign letter."""
    pieces = re.findall(r" ?[A-Za-z]{1,3}|.", text, re.DOTALL)
    return sum(1 if piece.isascii() else max(1, len(piece.encode("utf-8", "replace")) - 1) for piece in pieces)


def _json(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, default=str)


def _bare(model: str) -> ModelError:
    made = f"{model.partition(':')[0]}-chat"
    return ModelError(
        f"the Ollama model '{model}' has no chat template, so the server drops the system prompt and all but one message; write "
        f"a Modelfile with the lines FROM {model} and TEMPLATE (the one that its maker publishes, such as ChatML's), then type "
        f"ollama create {made} -f Modelfile, and use ollama:{made}"
    )


def _rounded(tokens: int) -> int:
    """Up to a power of two: a window that changes with every call would make the server load the model each time."""
    return max(_LEAST, 1 << (tokens - 1).bit_length())
