"""Nomic's embedding models through gpt4all: no weights of theirs are to be had, so a model of their architecture is made here."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from rag_agent.errors import ModelError, ModelNotFoundError
from rag_agent.models import embeddings, name_of


@pytest.fixture
def pulled(nomic_gguf: Path, tmp_path: Path) -> Path:
    """The file among the models of the home folder."""
    folder = tmp_path / "home" / ".rag-agent" / "models" / "nomic"
    folder.mkdir(parents=True)
    (folder / nomic_gguf.name).symlink_to(nomic_gguf)
    return folder


@pytest.mark.usefixtures("pulled")
def test_a_name_embeds_from_its_file_with_no_network(capfd: pytest.CaptureFixture[str]) -> None:
    model = embeddings("nomic:nomic-embed-text-v1.5")
    one, two = model.embed_documents(["who landed on the moon", "water plant"])
    assert len(one) == 768
    assert math.hypot(*one) == pytest.approx(1, abs=1e-3)
    assert one == pytest.approx(model.embed_documents(["who landed on the moon"])[0], abs=1e-3)
    assert one != pytest.approx(two, abs=1e-2)
    assert model.embed_documents([]) == []
    assert name_of(model) == "nomic:nomic-embed-text-v1.5"
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("pulled")
def test_a_query_is_told_apart_from_a_document() -> None:
    model = embeddings("nomic:nomic-embed-text-v1.5")
    assert model.embed_query("moon") != pytest.approx(model.embed_documents(["moon"])[0], abs=1e-2)


@pytest.mark.usefixtures("pulled")
def test_fewer_dimensions_are_the_head_of_all() -> None:
    whole = embeddings("nomic:nomic-embed-text-v1.5").embed_query("moon")
    head = embeddings("nomic:nomic-embed-text-v1.5:64").embed_query("moon")
    assert (len(whole), len(head)) == (768, 64)
    assert math.hypot(*head) == pytest.approx(1, abs=1e-3)
    with pytest.raises(ModelError, match="nomic:nomic-embed-text-v1.5:1000") as caught:
        embeddings("nomic:nomic-embed-text-v1.5:1000").embed_query("moon")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("pulled")
def test_a_text_longer_than_the_window_is_cut() -> None:
    assert len(embeddings("nomic:nomic-embed-text-v1.5").embed_query("moon " * 2500)) == 768


def test_a_path_is_a_name_too(nomic_gguf: Path, tmp_path: Path) -> None:
    assert len(embeddings(f"nomic:{nomic_gguf}:128").embed_query("moon")) == 128
    for missing in (tmp_path / "nothing.gguf", tmp_path / "nothing"):
        with pytest.raises(ModelNotFoundError, match="no such file"):
            embeddings(f"nomic:{missing}")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but not really")
    with pytest.raises(ModelError, match=r"broken.gguf"):
        embeddings(f"nomic:{tmp_path / 'broken.gguf'}").embed_query("moon")


def test_a_file_that_is_not_here_and_an_extra_that_is_not_installed_are_told(
    nomic_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelNotFoundError, match=r"nomic-embed-text-v1.5\*.gguf is not on this machine.*models/nomic") as caught:
        embeddings("nomic:nomic-embed-text-v1.5")
    assert "\n" not in str(caught.value)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelNotFoundError, match=r"pip install 'rag-agent\[nomic\]'"):
        embeddings(f"nomic:{nomic_gguf}")


def test_texts_leave_the_machine_only_by_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_nomic", None)
    with pytest.raises(ModelNotFoundError, match=r"pip install 'rag-agent\[nomic-remote\]'.*runs on this machine"):
        embeddings("nomic-remote:nomic-embed-text-v1.5")


@pytest.mark.model
def test_vectors_are_those_of_the_same_weights_in_transformers(minilm_gguf: Path, embedded_models: dict[str, Path]) -> None:
    texts = ["Who landed on the Moon?", "The Balashi plant makes 8,000 tons of water each day."]
    here = embeddings(f"huggingface:{embedded_models['all-MiniLM-L6-v2']}")
    there = np.array(embeddings(f"nomic:{minilm_gguf}").embed_documents(texts))
    same = np.array(here.embed_documents([f"search_document: {text}" for text in texts]))
    assert ((there * same).sum(axis=1) / np.linalg.norm(there, axis=1)).min() > 0.999
