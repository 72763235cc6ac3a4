"""Where a model's weights go and in what numbers, and whether they fit before any of them is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from rag_agent.errors import ModelError, SettingsError
from rag_agent.models.weights import Weights

Quantization = Literal["8bit", "4bit", "auto"]

_BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "8bit": 1.0, "4bit": 0.5}


@dataclass(frozen=True)
class Precision:
    """How a model is loaded.

    Attributes:
        device_map: As in transformers.
        dtype: The numbers of what is not quantised; "auto" is the weights' own.
        quantization: `8bit` or `4bit`; on a CPU 8 bits are made of bfloat16 once it is loaded, on a GPU bitsandbytes loads them.
    """

    device_map: str
    dtype: str
    quantization: str | None

    @classmethod
    def chosen(cls, dtype: str, device_map: str | None, quantization: str | None, *, cuda: bool, fast_int8: bool) -> Self:
        """What the settings mean on a machine with or without CUDA, and with a processor that is fast at 8 bits or not.

        Raises:
            SettingsError: The settings want a GPU that is not there.
        """
        device = device_map or "auto"
        if device == "auto" and not cuda:
            device = "cpu"
        if device.startswith("cuda") and not cuda:
            raise SettingsError(f"device_map={device}: this machine has no GPU with CUDA; leave device_map out")
        on_cpu = device == "cpu"
        if quantization == "auto":
            quantization = "8bit" if on_cpu and fast_int8 else None
        if quantization == "4bit" and (on_cpu or not cuda):
            raise SettingsError(
                "quantization=4bit needs a GPU with CUDA; on a CPU use quantization=8bit, or a model of Ollama, whose weights "
                "have 4 bits"
            )
        if quantization == "8bit" and on_cpu:
            return cls(device, "bfloat16", quantization)
        return cls(device, "float32" if dtype == "auto" and on_cpu else dtype, quantization)

    @property
    def on_cpu(self) -> bool:
        """Whether the processor computes, without a GPU."""
        return self.device_map == "cpu"

    def options(self) -> dict[str, Any]:
        """The arguments of `from_pretrained`."""
        options: dict[str, Any] = {"dtype": self.dtype}
        if not self.on_cpu:
            options["device_map"] = self.device_map
            if self.quantization:
                options["quantization_config"] = bitsandbytes(self.quantization)
        return options

    def needs(self, weights: Weights) -> int | None:
        """Bytes that the weights take while they are loaded; None where their number is not known before."""
        count = weights.parameters()
        if count is None:
            return None
        # bfloat16, of which 8 bits are made on a CPU, is in memory first
        kept = self.quantization if self.quantization and not self.on_cpu else self.dtype
        return int(count * _BYTES.get(kept, 2.0))

    def check_fits(self, weights: Weights, free: int | None) -> None:
        """Refuse weights that are larger than the free memory.

        Raises:
            ModelError: They do not fit; says in numbers what would.
        """
        needed = self.needs(weights)
        if needed is None or free is None or needed <= free:
            return
        raise ModelError(
            f"{weights.location} needs {gib(needed)} of memory in {self.quantization or self.dtype} and {gib(free)} are free; "
            "take a smaller model" + ("" if self.quantization else ", or set quantization=8bit")
        )


def memory_on_cpu(weights: Weights) -> dict[str, int]:
    """What weights need to be loaded on a CPU, by the settings that decide it; empty where their number is not known."""
    ways = {"float32": Precision("cpu", "float32", None), "8bit": Precision("cpu", "bfloat16", "8bit")}
    return {name: needed for name, way in ways.items() if (needed := way.needs(weights)) is not None}


def bitsandbytes(quantization: str) -> Any:
    """The configuration of bitsandbytes for 8 bits, or for 4 (NF4, whose scales are quantised as well: nested)."""
    import torch
    from transformers import BitsAndBytesConfig

    if quantization == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def free_memory(device_map: str) -> int | None:
    """Bytes that are free for weights: of the processor, of a GPU, or of both; None where the system does not tell."""
    if device_map == "cpu":
        return _free_of_processor()
    import torch

    gpus = range(torch.cuda.device_count())
    kind, _, number = device_map.partition(":")
    if kind == "cuda" and number.isdigit():
        return int(torch.cuda.mem_get_info(int(number))[0])
    return sum(torch.cuda.mem_get_info(gpu)[0] for gpu in gpus) + (_free_of_processor() or 0)


def _free_of_processor() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None
    return min(free, _free_of_container() or free)


def _free_of_container() -> int | None:
    """What a container's limit leaves; pages of files, which count as used, are given up when they are needed."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit, used = ((folder / name).read_text(encoding="utf-8").strip() for name in ("memory.max", "memory.current"))
        statistics = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="utf-8").splitlines())
        return int(limit) - int(used) + int(statistics.get("file", 0)) if limit.isdigit() else None
    except (OSError, ValueError):
        return None


def gib(size: float) -> str:
    """A size in memory, in words."""
    return f"{size / 2**30:.1f} GiB"
