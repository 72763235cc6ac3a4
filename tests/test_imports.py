import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "transformers", "langgraph", "langchain_core", "numpy", "pydantic", "pydantic_settings", "sqlite3", "httpx"}
CODE = """
import sys
from rag_agent.cli import main
sys.argv = {argv!r}
try:
    main()
finally:
    print(*sorted({{name.partition('.')[0] for name in sys.modules}}), file=sys.stderr)
"""


def loaded_by(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(argv=["rag-agent", *words])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Usage: rag-agent" in done.stdout
    return set(done.stderr.split())


def test_help_loads_nothing_heavy() -> None:
    loaded = loaded_by("--help")
    assert "typer" in loaded  # else nothing was measured
    assert not HEAVY & loaded


@pytest.mark.parametrize("words", [["ask", "--help"], ["threads", "--help"], ["models", "list", "--help"]])
def test_help_of_a_command_loads_nothing_heavy(words: list[str]) -> None:
    assert not (HEAVY - {"pydantic"}) & loaded_by(*words)  # typer itself asks pydantic where there are parameters


def test_a_setting_that_is_refused_costs_no_model() -> None:
    code = CODE.format(argv=["rag-agent", "ask", "x", "--set", "temperature"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert not {"torch", "transformers", "langgraph"} & set(done.stderr.split())


@pytest.mark.model
@pytest.mark.usefixtures("embedded")
@pytest.mark.parametrize("words", [["index", "rag_data"], ["ask", "Who landed on the Moon?", "--docs", "rag_data"]])
def test_a_quote_needs_neither_torch_nor_transformers(words: list[str]) -> None:
    samples = str(Path(__file__).parent.parent / "rag_data")
    code = CODE.format(argv=["rag-agent", *(samples if word == "rag_data" else word for word in words)])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "onnxruntime" in loaded  # else nothing was measured
    assert not {"torch", "transformers", "onnx", "sentence_transformers", "scipy", "sklearn", "huggingface_hub"} & loaded
