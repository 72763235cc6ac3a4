"""Each room imports only from the rooms before it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "rag_agent"
ROOMS = (
    "errors", "telling", "parts", "private", "visible", "trust", "postgres", "settings", "tracing", "prompts", "sayings",
    "as_html", "answers", "language", "models", "documents", "index", "grounding", "memory", "workflows", "explaining",
    "turns", "agent", "watching", "evaluation", "server", "doctor", "console", "cli_trust", "cli_threads", "cli_memories",
    "cli_eval", "cli_models", "cli_serve", "cli", "testing",
)  # fmt: skip
# What may be used from anywhere: the version in the package's own `__init__`.
FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, with those inside functions and type-checking blocks."""
    package = ["rag_agent", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*package[: len(package) - node.level + 1], node.module or ""]) if node.level else node.module or ""
            yield from (f"{base}.{alias.name}" for alias in node.names)


def test_every_room_has_its_place() -> None:
    found = {room(path) for path in FILES} - {"__init__", "__main__"}
    assert found <= set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_from_rooms_before_it(path: Path) -> None:
    if room(path) in ("__init__", "__main__"):
        return
    allowed = set(ROOMS[: ROOMS.index(room(path)) + 1])
    used = {name.split(".")[1] for name in imports(path) if name.startswith("rag_agent.")} - {"__version__"}
    assert used <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_imports_what_stands_beside_the_package(path: Path) -> None:
    assert not {"graphs", "scripts", "tests", "pytest"} & {name.partition(".")[0] for name in imports(path)}


def test_the_reading_of_imports_sees_those_inside_functions(tmp_path: Path) -> None:
    assert any(name.startswith("rag_agent.") for name in imports(PACKAGE / "cli.py"))
