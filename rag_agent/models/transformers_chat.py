"""`TransformersChat`: a causal language model in this process, as a LangChain chat model."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import AliasChoices, ConfigDict, Field

from rag_agent.errors import ContextLengthError, ModelError, SettingsError
from rag_agent.models.decoding import StopStrings, TokenText
from rag_agent.models.precision import Quantization
from rag_agent.models.providers import refuse_unknown
from rag_agent.models.templates import prompt_ids
from rag_agent.models.thoughts import Thoughts
from rag_agent.models.weights import Weights

if TYPE_CHECKING:
    from rag_agent.models.generation import Loaded

_GENERATION = {
    "max_new_tokens", "min_new_tokens", "temperature", "top_p", "top_k", "do_sample", "repetition_penalty",
    "num_return_sequences", "seed", "stop", "dtype", "device_map", "quantization", "prefix_cache",
    "prompt_lookup_num_tokens", "assistant_model",
}  # fmt: skip


class TransformersChat(BaseChatModel):
    """A causal language model by hub id, local folder or `.gguf` file, loaded at the first call.

    Prompts go through the tokenizer's chat template, and only new tokens are decoded. Models of the same weights share
    them; calls to one model queue up, since they would share its processor anyway.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    weights: Weights
    rag_agent_name: str = ""
    max_new_tokens: int = Field(default=256, ge=1, validation_alias=AliasChoices("max_new_tokens", "max_tokens"))
    """`max_tokens`, LangChain's own name, is taken as well."""
    min_new_tokens: int | None = Field(default=None, ge=0)
    temperature: float = Field(default=0.0, ge=0.0)
    """0 is greedy: always the likeliest token."""
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    top_k: int | None = Field(default=None, ge=1)
    do_sample: bool | None = None
    """Left out, it follows from the temperature."""
    repetition_penalty: float | None = Field(default=None, gt=0.0)
    num_return_sequences: int = Field(default=1, ge=1)
    seed: int | None = None
    """Makes sampling repeatable."""
    stop: list[str] = Field(default_factory=list)
    """Strings that end a reply where a call names none."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """ "auto" is float32 on a CPU, where single tokens come faster in it, and the
    weights' own elsewhere."""
    quantization: Quantization | None = None
    """Weights in `8bit`, or on a GPU with bitsandbytes also in `4bit`; `auto` is 8 bits on a CPU that is faster with them."""
    device_map: str | None = None
    """As in transformers; left out, the first GPU where there is one, else the CPU."""

    prefix_cache: bool = True
    """Whether what is computed of a prompt is kept for the next one that begins alike, as a conversation's next turn does."""
    prompt_lookup_num_tokens: int | None = Field(default=None, ge=1)
    """Guess so many tokens at a time from the prompt, and check them in one step."""
    assistant_model: Weights | None = None
    """A small model of the same vocabulary that guesses tokens, which this one checks in one step."""

    @classmethod
    def named(cls, name: str, weights: Weights, **generation: Any) -> Self:
        """A model with checked generation settings.

        Raises:
            SettingsError: A setting is unknown, out of range or contradicts another.
        """
        if "max_tokens" in generation:
            if "max_new_tokens" in generation:
                raise SettingsError("max_tokens and max_new_tokens are the same; leave one out")
            generation["max_new_tokens"] = generation.pop("max_tokens")
        refuse_unknown(generation, _GENERATION, "Hugging Face")
        try:
            model = cls(weights=weights, rag_agent_name=name, **generation)
        except ValueError as error:
            detail = error.errors()[0] if hasattr(error, "errors") else {"loc": ("generation",), "msg": str(error)}
            raise SettingsError(f"{detail['loc'][0]}: {detail['msg']}") from error
        model._sampling()
        return model

    @property
    def _llm_type(self) -> str:
        return "rag-agent-transformers"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        """All that a reply depends on: LangChain's cache of replies tells models and settings apart by it."""
        # `stop` is the name of what one call asks for, so the model's own goes by another.
        settings = {f"own_{name}": getattr(self, name) for name in sorted(_GENERATION)}
        return {"model_name": self.rag_agent_name or self.weights.location, "weights": str(self.weights), **settings}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = LangSmithParams(
            ls_provider="huggingface",
            ls_model_name=kwargs.get("model") or self.rag_agent_name or self.weights.location,
            ls_model_type="chat",
            ls_temperature=kwargs.get("temperature", self.temperature),
            ls_max_tokens=kwargs.get("max_new_tokens", self.max_new_tokens),
        )
        if named := stop or self.stop:
            params["ls_stop"] = named
        return params

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> NoReturn:
        """Not to be had: calls of tools have no common form among local models."""
        raise NotImplementedError("a model in this process calls no tools; use one of a server, such as ollama:llama3.1:8b")

    def count_tokens(self, messages: Sequence[BaseMessage]) -> int:
        """The length of the prompt these messages make, in tokens of this model."""
        return len(self._prompt(messages))

    def probability(self, messages: Sequence[BaseMessage], word: str, other: str) -> float:
        """How likely the reply begins with one word rather than another, 0 to 1; half where it begins with neither."""
        from rag_agent.models.generation import next_token

        loaded = self._loaded()
        likely = next_token(loaded, self._checked_prompt(messages, loaded.window))
        encode = loaded.tokenizer.encode

        def said(one: str) -> float:
            forms = (one, one.title(), f" {one}", f" {one.title()}")
            return float(likely[sorted({encode(form, add_special_tokens=False)[0] for form in forms})].sum())

        for_it, against = said(word), said(other)
        return for_it / (for_it + against) if for_it + against > 0 else 0.5

    def get_token_ids(self, text: str) -> list[int]:
        """The ids of a text, by this model's own tokenizer; LangChain's default would ask the model hub for GPT-2's."""
        ids: list[int] = self._loaded().tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def get_num_tokens_from_messages(self, messages: Sequence[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """The length of the prompt these messages make; `tools` add nothing, since this model calls none."""
        if not messages:
            return 0
        try:
            return self.count_tokens(messages)
        except ModelError:  # a part of a conversation that the template takes for none, as `trim_messages` tries them
            return sum(len(self.get_token_ids(str(message.text))) for message in messages)

    @property
    def window(self) -> int | None:
        """Tokens that prompt and reply may have together; None where the model does not tell."""
        return self._loaded().window

    def _loaded(self) -> "Loaded":
        from rag_agent.models.generation import load  # torch and transformers, at the first call

        return load(self.weights, self.dtype, self.device_map, self.quantization)

    def _assistant(self, loaded: "Loaded") -> "Loaded | None":
        from rag_agent.models.generation import load

        if self.assistant_model is None:
            return None
        assistant = load(self.assistant_model, self.dtype, self.device_map, self.quantization)
        if assistant.tokenizer.get_vocab() != loaded.tokenizer.get_vocab():
            raise SettingsError(
                f"assistant_model: {self.assistant_model.location} has another vocabulary than the model; name a smaller "
                "model of the same family"
            )
        return assistant

    def _prompt(self, messages: Sequence[BaseMessage]) -> list[int]:
        return prompt_ids(self._loaded().tokenizer, messages)

    def _with(self, changes: dict[str, Any]) -> Self:
        """This model with the settings of one call, as `bind` and `invoke` pass them."""
        if not changes:
            return self
        own = {name: getattr(self, name) for name in self.model_fields_set & _GENERATION}
        if "max_tokens" in changes:
            own.pop("max_new_tokens", None)
        return self.named(self.rag_agent_name, self.weights, **{**own, **changes})

    def _sampling(self) -> dict[str, Any]:
        """The sampling half of the generation settings, in transformers' terms.

        Raises:
            SettingsError: The settings contradict each other.
        """
        if self.min_new_tokens is not None and self.min_new_tokens > self.max_new_tokens:
            raise SettingsError(
                f"min_new_tokens={self.min_new_tokens} is more than max_new_tokens={self.max_new_tokens}; lower it"
            )
        sample = self.do_sample if self.do_sample is not None else self.temperature > 0
        if sample and self.temperature == 0:
            raise SettingsError("do_sample=true contradicts temperature=0; set a temperature above 0")
        if self.assistant_model and self.prompt_lookup_num_tokens:
            raise SettingsError("assistant_model contradicts prompt_lookup_num_tokens; leave one out")
        if not sample:
            for name in ("top_p", "top_k"):
                if getattr(self, name) is not None:
                    raise SettingsError(f"{name} has no effect on greedy output; set a temperature above 0 or leave {name} out")
            if self.do_sample is False and self.temperature > 0:
                raise SettingsError(f"do_sample=false contradicts temperature={self.temperature}; leave one out")
            if self.num_return_sequences > 1:
                raise SettingsError("num_return_sequences above 1 needs a temperature above 0: greedy replies are all alike")
            return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        return {"do_sample": True, "temperature": self.temperature, "top_p": self.top_p, "top_k": self.top_k}

    def _checked_prompt(self, messages: Sequence[BaseMessage], window: int | None) -> list[int]:
        ids = self._prompt(messages)
        if window and len(ids) + self.max_new_tokens > window:
            raise ContextLengthError(
                f"the prompt has {len(ids)} tokens and {self.max_new_tokens} new ones were asked for, but "
                f"{self.rag_agent_name or 'the model'} reads {window} at the most; shorten it, or set max_new_tokens lower"
            )
        return ids

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        model = self._with(kwargs)
        seeds = [None if model.seed is None else model.seed + n for n in range(model.num_return_sequences)]
        return ChatResult(generations=[model._reply(messages, stop, seed) for seed in seeds])

    def _reply(self, messages: list[BaseMessage], stop: list[str] | None, seed: int | None) -> ChatGeneration:
        whole: AIMessageChunk | None = None
        for chunk in self._tokens(messages, stop, seed):
            whole = chunk if whole is None else whole + chunk
        assert whole is not None  # the last chunk carries the usage, so there is one
        message = AIMessage(content=whole.content, usage_metadata=whole.usage_metadata, response_metadata=whole.response_metadata)
        return ChatGeneration(message=message, generation_info=dict(whole.response_metadata))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        model = self._with(kwargs)
        for message in model._tokens(messages, stop, model.seed):
            chunk = ChatGenerationChunk(message=message)
            if run_manager and message.content:
                run_manager.on_llm_new_token(str(message.content), chunk=chunk)
            yield chunk

    def _tokens(self, messages: Sequence[BaseMessage], stop: list[str] | None, seed: int | None) -> Iterator[AIMessageChunk]:
        """The reply piece by piece; the last chunk carries usage and finish reason. Closing it ends the generation."""
        from rag_agent.models.generation import Run

        loaded = self._loaded()
        prompt = self._checked_prompt(messages, loaded.window)
        config = loaded.generation_config(
            max_new_tokens=self.max_new_tokens,
            min_new_tokens=self.min_new_tokens,
            repetition_penalty=self.repetition_penalty,
            prompt_lookup_num_tokens=self.prompt_lookup_num_tokens,
            **self._sampling(),
        )
        text, stops = TokenText(loaded.tokenizer), StopStrings(stop or self.stop)
        thoughts = Thoughts(begun=loaded.tokenizer.decode(prompt[-8:]).rstrip().endswith("<think>"))
        count = 0
        run = Run(loaded, prompt, config, seed, assistant=self._assistant(loaded), prefix_cache=self.prefix_cache)
        try:
            for token in run:
                count += 1
                if piece := stops.push(thoughts.push(text.push(token))):
                    yield AIMessageChunk(content=piece)
                if stops.found:
                    break
        finally:
            run.cancel()
        if not stops.found and (rest := stops.push(thoughts.push(text.flush()) + thoughts.flush()) + stops.flush()):
            yield AIMessageChunk(content=rest)
        if thoughts.inside:
            raise ModelError(
                f"{self.rag_agent_name or 'the model'} was still thinking after {self.max_new_tokens} tokens; "
                "set max_new_tokens higher"
            )
        yield AIMessageChunk(
            content="",
            usage_metadata=UsageMetadata(input_tokens=len(prompt), output_tokens=count, total_tokens=len(prompt) + count),
            response_metadata={
                "finish_reason": "stop" if stops.found or run.ended else "length",
                "model_name": self.rag_agent_name or self.weights.location,
            },
            chunk_position="last",
        )
