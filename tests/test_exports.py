import importlib
import subprocess
import sys

import pytest

PROMISED = {
    "rag_agent": {"RagAgent", "Answer", "Citation", "Hit", "Settings", "RagAgentError", "Event", "IndexReport", "__version__"},
    "rag_agent.workflows": {"chat_graph", "rag_graph", "agent_graph"},
    "rag_agent.models": {"chat_model", "embeddings", "name_of", "providers"},
}


@pytest.mark.parametrize("module", PROMISED)
def test_the_promised_names_are_there_and_no_others_are_advertised(module: str) -> None:
    found = importlib.import_module(module)
    assert set(found.__all__) == PROMISED[module]
    for name in found.__all__:
        assert getattr(found, name) is not None


def test_the_doubles_are_public() -> None:
    from rag_agent.testing import CountEmbeddings, ScriptedChat

    assert ScriptedChat(["Yes."]).invoke("?").text == "Yes."
    assert CountEmbeddings(["moon", "water"]).embed_query("Moon, moon and moon") == [1.0, 0.0, 0.0]


def test_an_unknown_name_is_an_attribute_error() -> None:
    import rag_agent

    with pytest.raises(AttributeError, match="nothing"):
        rag_agent.nothing  # noqa: B018
    assert set(dir(rag_agent)) == PROMISED["rag_agent"]


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, rag_agent; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "transformers", "langgraph", "langchain_core", "numpy", "pydantic", "typer"} & set(loaded)
