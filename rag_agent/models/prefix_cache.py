"""The key/value states of earlier prompts, so that the next turn of a conversation costs only its new tokens.

Importing this costs torch and transformers.
"""

import threading
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

_STEP = 256  # tokens by which a layer's room grows
_LEAST = 16  # a shorter common prefix saves nothing worth the copy


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A cache layer with room to spare: a new token is written in place, where transformers' own copies all before it."""

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self._room: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the states of new tokens; returns those of all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if self._room is None or end > self._room[0].shape[-2]:
            self._room = self._grown(self.keys, key_states, end), self._grown(self.values, value_states, end)
        for room, new in zip(self._room, (key_states, value_states), strict=True):
            room[..., start:end, :] = new
        self.keys, self.values = self._room[0][..., :end, :], self._room[1][..., :end, :]
        return self.keys, self.values

    @staticmethod
    def _grown(old: torch.Tensor, new: torch.Tensor, end: int) -> torch.Tensor:
        room = new.new_empty((*new.shape[:-2], -(-end // _STEP) * _STEP, new.shape[-1]))
        if old.numel():
            room[..., : old.shape[-2], :] = old
        return room


class PrefixCache:
    """States by the tokens they belong to; the entries used longest ago go when they take more memory than allowed.

    What is put in is never changed again: `begin` copies the common prefix, so a generation that fails or is cancelled
    leaves all entries as they were. Models whose states cannot be cut at any token (sliding windows, linear attention) get
    an empty cache of their own kind each time.
    """

    def __init__(self, config: Any, limit: int) -> None:
        """Empty.

        Args:
            config: The model's.
            limit: Bytes that the entries may take together.
        """
        self._config = config
        self._limit = limit
        self._entries: dict[tuple[int, ...], list[tuple[torch.Tensor, torch.Tensor]]] = {}  # the last used is the last
        self._lock = threading.Lock()

    def begin(self, ids: Sequence[int], *, reuse: bool = True) -> DynamicCache:
        """A cache to generate with after these tokens, filled as far as another entry begins alike."""
        cache = DynamicCache(config=self._config)
        if not _can_be_cut(cache):
            return cache
        cache.layers = [RoomyLayer() for _ in cache.layers]
        if not reuse:
            return cache
        with self._lock:
            found = max(self._entries, key=lambda entry: _common(entry, ids), default=())
            # the last token of the prompt is always computed, since its output is the first new one
            common = min(_common(found, ids), len(ids) - 1)
            if common >= _LEAST:
                self._entries[found] = states = self._entries.pop(found)
                for layer, (keys, values) in zip(cache.layers, states, strict=True):
                    layer.update(keys[..., :common, :], values[..., :common, :])
        return cache

    def end(self, ids: Sequence[int], cache: DynamicCache) -> None:
        """Keep the states of these tokens; the cache holds at least so many and is not used again."""
        key = tuple(ids)
        if not _can_be_cut(cache) or any(layer.get_seq_length() < len(key) for layer in cache.layers):
            return
        states = [(layer.keys[..., : len(key), :], layer.values[..., : len(key), :]) for layer in cache.layers]
        with self._lock:
            for entry in [entry for entry in self._entries if entry == key[: len(entry)]]:
                del self._entries[entry]  # the new one begins with it
            self._entries[key] = states
            while self.bytes > self._limit:
                del self._entries[next(iter(self._entries))]

    @property
    def bytes(self) -> int:
        """The memory that the entries take."""
        return sum(tensor.untyped_storage().nbytes() for states in self._entries.values() for pair in states for tensor in pair)


def _can_be_cut(cache: DynamicCache) -> bool:
    return bool(cache.layers) and all(type(layer) in (DynamicLayer, RoomyLayer) for layer in cache.layers)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
