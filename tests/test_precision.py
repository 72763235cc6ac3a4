"""Where weights go, in what numbers, and the refusal of those that do not fit."""

from pathlib import Path
from typing import Any

import pytest

from rag_agent import Settings
from rag_agent.errors import ModelError, SettingsError
from rag_agent.models import chat_model
from rag_agent.models.inventory import inventory
from rag_agent.models.precision import Precision, bitsandbytes, free_memory
from rag_agent.models.weights import Weights

# the tiny model: 46 words in and out of 32 numbers, 2 layers of 4 x 32 x 32 and 3 x 32 x 64 with two norms of 32, and a norm
PARAMETERS = 2 * 46 * 32 + 2 * (4 * 32 * 32 + 3 * 32 * 64 + 2 * 32) + 32


def chosen(
    quantization: str | None = None,
    dtype: str = "auto",
    device_map: str | None = None,
    cuda: bool = False,
    fast_int8: bool = False,
) -> Precision:
    return Precision.chosen(dtype, device_map, quantization, cuda=cuda, fast_int8=fast_int8)


@pytest.mark.parametrize(
    ("given", "precision"),
    [
        ({}, Precision("cpu", "float32", None)),
        ({"dtype": "bfloat16"}, Precision("cpu", "bfloat16", None)),
        ({"quantization": "8bit"}, Precision("cpu", "bfloat16", "8bit")),
        ({"quantization": "auto"}, Precision("cpu", "float32", None)),
        ({"quantization": "auto", "fast_int8": True}, Precision("cpu", "bfloat16", "8bit")),
        ({"device_map": "auto"}, Precision("cpu", "float32", None)),
        ({"device_map": "mps", "quantization": "auto"}, Precision("mps", "auto", None)),
        ({"device_map": "cpu", "cuda": True}, Precision("cpu", "float32", None)),
        ({"cuda": True}, Precision("auto", "auto", None)),
        ({"cuda": True, "quantization": "4bit"}, Precision("auto", "auto", "4bit")),
        ({"cuda": True, "quantization": "auto", "fast_int8": True}, Precision("auto", "auto", None)),
    ],
)
def test_settings_mean_what_the_machine_is_good_at(given: dict[str, Any], precision: Precision) -> None:
    assert chosen(**given) == precision


def test_four_bits_need_a_gpu(tiny_chat: Path) -> None:
    with pytest.raises(SettingsError, match="quantization=4bit needs a GPU with CUDA; on a CPU use quantization=8bit"):
        chat_model(f"huggingface:{tiny_chat}", quantization="4bit", device_map="cpu").invoke("hello")
    with pytest.raises(SettingsError, match="quantization"):
        chat_model(f"huggingface:{tiny_chat}", quantization="2bit")
    with pytest.raises(SettingsError, match="dtype"):
        chat_model(f"huggingface:{tiny_chat}", dtype="float8")


def test_a_gpu_that_is_not_there_is_told() -> None:
    with pytest.raises(SettingsError, match="device_map=cuda:0: this machine has no GPU"):
        chosen(device_map="cuda:0")


def test_a_package_that_is_missing_is_told(tiny_chat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForCausalLM

    def missing(*args: Any, **options: Any) -> None:
        raise ImportError("8 bits need bitsandbytes: pip install bitsandbytes")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", missing)
    with pytest.raises(ModelError, match="needs another package: 8 bits need bitsandbytes: pip install bitsandbytes"):
        Weights(str(tiny_chat)).load(AutoModelForCausalLM)


def test_on_a_gpu_bitsandbytes_quantises() -> None:
    options = chosen("4bit", cuda=True).options()
    four = options["quantization_config"]
    assert options["device_map"] == "auto"
    assert four.load_in_4bit and four.bnb_4bit_use_double_quant and four.bnb_4bit_quant_type == "nf4"
    assert bitsandbytes("8bit").load_in_8bit
    assert chosen("8bit").options() == {"dtype": "bfloat16"}  # a CPU makes its own


@pytest.mark.parametrize(
    ("precision", "each"),
    [(chosen(), 4), (chosen("8bit"), 2), (chosen("8bit", cuda=True), 1), (chosen("4bit", cuda=True), 0.5)],
)
def test_the_memory_is_told_from_the_head_of_the_file(tiny_chat: Path, precision: Precision, each: float) -> None:
    assert precision.needs(Weights(str(tiny_chat))) == int(PARAMETERS * each)


def test_a_model_that_does_not_fit_is_refused_in_numbers(tiny_chat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = Weights(str(tiny_chat))
    monkeypatch.setattr(Weights, "parameters", lambda self: 8 * 2**30)
    with pytest.raises(ModelError, match=r"needs 32\.0 GiB of memory in float32 and 4\.0 GiB are free; .*quantization=8bit"):
        chosen().check_fits(weights, 4 * 2**30)
    with pytest.raises(ModelError, match=r"needs 16\.0 GiB of memory in 8bit and 4\.0 GiB are free; take a smaller model$"):
        chosen("8bit").check_fits(weights, 4 * 2**30)
    chosen().check_fits(weights, 32 * 2**30)
    monkeypatch.setattr(Weights, "parameters", lambda self: 2**50)
    with pytest.raises(ModelError, match=r"needs 4194304\.0 GiB of memory in float32 and .* are free"):
        chat_model(f"huggingface:{tiny_chat}", device_map="cpu", repetition_penalty=1.5, dtype="float32").invoke("hello")


def test_the_list_of_models_tells_it(tiny_chat: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "elsewhere" / "models" / "huggingface" / "me--tiny"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tiny_chat)
    monkeypatch.setattr(Weights, "parameters", lambda self: 2**30)
    entries = {entry.name: entry for entry in inventory(Settings.load(home=tmp_path / "elsewhere"))}
    assert entries["huggingface:me/tiny"].size.endswith("(in memory 4.0 GiB in float32, 2.0 GiB in 8bit)")


def test_the_free_memory_of_this_machine_is_known() -> None:
    free = free_memory("cpu")
    assert free is not None and free > 2**20


def test_weights_under_two_names_count_once(tiny_chat: Path, tmp_path: Path) -> None:
    for name in ("model.safetensors", "consolidated.safetensors"):
        (tmp_path / name).symlink_to(tiny_chat / "model.safetensors")
    assert Weights(str(tmp_path)).parameters() == PARAMETERS


def test_damaged_weights_are_told(tiny_chat: Path, tmp_path: Path) -> None:
    whole = (tiny_chat / "model.safetensors").read_bytes()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).symlink_to(tiny_chat / name)
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="model.safetensors cannot be read: .*bring the model to this machine again") as caught:
        chat_model(f"huggingface:{tmp_path}").invoke("hello")
    assert "\n" not in str(caught.value)
