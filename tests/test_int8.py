"""Search over eight bits finds what the exact one finds."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_agent import RagAgent, Settings
from rag_agent.doctor import examine
from rag_agent.errors import SettingsError
from rag_agent.index import int8
from rag_agent.index.int8 import Codes, Near, wanted
from rag_agent.index.matrix import best_first, cosines, unit_rows
from rag_agent.testing import CountEmbeddings, ScriptedChat

needs_kernels = pytest.mark.skipif(not int8.available(), reason='numkong is not installed: pip install "rag-agent[int8]"')
QUESTIONS = ("Who stayed in orbit?", "How much water?", '"stayed in orbit" Moon', "rock", "nothing of the kind")


def agent(docs: Path, words: Sequence[str], how: str) -> RagAgent:
    return RagAgent(docs, model=ScriptedChat([]), embeddings=CountEmbeddings(words), settings=Settings.load(search=how))


def folders(home: Path) -> list[Path]:
    return list((home / ".rag-agent" / "indexes").glob("*.arrays/*/int8"))


@needs_kernels
def test_hits_and_scores_are_those_of_the_exact_search(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words, "exact") as exact, agent(docs, words, "int8") as small:
        for question in QUESTIONS:
            one, other = exact.search(question, k=20), small.search(question, k=20)
            assert [hit.text for hit in other] == [hit.text for hit in one]
            assert [hit.score for hit in other] == pytest.approx([hit.score for hit in one])
            assert [hit.similarity for hit in other] == pytest.approx([hit.similarity for hit in one], abs=1e-6)


@needs_kernels
def test_only_the_named_files_are_searched(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words, "int8") as small:
        small.index()
        assert small._index
        for question in QUESTIONS:
            for file in small.files():
                assert {hit.file for hit in small._index.search([(question, 1.0)], 20, within=[file])} <= {file}


@needs_kernels
def test_ninety_nine_of_a_hundred_neighbours_are_the_exact_ones() -> None:
    found = asked = 0

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.integers(0, 2**32), st.integers(1, 3000), st.sampled_from([3, 64, 384]), st.integers(1, 20), st.booleans())
    def agree(seed: int, rows: int, dimensions: int, k: int, clustered: bool) -> None:
        nonlocal found, asked
        chance = np.random.default_rng(seed)
        matrix = chance.standard_normal((rows, dimensions), dtype=np.float32)
        if clustered:
            matrix = matrix[: 1 + rows // 50].repeat(50, axis=0)[:rows] + 0.1 * matrix
        matrix = unit_rows(matrix)
        query = unit_rows(matrix[:1] + 0.3 * chance.standard_normal((1, dimensions), dtype=np.float32))[0]
        within = np.flatnonzero(chance.random(rows) < 0.5) if seed % 2 else None
        near = Near(matrix, query, Codes.of(matrix))
        best = near.best(k, within)
        exact = cosines(matrix, query)
        allowed = np.arange(rows) if within is None else within
        right = allowed[best_first(exact[allowed], k)]
        assert set(best.tolist()) <= set(allowed.tolist())
        assert len(best) == len(right)
        # Rows alike to the last bit of a float32 may stand for each other.
        found += int((exact[best] >= exact[right].min(initial=2.0) - 1e-6).sum())
        asked += len(right)
        np.testing.assert_allclose(near.scores[best], exact[best], atol=1e-6)

    agree()
    assert found >= 0.99 * asked > 0


@needs_kernels
def test_rows_of_zeros_or_no_numbers_and_none_at_all_are_searched() -> None:
    matrix = np.zeros((3, 4), np.float32)
    assert Codes.of(matrix).cosines(np.ones(4, np.float32) / 2).tolist() == [0, 0, 0]
    matrix[1] = np.nan
    assert Codes.of(matrix).cosines(np.ones(4, np.float32) / 2).tolist() == [0, 0, 0]
    assert Codes.of(matrix[:0]).cosines(np.ones(4, np.float32) / 2).tolist() == []


@needs_kernels
def test_a_quarter_of_the_bytes_is_scanned() -> None:
    matrix = unit_rows(np.random.default_rng(0).standard_normal((1000, 384)))
    assert Codes.of(matrix).nbytes < 0.26 * matrix.nbytes


@needs_kernels
def test_the_eight_bits_are_made_with_the_index_and_kept_beside_it(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words, "int8") as small:
        small.index()
        assert len(folders(Path.home())) == 1
        (docs / "more.txt").write_text("More water.", encoding="utf-8")
        small.index()
        assert len(folders(Path.home())) == 1  # those of the former state are gone


@needs_kernels
@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"no array"])
def test_eight_bits_that_are_damaged_are_made_anew(docs: Path, words: Sequence[str], damage: bytes) -> None:
    with agent(docs, words, "int8") as small:
        wanted_hits = small.search("Who stayed in orbit?")
    (folder,) = folders(Path.home())
    (folder / "codes.npy").unlink()
    (folder / "codes.npy").write_bytes(damage)
    with agent(docs, words, "int8") as small:
        assert small.search("Who stayed in orbit?") == wanted_hits
    assert np.load(folder / "codes.npy").dtype == np.int8


def test_auto_is_exact_for_what_is_scanned_in_no_time(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words, "auto") as usual:
        assert usual.search("Who stayed in orbit?")
    assert not folders(Path.home())


@needs_kernels
def test_auto_goes_over_eight_bits_beyond_its_limit(docs: Path, words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "EXACT_TO", 0)
    with agent(docs, words, "auto") as usual:
        assert usual.search("Who stayed in orbit?")
    assert folders(Path.home())


def test_a_missing_package_is_told_with_what_to_type(docs: Path, words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "available", lambda: False)
    with agent(docs, words, "int8") as small, pytest.raises(SettingsError, match=r'pip install "rag-agent\[int8\]"'):
        small.search("Who stayed in orbit?")
    monkeypatch.setattr(int8, "EXACT_TO", 0)
    assert not wanted("auto", np.ones((2, 2), np.float32))


def test_doctor_measures_the_search_of_an_index(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words, "auto") as usual:
        usual.index()
    (found,) = [finding for finding in examine(Settings.load(docs=docs)) if finding.what == "search"]
    assert found.ok
    assert "exact" in found.state and "ms a question" in found.state


@pytest.mark.parametrize("on", ["spark", "ray:", "ray://", "ray://a:b", "ray://host:1:2", "ray://host/x"])
def test_a_cluster_that_is_none_is_told(docs: Path, words: Sequence[str], on: str) -> None:
    with agent(docs, words, "auto") as usual, pytest.raises(SettingsError, match=r"write ray, or ray://HOST"):
        usual.index(on=on)


def test_a_missing_ray_is_told_with_what_to_type(docs: Path, words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with agent(docs, words, "auto") as usual, pytest.raises(SettingsError, match=r'pip install "rag-agent\[ray\]"'):
        usual.index(on="ray")
