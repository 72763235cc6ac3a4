"""Small things that people do every day, and that ended in a traceback or in silence."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage, trim_messages

from rag_agent import RagAgent
from rag_agent.errors import SettingsError
from rag_agent.models import chat_model
from rag_agent.models.templates import prompt_text
from rag_agent.testing import ScriptedChat

UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize("thread_id", [1, 0, -5, UUID, "1"])
def test_a_number_or_a_uuid_names_a_conversation_as_its_text_does(thread_id: Any, tmp_path: Path) -> None:
    with RagAgent(model=ScriptedChat(["One.", "Two.", "Three."]), home=tmp_path / "h") as agent:
        assert agent.ask("First?", thread_id=thread_id).thread_id == str(thread_id)
        agent.ask("Second?", thread_id=str(thread_id))
        assert [turn.question for turn in agent.threads.show(thread_id)] == ["First?", "Second?"]
        assert [thread.thread_id for thread in agent.threads.list()] == [str(thread_id)]
        agent.edit(thread_id, 2, "Third?")
        agent.threads.rename(thread_id, "x")
        agent.threads.rewind(thread_id, 1)
        assert "First?" in agent.threads.export(thread_id)
        agent.threads.delete(thread_id)


async def test_a_number_names_a_conversation_for_async_callers_too(tmp_path: Path) -> None:
    with RagAgent(model=ScriptedChat(["One."]), home=tmp_path / "h") as agent:
        assert (await agent.aask("First?", thread_id=1)).thread_id == "1"


@pytest.mark.parametrize("thread_id", ["", True, 1.5, b"x", ["x"], object()])
def test_what_names_no_conversation_is_told_in_one_line(thread_id: Any, tmp_path: Path) -> None:
    with RagAgent(model=ScriptedChat([]), home=tmp_path / "h") as agent, pytest.raises(SettingsError, match="thread ID"):
        agent.ask("Who?", thread_id=thread_id)


# --- models of this process ---------------------------------------------------------------------------------------------


def test_lengths_are_counted_by_the_models_own_tokenizer(tiny_chat: Path) -> None:
    model = chat_model(f"huggingface:{tiny_chat}")
    assert len(model.get_token_ids("neil armstrong landed")) == model.get_num_tokens("neil armstrong landed") == 3
    said = [HumanMessage("one two"), AIMessage("three four"), HumanMessage("five six")]
    length = model.get_num_tokens_from_messages(said)
    assert length > model.get_num_tokens_from_messages(said[:1])
    assert trim_messages(said, max_tokens=length, token_counter=model) == said
    assert trim_messages(said, max_tokens=length - 1, token_counter=model, start_on="human") == said[2:]
    assert model.get_num_tokens_from_messages([]) == 0


def test_the_cache_of_replies_tells_models_and_settings_apart(tiny_chat: Path, tiny_base: Path) -> None:
    given: list[tuple[Path, dict[str, Any]]] = [
        (tiny_chat, {}), (tiny_base, {}), (tiny_chat, {"max_new_tokens": 3}), (tiny_chat, {"temperature": 0.5}),
        (tiny_chat, {"temperature": 0.5, "seed": 1}), (tiny_chat, {"temperature": 0.5, "top_k": 3}), (tiny_chat, {"stop": ["x"]}),
        (tiny_chat, {"repetition_penalty": 1.5}), (tiny_chat, {"dtype": "bfloat16"}), (tiny_chat, {"min_new_tokens": 2}),
    ]  # fmt: skip
    keys = [chat_model(f"huggingface:{folder}", **settings)._get_llm_string() for folder, settings in given]
    assert len(set(keys)) == len(given)
    assert keys == [chat_model(f"huggingface:{folder}", **settings)._get_llm_string() for folder, settings in given]


def test_a_cached_reply_is_that_of_the_model_and_settings_asked(tiny_chat: Path) -> None:
    from langchain_core.caches import InMemoryCache
    from langchain_core.globals import set_llm_cache

    set_llm_cache(InMemoryCache())
    try:
        longer = chat_model(f"huggingface:{tiny_chat}", max_new_tokens=6).invoke("who landed")
        shorter = chat_model(f"huggingface:{tiny_chat}", max_new_tokens=2).invoke("who landed")
    finally:
        set_llm_cache(None)
    assert longer.usage_metadata and shorter.usage_metadata
    assert shorter.usage_metadata["output_tokens"] <= 2 < longer.usage_metadata["output_tokens"]


@pytest.mark.parametrize("how", ["made", "bound", "called", "set"])
def test_the_usual_name_of_the_limit_is_taken_wherever_settings_are(tiny_chat: Path, how: str) -> None:
    name = f"huggingface:{tiny_chat}"
    if how == "set":
        with RagAgent(model=name, home=":memory:", settings=_settings(max_tokens=2)) as agent:
            assert agent.ask("who landed").usage["output_tokens"] <= 2
        return
    model = chat_model(name, max_tokens=2) if how == "made" else chat_model(name, max_new_tokens=9)
    asked = model.bind(max_tokens=2) if how == "bound" else model
    reply = asked.invoke("who", max_tokens=2) if how == "called" else asked.invoke("who")
    assert reply.usage_metadata and reply.usage_metadata["output_tokens"] <= 2


def test_the_limit_by_both_of_its_names_is_refused(tiny_chat: Path) -> None:
    with pytest.raises(SettingsError, match="max_tokens and max_new_tokens"):
        chat_model(f"huggingface:{tiny_chat}", max_tokens=1, max_new_tokens=2)


def test_a_reply_that_ended_at_its_limit_is_told_in_the_answer(tiny_chat: Path) -> None:
    with RagAgent(model=f"huggingface:{tiny_chat}", home=":memory:", settings=_settings(max_new_tokens=2)) as agent:
        assert any("limit of tokens" in line for line in agent.ask("who landed").left_out)


def test_calls_of_tools_and_their_results_are_told_in_words_to_a_model_that_has_none(tiny_chat: Path) -> None:
    said = [
        SystemMessage("role"),
        HumanMessage("What is the weather?"),
        AIMessage("", tool_calls=[{"name": "weather", "args": {"city": "Rome"}, "id": "1"}]),
        ToolMessage("Sunny, 20 degrees", tool_call_id="1", name="weather"),
    ]
    model = chat_model(f"huggingface:{tiny_chat}", max_new_tokens=2)
    from transformers import AutoTokenizer

    prompt = prompt_text(AutoTokenizer.from_pretrained(tiny_chat), said)
    assert 'weather: {"city": "Rome"}' in prompt
    assert "Result of weather: Sunny, 20 degrees" in prompt
    assert model.invoke(said).usage_metadata


def _settings(**generation: Any) -> Any:
    from rag_agent import Settings

    return Settings.load(generation=generation)
