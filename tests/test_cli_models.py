"""The commands about models, with tiny models that are made here."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag_agent.errors import ModelError
from rag_agent.models import chat_model, embeddings
from rag_agent.models.side_by_side import compare
from rag_agent.testing import ScriptedChat

Run = Callable[..., Any]


def one_line(done: Any, wanted: str) -> None:
    assert (done.code, done.out) == (1, "")
    assert len(done.err.strip().splitlines()) == 1
    assert done.err.startswith("rag-agent: ")
    assert wanted in done.err


# --- tokens -------------------------------------------------------------------------------------------------------------


def test_a_text_is_shown_as_the_model_reads_it(run: Run, tiny_chat: Path) -> None:
    done = run("tokens", "who landed on the moon", "--model", f"huggingface:{tiny_chat}", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["ids"] == [7, 8, 9, 10, 11]  # their places in the list of words
    assert found["pieces"] == ["who", "landed", "on", "the", "moon"]
    assert (found["count"], found["decoded"], found["same"]) == (5, "who landed on the moon", True)
    assert found["prompt"].split() == ["<|user|>", "who", "landed", "on", "the", "moon", "<|assistant|>"]
    assert found["prompt_count"] == 8  # with <s>
    assert found["vocabulary"] == 46
    assert found["special"] == {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def test_a_text_that_the_model_cannot_write_is_not_the_same_again(run: Run, tiny_chat: Path) -> None:
    done = run("tokens", "who sang ?", "--model", f"huggingface:{tiny_chat}", "--system", "hello")
    assert done.code == 0
    assert "3 tokens: 7='who' 1='<unk>'" in done.out
    assert "decoded: 'who <unk> ?'" in done.out
    assert "as a prompt, 8 tokens:" in done.out  # <s> <|system|> hello <|user|> who sang ? <|assistant|>


def test_a_server_shows_no_tokens(run: Run) -> None:
    one_line(run("tokens", "hello", "--model", "ollama:x"), "--model huggingface:/path")


# --- compare ------------------------------------------------------------------------------------------------------------


def test_every_model_answers_every_prompt_with_every_variant(run: Run, tiny_chat: Path, tiny_base: Path) -> None:
    models = ["--model", f"huggingface:{tiny_chat}", "--model", f"huggingface:{tiny_base}"]
    variants = ["--set", "max_new_tokens=3", "--set", "max_new_tokens=5 temperature=1.2 seed=1"]
    done = run("compare", *models, *variants, "hello", "who ?", "--json")
    assert done.code == 0, done.err
    runs = json.loads(done.out)
    assert len(runs) == 2 * 2 * 2
    for found in runs:
        generation = (
            {"max_new_tokens": 3} if len(found["settings"]) == 1 else {"max_new_tokens": 5, "temperature": 1.2, "seed": 1}
        )
        assert found["settings"] == generation
        assert found["text"] == chat_model(found["model"], **generation).invoke(found["prompt"]).text
        assert found["output_tokens"] == generation["max_new_tokens"]
        assert 0 < found["first_token"] <= found["seconds"]
        assert found["tokens_per_second"] > 0
        assert found["memory"] >= 0


def test_answers_are_printed_side_by_side_and_a_failure_beside_them(run: Run, tiny_chat: Path) -> None:
    words = ["compare", "--model", f"huggingface:{tiny_chat}", "--model", "ollama:x", "--set", "max_new_tokens=3", "hello"]
    done = run(*words)
    prompt, first, second = done.out.splitlines()
    assert prompt == "hello"
    reply = chat_model(f"huggingface:{tiny_chat}", max_new_tokens=3).invoke("hello").text
    assert first.split("\t")[:2] == [f"huggingface:{tiny_chat}", "max_new_tokens=3"]
    assert first.endswith(f"\t{reply}")
    assert "ollama serve" in second
    assert done.code == 1
    assert "rag-agent: 1 of 2 answers failed; the first, of ollama:x" in done.err


def test_the_role_is_sent_and_a_model_that_fails_does_not_end_the_comparison() -> None:
    made: list[ScriptedChat] = []

    def make(name: str, **generation: Any) -> ScriptedChat:
        if name == "bad":
            raise ModelError("it is broken")
        made.append(ScriptedChat(["warm", "one two three"]))
        return made[-1]

    runs = list(compare(["bad", "good"], [{}], ["hello"], make, "Be brief."))
    assert [(found.text, found.error, found.output_tokens) for found in runs] == [
        ("", "it is broken", 0),
        ("one two three", "", 3),
    ]
    assert [str(message.content) for message in made[0].sent[1]] == ["Be brief.", "hello"]


# --- pull, list, remove -------------------------------------------------------------------------------------------------


def test_a_model_folder_is_saved_and_loaded_again(run: Run, tiny_chat: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    mine = tmp_path / "mine"
    AutoModelForCausalLM.from_pretrained(tiny_chat, dtype=torch.float32).save_pretrained(mine)
    AutoTokenizer.from_pretrained(tiny_chat).save_pretrained(mine)
    assert run("models", "pull", f"huggingface:{mine}").code == 0
    shutil.rmtree(mine)
    reply = chat_model("huggingface:mine", max_new_tokens=8).invoke("hello").text
    assert reply == chat_model(f"huggingface:{tiny_chat}", max_new_tokens=8).invoke("hello").text
    listed = {entry["name"]: entry for entry in json.loads(run("models", "list", "--json").out)}
    assert "models/huggingface/mine" in listed["huggingface:mine"]["state"]
    done = run("models", "remove", "huggingface:mine")
    assert done.code == 0
    assert not Path(listed["huggingface:mine"]["state"]).exists()
    one_line(run("models", "remove", "huggingface:mine"), "rag-agent models list")


def test_an_embedding_folder_is_pulled_and_used_by_its_name(run: Run, tiny_embeddings: Path) -> None:
    assert run("models", "pull", f"huggingface:{tiny_embeddings}").code == 0
    found = embeddings(f"huggingface:{tiny_embeddings.name}").embed_query("moon")
    assert found == embeddings(f"huggingface:{tiny_embeddings}").embed_query("moon")
    again = run("models", "pull", f"huggingface:{tiny_embeddings}")
    assert (again.code, again.out) == (1, "")
    assert "remove it first: rag-agent models remove" in again.err


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("huggingface:./nothing", "is no model folder"),
        ("huggingface:nothing.gguf", "is no model folder"),
        ("huggingface:someone/some-model", "cannot be had from the model hub"),
        ("huggingface:", "huggingface:/path/to/folder-or.gguf"),
    ],
)
def test_what_cannot_be_pulled_is_told(run: Run, name: str, wanted: str) -> None:
    done = run("models", "pull", name)
    assert done.code == 1
    assert wanted in done.err.strip().splitlines()[-1]
    assert json.loads(run("models", "list", "--json").out)[3:-1] == []  # nothing half-made is left


@pytest.mark.parametrize("name", ["huggingface:..", "..", "", "huggingface:", "gguf/..", "embedded"])
def test_nothing_but_a_model_that_is_listed_can_be_removed(run: Run, tmp_path: Path, name: str) -> None:
    kept = tmp_path / "home" / ".rag-agent" / "models" / "huggingface" / "mine"
    kept.mkdir(parents=True)
    (kept / "config.json").write_text("{}", encoding="utf-8")
    one_line(run("models", "remove", name), "rag-agent models list")
    assert kept.is_dir()


def test_conversions_and_nomic_files_are_listed_and_removed(run: Run, tmp_path: Path) -> None:
    base = tmp_path / "home" / ".rag-agent" / "models"
    (base / "gguf" / "mine-0123").mkdir(parents=True)
    (base / "gguf" / "mine-0123" / "config.json").write_text("{}", encoding="utf-8")
    (base / "nomic").mkdir()
    (base / "nomic" / "n.gguf").write_bytes(b"x" * 2_000_000)
    names = {entry["name"]: entry["size"] for entry in json.loads(run("models", "list", "--json").out)}
    assert names[f"nomic:{base / 'nomic' / 'n.gguf'}"] == "2 MB"
    for name in ("gguf/mine-0123", f"nomic:{base / 'nomic' / 'n.gguf'}"):
        assert name in names
        assert run("models", "remove", name).code == 0
    assert list(base.glob("*/*")) == []


def test_a_home_in_memory_keeps_no_models(tiny_chat: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_AGENT_HOME", ":memory:")
    one_line(run("models", "pull", f"huggingface:{tiny_chat}"), "keeps no models")
