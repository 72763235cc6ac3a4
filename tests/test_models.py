import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, FunctionMessage, HumanMessage, SystemMessage

from rag_agent import RagAgent, RagAgentError, Settings
from rag_agent.errors import BackendError, ContextLengthError, ModelError, ModelNotFoundError, SettingsError
from rag_agent.models import chat_model, embeddings, name_of, providers
from rag_agent.models.remembered import RememberedEmbeddings
from rag_agent.models.transformers_embeddings import TransformersEmbeddings
from rag_agent.models.weights import Weights
from rag_agent.testing import CountEmbeddings, ScriptedChat


def chat(folder: Path, **generation: Any) -> Any:
    return chat_model(f"huggingface:{folder}", **{"max_new_tokens": 8, **generation})


# --- names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gpt-4", "openai:gpt-4", "", ":", "Embedded", "nomic:nomic-embed-text-v1.5"])
def test_an_unknown_provider_of_chat_models_is_told_with_the_list(name: str) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        chat_model(name)
    for provider in ("embedded", "huggingface:", "ollama:llama3.1:8b"):
        assert provider in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_provider_of_embeddings_is_told_with_the_list() -> None:
    with pytest.raises(ModelNotFoundError, match="nomic:nomic-embed-text-v1.5"):
        embeddings("openai:x")


@pytest.mark.parametrize("name", ["ollama", "ollama:", "huggingface:", "huggingface"])
def test_a_provider_without_a_model_is_told_with_an_example(name: str) -> None:
    with pytest.raises(ModelNotFoundError, match=f"'{name}' names no model; write it like"):
        chat_model(name)


def test_the_embedded_models_have_no_other_names() -> None:
    with pytest.raises(ModelNotFoundError, match="write embedded"):
        chat_model("embedded:x")


def test_an_ollama_tag_or_a_folder_without_its_provider_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="Did you mean ollama:llama3.1:8b?"):
        chat_model("llama3.1:8b")
    with pytest.raises(ModelNotFoundError, match="Did you mean huggingface:"):
        chat_model(str(tmp_path))


def test_the_colon_of_an_ollama_tag_does_not_split() -> None:
    model: Any = chat_model("ollama:llama3.1:8b")
    assert model.model == "llama3.1:8b"
    assert name_of(model) == "ollama:llama3.1:8b"


def test_a_handle_costs_nothing_and_a_missing_folder_is_told_at_once(tmp_path: Path) -> None:
    assert isinstance(chat_model("huggingface:someone/some-model"), BaseChatModel)
    for name in (f"huggingface:{tmp_path}/nothing", f"huggingface:{tmp_path}/nothing.gguf"):
        with pytest.raises(ModelNotFoundError, match="no such"):
            chat_model(name)


def test_a_model_of_the_hub_that_cannot_be_had_is_one_line() -> None:
    with pytest.raises(ModelNotFoundError, match="some-model.*neither in the local cache") as caught:
        chat_model("huggingface:someone/some-model").invoke("hello")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make", [chat_model, embeddings])
def test_embedded_models_that_are_not_here_are_told_with_the_command(make: Any) -> None:
    with pytest.raises(ModelNotFoundError, match="rag-agent models pull embedded"):
        make("embedded")


def test_a_folder_that_is_no_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelNotFoundError) as caught:
        chat(tmp_path / "empty").invoke("hello")
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelNotFoundError):
        embeddings(f"huggingface:{tmp_path / 'empty'}").embed_query("hello")


def test_a_gguf_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but not really")
    with pytest.raises(ModelError, match="broken.gguf") as caught:
        chat(tmp_path / "broken.gguf").invoke("hello")
    assert "\n" not in str(caught.value)


def test_no_server_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    for call in (
        lambda: chat_model("ollama:x").invoke("hello"),
        lambda: list(chat_model("ollama:x").stream("hello")),
        lambda: embeddings("ollama:x").embed_query("hello"),
        lambda: embeddings("ollama:x").embed_documents(["hello"]),
    ):
        with pytest.raises(BackendError, match="ollama serve"):
            call()


