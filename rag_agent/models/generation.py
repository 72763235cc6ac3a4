"""Weights in memory, and one generation at a time in a thread of its own. Importing this costs torch and transformers."""

import queue
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.generation.streamers import BaseStreamer
from transformers.utils import logging as transformers_logging

from rag_agent.errors import ModelError
from rag_agent.models import int8
from rag_agent.models.weights import Weights

# Its bars and advice would land between the lines of an answer.
transformers_logging.disable_progress_bar()
transformers_logging.set_verbosity_error()


class Loaded:
    """Weights and tokenizer in memory, and the queue in front of them."""

    def __init__(self, weights: Weights, dtype: str, device_map: str | None, quantization: str | None) -> None:
        self.tokenizer = weights.load(AutoTokenizer)
        device = device_map or ("auto" if torch.cuda.is_available() else "cpu")
        on_cpu = device == "cpu"
        chosen = ("float32" if on_cpu else "auto") if dtype == "auto" else dtype
        options = {} if on_cpu else {"device_map": device}
        eight = on_cpu and (quantization == "8bit" or (quantization == "auto" and int8.is_fast()))
        if eight:
            chosen = "bfloat16"
        self.model = weights.load(AutoModelForCausalLM, dtype=chosen, **options).eval()
        if eight:
            int8.quantize(self.model)
        self.lock = threading.Lock()

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


class Run:
    """One generation in a thread of its own, as an iterator of token ids."""

    def __init__(self, loaded: Loaded, ids: Sequence[int], config: GenerationConfig, seed: int | None) -> None:
        self._tokens: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        prompt = torch.tensor([list(ids)], device=loaded.model.device)
        eos = config.eos_token_id
        self._eos = set(eos if isinstance(eos, list) else [eos])
        self.ended = False
        """Whether the model itself came to an end."""
        self._thread = threading.Thread(target=self._work, args=(loaded, prompt, config, seed), daemon=True)
        self._thread.start()

    def _work(self, loaded: Loaded, prompt: torch.Tensor, config: GenerationConfig, seed: int | None) -> None:
        try:
            with loaded.lock, torch.inference_mode():
                if self._cancelled.is_set():
                    return
                if seed is not None:
                    torch.manual_seed(seed)
                loaded.model.generate(
                    prompt,
                    attention_mask=torch.ones_like(prompt),
                    generation_config=config,
                    streamer=_ToQueue(self._tokens),
                    stopping_criteria=StoppingCriteriaList([_Cancelled(self._cancelled)]),
                )
        except BaseException as error:  # noqa: B036 - it is raised again where the reply is read
            self._tokens.put(error)
        finally:
            self._tokens.put(None)

    def __iter__(self) -> Iterator[int]:
        while (token := self._tokens.get()) is not None:
            if isinstance(token, torch.OutOfMemoryError | MemoryError):
                raise ModelError("there is not enough memory for this reply; use a smaller model or a shorter prompt") from token
            if isinstance(token, BaseException):
                raise ModelError(f"the model failed while it wrote: {token}") from token
            if token in self._eos:
                self.ended = True
                continue
            yield token

    def cancel(self) -> None:
        """End the generation at its next token, and wait for that."""
        self._cancelled.set()
        self._thread.join()


class _ToQueue(BaseStreamer):  # type: ignore[misc]
    """Hands on each new token; the prompt, which transformers puts first, is passed over."""

    def __init__(self, tokens: "queue.SimpleQueue[int | BaseException | None]") -> None:
        self._queue = tokens
        self._prompt_seen = False

    def put(self, value: torch.Tensor) -> None:
        """Called by transformers with the prompt, then with each token."""
        if self._prompt_seen:
            for token in value.flatten().tolist():
                self._queue.put(token)
        self._prompt_seen = True

    def end(self) -> None:
        """Called by transformers at the end; `_Run` marks the end itself, so that errors come first."""


class _Cancelled(StoppingCriteria):  # type: ignore[misc]
    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self._event.is_set(), device=input_ids.device, dtype=torch.bool)
