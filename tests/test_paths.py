"""What a file, a database or a model names is never taken for a path unlooked-at."""

import ast
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag_agent.documents import Splitter
from rag_agent.errors import IndexFileError, ModelError
from rag_agent.index import Index
from rag_agent.index.derived import Arrays, prune
from rag_agent.testing import CountEmbeddings

PACKAGE = Path(__file__).parent.parent / "rag_agent"

# Every function that makes, moves, deletes or opens files, and whence its paths come. A new one is looked at, then added here.
REVIEWED = {
    "cli.py:main": "the null device",
    "cli_eval.py:_earlier": "typed by the user",
    "cli_threads.py:threads_export": "typed by the user",
    "cli_threads.py:threads_import": "typed by the user",
    "evaluation/questions.py:read_questions": "typed by the user",
    "index/database.py:__init__": "a hash of the documents' root",
    "index/database.py:remove": "a hash of the documents' root",
    "index/derived.py:open": "a version and names of arrays, both matched whole against their patterns",
    "index/derived.py:save": "a version that Database.version has matched, and names of our own",
    "index/derived.py:_synced": "from save",
    "index/derived.py:prune": "what a listing of our own folder shows and our names match",
    "index/update.py:_digest": "a listing of the documents, read only",
    "language/files.py:language": "the code of a language that a listing of our own package shows",
    "models/reader.py:notice": "a name of our own in the home",
    "models/reader.py:_from_hub": "names of our own in the home",
    "index/index.py:_one_at_a_time": "a hash of the documents' root",
    "index/int8.py:_open": "a name of our own beside the arrays",
    "index/int8.py:_save": "a name of our own beside the arrays",
    "memory/database.py:__init__": "threads.sqlite in the home",
    "memory/locks.py:acquire": "a hash of the thread's ID",
    "memory/memory_store.py:__init__": "memories.sqlite in the home",
    "memory/recovery.py:recover": "threads.sqlite in the home",
    "memory/recovery.py:_remove": "threads.sqlite in the home",
    "language/detection.py:keep_detector": "names of our own in the models' folder",
    "language/detection.py:_mapped": "names of our own in the models' folder",
    "models/embedded.py:pull": "names of our own",
    "models/embedded.py:_unpacked": "names of our own, out of a wheel with our checksum",
    "models/embedded.py:_download": "names of our own",
    "models/embedded.py:_content": "what a listing of a folder shows that _unpacked has made",
    "models/inventory.py:pull": "typed by the user, a folder's name at most",
    "models/inventory.py:remove": "what a listing of our own folder shows",
    "models/inventory.py:_take": "typed by the user",
    "models/inventory.py:_with_weights": "from pull and _take",
    "models/nomic.py:_silence": "the null device",
    "models/precision.py:_free_of_processor": "/proc",
    "models/precision.py:_free_of_container": "/sys",
    "models/side_by_side.py:_resident": "/proc",
    "models/embedded.py:pull_multilingual": "names of our own in the models' folder",
    "models/multilingual.py:unpack": "names of our own in the folder of an embedded model",
    "models/multilingual.py:_write_tokenizer": "names of our own in the folder of an embedded model",
    "models/onnx_embeddings.py:_ready": "names of our own in the folder of an embedded model",
    "models/onnx_embeddings.py:weights_of": "names of our own in the folder of an embedded model",
    "models/onnx_embeddings.py:write_graph": "names of our own in the folder of an embedded model",
    "models/transformers_embeddings.py:_read_json": "names of our own, and a folder that _inside has matched",
    "models/weights.py:parameters": "what a listing of the model's folder shows",
    "models/weights.py:convert_gguf": "typed by the user; the target is a hash",
    "models/weights.py:publish": "names of our own",
    "private.py:private_file": "from its callers, who are all here",
    "private.py:synced": "from its callers, who are all here",
    "private.py:private_folder": "from its callers, who are all here",
    "settings.py:read_config": "rag_agent.toml, or typed by the user",
    "cli_eval.py:_write": "typed by the user",
    "cli_serve.py:_run": "no file: a browser is opened at our own address",
    "server/conversations.py:rename": "no file: the title of a thread",
    "server/documents.py:_stored": "a name that _unfit has looked at, in the folder of the documents; never one that is taken",
    "trust.py:trusted": "names of our own in the home",
    "trust.py:trust": "names of our own in the home",
}
TOUCHES = {
    "rmtree", "unlink", "rename", "rmdir", "copytree", "copyfile", "extractall", "mkdir", "makedirs", "mkdtemp", "touch",
    "write_text", "write_bytes", "read_text", "read_bytes", "open", "load_file", "safe_open", "symlink_to", "copy", "move",
}  # fmt: skip
OF_MODULES = {("os", "replace"), ("os", "remove"), ("os", "open"), ("np", "load"), ("np", "save")}


