"""Any chat model of LangChain serves in the place of ours."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from langchain_core.language_models import BaseChatModel, FakeListChatModel

from rag_agent import Answer, RagAgent
from rag_agent.testing import CountEmbeddings

LANDED = "Neil Armstrong and Edwin Aldrin landed on the Moon on 20 July 1969."
QUESTION = "Who landed on the Moon?"


def answered(docs: Path, words: Sequence[str], model: BaseChatModel) -> Answer:
    with RagAgent(docs, model=model, embeddings=CountEmbeddings(words)) as agent:
        return agent.ask(QUESTION)


def test_a_fake_list_answers(docs: Path, words: Sequence[str]) -> None:
    answer = answered(docs, words, FakeListChatModel(responses=[LANDED]))
    assert (answer.text, answer.kind, answer.model) == (f"{LANDED} [1]", "generated", "FakeListChatModel")


def test_a_fake_list_streams(docs: Path, words: Sequence[str]) -> None:
    with RagAgent(docs, model=FakeListChatModel(responses=[LANDED]), embeddings=CountEmbeddings(words)) as agent:
        events = list(agent.stream(QUESTION))
    assert events[-1].answer is not None
    assert events[-1].answer.text == f"{LANDED} [1]"


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, but I can't assist with that request.",
        "I cannot provide information about this topic.",
        "As an AI, I am not able to discuss this content.",
    ],
)
def test_a_refusal_of_the_model_is_told_as_its_own(docs: Path, words: Sequence[str], reply: str) -> None:
    answer = answered(docs, words, FakeListChatModel(responses=[reply]))
    assert answer.left_out == (
        "The model declined to reply, by a rule of its own and not for want of an answer in the documents.",
    )
    assert not answer.refused  # and the documents answer without it


def pipeline(folder: Path, tokens: int) -> BaseChatModel:
    from langchain_huggingface import ChatHuggingFace, HuggingFacePipeline

    options = {"max_new_tokens": tokens, "do_sample": False, "return_full_text": False}
    model: BaseChatModel = ChatHuggingFace(
        llm=HuggingFacePipeline.from_model_id(str(folder), task="text-generation", pipeline_kwargs=options)
    )
    return model


@pytest.mark.model
def test_a_pipeline_of_langchain_huggingface_answers(docs: Path, words: Sequence[str], embedded_models: dict[str, Path]) -> None:
    model = pipeline(embedded_models["SmolLM2-135M-Instruct"], 12)
    answer = answered(docs, words, model)
    assert answer.citations and answer.model.endswith("SmolLM2-135M-Instruct")
    with RagAgent(model=model) as agent:  # no documents: the reply is the model's own
        chat = agent.ask("What is the capital of France?")
        pieces = [event.text for event in agent.stream("What is the capital of France?") if event.type == "token"]
    assert (chat.kind, "Paris" in chat.text) == ("chat", True)
    assert "Paris" in "".join(pieces)
