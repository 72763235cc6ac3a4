"""LangChain's own suites over our chat model.

Left out by the suites' own switches, since the model offers none of it: tool calling and all that stands on it (structured
output, JSON mode, tool messages, agent loop), images, audio and PDF, another model for one call (`model=`: a handle holds one),
VCR cassettes (there is no traffic to record).
"""

from pathlib import Path
from typing import Any

import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from rag_agent.models.transformers_chat import TransformersChat
from rag_agent.models.weights import Weights

STANDARD = {"temperature": 0, "max_tokens": 8, "stop": []}  # the suite's, less a server's: api_key, timeout, max_retries


class TestTransformersChat(ChatModelUnitTests):
    @pytest.fixture(autouse=True)
    def folder(self, tiny_chat: Path) -> None:
        self._folder = tiny_chat

    @property
    def chat_model_class(self) -> type[TransformersChat]:
        return TransformersChat

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"weights": Weights(str(self._folder))}

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        return STANDARD

    @property
    def has_tool_calling(self) -> bool:
        return False  # `bind_tools` is there only to say so

    @property
    def has_structured_output(self) -> bool:
        return False

    # Skipped: test_init_from_env (no setting of this class comes from the environment; `Settings` reads it for the whole
    # program) and test_serdes (a handle to weights on this machine is no serialisable object).

    @pytest.mark.xfail(reason="`streaming` is a setting for old callers; unknown settings are refused here", strict=True)
    def test_init_streaming(self) -> None:
        super().test_init_streaming()


@pytest.mark.model
class TestEmbeddedChat(ChatModelIntegrationTests):
    @pytest.fixture(autouse=True)
    def folder(self, embedded_models: dict[str, Path]) -> None:
        self._folder = embedded_models["SmolLM2-135M-Instruct"]

    @property
    def chat_model_class(self) -> type[TransformersChat]:
        return TransformersChat

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"weights": Weights(str(self._folder)), "quantization": "auto", "max_new_tokens": 4}

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        return {"temperature": 0, "stop": []}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False


def test_tools_are_refused_in_a_clear_line(tiny_chat: Path) -> None:
    model = TransformersChat(weights=Weights(str(tiny_chat)))
    with pytest.raises(NotImplementedError, match="calls no tools; use one of a server"):
        model.with_structured_output({"title": "a", "type": "object"})
    with pytest.raises(NotImplementedError, match="calls no tools; use one of a server"):
        list(map(model.bind_tools, [[]]))
