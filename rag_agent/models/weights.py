"""Where a model's weights are, and the one-time conversion of a `.gguf` file into a folder that loads in a blink."""

import hashlib
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_agent.errors import ModelError, ModelNotFoundError
from rag_agent.settings import Settings
from rag_agent.telling import tell_once

if TYPE_CHECKING:
    import torch

# Nobody is told which models are loaded here, and no server is asked to convert one: both are read when the library is imported.
os.environ.update(HF_HUB_DISABLE_TELEMETRY="1", DISABLE_SAFETENSORS_CONVERSION="1")
if "huggingface_hub.constants" in sys.modules:
    sys.modules["huggingface_hub.constants"].HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]

Progress = Callable[[str], None]
"""Told in words what a long step does."""


@dataclass(frozen=True)
class Weights:
    """Where to load a model from.

    Attributes:
        location: A folder, or an id of the model hub.
        on_hub: Whether `location` is an id that may have to be downloaded.
        gguf: The file that `location` is converted from at its first use.
    """

    location: str
    on_hub: bool = False
    gguf: Path | None = None

    def load(self, auto_class: Any, **options: Any) -> Any:
        """`auto_class.from_pretrained` of the location.

        Raises:
            ModelNotFoundError: The hub does not have it or cannot be reached, or the folder is no model.
            ModelError: A package that it needs is not installed, such as bitsandbytes.
        """
        if self.gguf is not None:
            convert_gguf(self.gguf, Path(self.location))
        try:
            if self.on_hub and self._cached():
                options["local_files_only"] = True  # no question to the hub, so no wait where there is no network
            elif self.on_hub:
                tell_fetching(self.location)
            # Left out, it would be asked for at the terminal, and the answer "y" would run a stranger's code.
            return auto_class.from_pretrained(self.location, trust_remote_code=False, **options)
        except ImportError as error:
            raise ModelError(f"{self.location} needs another package: {_first_line(error)}") from error
        except (OSError, ValueError, KeyError) as error:
            first = _first_line(error)
            if self.on_hub:
                raise ModelNotFoundError(
                    f"the model '{self.location}' is neither in the local cache nor to be had from the model hub; check its "
                    f"name and the network, or name a local folder: huggingface:/path ({first})"
                ) from error
            raise ModelNotFoundError(f"{self.location} cannot be loaded as a model: {first}") from error

    def parameters(self) -> int | None:
        """The number of weights, from the heads of the files; None where there are none yet.

        Raises:
            ModelError: A file is damaged.
        """
        from safetensors import SafetensorError, safe_open

        total = 0
        for file in self._files():
            try:
                with safe_open(file, framework="numpy") as tensors:
                    total += sum(math.prod(tensors.get_slice(key).get_shape()) for key in tensors.keys())
            except (SafetensorError, OSError) as error:
                raise ModelError(f"{file} cannot be read: {_first_line(error)}; bring the model to this machine again") from error
        if not total and self.gguf is not None:
            return _gguf_parameters(self.gguf)
        return total or None

    def _files(self) -> list[Path]:
        folder = Path(self.location)
        if self.on_hub:
            from huggingface_hub import try_to_load_from_cache

            config = try_to_load_from_cache(self.location, "config.json")
            if not isinstance(config, str):
                return []
            folder = Path(config).parent
        # some folders hold the same weights once more under another name
        return sorted(folder.glob("model*.safetensors")) or sorted(folder.glob("*.safetensors"))

    def _cached(self) -> bool:
        from huggingface_hub import try_to_load_from_cache

        return isinstance(try_to_load_from_cache(self.location, "config.json"), str)


def tell_fetching(location: str) -> None:
    """Say that the model hub is asked for a model, before it is."""
    from huggingface_hub import constants

    tell_once(f"{location} is not on this machine; it is fetched from the model hub ({constants.ENDPOINT})")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _gguf_parameters(path: Path) -> int:
    from gguf import GGUFReader

    try:
        return sum(math.prod(int(n) for n in tensor.shape) for tensor in GGUFReader(path).tensors)
    except Exception as error:  # a broken file fails in as many ways as its reader has lines
        raise ModelError(f"{path} cannot be read as a model: {_first_line(error)}") from error


def gguf_folder(path: Path, settings: Settings) -> Path:
    """The cache folder for a `.gguf` file's conversion, by the file's place, size and time."""
    status = path.stat()
    key = hashlib.sha256(f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}".encode()).hexdigest()[:16]
    return settings.model_folders[0] / "gguf" / f"{path.stem}-{key}"


def convert_gguf(path: Path, folder: Path, *, dtype: "torch.dtype | None" = None, progress: Progress = lambda _: None) -> None:
    """Write the model of a `.gguf` file as a safetensors folder (bfloat16), once; a folder that is there is kept.

    Transformers needs about 35 s to unpack and load SmolLM2-135M from its file, and 0.2 s from such a folder.

    Raises:
        ModelError: The file cannot be read as a model.
    """
    if (folder / "config.json").is_file():
        return
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    try:
        progress(f"converting {path.name}: tokenizer")
        AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name, trust_remote_code=False).save_pretrained(part)
        progress(f"converting {path.name}: weights")
        model = AutoModelForCausalLM.from_pretrained(
            str(path.parent),
            gguf_file=path.name,
            # Left packed, the weights could be neither saved nor run at full speed.
            quantization_config=GgufConfig(dequantize=True),
            dtype=dtype or torch.bfloat16,
            trust_remote_code=False,
        )
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(part)
        publish(part, folder)
    except Exception as error:  # a broken file fails in as many ways as its reader has lines
        raise ModelError(f"{path} cannot be converted: {_first_line(error)}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def publish(part: Path, folder: Path) -> None:
    """Move a finished folder to its name in one step; when another process was first, keep theirs."""
    part.chmod(0o755)
    try:
        os.replace(part, folder)
    except OSError:
        if not (folder / "config.json").is_file():
            raise