def test_ready_objects_have_names() -> None:
    assert name_of(ScriptedChat([])) == "scripted"
    assert name_of(CountEmbeddings("ae")) == "counts of a e"
    assert name_of(object()) == "object"


def test_providers_are_listed_by_role() -> None:
    assert set(providers("chat")) == {"embedded", "reader", "huggingface", "ollama"}
    assert set(providers("embeddings")) == {"embedded", "multilingual", "huggingface", "ollama", "nomic", "nomic-remote"}


def test_models_are_looked_for_in_the_home_that_is_given(tmp_path: Path, tiny_chat: Path) -> None:
    folder = tmp_path / "elsewhere" / "models" / "huggingface" / "me--tiny"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tiny_chat)
    model = chat_model("huggingface:me/tiny", settings=Settings.load(home=tmp_path / "elsewhere"), max_new_tokens=4)
    assert model.invoke("hello").text


# --- settings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("generation", "named"),
    [
        ({"temprature": 1}, "temprature"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"top_p": 2, "temperature": 1}, "top_p"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": 0.9}, "top_p has no effect on greedy output"),
        ({"top_k": 5}, "top_k has no effect on greedy output"),
        ({"do_sample": True}, "do_sample=true contradicts temperature=0"),
        ({"do_sample": False, "temperature": 0.7}, "do_sample=false contradicts temperature=0.7"),
        ({"num_return_sequences": 2}, "num_return_sequences"),
        ({"min_new_tokens": 9, "max_new_tokens": 8}, "min_new_tokens"),
    ],
)
def test_settings_that_make_no_sense_are_refused_when_the_handle_is_made(
    tiny_chat: Path, generation: dict[str, Any], named: str
) -> None:
    with pytest.raises(SettingsError, match=named) as caught:
        chat(tiny_chat, **generation)
    assert "\n" not in str(caught.value)


def test_ollama_takes_the_same_names() -> None:
    model: Any = chat_model("ollama:x", max_new_tokens=7, repetition_penalty=1.2, temperature=0.5, seed=3)
    assert (model.num_predict, model.repeat_penalty, model.temperature, model.seed) == (7, 1.2, 0.5, 3)
    with pytest.raises(SettingsError, match="temprature"):
        chat_model("ollama:x", temprature=1)


# --- a model in this process --------------------------------------------------------------------------------------------


def test_the_answer_holds_new_tokens_alone(tiny_chat: Path) -> None:
    model = chat(tiny_chat)
    reply = model.invoke([HumanMessage("who landed on the moon ?")])
    assert "<|" not in reply.text
    assert len(reply.text.split()) == reply.usage_metadata["output_tokens"] == 8
    # the same prompt with fewer tokens allowed gives the head of the same reply
    assert reply.text.startswith(chat(tiny_chat, max_new_tokens=3).invoke("who landed on the moon ?").text)


def test_usage_counts_the_tokens_of_the_prompt_as_the_template_writes_it(tiny_chat: Path) -> None:
    model = chat(tiny_chat)
    messages: list[BaseMessage] = [SystemMessage("hello ."), HumanMessage("tell me a story")]
    # <s> <|system|> hello . <|user|> tell me a story <|assistant|>: the tokenizer's <s>, since the template writes none
    assert model.invoke(messages).usage_metadata == {"input_tokens": 10, "output_tokens": 8, "total_tokens": 18}
    assert model.count_tokens(messages) == 10


def test_streaming_gives_the_same_text_and_usage_at_the_end(tiny_chat: Path) -> None:
    model = chat(tiny_chat)
    chunks = list(model.stream("hello"))
    whole = model.invoke("hello")
    assert "".join(chunk.text for chunk in chunks) == whole.text
    assert len([chunk for chunk in chunks if chunk.text]) > 1
    assert chunks[-1].usage_metadata == whole.usage_metadata
    assert chunks[-1].response_metadata == whole.response_metadata


