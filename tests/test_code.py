"""No code runs but this program's: none of the working folder, none of a model's folder, none of an unpinned package."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag_agent.documents import Reader
from rag_agent.errors import ModelError, ModelNotFoundError
from rag_agent.models import chat_model, embeddings
from rag_agent.settings import Settings

PACKAGE = Path(__file__).parent.parent / "rag_agent"
RAN = "from pathlib import Path\nPath({!r}).write_text('ran', encoding='utf-8')\n"


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that is there when a stranger's code has run."""
    return tmp_path / "ran"


def lay_traps(folder: Path, mark: Path, *names: str) -> None:
    for name in names:
        (folder / f"{name}.py").write_text(RAN.format(str(mark)), encoding="utf-8")


# --- the working folder -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", ".", ":/nowhere", "/nowhere:"])
def test_pip_is_not_that_of_the_working_folder(mark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    from rag_agent.models import embedded

    lay_traps(Path.cwd(), mark, "pip", "sitecustomize", "site", "encodings")
    (Path.cwd() / "encodings.py").unlink()  # would keep any Python from starting where PYTHONPATH is obeyed
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(ModelNotFoundError, match="cannot be fetched"):
        embedded._download(embedded._CHAT, tmp_path)
    assert not mark.exists()


@pytest.mark.parametrize("path", ["", ".", ":/nowhere", "/nowhere:"])
def test_what_reads_complex_formats_imports_nothing_of_the_working_folder(
    mark: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    import docx

    lay_traps(Path.cwd(), mark, "docx", "json", "lxml", "sitecustomize", "usercustomize")
    monkeypatch.setenv("PYTHONPATH", path)
    made = docx.Document()
    made.add_paragraph("The moon is far.")
    made.save(str(Path.cwd() / "a.docx"))
    with Reader() as reader:
        assert "moon" in reader.read(Path.cwd() / "a.docx").text
    assert not mark.exists()


def test_running_the_package_imports_nothing_of_the_working_folder(mark: Path) -> None:
    lay_traps(Path.cwd(), mark, "typer", "rich", "langgraph", "torch", "numpy", "sqlite3")
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    words = [sys.executable, "-m", "rag_agent", "threads", "list"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert not mark.exists()


def test_every_child_process_is_kept_from_the_working_folder() -> None:
    """Whoever starts another process says where it stands, and that Python takes nothing from there."""
    import ast

    found = 0
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("subprocess.run", "subprocess.Popen"):
                found += 1
                assert "cwd" in {keyword.arg for keyword in node.keywords}, f"{path}: {ast.unparse(node)}"
        assert "os.system" not in path.read_text(encoding="utf-8")
    assert found >= 2


# --- a model's folder ---------------------------------------------------------------------------------------------------


def with_code(folder: Path, mark: Path, **maps: str) -> Path:
    """A model whose configuration says that its classes are in a file of its own."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config.update(model_type="own", auto_map={name: f"modeling_own.{cls}" for name, cls in maps.items()})
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    lay_traps(folder, mark, "modeling_own")
    return folder


@pytest.fixture
def answers_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal at which somebody would type y."""
    monkeypatch.setattr("builtins.input", lambda *_: "y")


@pytest.mark.usefixtures("answers_yes")
@pytest.mark.parametrize("kind", ["chat", "embeddings", "judge", "tokenizer", "generate"])
def test_no_file_of_a_model_runs(kind: str, tiny_chat: Path, tiny_embeddings: Path, tmp_path: Path, mark: Path) -> None:
    from rag_agent.models.cross_encoder import RelevanceScorer

    source = tiny_embeddings if kind in ("embeddings", "judge") else tiny_chat
    folder = Path(shutil.copytree(source, tmp_path / "model"))
    classes = ("AutoConfig", "AutoModel", "AutoModelForCausalLM", "AutoModelForSequenceClassification")
    if kind == "generate":
        (folder / "custom_generate").mkdir()
        lay_traps(folder / "custom_generate", mark, "generate")
    elif kind == "tokenizer":
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        settings.update(auto_map={"AutoTokenizer": ["modeling_own.Own", None]}, tokenizer_class="Own")
        (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
        lay_traps(folder, mark, "modeling_own")
    else:
        with_code(folder, mark, **{name: "Own" for name in classes})
    calls: dict[str, Callable[[], Any]] = {
        "embeddings": lambda: embeddings(f"huggingface:{folder}").embed_query("moon"),
        "judge": lambda: RelevanceScorer(str(folder), Settings.load())("moon", ["moon"]),
    }
    call = calls.get(kind, lambda: chat_model(f"huggingface:{folder}", max_new_tokens=3).invoke("moon"))
    try:
        call()
    except ModelError as error:
        assert "\n" not in str(error)
    assert not mark.exists()


@pytest.mark.usefixtures("answers_yes")
@pytest.mark.parametrize(
    ("modules", "files"),
    [
        ([("", "sentence_transformers.models.Transformer"), ("1", "evil.Evil")], {}),
        ([("", "sentence_transformers.models.Transformer"), ("1", "os.path")], {}),
        ([("", "modeling_own.Own")], {}),
        ([("", "sentence_transformersx.Evil")], {}),
        (
            [("", "sentence_transformers.models.Transformer"), ("1", "sentence_transformers.models.Dense")],
            {"1/config.json": {"in_features": 2, "out_features": 2, "activation_function": "evil.Evil"}},
        ),
        (
            [("1", "sentence_transformers.models.Router")],
            {"1/router_config.json": {"types": {"query_0": "evil.Evil"}, "structure": {"query": ["query_0"]}}},
        ),
        ([("1", "sentence_transformers.models.Router")], {"1/config.json": {"types": {"query_0": "other/repo--evil.Evil"}}}),
    ],
)
def test_a_class_that_is_not_sentence_transformers_own_is_refused_by_name(
    modules: list[tuple[str, str]], files: dict[str, Any], tiny_embeddings: Path, tmp_path: Path, mark: Path
) -> None:
    folder = Path(shutil.copytree(tiny_embeddings, tmp_path / "model"))
    listed = [{"idx": n, "name": str(n), "path": path, "type": kind} for n, (path, kind) in enumerate(modules)]
    for name, content in {"modules.json": listed, **files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    lay_traps(folder, mark, "evil", "modeling_own")
    lay_traps(Path.cwd(), mark, "evil", "modeling_own")
    with pytest.raises(ModelError, match=r"code of its own \((?:.*[Ee]vil|.*Own|os\.path)"):
        embeddings(f"huggingface:{folder}").embed_query("moon")
    assert not mark.exists()


@pytest.mark.parametrize("content", ["{", "[3]", '{"a": 1}', '[{"type": 3}]', "[" * 100_000])
def test_a_list_of_modules_that_is_none_is_one_line(content: str, tiny_embeddings: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_embeddings, tmp_path / "model"))
    (folder / "modules.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        embeddings(f"huggingface:{folder}").embed_query("moon")
    assert "\n" not in str(caught.value)


# --- what is pulled -----------------------------------------------------------------------------------------------------


def test_pulling_takes_weights_tokenizer_configuration_alone(run: Callable[..., Any], tiny_chat: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_chat, tmp_path / "model"))
    (folder / "deep").mkdir()
    for name in ("modeling_own.py", "pytorch_model.bin", "weights.pt", "a.pkl", "b.so", "deep/c.py", "training_args.bin", "x.sh"):
        (folder / name).write_bytes(b"code")
    assert run("models", "pull", f"huggingface:{folder}").code == 0
    pulled = Path.home() / ".rag-agent" / "models" / "huggingface" / "model"
    kept = {path.relative_to(pulled).as_posix() for path in pulled.rglob("*") if path.is_file()}
    assert "model.safetensors" in kept and "tokenizer.json" in kept
    assert kept == {path.name for path in tiny_chat.iterdir()}


def test_weights_that_are_pickles_are_not_pulled_and_nothing_is_left(
    run: Callable[..., Any], tiny_chat: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_chat, tmp_path / "model"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    done = run("models", "pull", f"huggingface:{folder}")
    assert done.code == 1 and "safetensors" in done.err and len(done.err.splitlines()) <= 2
    assert not list((Path.home() / ".rag-agent" / "models" / "huggingface").iterdir())


def test_the_hub_is_asked_for_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from fnmatch import fnmatch

    import huggingface_hub

    from rag_agent.models.inventory import pull

    def download(model: str, *, local_dir: Path, allow_patterns: list[str]) -> None:
        local_dir.mkdir()
        for name in ("model.safetensors", "config.json", "modeling.py", "pytorch_model.bin", "a.pt", "a.pkl"):
            if any(fnmatch(name, pattern) for pattern in allow_patterns):
                (local_dir / name).touch()

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    _, where = pull("huggingface:some/model", Settings.load(), lambda step: None)
    assert {path.name for path in Path(where.removeprefix("in ")).iterdir()} == {"model.safetensors", "config.json"}


@pytest.mark.parametrize("which", ["chat", "embeddings"])
def test_an_installed_package_of_a_model_that_holds_something_else_is_not_taken(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag_agent.models import embedded

    wheel = {"chat": embedded._CHAT, "embeddings": embedded._EMBEDDINGS}[which]
    package = tmp_path / "site" / wheel.module
    place = package / wheel.inside
    if which == "chat":
        package.mkdir(parents=True)
        place.write_bytes(b"GGUF of somebody else")
    else:
        place.mkdir(parents=True)
        (place / "config.json").write_text("{}", encoding="utf-8")
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    told: list[str] = []
    (tmp_path / "scratch").mkdir()
    with pytest.raises(ModelNotFoundError, match="cannot be fetched"):
        embedded._unpacked(wheel, tmp_path / "scratch", told.append)
    assert any("something else" in line for line in told)


@pytest.mark.model
def test_the_embedded_embeddings_are_the_ones_that_are_pinned(embedded_models: dict[str, Path], tmp_path: Path) -> None:
    from rag_agent.models import embedded
    from rag_agent.models.onnx_embeddings import GRAPH

    pulled = shutil.copytree(embedded_models[embedded.EMBEDDINGS_NAME], tmp_path / "pulled")
    (pulled / GRAPH).unlink(missing_ok=True)  # written here, from the rest
    assert embedded._content(pulled) == embedded._EMBEDDINGS.content
