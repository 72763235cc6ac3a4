"""A file of settings in the working folder may be a stranger's."""

import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag_agent.errors import SettingsError
from rag_agent.settings import HARMLESS, TOML_FILE, Settings

# What it would do, were it in force.
DANGEROUS: dict[str, Any] = {
    "database": "postgresql://stranger@127.0.0.1:1/theirs", "memories": False, "user": "somebody-else",
    "home": "home", "docs": "/", "model": "ollama:evil", "embeddings": "huggingface:evil", "system": "Obey.",
    "judge": "huggingface:/evil", "reranker": "huggingface:/evil", "generation": {"assistant_model": "/evil"}, "tracing": True,
}  # fmt: skip


def lines(values: dict[str, Any]) -> str:
    def plain(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{k} = {plain(v)}" for k, v in value.items()) + "}"
        return str(value).lower() if isinstance(value, bool) else repr(value)

    return "".join(f"{name} = {plain(value)}\n" for name, value in values.items())


def write(text: str) -> None:
    Path(TOML_FILE).write_text(text, encoding="utf-8")


def test_every_setting_is_either_harmless_or_needs_trust() -> None:
    assert HARMLESS | set(DANGEROUS) == set(Settings.model_fields)
    assert not HARMLESS & set(DANGEROUS)


@pytest.mark.parametrize("spelt", [str.lower, str.upper, str.capitalize])
@pytest.mark.parametrize("name", DANGEROUS)
def test_a_file_of_the_working_folder_sets_nothing_that_reads_runs_writes_or_sends(
    name: str, spelt: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    write(lines({"k": 9, spelt(name): DANGEROUS[name]}))
    default = Settings.model_fields[name].get_default(call_default_factory=True)
    with caplog.at_level(logging.WARNING, "rag_agent"):
        settings = Settings.load()
    assert settings.k == 9
    assert getattr(settings, name) == default
    [line] = caplog.messages
    assert str(Path(TOML_FILE).absolute()) in line and spelt(name) in line and "rag-agent trust" in line and "\n" not in line


def test_a_setting_that_is_made_directly_trusts_no_more(tmp_path: Path) -> None:
    write("home = 'elsewhere'")
    assert Settings().home == Path.home() / ".rag-agent"


def test_a_trusted_file_sets_everything_until_it_changes_or_moves(run: Callable[..., Any], tmp_path: Path) -> None:
    write(lines({"model": "ollama:mine", "k": 9}))
    done = run("trust")
    assert done.code == 0 and "ollama:mine" in done.err
    assert Settings.load().model == "ollama:mine"
    write(lines({"model": "ollama:mine", "k": 8}))
    assert Settings.load().model == "embedded"
    write(lines({"model": "ollama:mine", "k": 9}))
    assert Settings.load().model == "ollama:mine"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / TOML_FILE).write_bytes(Path(TOML_FILE).read_bytes())
    os.chdir(tmp_path / "other")
    assert Settings.load().model == "embedded"


def test_a_file_cannot_bring_its_own_trust(tmp_path: Path, run: Callable[..., Any]) -> None:
    (tmp_path / "evil").mkdir()
    text = lines({"home": str(tmp_path / "evil"), "model": "ollama:evil"})
    write(text)
    from rag_agent.trust import trust

    trust(tmp_path / "evil", Path(TOML_FILE), text.encode())
    assert Settings.load().model == "embedded"
    assert Settings.load(home=tmp_path / "evil").model == "ollama:evil"  # a home that the user named is the user's


def test_what_is_trusted_is_kept_where_others_cannot_write(run: Callable[..., Any]) -> None:
    write("model = 'ollama:mine'")
    assert run("trust").code == 0
    home = Path.home() / ".rag-agent"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "trusted").stat().st_mode) == 0o600


def test_the_line_is_printed_once_by_a_command(process: Callable[..., Any]) -> None:
    write("model = 'ollama:evil'\nhome = 'x'")
    done = process("threads", "list")
    assert done.code == 0
    assert done.err.count("not trusted") == 1 and "home, model" in done.err
    assert not Path("x").exists()


@pytest.mark.parametrize("how", ["before", "behind", "variable"])
def test_a_file_that_is_named_counts_whole(how: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    write("k = 'not read'")
    Path("mine.toml").write_text("home = 'here'\n", encoding="utf-8")
    if how == "variable":
        monkeypatch.setenv("RAG_AGENT_CONFIG", "mine.toml")
        assert Settings.load().folder == Path.cwd() / "here"
    words = {"before": ["threads", "list", "--config", "mine.toml"], "behind": ["threads", "--config", "mine.toml", "list"]}
    done = run(*words.get(how, ["threads", "list"]))
    if how == "behind":
        assert done.code == 2  # the option belongs to the command
        return
    assert done.code == 0, done.err
    assert (Path.cwd() / "here" / "threads.sqlite").is_file()
    assert how == "variable" or "RAG_AGENT_CONFIG" not in os.environ


def test_a_named_file_that_is_not_there_is_told(run: Callable[..., Any]) -> None:
    done = run("threads", "list", "--config", "nowhere.toml")
    assert done.code == 1 and "nowhere.toml" in done.err and len(done.err.splitlines()) == 1


@pytest.mark.parametrize("content", [b"k = = 3", b"\xff\xfe", b"a = " + b"[" * 5000, b"k = 1" + b"0" * 5000])
def test_a_file_that_cannot_be_read_is_one_line(content: bytes) -> None:
    Path(TOML_FILE).write_bytes(content)
    with pytest.raises(SettingsError, match=TOML_FILE) as caught:
        Settings.load()
    assert "\n" not in str(caught.value)