def test_a_reply_that_was_cut_says_so(tiny_chat: Path) -> None:
    assert chat(tiny_chat).invoke("hello").response_metadata["finish_reason"] == "length"


def test_a_stop_string_ends_the_reply_before_it_even_across_tokens(tiny_chat: Path) -> None:
    model = chat(tiny_chat)
    whole = model.invoke("hello").text
    words = whole.split(" ")
    stop = f"{words[2][-1]} {words[3]}"  # the end of one token and the whole of the next
    assert stop in whole
    for reply in (model.invoke("hello", stop=[stop]), model.bind(stop=[stop, "nowhere"]).invoke("hello")):
        assert reply.text == whole[: whole.index(stop)]
        assert reply.response_metadata["finish_reason"] == "stop"
        assert reply.usage_metadata["output_tokens"] < 8
    assert "".join(chunk.text for chunk in model.stream("hello", stop=[stop])) == whole[: whole.index(stop)]


def test_a_stop_string_that_never_comes_takes_nothing_away(tiny_chat: Path) -> None:
    model = chat(tiny_chat)
    whole = model.invoke("hello").text
    assert model.invoke("hello", stop=[whole[-2:] + "zzz"]).text == whole


def test_stop_strings_of_the_model_hold_where_a_call_names_none(tiny_chat: Path) -> None:
    first, second, *_ = chat(tiny_chat).invoke("hello").text.split(" ")
    model = chat(tiny_chat, stop=[f" {second}"])
    assert model.invoke("hello").text == first
    assert model.invoke("hello", stop=["nowhere"]).text.startswith(f"{first} {second}")


def test_settings_can_be_given_for_one_call(tiny_chat: Path) -> None:
    model = chat(tiny_chat, temperature=1.5, seed=1)
    assert model.bind(max_new_tokens=3).invoke("hello").usage_metadata["output_tokens"] == 3
    assert len(list(model.stream("hello", max_new_tokens=2, temperature=0))) == 3  # two tokens and the usage
    with pytest.raises(SettingsError, match="temprature"):
        model.invoke("hello", temprature=1)


def test_greedy_replies_are_all_alike(tiny_chat: Path) -> None:
    assert chat(tiny_chat).invoke("hello").text == chat(tiny_chat).invoke("hello").text


def test_a_seed_repeats_a_sampled_reply(tiny_chat: Path) -> None:
    def replies(**seed: int) -> list[str]:
        return [chat(tiny_chat, temperature=1.5, **seed).invoke("hello").text for _ in range(4)]

    assert len(set(replies(seed=5))) == 1
    assert len(set(replies())) > 1


def test_several_replies_differ_and_repeat_with_their_seed(tiny_chat: Path) -> None:
    def generations() -> list[str]:
        model = chat(tiny_chat, temperature=1.5, seed=1, num_return_sequences=3)
        return [generation.text for generation in model.generate([[HumanMessage("hello")]]).generations[0]]

    assert len(set(generations())) > 1
    assert generations() == generations()


def test_a_prompt_that_does_not_fit_is_told_in_numbers(tiny_chat: Path) -> None:
    with pytest.raises(ContextLengthError, match=r"63 tokens and 8 new ones .* 64") as caught:
        chat(tiny_chat).invoke("one " * 60)
    assert isinstance(caught.value, RagAgentError)


def test_neighbours_of_one_role_are_one_turn(tiny_chat: Path) -> None:
    model = chat(tiny_chat)
    apart: list[BaseMessage] = [HumanMessage("hello"), HumanMessage("who ?")]
    assert model.count_tokens(apart) == model.count_tokens([HumanMessage("hello who ?")])


