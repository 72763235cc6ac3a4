"""Weights in memory, and one generation at a time in a thread of its own. Importing this costs torch and transformers."""

import atexit
import queue
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.generation.streamers import BaseStreamer
from transformers.utils import logging as transformers_logging

from rag_agent.errors import ModelError
from rag_agent.models import int8
from rag_agent.models.precision import Precision, free_memory
from rag_agent.models.prefix_cache import PrefixCache
from rag_agent.models.weights import Weights

# Its bars and advice would land between the lines of an answer.
transformers_logging.disable_progress_bar()
transformers_logging.set_verbosity_error()


_PREFIX_BYTES = 256 * 2**20
"""What the states of earlier prompts may take; more where the model itself takes more than ten times as much."""


class Loaded:
    """Weights and tokenizer in memory, and the queue in front of them."""

    def __init__(self, weights: Weights, dtype: str, device_map: str | None, quantization: str | None) -> None:
        precision = Precision.chosen(dtype, device_map, quantization, cuda=torch.cuda.is_available(), fast_int8=int8.is_fast())
        precision.check_fits(weights, free_memory(precision.device_map))
        self.tokenizer = weights.load(AutoTokenizer)  # and a .gguf file is converted
        self.model = weights.load(AutoModelForCausalLM, **precision.options()).eval()
        if precision.on_cpu and precision.quantization == "8bit":
            int8.quantize(self.model)
        self.worker = _Worker()
        taken = sum(tensor.nbytes for tensor in (*self.model.parameters(), *self.model.buffers()))
        self.prefixes = PrefixCache(self.model.config, max(_PREFIX_BYTES, taken // 10))
        self.cancelled: Callable[[], bool] = _never
        for layers in (module for module in self.model.modules() if isinstance(module, torch.nn.ModuleList)):
            for layer in layers:
                layer.register_forward_pre_hook(self._stop_if_cancelled)

    def _stop_if_cancelled(self, *_: Any) -> None:
        """Before each layer: a long prompt takes seconds, and each of its layers a fraction of one."""
        if self.cancelled() or _ending.is_set():
            raise _CancelledError

    @property
    def window(self) -> int | None:
        """The longest prompt and reply together, in tokens."""
        found = getattr(self.model.config, "max_position_embeddings", None)
        return int(found) if found else None

    def generation_config(self, **settings: Any) -> GenerationConfig:
        """Settings with the model's own special tokens."""
        own = self.model.generation_config
        pad = own.pad_token_id if own.pad_token_id is not None else self.tokenizer.eos_token_id
        return GenerationConfig(bos_token_id=own.bos_token_id, eos_token_id=own.eos_token_id, pad_token_id=pad, **settings)


@lru_cache(maxsize=2)
def _load_once(weights: Weights, dtype: str, device_map: str | None, quantization: str | None) -> Loaded:
    return Loaded(weights, dtype, device_map, quantization)


_loading = threading.Lock()


def load(weights: Weights, dtype: str, device_map: str | None, quantization: str | None) -> Loaded:
    """The model in memory, loaded at most once."""
    with _loading:  # two first calls at once load once
        return _load_once(weights, dtype, device_map, quantization)


def next_token(loaded: Loaded, ids: Sequence[int]) -> torch.Tensor:
    """The probability of each token to follow a prompt; it waits its turn behind the generations before it."""
    found: queue.SimpleQueue[torch.Tensor | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            with torch.inference_mode():
                logits = loaded.model(torch.tensor([list(ids)], device=loaded.model.device), logits_to_keep=1).logits
                found.put(logits[0, -1].float().softmax(-1).cpu())
        except BaseException as error:  # noqa: B036 - it is raised again where the result is read
            found.put(error)

    loaded.worker.submit(work)
    result = found.get()
    if isinstance(result, BaseException):
        raise ModelError(f"the model failed while it judged: {result}") from result
    return result


class Run:
    """One generation as an iterator of token ids; it waits its turn, first come, first served."""

    def __init__(
        self,
        loaded: Loaded,
        ids: Sequence[int],
        config: GenerationConfig,
        seed: int | None,
        *,
        assistant: Loaded | None = None,
        prefix_cache: bool = True,
    ) -> None:
        self._loaded = loaded
        self._prompt = list(ids)
        self._config = config
        self._seed = seed
        self._assistant = assistant
        # Assisted generation computes the whole prompt, whatever the cache holds.
        self._reuse = prefix_cache and assistant is None and config.prompt_lookup_num_tokens is None
        eos = config.eos_token_id
        self._eos = set(eos if isinstance(eos, list) else [eos])
        self.ended = False
        """Whether the model itself came to an end."""
        self._streamer = _ToQueue()
        self._state = threading.Lock()
        self._started = self._cancelled = False
        self._done = threading.Event()
        loaded.worker.submit(self._work)

    def _work(self) -> None:
        with self._state:
            if self._cancelled:
                return
            self._started = True
        try:
            self._written()
        except BaseException as error:  # noqa: B036 - it is raised again where the reply is read
            self._streamer.tokens.put(error)
        finally:
            self._loaded.cancelled = _never
            self._streamer.tokens.put(None)
            self._done.set()

    def _written(self) -> None:
        cache = self._loaded.prefixes.begin(self._prompt, reuse=self._reuse)
        with suppress(_CancelledError):
            self._generate(cache)
        if self._reuse and self._streamer.given:
            # The last token was not read by the model yet.
            self._loaded.prefixes.end([*self._prompt, *self._streamer.given[:-1]], cache)

    def _generate(self, cache: Any) -> None:
        model = self._loaded.model
        prompt = torch.tensor([self._prompt], device=model.device)
        if self._seed is not None:
            torch.manual_seed(self._seed)
        self._loaded.cancelled = lambda: self._cancelled
        with torch.inference_mode():
            model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                generation_config=self._config,
                past_key_values=cache,
                streamer=self._streamer,
                assistant_model=self._assistant.model if self._assistant else None,
            )

    def __iter__(self) -> Iterator[int]:
        while (token := self._streamer.tokens.get()) is not None:
            if isinstance(token, torch.OutOfMemoryError | MemoryError):
                raise ModelError("there is not enough memory for this reply; use a smaller model or a shorter prompt") from token
            if isinstance(token, BaseException):
                raise ModelError(f"the model failed while it wrote: {token}") from token
            if token in self._eos:
                self.ended = True
                continue
            yield token

    def cancel(self) -> None:
        """End the generation at once: before its turn, or at the next layer that it would compute."""
        with self._state:
            self._cancelled = True
            running = self._started
        if running:
            self._done.wait()


def _never() -> bool:
    return False


_LAST_JOB = 5.0  # seconds that the end of the process waits for the layer that is being computed


class _CancelledError(Exception):
    """Ends a generation that nobody waits for any more."""


class _Worker:
    """Does one job after another, in the order they came, in a thread of its own.

    One thread for all of a model's generations: each new one would start a set of processor threads of its own.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.submit = self._jobs.put
        self.thread = threading.Thread(target=_work_off, args=(self._jobs,), name="rag-agent-generation", daemon=True)
        self.thread.start()
        weakref.finalize(self, self._jobs.put, None).atexit = False
        _workers.add(self)


_workers: "weakref.WeakSet[_Worker]" = weakref.WeakSet()
_ending = threading.Event()


@atexit.register
def _end_workers() -> None:
    """The interpreter unwinds daemon threads that still run at its end, and C++ code aborts at that."""
    _ending.set()
    for worker in list(_workers):
        worker.submit(None)
        worker.thread.join(_LAST_JOB)


def _work_off(jobs: "queue.SimpleQueue[Callable[[], None] | None]") -> None:
    while (job := jobs.get()) is not None:
        job()
        del job  # or it would hold its model in memory until the next one


class _ToQueue(BaseStreamer):  # type: ignore[misc]
    """Hands on each new token; the prompt, which transformers puts first, is passed over."""

    def __init__(self) -> None:
        self.tokens: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
        self.given: list[int] = []
        self._prompt_seen = False

    def put(self, value: torch.Tensor) -> None:
        """Called by transformers with the prompt, then with each token."""
        if self._prompt_seen:
            for token in value.flatten().tolist():
                self.given.append(token)
                self.tokens.put(token)
        self._prompt_seen = True

    def end(self) -> None:
        """Called by transformers at the end; `Run` marks the end itself, so that errors come first."""
