"""Document text is data: make chat-template markers in it harmless.

`neutralise` belongs over every text that goes into a prompt, so that no document opens a role in a chat template. It
swaps one character of a marker for a look-alike that Unicode normalisation does not turn back: no tokenizer maps it to
a special token, the text reads the same and keeps its length (character spans stay valid), and everything that is no
marker stays byte-identical. Nothing is deleted, so no new marker can form out of the pieces of a nested one.
"""

import re

_NAMES = "start_of_turn|end_of_turn|tool_call|tool_response|think|bos|eos|pad|sop|eop|sys|s"  # <s> is also struck-out HTML
_MARKER = re.compile(
    r"[<＜](?=[|｜][^\s<>|＜＞｜]{1,64}[|｜][>＞])"  # <|im_start|>, <|eot_id|>, <|anything|>, <｜DeepSeek｜>
    rf"|[<＜](?=/?(?:{_NAMES})[>＞])"
    r"|[<＜](?=/?passage\b)"  # the fence of this program's own prompt
    r"|[<＜](?=[<＜]/?SYS[>＞])|(?<=[<＜])[<＜](?=/?SYS[>＞])"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|ARGS|gMASK|sMASK)\])",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"(?:^|(?<=[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]))"
    r"(?P<before>[ \t\u00a0\u200b\ufeff>*_#\"'`-]{0,12}(?:GPT4 (?:correct )?)?"
    r"(?:system|assistant|user|human|developer|tool|(?<=# )(?:instructions?|response|input))[*_]{0,3}[ \t]{0,4})[:：]",
    re.IGNORECASE,
)
_ANGLE, _BRACKET, _COLON = "\u2039", "\u27e6", "\u2236"  # ‹ ⟦ ∶, all unchanged by NFKC


def neutralise(text: str) -> str:
    """Make chat-template markers harmless.

    `<|im_start|>` becomes `‹|im_start|>`, `[INST]` becomes `⟦INST]`, `System:` at the begin of a line `System∶`.

    Args:
        text: Text of a document, any length.

    Returns:
        Text of the same length and meaning, without a marker; the same text where there is none.
    """
    text = _MARKER.sub(lambda match: _BRACKET if match.group() == "[" else _ANGLE, text)
    return _ROLE.sub(lambda match: match.group("before") + _COLON, text)


def has_marker(text: str) -> bool:
    """Say whether a text holds a chat-template marker that `neutralise` would change."""
    return _MARKER.search(text) is not None or _ROLE.search(text) is not None
