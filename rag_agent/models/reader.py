"""The provider `reader`: a model that is large enough to answer in sentences, for those who want more than quotes.

It is Qwen2.5-1.5B-Instruct (Apache-2.0). An Ollama server that answers brings it itself, and runs its 4-bit weights faster and
in less memory than this process can; else the file of its publisher is fetched from the model hub, at a fixed revision and
checked by its hash, and converted once.
"""

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_agent.errors import BackendError, ModelNotFoundError, SettingsError
from rag_agent.models.weights import Progress, Weights, convert_gguf
from rag_agent.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

NAME = "Qwen2.5-1.5B-Instruct"
ON_SERVER = "qwen2.5:1.5b"
"""Its name on Ollama servers."""
REPOSITORY, REVISION = "Qwen/Qwen2.5-1.5B-Instruct-GGUF", "91cad51170dc346986eccefdc2dd33a9da36ead9"
FILE = "qwen2.5-1.5b-instruct-q4_k_m.gguf"
SHA256 = "6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e"
COST = (
    "1.1 GB to fetch; with Ollama 1.5 GB of memory and about half a minute a question on two processor cores; without, 3 GB on "
    "disk and 3 to 6 GB of memory"
)
"""What it takes, in words. Seconds and Ollama's memory were measured with the coder model of the same size and architecture, on
an idle machine without fast 16-bit arithmetic; the rest is computed from 1.5 billion weights of 2 and of 4 bytes."""


def reader_chat(_: str, settings: Settings, **generation: Any) -> "BaseChatModel":
    """The reader: the one in the home folder, else the one of the Ollama server.

    Raises:
        ModelNotFoundError: It has not been pulled yet.
    """
    from rag_agent.models.ollama import ollama_chat
    from rag_agent.models.transformers_chat import TransformersChat

    if folder := place(settings):
        return TransformersChat.named("reader", Weights(str(folder)), **{"quantization": "auto", **generation})
    if on_server():
        return ollama_chat(ON_SERVER, settings, **generation)
    raise ModelNotFoundError("the reader is not on this machine yet; get it: rag-agent models pull reader")


def place(settings: Settings) -> Path | None:
    """The folder of the reader, or None where it is not in a home folder."""
    places = (folder / "huggingface" / NAME for folder in settings.model_folders)
    return next((folder for folder in places if (folder / "config.json").is_file()), None)


def on_server() -> bool:
    """Whether an Ollama server answers and has the reader."""
    from rag_agent.models.ollama_server import server_models

    try:
        return any(name == ON_SERVER for name, _ in server_models())
    except BackendError:
        return False


def notice(settings: Settings) -> str | None:
    """What to tell who has only seen quotes so far: that there is a reader, once in a home; None when that has been told."""
    if settings.model != "embedded" or settings.answer == "quote" or settings.folder is None:
        return None
    told = settings.folder / "told-of-reader"
    if told.exists():
        return None
    told.touch()
    here = place(settings) is not None or on_server()
    what = "use it with --model reader" if here else f"get it with `rag-agent models pull reader` ({COST})"
    return f"A larger model, the reader, can answer in sentences that are checked against quotes: {what}."


def pull(settings: Settings, progress: Progress) -> str:
    """Bring the reader: to the Ollama server where one answers, else into the home folder; returns where it is, in words.

    Raises:
        BackendError: The server broke off.
        ModelNotFoundError: The server or the hub does not give it, or gave another file than the pinned one.
        SettingsError: The home keeps nothing, or cannot be written.
    """
    if folder := place(settings):
        return f"in {folder}"
    from rag_agent.models.ollama_server import server_models, server_pull

    try:
        server_models()
    except BackendError:
        return f"in {_from_hub(settings, progress)}"
    server_pull(ON_SERVER, progress)
    return f"on the Ollama server, as {ON_SERVER}"


def _from_hub(settings: Settings, progress: Progress) -> Path:
    if settings.folder is None:
        raise SettingsError("home=':memory:' keeps no models; pull them with another home")
    target = settings.model_folders[0] / "huggingface" / NAME
    part = target.parent / f".{NAME}.part"  # an interrupted download goes on from here
    try:
        part.mkdir(parents=True, exist_ok=True)
        progress(f"downloading {FILE}, 1.1 GB")
        file = _download(part)
        progress(f"checking {FILE}")
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != SHA256:
            shutil.rmtree(part)
            raise ModelNotFoundError(
                f"{REPOSITORY} gave another {FILE} than the one known here (sha256 {found}); nothing is kept"
            )
        convert_gguf(file, target, progress=progress)
    except PermissionError as error:
        raise SettingsError(f"{target} cannot be written; set home to a folder that can, with RAG_AGENT_HOME") from error
    shutil.rmtree(part)
    return target


def _download(folder: Path) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(hf_hub_download(REPOSITORY, FILE, revision=REVISION, local_dir=folder))
    except PermissionError:
        raise
    except (OSError, ValueError, HfHubHTTPError) as error:
        first = str(error).strip().partition("\n")[0]
        raise ModelNotFoundError(
            f"{FILE} cannot be had from the model hub: {first}; check the network, or start an Ollama server and pull again"
        ) from error
