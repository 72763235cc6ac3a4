"""What a chat model in this process computes, and for whom: prefix cache, assistants, queue, cancellation."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from rag_agent.errors import ModelError, SettingsError
from rag_agent.models import chat_model
from rag_agent.models.prefix_cache import PrefixCache

WORDS = "one two three four five six seven eight nine ten"


def chat(folder: Path, **generation: Any) -> Any:
    return chat_model(f"huggingface:{folder}", **{"max_new_tokens": 8, **generation})


@pytest.fixture
def passes(tiny_chat: Path) -> Iterator[list[int]]:
    """How many tokens each pass through the tiny model's weights computed."""
    found: list[int] = []
    loaded = chat(tiny_chat)._loaded()
    loaded.prefixes = PrefixCache(loaded.model.config, 2**20)
    hook = loaded.model.register_forward_pre_hook(
        lambda _, args, given: found.append(given["input_ids"].shape[1]), with_kwargs=True
    )
    yield found
    hook.remove()


# --- prefix cache -------------------------------------------------------------------------------------------------------


def turns(model: Any, number: int) -> list[str]:
    """The replies of a conversation."""
    history: list[BaseMessage] = []
    for question in (f"{WORDS} who ?", "tell me more", "what is it ?")[:number]:
        history.append(HumanMessage(question))
        history.append(AIMessage(model.invoke(history).text))
    return [message.text for message in history[1::2]]


def test_the_next_turn_costs_its_new_tokens_alone(tiny_chat: Path, passes: list[int]) -> None:
    turns(chat(tiny_chat), 2)
    # <s> <|user|>, 12 words, <|assistant|>; then a word a pass
    assert passes[:8] == [15] + [1] * 7
    # the last word of the reply, <|user|> tell me more <|assistant|>
    assert passes[8] <= 6


def test_without_the_cache_each_turn_costs_the_whole_conversation(tiny_chat: Path, passes: list[int]) -> None:
    turns(chat(tiny_chat, prefix_cache=False), 2)
    assert passes[8] > 25


def test_replies_are_the_same_with_and_without_the_cache(tiny_chat: Path, passes: list[int]) -> None:
    assert turns(chat(tiny_chat), 3) == turns(chat(tiny_chat, prefix_cache=False), 3)


def test_several_replies_read_their_prompt_once(tiny_chat: Path, passes: list[int]) -> None:
    model = chat(tiny_chat, num_return_sequences=3, temperature=1.0, seed=1)
    model.invoke(f"{WORDS} {WORDS} who ?")
    assert [count for count in passes if count > 1] == [25]


def test_a_reply_that_was_cancelled_or_failed_spoils_nothing(tiny_chat: Path, passes: list[int]) -> None:
    alone = turns(chat(tiny_chat, prefix_cache=False), 3)
    model = chat(tiny_chat)
    stream = model.stream(f"{WORDS} who ?")
    next(stream)
    stream.close()
    layer = model._loaded().model.model.layers[1]

    def fails(*_: Any) -> None:
        raise RuntimeError("the bus is on fire")

    hook = layer.register_forward_pre_hook(fails)  # the first layer has its states by then, the second has not
    with pytest.raises(ModelError, match="the bus is on fire"):
        model.invoke(f"{WORDS} who was it ?")
    hook.remove()
    assert turns(model, 3) == alone


def test_the_states_of_old_prompts_make_room_for_new_ones(tiny_chat: Path, passes: list[int]) -> None:
    model = chat(tiny_chat, max_new_tokens=2)
    loaded = model._loaded()
    # 256 tokens (the step of a layer's room) by 2 layers, keys and values of 32 numbers of 4 bytes
    entry = 256 * 2 * 2 * 32 * 4
    loaded.prefixes = PrefixCache(loaded.model.config, 2 * entry)
    for first in ("moon", "water", "plant"):
        model.invoke(f"{first} {WORDS} {WORDS}")
        assert 0 < loaded.prefixes.bytes <= 2 * entry
    passes.clear()
    for first in ("plant", "water", "moon"):
        model.invoke(f"{first} {WORDS} {WORDS}")
    assert [count for count in passes if count > 1] == [24]  # only that of the moon had gone


# --- assisted generation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cached", [True, False])
def test_assisted_replies_are_those_of_the_model_alone(tiny_chat: Path, tiny_strict: Path, cached: bool) -> None:
    alone = turns(chat(tiny_chat, prefix_cache=False), 3)
    assert turns(chat(tiny_chat, prompt_lookup_num_tokens=3, prefix_cache=cached), 3) == alone
    assert turns(chat(tiny_chat, assistant_model=str(tiny_strict), prefix_cache=cached), 3) == alone


def test_an_assistant_that_guesses_right_saves_passes(tiny_chat: Path, tiny_strict: Path, passes: list[int]) -> None:
    chat(tiny_chat, assistant_model=str(tiny_strict)).invoke("hello")  # the same weights in another folder: always right
    assert len(passes) < 8


def test_an_assistant_of_another_vocabulary_is_told(tiny_chat: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    for file in tiny_chat.iterdir():
        (tmp_path / file.name).symlink_to(file)
    other = AutoTokenizer.from_pretrained(tiny_chat)
    other.add_tokens(["zebra"])
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "tokenizer_config.json").unlink()
    other.save_pretrained(tmp_path)
    with pytest.raises(SettingsError, match="assistant_model: .* has another vocabulary than the model"):
        chat(tiny_chat, assistant_model=str(tmp_path)).invoke("hello")