def test_a_system_message_that_the_template_rejects_goes_into_the_first_question(tiny_strict: Path) -> None:
    model = chat(tiny_strict)
    # <s> <|user|> hello who ? <|assistant|>: one <s>, as the template writes it
    assert model.count_tokens([SystemMessage("hello"), HumanMessage("who ?")]) == 6
    assert model.count_tokens([SystemMessage("hello")]) == 4
    assert model.invoke([SystemMessage("hello"), HumanMessage("who ?")]).text


def test_a_base_model_gets_plain_lines_and_its_own_beginning(tiny_base: Path) -> None:
    model = chat(tiny_base)
    # <s>, then "User" ":" "hello" "Assistant" ":"
    assert model.count_tokens([HumanMessage("hello")]) == 6
    assert model.invoke("hello").text


def test_messages_that_no_template_knows_are_told(tiny_chat: Path) -> None:
    with pytest.raises(ModelError, match="FunctionMessage"):
        chat(tiny_chat).invoke([HumanMessage("hello"), FunctionMessage(content="x", name="f")])
    assert chat(tiny_chat).invoke([ChatMessage(role="user", content="hello")]).text


def test_no_message_is_told(tiny_chat: Path) -> None:
    with pytest.raises(ModelError, match="no message"):
        chat(tiny_chat).invoke([])


def test_the_conversation_reaches_the_model(tiny_chat: Path) -> None:
    history: list[BaseMessage] = [HumanMessage("hello"), AIMessage("one two"), HumanMessage("three")]
    # <s> <|user|> hello <|assistant|> one two <|user|> three <|assistant|>
    assert chat(tiny_chat).count_tokens(history) == 9


