"""Spot sentences that speak to an assistant about its prompt or its instructions, instead of telling the reader something.

This is a small filter beside what protects by its structure: quotes are verbatim and must answer, generated sentences must stand
on a unit. Only chat-template markers and sentences that name a prompt, instructions or an assistant count: ordinary orders
("Every report must be filed within 10 days") belong to manuals, contracts and recipes.
"""

import re
import unicodedata
from functools import lru_cache

from rag_agent.grounding.template import has_marker
from rag_agent.language import sentences

_ASSISTANT = r"(?:an? |the |any |all )?(?:ai|llm|bot|chatbot|language model)s?\b(?: (?:coding )?(?:agent|assistant|model)s?\b)?"
_TOLD = r"(?:instructions?|prompts?|directives?|guidelines?)"
_BEFORE = r"(?:previous|prior|above|earlier|preceding|system|developer|your)"
_PATTERNS = (
    # ignore what you were told
    rf"(?:^|[.!?:;,\"'(]|\b(?:must|please|should|to|and|now|then|just)) *(?:ignore|disregard|forget) [^.]{{0,40}}"
    rf"\b{_BEFORE} [^.]{{0,30}}{_TOLD}\b",
    r"\b(?:ignore|disregard|forget) (?:everything|anything|all)(?: of)?(?: the| that)? (?:above|came before|you were told)\b",
    rf"\byour (?:new|real|true|actual|only) {_TOLD} (?:is|are)\b|^\W*new (?:system )?instructions? ?:",
    # show your prompt
    r"\b(?:reveal|print|show|output|repeat|display|tell|leak|dump)\b[^.]{0,40}"
    rf"\b(?:(?:system|hidden|initial) prompt|your (?:\w+ )?{_TOLD}|instructions you were given)\b",
    # to an assistant
    rf"\b(?:notes?|messages?|instructions?|attention|reminder)\W* (?:to|for) {_ASSISTANT}|^\W*for {_ASSISTANT} ?:",
    rf"\b(?:if|when|since|because) you are {_ASSISTANT}|\bas {_ASSISTANT},? you\b"
    rf"|\byou are now (?:dan\b|an? unrestricted|{_ASSISTANT})|^\W*(?:important )?system (?:note|prompt|override) ?:",
    # German, French, Spanish, Italian, Portuguese, Dutch, Chinese, Japanese, Russian, Arabic
    r"\b(?:ignoriere?|vergiss|missachte) [^.]{0,30}\b(?:vorherigen?|bisherigen?|obigen?|deine) (?:anweisung|instruktion)",
    r"\b(?:ignore[zr]?|oublie[zr]?) [^.]{0,30}\binstructions (?:précédentes|ci-dessus)",
    r"\b(?:ignora|olvida|dimentica|esqueça) [^.]{0,30}"
    r"\b(?:instrucciones|istruzioni|instruções) (?:anteriores|previas|precedenti)",
    r"\b(?:negeer|vergeet) [^.]{0,30}\b(?:vorige|eerdere|bovenstaande) (?:instructies|aanwijzingen)",
    r"(?:忽略|无视|無視|忘记|忘記)[^。]{0,20}(?:指令|指示|提示)|(?:指示|命令)[^。]{0,8}無視|系统提示|システムプロンプト",
    r"(?:игнорируй|забудь)\w* .{0,40}инструкц|(?:تجاهل|انس) .{0,40}التعليمات",
)
_ORDER = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)
# Letters of Cyrillic and Greek that pass for Latin ones.
_LOOK_ALIKE = str.maketrans(
    "аеорсухіјѕһԁԛԝАВЕКМНОРСТХІЈЅοανρτικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijshdqwABEKMHOPCTXIJSoavptikABEZHIKMNOPTYX"
)
_QUESTION = re.compile(r"[?？؟][\s\"'”’»)\]]*$")
_REACH = 1000  # characters before and behind a span in which an order makes it suspect
_LIMIT = 2000  # characters looked at: a sentence, not a book


@lru_cache(2048)  # each sentence is asked about several times in a turn, as itself and as a neighbour
def is_instruction(sentence: str) -> bool:
    """Say whether a sentence gives an order to an assistant.

    Chat-template markers and orders that name a prompt, instructions or an assistant count, in English and ten other languages,
    also in letters that only look Latin or with invisible ones between; questions and ordinary imperatives do not.

    Args:
        sentence: One sentence; of longer text the first 2,000 characters are looked at.

    Returns:
        True for an order. Expect misses (scripts/eval_injection.py counts them): this filters, it does not guard.
    """
    text = sentence[:_LIMIT]
    if has_marker(text):
        return True
    visible = "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    folded = " ".join(visible.split()).replace("’", "'")
    return bool(_ORDER.search(folded) or _ORDER.search(folded.translate(_LOOK_ALIKE)))


def is_quotable(text: str, start: int = 0, end: int | None = None) -> bool:
    """Say whether a span of a document may be shown: it gives no order and asks nothing.

    A question states nothing, so nothing stands on it; and it may be an order to the assistant in disguise.

    Args:
        text: The text around the span.
        start: First character of the span.
        end: Character behind its last one; None is the end of the text.
    """
    end = len(text) if end is None else end
    touched = [(left, right) for left, right in _around(text, start, end) if left < end and right > start]
    parts = [text[start:end], *(text[max(left, start) : min(right, end)] for left, right in touched)]
    asks = any(_QUESTION.search(part) for part in parts)
    return not asks and not any(map(is_instruction, [text[start:end], *(text[left:right] for left, right in touched)]))


def _around(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The sentences of a span and those within reach of it; the ones at the rim may be cut."""
    low = max(0, start - _REACH)
    return [(low + left, low + right) for left, right in sentences(text[low : end + _REACH])]