def test_settings_of_assistants_that_make_no_sense_are_told(tiny_chat: Path) -> None:
    with pytest.raises(SettingsError, match="contradicts prompt_lookup_num_tokens"):
        chat(tiny_chat, assistant_model=str(tiny_chat), prompt_lookup_num_tokens=3)
    with pytest.raises(SettingsError, match="prompt_lookup_num_tokens"):
        chat(tiny_chat, prompt_lookup_num_tokens=0)


# --- several callers ----------------------------------------------------------------------------------------------------


def test_eight_streams_at_once_give_eight_right_replies(tiny_chat: Path) -> None:
    model = chat(tiny_chat)
    questions = [f"{word} {WORDS} who ?" for word in WORDS.split()[:8]]
    alone = [chat(tiny_chat, prefix_cache=False).invoke(question).text for question in questions]
    assert len(set(alone)) > 1
    found = [""] * 8

    def ask(number: int) -> None:
        for chunk in model.stream(questions[number]):
            found[number] += chunk.text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


def held(loaded: Any) -> threading.Event:
    """Let the model wait before its next generation until the event is set."""
    go = threading.Event()
    loaded.worker.submit(go.wait)
    return go


def test_callers_are_served_in_the_order_they_came(tiny_chat: Path, passes: list[int]) -> None:
    model = chat(tiny_chat, max_new_tokens=1)
    go = held(model._loaded())
    came: list[int] = []

    def ask(number: int) -> None:
        came.append(number)
        model.invoke("one " * number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 7)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        while len(came) < number:
            time.sleep(0.01)
        time.sleep(0.05)  # it has come, and queues up
    go.set()
    for thread in threads:
        thread.join()
    assert passes == sorted(passes)  # each prompt is a token longer than the one before


def test_a_caller_that_gives_up_in_the_queue_does_not_wait(tiny_chat: Path, passes: list[int]) -> None:
    from rag_agent.models.generation import Run

    loaded = chat(tiny_chat)._loaded()
    go = held(loaded)
    run = Run(loaded, [2, 5, 6], loaded.generation_config(max_new_tokens=4), None)
    run.cancel()  # returns although the one before is not done
    go.set()
    assert chat(tiny_chat).invoke("hello").text
    assert 3 not in passes


def test_closing_a_stream_ends_its_generation(tiny_chat: Path, passes: list[int]) -> None:
    stream = chat(tiny_chat, max_new_tokens=55).stream("hello")
    next(stream)
    stream.close()
    computed = len(passes)
    assert computed < 55
    time.sleep(0.1)
    assert len(passes) == computed
    assert chat(tiny_chat).invoke("hello").text  # and the model is free again


def test_a_long_prompt_is_given_up_between_its_layers(tiny_chat: Path) -> None:
    from rag_agent.models.generation import Run

    loaded = chat(tiny_chat)._loaded()
    reached, go = threading.Event(), threading.Event()
    second = []

    def wait(*_: Any) -> None:
        reached.set()
        go.wait(5)

    hooks = [
        loaded.model.model.layers[0].register_forward_hook(wait),
        loaded.model.model.layers[1].register_forward_hook(lambda *_: second.append(1)),
    ]
    run = Run(loaded, [2, 5, 6], loaded.generation_config(max_new_tokens=4), None)
    assert reached.wait(5)
    cancelling = threading.Thread(target=run.cancel)
    cancelling.start()
    time.sleep(0.05)
    go.set()
    cancelling.join(5)
    assert not cancelling.is_alive()
    assert second == []
    for hook in hooks:
        hook.remove()


# --- asynchronous callers -----------------------------------------------------------------------------------------------


async def test_the_loop_turns_while_the_model_writes(tiny_chat: Path) -> None:
    model = chat(tiny_chat)
    expected = model.invoke("hello").text
    go = held(model._loaded())
    reply = asyncio.ensure_future(model.ainvoke("hello"))
    streamed = asyncio.ensure_future(anext(model.astream("hello")))
    await asyncio.sleep(0.05)  # the loop is free, though the model is not
    assert not reply.done() and not streamed.done()
    go.set()
    assert (await reply).text == expected
    assert expected.startswith((await streamed).text)


async def test_batches_keep_their_order(tiny_chat: Path) -> None:
    model = chat(tiny_chat)
    questions = [f"{word} who ?" for word in WORDS.split()[:4]]
    alone = [model.invoke(question).text for question in questions]
    assert [reply.text for reply in model.batch(questions)] == alone
    assert [reply.text for reply in await model.abatch(questions)] == alone


async def test_a_task_that_is_cancelled_frees_the_model(tiny_chat: Path, passes: list[int]) -> None:
    model = chat(tiny_chat, max_new_tokens=55)

    async def read() -> None:
        async for _ in model.astream("hello"):
            pass

    task = asyncio.ensure_future(read())
    while not passes:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(chat(tiny_chat).invoke, "one")
    assert len(passes) < 55


def test_a_cache_that_fails_ends_its_reply_and_no_other(tiny_chat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = chat(tiny_chat)
    expected = model.invoke("who landed ?").text
    loaded = model._loaded()

    def no_room(*_: Any, **__: Any) -> None:
        raise RuntimeError("no room for the states")

    with monkeypatch.context() as patched:
        patched.setattr(loaded.prefixes, "begin", no_room)
        with pytest.raises(ModelError, match="no room for the states"):
            model.invoke("who landed ?")
    assert model.invoke("who landed ?").text == expected
