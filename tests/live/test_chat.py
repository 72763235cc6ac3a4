"""The embedded chat model: many callers, a closed stream, the prefix cache."""

import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from rag_agent.errors import ModelError
from rag_agent.models import chat_model

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("embedded")]

CAPITALS = ["France", "Italy", "Spain", "Japan", "Egypt", "Cuba", "Peru", "Norway"]


def test_eight_streams_at_once_give_eight_right_replies() -> None:
    # In 8 or 16 bits, words that are almost as likely fall one way alone and another beside others.
    model = chat_model("embedded", max_new_tokens=8, quantization=None, dtype="float32")
    questions = [f"What is the capital of {country}?" for country in CAPITALS]
    found: dict[str, str] = {}

    def ask(question: str) -> None:
        found[question] = "".join(chunk.text for chunk in model.stream(question))

    threads = [threading.Thread(target=ask, args=(question,)) for question in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {question: model.invoke(question).text for question in questions}
    assert len(set(found.values())) > 6
    assert "Paris" in found[questions[0]]


def test_a_closed_stream_frees_the_processor() -> None:
    model = chat_model("embedded", max_new_tokens=200, min_new_tokens=200)
    stream: Any = model.stream(f"Tell me a story. {'It begins in the harbour of a small town. ' * 30}")
    next(stream)
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < 0.5
    busy = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - busy < 0.25


def test_a_conversation_reads_alike_with_and_without_the_prefix_cache() -> None:
    def replies(**settings: Any) -> list[str]:
        model = chat_model("embedded", max_new_tokens=10, quantization=None, dtype="float32", **settings)
        history: list[BaseMessage] = []
        for question in ("What is the capital of France?", "And of Italy?", "Which of them is larger?"):
            history.append(HumanMessage(question))
            history.append(AIMessage(model.invoke(history).text))
        return [message.text for message in history[1::2]]

    assert replies() == replies(prefix_cache=False)


def test_a_process_ends_in_the_middle_of_a_reply() -> None:
    code = (
        "from rag_agent.models import chat_model\n"
        "stream = chat_model('embedded', max_new_tokens=200, min_new_tokens=200).stream('Tell me a story.')\n"
        "print(next(stream).text)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<think>It may be Lyon.</think>\n\nParis is the capital.", "Paris is the capital."),
        ("Paris. <think> is a mark.", "Paris. <think> is a mark."),
    ],
)
def test_thoughts_stay_out_of_the_reply(monkeypatch: pytest.MonkeyPatch, written: str, shown: str) -> None:
    model: Any = chat_model("embedded", max_new_tokens=40)
    ids = model._loaded().tokenizer(written, add_special_tokens=False)["input_ids"]
    monkeypatch.setattr("rag_agent.models.generation.Run", lambda *_, **__: _Written(ids))
    assert model.invoke("What is the capital of France?").text == shown
    assert "".join(chunk.text for chunk in model.stream("What is the capital of France?")) == shown


def test_thoughts_without_an_end_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = chat_model("embedded", max_new_tokens=40)
    ids = model._loaded().tokenizer("<think>It may be Lyon, or", add_special_tokens=False)["input_ids"]
    monkeypatch.setattr("rag_agent.models.generation.Run", lambda *_, **__: _Written(ids))
    with pytest.raises(ModelError, match="still thinking after 40 tokens; set max_new_tokens higher"):
        model.invoke("What is the capital of France?")


class _Written(list[int]):
    """A generation that writes what it is told."""

    ended = True

    def cancel(self) -> None:
        """Nothing is running."""
