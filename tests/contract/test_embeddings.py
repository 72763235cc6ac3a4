"""LangChain's own suites over our embeddings, with the embedded model."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from rag_agent.models.transformers_embeddings import TransformersEmbeddings
from rag_agent.models.weights import Weights

pytestmark = pytest.mark.model


class _Embedded:
    @pytest.fixture(autouse=True)
    def folder(self, embedded_models: dict[str, Path]) -> None:
        self._folder = embedded_models["all-MiniLM-L6-v2"]

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return TransformersEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"weights": Weights(str(self._folder))}


class TestUnit(_Embedded, EmbeddingsUnitTests):
    """`test_init_from_env` is skipped: nothing of this class comes from the environment."""


class TestIntegration(_Embedded, EmbeddingsIntegrationTests):
    pass
