"""The models of this machine: listed, pulled, removed."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rag_agent.errors import BackendError, ModelNotFoundError, SettingsError
from rag_agent.models import embedded
from rag_agent.models.precision import gib, memory_on_cpu
from rag_agent.models.weights import Progress, Weights
from rag_agent.settings import Settings


@dataclass(frozen=True)
class Entry:
    """A line of `models list`."""

    name: str
    role: str
    size: str
    """On disk, and of a chat model in memory."""
    state: str


def inventory(settings: Settings) -> list[Entry]:
    """What is there, and what command brings the rest."""
    return [*map(_with_memory, [*_embedded(settings), *_pulled(settings)]), *_ollama()]


def pull(name: str, settings: Settings, progress: Progress) -> Path:
    """Bring a model to this machine; returns the folder that holds it.

    Raises:
        ModelNotFoundError: It is not to be had.
        SettingsError: The name names nothing that can be pulled, or the home cannot be written.
    """
    provider, _, model = name.partition(":")
    if name == "embedded":
        return embedded.pull(settings, progress)
    if provider == "huggingface" and model:
        return _pull_from_hub(model, settings, progress)
    if provider == "ollama" and model:
        raise SettingsError(f"an Ollama server pulls its own models: ollama pull {model}")
    raise SettingsError(f"'{name}' cannot be pulled; write embedded or huggingface:ID")


def remove(name: str, settings: Settings) -> list[Path]:
    """Delete a model that was pulled; returns the folders that went.

    Raises:
        ModelNotFoundError: It is not there.
    """
    model = name.removeprefix("huggingface:").replace("/", "--")
    names = [embedded.CHAT_NAME, embedded.EMBEDDINGS_NAME] if name == "embedded" else [f"huggingface/{model}"]
    folders = [settings.model_folders[0] / one for one in names]
    gone = [folder for folder in folders if model and folder.is_dir()]
    if not gone:
        raise ModelNotFoundError(
            f"'{name}' is not among the models pulled to {settings.model_folders[0]}; see: rag-agent models list"
        )
    for folder in gone:
        shutil.rmtree(folder)
    return gone


def _embedded(settings: Settings) -> Iterator[Entry]:
    for model, role in ((embedded.CHAT_NAME, "chat"), (embedded.EMBEDDINGS_NAME, "embeddings")):
        folder = embedded.place(settings, model)
        state = str(folder) if folder else "not here yet; get it: rag-agent models pull embedded"
        yield Entry(f"embedded ({model})", role, _size(folder), state)


def _pulled(settings: Settings) -> Iterator[Entry]:
    for base in settings.model_folders:
        for folder in sorted((base / "huggingface").glob("*/config.json")):
            yield Entry(f"huggingface:{folder.parent.name.replace('--', '/')}", "", _size(folder.parent), str(folder.parent))


def _with_memory(entry: Entry) -> Entry:
    """With what the weights need to be loaded on a CPU, as a refusal of those that do not fit would tell it."""
    if entry.role == "embeddings" or not (Path(entry.state) / "config.json").is_file():
        return entry
    needs = [f"{gib(size)} in {name}" for name, size in memory_on_cpu(Weights(entry.state)).items()]
    return replace(entry, size=f"{entry.size} (in memory {', '.join(needs)})") if needs else entry


def _ollama() -> Iterator[Entry]:
    from rag_agent.models.ollama import server_models

    try:
        for model, size in server_models():
            yield Entry(f"ollama:{model}", "", _megabytes(size), "on the Ollama server")
    except BackendError as error:
        yield Entry("ollama:", "", "", str(error))


def _pull_from_hub(model: str, settings: Settings, progress: Progress) -> Path:
    if settings.folder is None:
        raise SettingsError("home=':memory:' keeps no models; pull them with another home")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    target = settings.model_folders[0] / "huggingface" / model.replace("/", "--")
    progress(f"downloading {model}")
    try:
        snapshot_download(model, local_dir=target, ignore_patterns=["*.bin", "*.onnx", "*.msgpack", "*.h5", "*.ot"])
    except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
        first = str(error).strip().partition("\n")[0]
        raise ModelNotFoundError(
            f"'{model}' cannot be had from the model hub: {first}; check its name and the network"
        ) from error
    return target


def _size(folder: Path | None) -> str:
    return _megabytes(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())) if folder else ""


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
