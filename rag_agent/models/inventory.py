"""The models of this machine: listed, pulled, removed."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from rag_agent.errors import BackendError, ModelNotFoundError, SettingsError
from rag_agent.models import embedded, reader
from rag_agent.models.precision import gib, memory_on_cpu
from rag_agent.models.weights import Progress, Weights, convert_gguf, publish
from rag_agent.settings import Settings

_TAKEN = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken", "README.md", "LICENSE*")
"""What a model is made of: weights, tokenizer, configuration. No code, and no pickles, which are code as well."""


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
    kept = [Entry(name, "", _size(path), str(path)) for name, path in _kept(settings.model_folders)]
    return [*map(_with_memory, [*_embedded(settings), *kept]), *_ollama()]


def pull(name: str, settings: Settings, progress: Progress) -> tuple[str, str]:
    """Bring a model to this machine; returns the name it goes by and where it is, in words.

    Args:
        name: `embedded`; `multilingual`; `reader`; `huggingface:` and an id of the model hub, or the path of a model folder,
            which is copied, or of a `.gguf` file, which is converted.
        settings: Say where models are kept.
        progress: Told what is done.

    Raises:
        ModelNotFoundError: It is not to be had.
        SettingsError: The name names nothing that can be pulled, or the home cannot be written.
    """
    provider, _, model = name.partition(":")
    if name == "embedded":
        return name, f"in {embedded.pull(settings, progress)}"
    if name == "multilingual":
        return name, f"in {embedded.pull_multilingual(settings, progress)}"
    if name == "reader":
        return name, reader.pull(settings, progress)
    if provider == "ollama" and model:
        raise SettingsError(f"an Ollama server pulls its own models: ollama pull {model}")
    if provider != "huggingface" or not model:
        raise SettingsError(
            f"'{name}' cannot be pulled; write embedded, multilingual, reader, huggingface:ID or "
            "huggingface:/path/to/folder-or.gguf"
        )
    if settings.folder is None:
        raise SettingsError("home=':memory:' keeps no models; pull them with another home")
    path = Path(model).expanduser()
    local = path.exists() or path.suffix == ".gguf" or model.startswith(("/", ".", "~"))
    short = path.resolve().name.removesuffix(".gguf") if local else model
    target = settings.model_folders[0] / "huggingface" / short.replace("/", "--")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _take(path, target, progress) if local else _pull_from_hub(model, target, progress)
    except PermissionError as error:
        raise SettingsError(f"{target} cannot be written; set home to a folder that can, with RAG_AGENT_HOME") from error
    return f"huggingface:{short}", f"in {target}"


def remove(name: str, settings: Settings) -> list[Path]:
    """Delete a model that was pulled; returns the folders and files that went.

    Raises:
        ModelNotFoundError: It is not there.
    """
    folder = settings.model_folders[0]
    ours = {
        "embedded": [embedded.CHAT_NAME, embedded.EMBEDDINGS_NAME], "multilingual": [embedded.MULTILINGUAL_NAME],
        "reader": [f"huggingface/{reader.NAME}"],
    }  # fmt: skip
    wanted = ours.get(name, [])
    places = [folder / one for one in wanted if (folder / one).is_dir()]
    places += [path for kept, path in _kept([folder]) if name in (kept, kept.removeprefix("huggingface:"))]
    if not places:
        raise ModelNotFoundError(f"'{name}' is not among the models pulled to {folder}; see: rag-agent models list")
    for place in places:
        shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
    return places


def _embedded(settings: Settings) -> Iterator[Entry]:
    for model, role in ((embedded.CHAT_NAME, "chat"), (embedded.EMBEDDINGS_NAME, "embeddings")):
        folder = embedded.place(settings, model)
        state = str(folder) if folder else "not here yet; get it: rag-agent models pull embedded"
        yield Entry(f"embedded ({model})", role, _size(folder) if folder else "", state)
    folder = embedded.place(settings, embedded.MULTILINGUAL_NAME)
    state = str(folder) if folder else "not here yet; get it: rag-agent models pull multilingual"
    yield Entry(f"multilingual ({embedded.MULTILINGUAL_NAME})", "embeddings", _size(folder) if folder else "", state)


def _kept(folders: list[Path]) -> Iterator[tuple[str, Path]]:
    """The models that were pulled or put there, each with its name."""
    for base in folders:
        for config in sorted((base / "huggingface").glob("*/config.json")):
            yield f"huggingface:{config.parent.name.replace('--', '/')}", config.parent
        for config in sorted((base / "gguf").glob("*/config.json")):
            yield f"gguf/{config.parent.name}", config.parent  # what a .gguf file was converted to when it was first used
        for file in sorted((base / "nomic").glob("*.gguf")):
            yield f"nomic:{file}", file


def _with_memory(entry: Entry) -> Entry:
    """With what the weights need to be loaded on a CPU, as a refusal of those that do not fit would tell it."""
    if entry.role == "embeddings" or not (Path(entry.state) / "config.json").is_file():
        return entry
    needs = [f"{gib(size)} in {name}" for name, size in memory_on_cpu(Weights(entry.state)).items()]
    return replace(entry, size=f"{entry.size} (in memory {', '.join(needs)})") if needs else entry


def _ollama() -> Iterator[Entry]:
    from rag_agent.models.ollama_server import server_models

    try:
        for model, size in server_models():
            yield Entry(f"ollama:{model}", "", _megabytes(size), "on the Ollama server")
    except BackendError as error:
        yield Entry("ollama:", "", "", str(error))


def _take(path: Path, target: Path, progress: Progress) -> None:
    """Copy a model folder, or convert a `.gguf` file."""
    if target.exists():
        raise SettingsError(f"there is a model in {target} already; remove it first: rag-agent models remove {target.name}")
    if path.suffix == ".gguf" and path.is_file():
        convert_gguf(path, target, progress=progress)
    elif (path / "config.json").is_file():
        progress(f"copying {path}")
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=target.parent) as scratch:
            publish(_with_weights(Path(shutil.copytree(path, Path(scratch) / "model", ignore=_not_taken))), target)
    else:
        raise ModelNotFoundError(f"{path} is no model folder (it has no config.json) and no .gguf file; check the path")


def _with_weights(folder: Path) -> Path:
    """Refuse what came without weights.

    Raises:
        ModelNotFoundError: There are none that are taken.
    """
    if not any(folder.rglob("*.safetensors")):
        shutil.rmtree(folder)
        raise ModelNotFoundError(
            f"{folder.name} has no weights as .safetensors, and others (.bin, .pt) are not taken, since loading them can run "
            "code; name a model that has them"
        )
    return folder


def _not_taken(folder: str, names: list[str]) -> set[str]:
    return {n for n in names if not Path(folder, n).is_dir() and not any(fnmatchcase(n, pattern) for pattern in _TAKEN)}


def _pull_from_hub(model: str, target: Path, progress: Progress) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    progress(f"downloading {model}")
    try:
        snapshot_download(model, local_dir=target, allow_patterns=list(_TAKEN))
        _with_weights(target)
    except (PermissionError, ModelNotFoundError):
        raise
    except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
        first = str(error).strip().partition("\n")[0]
        raise ModelNotFoundError(
            f"'{model}' cannot be had from the model hub: {first}; check its name and the network"
        ) from error


def _size(path: Path) -> str:
    files = path.rglob("*") if path.is_dir() else [path]
    return _megabytes(sum(file.stat().st_size for file in files if file.is_file()))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
