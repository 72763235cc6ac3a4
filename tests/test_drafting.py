"""A turn with a reader: what it is given, what is told while it reads, and what its reply becomes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from rag_agent import Answer, Event, RagAgent, Settings, prompts
from rag_agent.testing import CountEmbeddings, Reply, ScriptedChat

Ask = Callable[..., tuple[Answer, ScriptedChat, list[Event]]]
ORBIT = "Michael Collins stayed in orbit aboard Columbia."
ASKED = "Who stayed in orbit?"


@pytest.fixture
def ask(docs: Path, words: tuple[str, ...]) -> Ask:
    def ask(replies: Sequence[Reply], question: str = ASKED, **settings: Any) -> tuple[Answer, ScriptedChat, list[Event]]:
        model = ScriptedChat(replies)
        given = Settings.load(home=":memory:", refusal_threshold=0.0, **settings)
        with RagAgent(docs, model=model, embeddings=CountEmbeddings(words), settings=given) as agent:
            events = list(agent.stream(question))
            answer = events[-1].answer
            assert answer is not None
            for citation in answer.citations:
                assert agent.read(citation.file)[citation.start : citation.end] == citation.quote
        return answer, model, events

    return ask


def test_the_answer_comes_first_and_its_unit_behind_it(ask: Ask) -> None:
    answer, _, _ = ask(['{"answer": "Michael Collins", "passages": [1]}'])
    assert answer.text == f"Michael Collins [1]\n\n{ORBIT} [1]"
    assert answer.kind == "generated"
    assert [(one.text, one.standing, one.citations) for one in answer.sentences] == [
        ("Michael Collins", "quote", (0,)),
        (ORBIT, "quote", (0,)),
    ]
    assert [citation.quote for citation in answer.citations] == [ORBIT]


def test_a_reply_that_is_a_unit_is_shown_once(ask: Ask) -> None:
    answer, _, _ = ask([ORBIT])
    assert (answer.text, answer.kind) == (f"{ORBIT} [1]", "generated")
    assert [one.standing for one in answer.sentences] == ["quote"]


def test_quotes_are_told_before_the_model_is_asked_and_the_answer_follows(ask: Ask) -> None:
    _, _, events = ask(['{"answer": "Michael Collins", "passages": [1]}'])
    told = [(event.type, event.standing) for event in events if event.type in ("quote", "sentence")]
    assert told[0] == ("quote", "quote")
    assert told[-2:] == [("sentence", "quote")] * 2
    quotes = [event.text for event in events if event.type == "quote"]
    assert ORBIT in quotes
    drafted = next(n for n, event in enumerate(events) if event.type == "step" and event.node == "generate" and event.ended)
    assert max(n for n, event in enumerate(events) if event.type == "quote") < drafted


def test_one_generation_a_turn(ask: Ask) -> None:
    for reply in ('{"answer": "Michael Collins", "passages": [1]}', "Buzz Aldrin did.", "", "Nobody knows."):
        _, model, _ = ask([reply])
        assert len(model.sent) == 1


def test_where_the_reader_finds_no_answer_one_wider_search_comes_and_a_second_reading(ask: Ask) -> None:
    answer, model, _ = ask([prompts.NO_ANSWER, '{"answer": "Michael Collins", "passages": [1]}'])
    assert len(model.sent) == 2
    assert answer.text.startswith("Michael Collins [1]")


def test_where_it_finds_none_again_the_quotes_answer(ask: Ask) -> None:
    answer, model, _ = ask([prompts.NO_ANSWER, prompts.NO_ANSWER])
    assert (len(model.sent), answer.kind) == (2, "quote")


def test_a_reply_that_also_says_it_found_nothing_is_not_dropped(ask: Ask) -> None:
    answer, model, _ = ask([f"{prompts.NO_ANSWER} {ORBIT} [1]"])
    assert len(model.sent) == 1
    assert ORBIT in answer.text


def test_other_words_give_way_to_the_unit_and_that_is_told(ask: Ask) -> None:
    answer, _, _ = ask(["Collins remained in orbit on board of Columbia."])
    assert (answer.text, answer.kind) == (f"{ORBIT} [1]", "quote")
    assert [one.standing for one in answer.sentences] == ["quote"]
    assert any("Collins remained in orbit" in line for line in answer.left_out)


@pytest.mark.parametrize(
    "reply", ["Buzz Aldrin stayed in orbit.", "Michael Collins did not stay in orbit.", "Edwin Aldrin walked."]
)
def test_no_sentence_without_standing_is_shown(ask: Ask, reply: str) -> None:
    answer, _, events = ask([reply])
    assert reply.rstrip(".") not in answer.text
    assert not any(reply.rstrip(".") in event.text for event in events)
    assert answer.sentences
    assert {one.standing for one in answer.sentences} <= {"quote", "restated"}


def test_the_reader_is_given_passages_with_numbers_under_their_file(ask: Ask) -> None:
    _, model, _ = ask([ORBIT])
    text = str(model.sent[0][-1].content)
    assert text.startswith("[1] ")
    assert "moon.txt" in text
    assert ORBIT in text
    assert text.index(ORBIT) < text.index(ASKED)


def test_unchecked_words_are_in_no_stream(docs: Path, words: tuple[str, ...]) -> None:
    model = ScriptedChat(["Buzz Aldrin stayed in orbit."])
    settings = Settings.load(home=":memory:", refusal_threshold=0.0)
    with RagAgent(docs, model=model, embeddings=CountEmbeddings(words), settings=settings) as agent:
        graph = agent.builder().compile()
        parts: list[Any] = list(graph.stream({"question": ASKED}, stream_mode=["messages", "custom"]))
    streamed = [str(part[0].content) for mode, part in parts if mode == "messages" and part[0].type == "AIMessageChunk"]
    assert "Buzz" not in "".join(streamed)


def test_an_answer_of_before_has_no_sentences_and_is_read(ask: Ask) -> None:
    answer, _, _ = ask([ORBIT])
    values = answer.to_dict()
    assert Answer.from_dict(values) == answer
    del values["sentences"]
    assert Answer.from_dict(values).sentences == ()