def test_an_error_in_the_generation_reaches_the_caller(tiny_chat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = chat(tiny_chat)
    model.invoke("hello")
    loaded = model._loaded()

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the bus is on fire")

    monkeypatch.setattr(loaded.model, "generate", broken)
    with pytest.raises(ModelError, match="the bus is on fire"):
        model.invoke("hello")
    monkeypatch.undo()


# --- tokens to text -----------------------------------------------------------------------------------------------------


class ByteTokenizer:
    """A token is a byte; ids from 256 are special and decode to nothing."""

    def decode(self, ids: list[int], **options: Any) -> str:
        return bytes(one for one in ids if one < 256).decode("utf-8", "replace")


@pytest.mark.parametrize("text", ["é", "月の石", "a😀b", "e\u0301 x", "", "plain"])
def test_no_half_character_is_ever_shown(text: str) -> None:
    from rag_agent.models.decoding import TokenText

    decoder = TokenText(ByteTokenizer())
    pieces = [decoder.push(byte) for byte in text.encode()]
    assert "\ufffd" not in "".join(pieces)
    assert "".join(pieces) + decoder.flush() == text


def test_a_character_that_was_cut_off_is_left_out() -> None:
    from rag_agent.models.decoding import TokenText

    decoder = TokenText(ByteTokenizer())
    shown = "".join(decoder.push(byte) for byte in "Moon 😀".encode()[:-1])
    assert shown + decoder.flush() == "Moon "


# --- embeddings in this process -----------------------------------------------------------------------------------------


def test_embeddings_are_unit_vectors_whatever_they_are_batched_with(tiny_embeddings: Path) -> None:
    model = embeddings(f"huggingface:{tiny_embeddings}")
    texts = ["moon", "who landed on the moon ?", "water plant", "one two three four five six seven"] * 10
    vectors = model.embed_documents(texts)
    assert [sum(x * x for x in vector) for vector in vectors] == pytest.approx([1.0] * len(texts))
    assert vectors[1] == pytest.approx(model.embed_query("who landed on the moon ?"), abs=1e-5)
    assert vectors[0] != pytest.approx(vectors[2], abs=1e-3)
    assert model.embed_documents([]) == []


def test_a_text_longer_than_the_window_is_cut(tiny_embeddings: Path) -> None:
    model = embeddings(f"huggingface:{tiny_embeddings}")
    assert len(model.embed_query("one " * 500)) == 32


def test_two_first_calls_at_once_are_both_answered(tiny_embeddings: Path) -> None:
    model = embeddings(f"huggingface:{tiny_embeddings}")
    found: list[list[float]] = []
    threads = [threading.Thread(target=lambda: found.append(model.embed_query("moon"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 4


@pytest.mark.parametrize(
    ("configuration", "query", "document"),
    [
        ({}, "moon", "moon"),
        ({"prompts": {"query": "who ", "document": "water "}}, "who moon", "water moon"),
        ({"prompts": {"query": "who ", "passage": "water "}}, "who moon", "water moon"),
        ({"prompts": {"query": "who ", "other": "water "}, "default_prompt_name": "other"}, "who moon", "water moon"),
        ({"prompts": {"query": "who "}, "default_prompt_name": None}, "who moon", "moon"),
    ],
)
def test_the_prompts_of_a_models_own_configuration_are_put_before_texts(
    tiny_embeddings: Path, tmp_path: Path, configuration: dict[str, Any], query: str, document: str
) -> None:
    folder = shutil.copytree(tiny_embeddings, tmp_path / "prompted")
    (folder / "config_sentence_transformers.json").write_text(json.dumps(configuration), encoding="utf-8")
    plain, prompted = embeddings(f"huggingface:{tiny_embeddings}"), embeddings(f"huggingface:{folder}")
    assert prompted.embed_query("moon") == pytest.approx(plain.embed_query(query), abs=1e-5)
    assert prompted.embed_documents(["moon"])[0] == pytest.approx(plain.embed_query(document), abs=1e-5)


@pytest.mark.parametrize(("close", "bfloat16"), [(0.9, True), (1.1, False)])
def test_bfloat16_is_kept_only_where_the_vectors_stay_close(
    tiny_embeddings: Path, monkeypatch: pytest.MonkeyPatch, close: float, bfloat16: bool
) -> None:
    module = "rag_agent.models.transformers_embeddings"
    monkeypatch.setattr(f"{module}._fast_bfloat16", lambda torch: True)
    monkeypatch.setattr(f"{module}._CLOSE", close)
    exact = TransformersEmbeddings(Weights(str(tiny_embeddings)), dtype="float32").embed_query("who landed")
    found = embeddings(f"huggingface:{tiny_embeddings}").embed_query("who landed")
    assert (found != pytest.approx(exact, abs=1e-6)) == bfloat16
    assert found == pytest.approx(exact, abs=0.05)


# --- embeddings that remember --------------------------------------------------------------------------------------------


def test_a_text_is_embedded_once_while_it_is_among_the_last_used() -> None:
    inner = CountEmbeddings(["moon", "water"])
    remembered = RememberedEmbeddings(inner, most=3)
    texts = ["moon", "water", "moon moon", "moon"]
    wanted = CountEmbeddings(["moon", "water"]).embed_documents(texts)
    assert remembered.embed_documents(texts) == [pytest.approx(vector) for vector in wanted]
    assert inner.documents == ["moon", "water", "moon moon"]
    remembered.embed_documents(["moon"])
    assert len(inner.documents) == 3
    remembered.embed_documents(["water water", "moon"])  # "water" is the one that was not used for longest
    remembered.embed_documents(["moon", "moon moon"])
    assert len(inner.documents) == 4
    remembered.embed_documents(["water"])
    assert inner.documents[4:] == ["water"]


def test_a_second_question_over_the_same_passages_embeds_no_unit_again(tmp_path: Path) -> None:
    (tmp_path / "moon.txt").write_text("The moon is far. The water is deep.", encoding="utf-8")
    inner = CountEmbeddings(["moon", "water"])
    settings = Settings.load(home=":memory:", answer="quote")
    with RagAgent(tmp_path, model=ScriptedChat(["?"]), embeddings=inner, settings=settings) as agent:
        agent.ask("How far is the moon?")
        before = len(inner.documents)
        assert "deep" in agent.ask("How deep is the water?").text
        assert len(inner.documents) == before
