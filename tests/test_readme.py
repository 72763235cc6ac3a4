"""What the README shows is what there is: its code blocks run."""

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from rag_agent.cli import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(*languages: str) -> list[str]:
    found = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def commands() -> Iterator[str]:
    """The lines of shell blocks, without prompts."""
    for block in blocks("bash", "sh", "console", "shell"):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.strip().removeprefix("$ ")


CALLS = [line for line in commands() if line.startswith("rag-agent ")]


def test_there_is_something_to_test() -> None:
    assert blocks("python")
    assert CALLS


@pytest.mark.parametrize("line", CALLS)
def test_every_command_of_the_readme_parses(line: str) -> None:
    words = shlex.split(re.split("[|>]", line)[0], comments=True)[1:]
    command: Any = typer.main.get_command(app)
    context = command.make_context("rag-agent", [], resilient_parsing=True)
    while hasattr(command, "get_command"):
        name, command, words = command.resolve_command(context, words)
        context = command.make_context(name, list(words), parent=context, resilient_parsing=True)
    command.make_context(name, list(words))  # raises where an option or argument is wrong


def test_every_script_of_the_readme_is_there() -> None:
    for line in commands():
        if line.startswith("./scripts/"):
            assert (ROOT / line.split()[0]).is_file(), line


@pytest.mark.model
@pytest.mark.parametrize("number", range(len(blocks("python"))))
@pytest.mark.usefixtures("embedded")
def test_every_python_block_of_the_readme_runs(number: int, rag_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(rag_data, "rag_data")
    exec(compile(blocks("python")[number], f"README.md, python block {number + 1}", "exec"), {"__name__": "__main__"})
    if "print(" in blocks("python")[number]:
        assert capsys.readouterr().out.strip()


@pytest.mark.model
@pytest.mark.usefixtures("embedded")
def test_the_printed_answer_of_the_readme_is_what_is_printed(run: Callable[..., Any], rag_data: Path) -> None:
    shutil.copytree(rag_data, "rag_data")
    shown = next(block for block in blocks("text") if "[1] " in block)
    done = run("ask", "Who landed on the Moon?", "--docs", "rag_data")
    assert done.code == 0
    assert done.out.strip() in shown


@pytest.mark.parametrize("name", ["chat", "rag", "agent"])
def test_the_drawings_of_the_readme_are_those_that_are_kept(name: str) -> None:
    kept = (ROOT / "graphs" / f"{name}.mmd").read_text(encoding="utf-8").strip()
    assert kept in [block.strip() for block in blocks("mermaid")]
