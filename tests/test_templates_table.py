"""Chat templates in the published formats of the families that users bring: the exact prompt, with exactly one BOS token."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from rag_agent.errors import ModelError
from rag_agent.models.templates import prompt_ids, prompt_text

ALTERNATE = "{{ raise_exception('Conversation roles must alternate user/assistant') }}"

LLAMA_2 = (
    "{% set ns = namespace(first=true) %}{% for m in messages %}"
    "{% if m.role == 'user' %}{{ bos_token if ns.first else '' }}{{ '[INST] ' }}"
    "{% if ns.first and messages[0].role == 'system' %}{{ '<<SYS>>\\n' ~ messages[0].content ~ '\\n<</SYS>>\\n\\n' }}{% endif %}"
    "{% set ns.first = false %}{{ m.content | trim }}{{ ' [/INST]' }}"
    "{% elif m.role == 'assistant' %}{{ ' ' ~ m.content | trim ~ ' ' ~ eos_token }}{% endif %}{% endfor %}"
)
LLAMA_3 = (
    "{{ bos_token }}{% for m in messages %}"
    "{{ '<|start_header_id|>' ~ m.role ~ '<|end_header_id|>\\n\\n' ~ m.content | trim ~ '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
ZEPHYR = (  # writes no BOS: the tokenizer does
    "{% for m in messages %}{{ '<|' ~ m.role ~ '|>\\n' ~ m.content ~ eos_token ~ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)
CHATML = (
    "{% if messages[0].role != 'system' %}{{ '<|im_start|>system\\nYou are a helpful assistant<|im_end|>\\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}" + ALTERNATE + "{% endif %}"
    "{{ '<start_of_turn>' ~ ('model' if m.role == 'assistant' else m.role) ~ '\\n' ~ m.content | trim ~ '<end_of_turn>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
PHI_3 = (  # its first version passes over system messages
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}"
    "{{ '<|user|>\\n' ~ m.content ~ '<|end|>\\n<|assistant|>\\n' }}"
    "{% elif m.role == 'assistant' %}{{ m.content ~ '<|end|>\\n' }}{% endif %}{% endfor %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}" + ALTERNATE + "{% endif %}"
    "{% if m.role == 'user' %}{{ '[INST] ' ~ m.content ~ ' [/INST]' }}{% else %}{{ m.content ~ eos_token }}{% endif %}"
    "{% endfor %}"
)


@dataclass(frozen=True)
class Family:
    """A template, the tokens it is written with, and the prompts it must make of QUESTION and CONVERSATION."""

    template: str | None
    bos: str | None
    eos: str
    question: str
    conversation: str
    adds_bos: tuple[bool, ...] = (True, False)
    """Whether the tokenizer sets a BOS of its own; with both, the prompt must be the same."""


QUESTION: list[BaseMessage] = [HumanMessage("Who?")]
CONVERSATION: list[BaseMessage] = [SystemMessage("Be brief."), HumanMessage("Hi"), AIMessage("Hello."), HumanMessage("Who?")]

FAMILIES = {
    "Llama-2": Family(
        LLAMA_2, "<s>", "</s>",
        "<s>[INST] Who? [/INST]",
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello. </s>[INST] Who? [/INST]",
    ),
    "Llama-3": Family(
        LLAMA_3, "<|begin_of_text|>", "<|eot_id|>",
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nWho?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWho?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    "TinyLlama and Zephyr": Family(
        ZEPHYR, "<s>", "</s>",
        "<s><|user|>\nWho?</s>\n<|assistant|>\n",
        "<s><|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\nHello.</s>\n<|user|>\nWho?</s>\n<|assistant|>\n",
        adds_bos=(True,),
    ),
    "ChatML of Qwen, without a BOS": Family(
        CHATML, None, "<|im_end|>",
        "<|im_start|>system\nYou are a helpful assistant<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
        "<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\n",
        adds_bos=(False,),
    ),
    "Gemma": Family(
        GEMMA, "<bos>", "<eos>",
        "<bos><start_of_turn>user\nWho?<end_of_turn>\n<start_of_turn>model\n",
        "<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n"
        "<start_of_turn>user\nWho?<end_of_turn>\n<start_of_turn>model\n",
    ),
    "Phi-3": Family(
        PHI_3, "<s>", "<|endoftext|>",
        "<s><|user|>\nWho?<|end|>\n<|assistant|>\n",
        "<s><|user|>\nBe brief.\n\nHi<|end|>\n<|assistant|>\nHello.<|end|>\n<|user|>\nWho?<|end|>\n<|assistant|>\n",
    ),
    "Mistral": Family(
        MISTRAL, "<s>", "</s>",
        "<s>[INST] Who? [/INST]",
        "<s>[INST] Be brief.\n\nHi [/INST]Hello.</s>[INST] Who? [/INST]",
    ),
    "a base model": Family(
        None, "<s>", "</s>",
        "<s>User: Who?\nAssistant:",
        "<s>System: Be brief.\nUser: Hi\nAssistant: Hello.\nUser: Who?\nAssistant:",
        adds_bos=(True,),
    ),
    "a base model without a BOS": Family(
        None, None, "<|endoftext|>",
        "User: Who?\nAssistant:",
        "System: Be brief.\nUser: Hi\nAssistant: Hello.\nUser: Who?\nAssistant:",
        adds_bos=(False,),
    ),
}  # fmt: skip


def bytes_tokenizer(family: Family, adds_bos: bool) -> Any:
    """A token is a byte, or one of the special tokens that the family's prompts hold."""
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.decoders import ByteLevel as ByteText
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(ByteLevel.alphabet())
    inner = Tokenizer(BPE({letter: n for n, letter in enumerate(alphabet)}, []))
    inner.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = ByteText()
    written = {family.bos, family.eos, *re.findall(r"<\|?\w+\|?>", family.conversation)} - {None}
    inner.add_special_tokens([AddedToken(token, normalized=False) for token in sorted(map(str, written))])
    if adds_bos and family.bos:
        inner.post_processor = TemplateProcessing(
            single=f"{family.bos} $A", special_tokens=[(family.bos, inner.token_to_id(family.bos))]
        )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=family.bos, eos_token=family.eos)
    tokenizer.chat_template = family.template
    return tokenizer


