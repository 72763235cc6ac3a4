"""One number of the version, and it is in the CHANGELOG."""

import re
import tomllib
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rag_agent import __version__

ROOT = Path(__file__).parent.parent


def released() -> list[tuple[str, str]]:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$", changelog, re.MULTILINE)


def test_the_version_is_the_latest_of_the_changelog() -> None:
    assert released()[0][0] == __version__


def test_versions_of_the_changelog_go_down_with_their_dates() -> None:
    numbers = [tuple(map(int, number.split("."))) for number, _ in released()]
    dates = [date.fromisoformat(day) for _, day in released()]
    assert numbers == sorted(numbers, reverse=True)
    assert dates == sorted(dates, reverse=True)


def test_the_number_stands_in_one_place() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]


def test_the_command_says_it(run: Any) -> None:
    assert run("--version").out.strip() == __version__


def test_what_is_installed_is_this_version() -> None:
    assert version("rag-agent") == __version__
