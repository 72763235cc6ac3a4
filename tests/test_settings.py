from pathlib import Path

import pytest

from rag_agent import RagAgentError, Settings
from rag_agent.errors import SettingsError
from rag_agent.settings import assignments, trust_home
from rag_agent.trust import trust

DEFAULT = Settings.model_fields["k"].default


def toml(text: str) -> None:
    """A file of settings that is trusted; `test_trust.py` has those that are not."""
    Path("rag_agent.toml").write_text(text, encoding="utf-8")
    trust(trust_home(), Path("rag_agent.toml"), text.encode())


def test_defaults() -> None:
    settings = Settings.load()
    assert settings.home == settings.folder == Path.home() / ".rag-agent"
    assert (settings.model, settings.embeddings) == ("embedded", "embedded")
    assert (settings.chunk_size, settings.chunk_overlap, settings.separator) == (500, 50, None)


def test_an_argument_comes_before_a_variable_before_the_file_before_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().k == DEFAULT
    toml("k = 15")
    assert Settings.load().k == 15
    monkeypatch.setenv("RAG_AGENT_K", "16")
    assert Settings.load().k == 16
    assert Settings.load(k=17).k == 17


def test_an_argument_that_is_none_counts_as_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_AGENT_MODEL", "ollama:x")
    assert Settings.load(model=None).model == "ollama:x"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_AGENT_K", "")
    assert Settings.load().k == DEFAULT


def test_a_misspelt_variable_is_told_with_the_right_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_AGENT_MODLE", "x")
    with pytest.raises(SettingsError, match="RAG_AGENT_MODLE.*RAG_AGENT_MODEL"):
        Settings.load()


def test_a_variable_that_is_like_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_AGENT_QQQQ", "x")
    with pytest.raises(SettingsError, match="RAG_AGENT_QQQQ.*unset"):
        Settings.load()


def test_variables_of_the_tests_are_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_AGENT_TEST_OLLAMA", "/x")
    Settings.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("k", "0"), ("k", "many"), ("chunk_size", "3"), ("chunk_overlap", "-1"), ("answer", "sometimes"),
        ("generation", "temperature"),
    ],
)  # fmt: skip
def test_a_bad_value_is_one_line_that_names_the_setting_and_its_source(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"RAG_AGENT_{name.upper()}", value)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert "\n" not in str(caught.value)
    assert name in str(caught.value) or value in str(caught.value)
    if name != "generation":
        assert f"RAG_AGENT_{name.upper()}" in str(caught.value)


def test_a_bad_value_in_the_file_names_the_file() -> None:
    toml("k = 0")
    with pytest.raises(SettingsError, match=r"^k \(from rag_agent.toml\): "):
        Settings.load()


def test_a_bad_argument_is_not_blamed_on_the_file() -> None:
    toml("k = 3")
    with pytest.raises(SettingsError, match="^k: "):
        Settings.load(k=0)


def test_an_unknown_key_in_the_file_is_told() -> None:
    toml("modle = 'x'")
    with pytest.raises(SettingsError, match="modle.*rag_agent.toml"):
        Settings.load()


def test_a_file_that_is_not_toml_is_named() -> None:
    toml("k = = 3")
    with pytest.raises(SettingsError, match="rag_agent.toml is not valid TOML") as caught:
        Settings.load()
    assert "\n" not in str(caught.value)


def test_an_overlap_as_large_as_a_chunk_is_refused() -> None:
    with pytest.raises(SettingsError, match="smaller"):
        Settings.load(chunk_size=100, chunk_overlap=100)


def test_an_empty_separator_is_refused() -> None:
    with pytest.raises(SettingsError, match="separator"):
        Settings.load(separator="")


def test_a_dotenv_file_is_not_read() -> None:
    Path(".env").write_text("RAG_AGENT_K=9", encoding="utf-8")
    assert Settings.load().k == DEFAULT


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().k = 5  # type: ignore[misc]


@pytest.mark.parametrize("how", ["argument", "variable", "file"])
def test_the_home_that_writes_nothing_is_no_folder_of_that_name(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "variable":
        monkeypatch.setenv("RAG_AGENT_HOME", ":memory:")
    if how == "file":
        toml('home = ":memory:"')
    settings = Settings.load(home=":memory:" if how == "argument" else None)
    assert settings.home == ":memory:"
    assert settings.folder is None


def test_a_home_is_made_absolute() -> None:
    assert Settings.load(home="~/x").folder == Path.home() / "x"
    assert Settings.load(home="here").folder == Path.cwd() / "here"


def test_models_are_looked_for_in_the_home_then_in_the_default_one() -> None:
    assert Settings.load(home="h").model_folders == [Path.cwd() / "h" / "models", Path.home() / ".rag-agent" / "models"]
    assert Settings.load().model_folders == [Path.home() / ".rag-agent" / "models"]


def test_generation_settings_read_like_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_AGENT_GENERATION", "temperature=0.7 seed=1")
    assert Settings.load().generation == {"temperature": 0.7, "seed": 1}


def test_generation_settings_in_the_file_are_a_table() -> None:
    toml("[generation]\ntemperature = 0.5\n")
    assert Settings.load().generation == {"temperature": 0.5}


def test_assignments_read_numbers_and_constants() -> None:
    words = ["a=1", "b=0.5", "c=true", "d=None", "e=x=y", "f="]
    assert assignments(words) == {"a": 1, "b": 0.5, "c": True, "d": None, "e": "x=y", "f": ""}


@pytest.mark.parametrize("word", ["temperature", "=1"])
def test_an_assignment_without_a_name_or_a_value_is_refused(word: str) -> None:
    with pytest.raises(RagAgentError, match="name=value"):
        assignments([word])