@pytest.mark.parametrize(("name", "adds_bos"), [(name, adds) for name, family in FAMILIES.items() for adds in family.adds_bos])
def test_the_prompt_is_as_the_family_writes_it(name: str, adds_bos: bool) -> None:
    family = FAMILIES[name]
    tokenizer = bytes_tokenizer(family, adds_bos)
    for messages, expected in ((QUESTION, family.question), (CONVERSATION, family.conversation)):
        ids = prompt_ids(tokenizer, messages)
        assert tokenizer.decode(ids) == expected
        assert ids.count(tokenizer.bos_token_id) == (1 if family.bos else 0)


def test_the_turn_token_of_smollm_is_no_second_bos() -> None:
    """SmolLM names `<|im_start|>`, which begins every turn, as its BOS; its tokenizer adds none."""
    family = FAMILIES["ChatML of Qwen, without a BOS"]
    tokenizer = bytes_tokenizer(family, adds_bos=False)
    tokenizer.bos_token = "<|im_start|>"
    assert tokenizer.decode(prompt_ids(tokenizer, CONVERSATION)) == family.conversation


@pytest.mark.parametrize("name", ["Gemma", "Mistral"])
def test_a_conversation_that_no_folding_mends_is_told(name: str) -> None:
    tokenizer = bytes_tokenizer(FAMILIES[name], adds_bos=False)
    with pytest.raises(ModelError, match="chat template rejects these messages: .*alternate"):
        prompt_text(tokenizer, [AIMessage("Hello."), HumanMessage("Who?")])
