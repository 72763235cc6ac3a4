"""`OnnxEmbeddings`: the embedded embedding model by ONNX Runtime, so that a quote needs neither torch nor transformers.

The graph is written once from the model's own weights (`write_graph`): a BERT encoder (Devlin and others 2019), with the
operators of ONNX Runtime that do attention and the layers' ends in one step. Its vectors equal those of transformers in
float32, so an index made with either answers for both.
"""

import json
import os
import re
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings

from rag_agent.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FOLDING", "GRAPH", "OnnxEmbeddings", "Table", "write_graph"]

GRAPH = "model.onnx"
FOLDING = "folding.json"
"""What stands for a character (by its code) before a text is cut into tokens, where the tokenizer does not know it itself."""
_BATCH = 8  # texts of like length: larger ones leave the processor's cache, 8 was 1.4 times as fast as 32
_MICROSOFT = "com.microsoft"


class OnnxEmbeddings(Embeddings):
    """Texts to unit vectors by a BERT encoder and the mean over its tokens."""

    def __init__(self, folder: Path, *, name: str, max_tokens: int, prompts: Mapping[str, str] | None = None) -> None:
        """Name the model; it is loaded at the first text.

        Args:
            folder: Holds `config.json`, `tokenizer.json`, `model.safetensors`; the graph is written beside them, once.
            name: What the model is called.
            max_tokens: What is read of a text, in tokens.
            prompts: What is put before a "query" and a "document".
        """
        self.rag_agent_name = name
        self._folder, self._max_tokens, self._prompts = folder, max_tokens, dict(prompts or {})
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None
        self._folding: dict[int, str] = {}

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One unit vector a text."""
        vectors: list[list[float]] = self._encoded([self._prompts.get("document", "") + text for text in texts]).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question."""
        vector: list[float] = self._encoded([self._prompts.get("query", "") + text])[0].tolist()
        return vector

    def _encoded(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """The unit vectors of texts, (n, dimensions). Texts of like length share a batch, so little is padding."""
        session, tokenizer = self._ready()
        if self._folding:
            texts = [re.sub(" {2,}", " ", text.translate(self._folding)) for text in texts]
        [states] = session.get_outputs()
        vectors = np.empty((len(texts), states.shape[-1]), np.float32)
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            read = tokenizer.encode_batch([texts[index] for index in chosen])
            mask = np.array([one.attention_mask for one in read], np.int64)
            [hidden] = session.run(None, {"input_ids": np.array([one.ids for one in read], np.int64), "attention_mask": mask})
            mean = (hidden * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
            vectors[chosen] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        return vectors

    def _ready(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                import onnxruntime
                from tokenizers import Tokenizer

                options = onnxruntime.SessionOptions()
                options.log_severity_level = 3
                if threads := os.environ.get("OMP_NUM_THREADS", ""):
                    options.intra_op_num_threads = int(threads) if threads.isdecimal() else 0
                # A thread that waits for work by spinning takes the core from whatever else runs.
                options.add_session_config_entry("session.intra_op.allow_spinning", "0")
                path = self._folder / GRAPH
                try:
                    if not path.is_file():
                        write_graph(self._folder)
                    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
                    tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
                except Exception as error:  # ONNX Runtime's and tokenizers' own have no common base
                    first = str(error).partition("\n")[0]
                    raise ModelError(
                        f"the embedding model in {self._folder} cannot be loaded ({first}); remove that folder, then: "
                        "rag-agent models pull embedded"
                    ) from error
                if (folded := self._folder / FOLDING).is_file():
                    self._folding = {int(code): text for code, text in json.loads(folded.read_text(encoding="utf-8")).items()}
                tokenizer.enable_truncation(self._max_tokens)
                tokenizer.enable_padding()
                self._loaded = session, tokenizer
            return self._loaded


@dataclass(frozen=True)
class Table:
    """A matrix of whole numbers, each block of a row with a scale of its own: it takes a quarter of the room.

    Attributes:
        numbers: (rows, columns), int8.
        scales: (rows, blocks), float32; the columns are divided evenly among the blocks.
    """

    numbers: "NDArray[np.int8]"
    scales: "NDArray[np.float32]"


def weights_of(folder: Path) -> Callable[[str], "NDArray[np.float32]"]:
    """What hands over the tensors of a folder's `model.safetensors` by name."""
    from safetensors import safe_open

    weights: Any = safe_open(folder / "model.safetensors", "numpy")
    return lambda name: weights.get_tensor(name).astype(np.float32)


def write_graph(folder: Path, tensor: Callable[[str], "NDArray[np.float32]"] | None = None, words: Table | None = None) -> None:
    """Write the graph of a BERT encoder: token IDs and mask, (n, length), to states, (n, length, width).

    Args:
        folder: Holds `config.json`; the graph is written there.
        tensor: Hands over the tensors by their names in transformers; left out, those of the folder's weights.
        words: The vectors of the tokens, where they are no tensor.

    Raises:
        ValueError: The folder's configuration is not of a BERT encoder with absolute positions and gelu.
    """
    from onnx import TensorProto, helper, numpy_helper

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
        raise ValueError(f"{folder} holds no BERT encoder with gelu")
    tensor = tensor or weights_of(folder)
    nodes: list[Any] = []
    constants: list[Any] = []

    def given(*names: str) -> "NDArray[np.float32]":
        """The tensors of some names, matrices as they are multiplied from the right, side by side."""
        return np.concatenate([tensor(name).T for name in names], axis=-1)

    def constant(array: "NDArray[Any]") -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), f"constant_{len(constants)}"))
        return str(constants[-1].name)

    def node(operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        output = f"{operator}_{len(nodes)}"
        nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def normalised(states: str, residual: str, name: str, bias: str) -> str:
        """The sum of two, and a bias, brought to mean 0 and variance 1."""
        inputs = (constant(given(f"{name}.LayerNorm.weight")), constant(given(f"{name}.LayerNorm.bias")), constant(given(bias)))
        return node("SkipLayerNormalization", states, residual, *inputs, domain=_MICROSOFT, epsilon=config["layer_norm_eps"])

    def dense(states: str, name: str) -> str:
        return node("MatMul", states, constant(given(f"{name}.weight")))

    numbers = [constant(np.array([number], np.int64)) for number in (0, 1, 2)]
    length = node("Slice", node("Shape", "input_ids"), numbers[1], numbers[2])
    # All tokens are of the first type, so its vector is part of every position's.
    positions = given("embeddings.position_embeddings.weight").T + given("embeddings.token_type_embeddings.weight").T[0]
    places = node("Slice", constant(positions), numbers[0], length, numbers[0])
    if words is None:
        read = node("Gather", constant(given("embeddings.word_embeddings.weight").T), "input_ids")
    else:
        blocks = constant(np.array([0, 0, words.scales.shape[1], -1], np.int64))
        whole = node("Cast", node("Gather", constant(words.numbers), "input_ids"), to=TensorProto.FLOAT)
        scales = node("Unsqueeze", node("Gather", constant(words.scales), "input_ids"), constant(np.array([3], np.int64)))
        scaled = node("Mul", node("Reshape", whole, blocks), scales)
        read = node("Reshape", scaled, constant(np.array([0, 0, -1], np.int64)))
    states = node("Add", read, places)
    ends = [constant(given(f"embeddings.LayerNorm.{name}")) for name in ("weight", "bias")]
    states = node("LayerNormalization", states, *ends, axis=-1, epsilon=config["layer_norm_eps"])
    mask = node("Cast", "attention_mask", to=TensorProto.INT32)
    for number in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        parts = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        inputs = [constant(given(*(f"{part}.{kind}" for part in parts))) for kind in ("weight", "bias")]
        heads = config["num_attention_heads"]
        attended = node("Attention", states, *inputs, mask, domain=_MICROSOFT, num_heads=heads)
        output = f"{layer}.attention.output"
        states = normalised(dense(attended, f"{output}.dense"), states, output, f"{output}.dense.bias")
        wide = dense(states, f"{layer}.intermediate.dense")
        bent = node("BiasGelu", wide, constant(given(f"{layer}.intermediate.dense.bias")), domain=_MICROSOFT)
        output = f"{layer}.output"
        states = normalised(dense(bent, f"{output}.dense"), states, output, f"{output}.dense.bias")
    sizes = ["texts", "length"]
    graph = helper.make_graph(
        nodes, "bert",
        [helper.make_tensor_value_info(name, TensorProto.INT64, sizes) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info(states, TensorProto.FLOAT, [*sizes, config["hidden_size"]])], constants,
    )  # fmt: skip
    versions = [helper.make_opsetid("", 17), helper.make_opsetid(_MICROSOFT, 1)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{GRAPH}-", delete=False) as file:
        try:
            file.write(model.SerializeToString())
            file.flush()
            os.replace(file.name, folder / GRAPH)  # another process may be loading it, or writing it, too
        except BaseException:
            os.unlink(file.name)
            raise