def touches(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in ("open", "safe_open", "private_file", "private_folder")
    if not isinstance(function, ast.Attribute):
        return False
    owner = function.value.id if isinstance(function.value, ast.Name) else ""
    if function.attr in ("copy", "move"):
        return owner == "shutil"
    if owner == "Arrays" or ast.unparse(function) in ("agent.threads.rename", "database.touch"):
        return False  # our own, whose bodies are looked at
    return function.attr in TOUCHES or (owner, function.attr) in OF_MODULES


def functions_that_touch_files() -> Iterator[str]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = str(path.relative_to(PACKAGE))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if any(isinstance(inner, ast.Call) and touches(inner) for inner in ast.walk(node)):
                    yield f"{name}:{node.name}"


def test_every_function_that_touches_files_is_one_that_was_looked_at() -> None:
    found = {one for one in functions_that_touch_files() if not one.startswith("documents/")}
    assert found <= set(REVIEWED), sorted(found - set(REVIEWED))


# --- the index file -----------------------------------------------------------------------------------------------------


def index(folder: Path) -> Index:
    return Index(folder, folder.parent / "home", CountEmbeddings(("moon", "water")), "counts", Splitter())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("Moon rock.\n---\nWater.", encoding="utf-8")
    return tmp_path / "files"


def set_version(found: Index, version: str) -> None:
    assert found.path
    with sqlite3.connect(found.path) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'version'", (version,))
    connection.close()


@pytest.mark.parametrize("version", ["../victim", "/etc", "..", ".", "", "a" * 31, "A" * 32, "../" + "a" * 32, "a" * 32 + "\n"])
def test_a_version_that_is_none_is_damage_and_nothing_beside_the_index_is_touched(folder: Path, version: str) -> None:
    made = index(folder)
    made.update()
    made.close()
    assert made.path
    victim = made.path.parent / "victim"
    victim.mkdir()
    (victim / "kept.txt").write_text("kept", encoding="utf-8")
    set_version(made, version)
    before = sorted(str(path) for path in folder.parent.rglob("*") if "indexes" not in str(path) or "victim" in str(path))
    again = index(folder)
    with pytest.raises(IndexFileError, match="damaged.*make it anew"):
        again.search([("moon", 1.0)], 3)
    with pytest.raises(IndexFileError, match="damaged"):
        again.update()
    again.close()
    assert (victim / "kept.txt").read_text(encoding="utf-8") == "kept"
    assert index(folder).update(rebuild=True).files == 1  # and is mended by the command it names
    after = sorted(str(path) for path in folder.parent.rglob("*") if "indexes" not in str(path) or "victim" in str(path))
    assert after == before


def test_names_of_arrays_lead_nowhere_else(folder: Path) -> None:
    made = index(folder)
    made.update()
    assert made.path
    [kept] = made.path.with_suffix(".arrays").iterdir()
    about = json.loads((kept / "about.json").read_text(encoding="utf-8"))
    about["arrays"] = ["../../../stolen" if name == "starts" else name for name in about["arrays"]]
    shutil.copy(kept / "starts.npy", folder.parent.parent / "stolen.npy")
    (kept / "about.json").write_text(json.dumps(about), encoding="utf-8")
    assert Arrays.open(kept.parent, kept.name) is None


def test_pruning_leaves_what_has_other_names(tmp_path: Path) -> None:
    for name in ("a" * 32, "b" * 32, "new-abc_123", "photos", "a" * 31):
        (tmp_path / "arrays" / name).mkdir(parents=True)
    prune(tmp_path / "arrays", "a" * 32)
    assert {path.name for path in (tmp_path / "arrays").iterdir()} == {"a" * 32, "photos", "a" * 31}


def test_pruning_goes_through_no_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / ("b" * 32)).mkdir(parents=True)
    (tmp_path / "arrays").symlink_to(tmp_path / "elsewhere")
    prune(tmp_path / "arrays", "a" * 32)
    assert (tmp_path / "elsewhere" / ("b" * 32)).is_dir()


# --- a model's folder ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["../secrets", "/etc", "a/../../b", "..", ["1_Pooling"], 3])
def test_a_model_that_names_a_folder_outside_itself_is_refused(tiny_embeddings: Path, tmp_path: Path, path: object) -> None:
    from rag_agent.models import embeddings

    folder = Path(shutil.copytree(tiny_embeddings, tmp_path / "model"))
    modules = [{"idx": 0, "name": "1", "path": path, "type": "sentence_transformers.models.Pooling"}]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    with pytest.raises(ModelError, match="outside itself"):
        embeddings(f"huggingface:{folder}").embed_query("moon")
