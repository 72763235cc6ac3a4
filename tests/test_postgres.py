"""A database in place of the home: what is kept where, and what messages do not tell."""

from pathlib import Path

import pytest

from rag_agent import RagAgent, Settings
from rag_agent.errors import SettingsError
from rag_agent.postgres import connect, shown
from rag_agent.testing import ScriptedChat

SECRET = "s3cret"


@pytest.mark.parametrize("through", ["argument", "settings"])
def test_a_home_in_memory_keeps_nothing_in_a_database_of_the_surroundings(
    postgres: str, monkeypatch: pytest.MonkeyPatch, through: str
) -> None:
    monkeypatch.setenv("RAG_AGENT_DATABASE", postgres)
    settings = Settings.load() if through == "argument" else Settings.load(home=":memory:")
    with RagAgent(model=ScriptedChat(["Hm."]), home=":memory:" if through == "argument" else None, settings=settings) as agent:
        agent.ask("The plan is secret.", thread_id="t")
        assert len(agent.threads.show("t")) == 1
    with RagAgent(model=ScriptedChat([])) as agent:
        assert not agent.threads.list()


def test_a_home_that_is_a_url_is_the_database_and_another_process_finds_what_was_said(postgres: str) -> None:
    with RagAgent(model=ScriptedChat(["Hm."]), home=postgres) as agent:
        agent.ask("Who landed?", thread_id="t")
    with RagAgent(model=ScriptedChat([]), settings=Settings.load(database=postgres)) as agent:
        assert [turn.question for turn in agent.threads.show("t")] == ["Who landed?"]


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}@localhost:1/db",
        f"postgresql://ann:{SECRET}%zz@localhost:1/db",
        f"postgresql://ann:a/{SECRET}@localhost:1/db",
        f"postgresql://ann:a?{SECRET}@localhost:1/db",
        f"postgresql://ann:{SECRET}@localhost:port/db",
        f"postgresql://ann:{SECRET}@[::1/db",
        f"postgresql://localhost:1/db?user=ann&password={SECRET}",
        f"postgresql://localhost:1/db?password={SECRET}@1",
    ],
)
def test_no_message_shows_the_password(url: str) -> None:
    assert SECRET not in shown(url)
    assert SECRET not in repr(Settings.load(database=url))
    with pytest.raises(SettingsError) as told:
        connect(url)
    assert SECRET not in str(told.value)
    assert "\n" not in str(told.value)


def test_what_names_no_database_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="write it like postgresql://"):
        Settings.load(database=str(tmp_path))
