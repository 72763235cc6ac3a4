"""Bulk embedding on a Ray cluster of this machine; `scripts/soak_ray.py` kills workers and compares times."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from rag_agent import RagAgent
from rag_agent.testing import CountEmbeddings, ScriptedChat

pytest.importorskip("ray", reason='ray is not installed: pip install "rag-agent[ray]"')


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_ray_embeds_and_this_process_finds_every_vector_there(docs: Path, words: Sequence[str], tmp_path: Path) -> None:
    here = CountEmbeddings(words)
    with RagAgent(docs, model=ScriptedChat([]), embeddings=here, home=tmp_path / "ray") as agent:
        report = agent.index(on="ray")
        assert report.embedded == report.chunks > 0
        assert not here.documents  # workers have embeddings of their own
        again = agent.index(on="ray")
        assert (again.embedded, again.unchanged) == (0, report.files)
        for file in docs.iterdir():
            os.utime(file, ns=(1, 1))
        assert agent.index(on="ray").embedded == 0  # every text has its vector
        hits = agent.search("Who stayed in orbit?")
    with RagAgent(docs, model=ScriptedChat([]), embeddings=CountEmbeddings(words), home=tmp_path / "alone") as agent:
        assert agent.search("Who stayed in orbit?") == hits
