"""Document text is data: make chat-template markers in it harmless.

`neutralise` belongs over every text that goes into a prompt, so that no document opens a role in a chat template. It
swaps one character of a marker for a look-alike that Unicode normalisation does not turn back: no tokenizer maps it to
a special token, the text reads the same and keeps its length (character spans stay valid), and everything that is no
marker stays byte-identical. Nothing is deleted, so no new marker can form out of the pieces of a nested one. Markers are
looked for in the text as a tokenizer may come to see it: normalised, and without characters of no width.
"""

import re
import unicodedata
from collections.abc import Iterator

_TOKENS = (
    "start_of_turn|end_of_turn|start_of_image|tool_call|tool_response|think|bos|eos|pad|unk|sop|eop|eoh|eoa|sys"
    r"|extra_id_\d+|reserved_\d+|s"  # <s> is also struck-out HTML
)
_NAMES = "im_start|im_end|im_sep|system|user|assistant|human|tool|end|endofturn|start_header_id|end_header_id|eot_id|endoftext"
_GAP = r"[ \t]{0,3}"
_BRACKETS = (
    "INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|ARGS|PREFIX|MIDDLE|SUFFIX|gMASK|sMASK"
    rf"|\|[^\s\[\]|]{{1,64}}\||\|{_GAP}(?:{_NAMES}){_GAP}\|"  # [|system|]
)
_MARKER = re.compile(
    r"<(?=\|[^\s<>|]{1,64}\|>)"  # <|im_start|>, <|eot_id|>, <|anything|>
    rf"|<(?={_GAP}\|{_GAP}(?:{_NAMES}){_GAP}\|{_GAP}>)"  # the same, spaced out; `x <| f |> g` is somebody's operator
    rf"|<(?=/?(?:{_TOKENS})>)|<(?={_GAP}/?{_GAP}\w{{2,12}}_of_turn{_GAP}>)"
    r"|<(?=/?passage\b)"  # the fence of this program's own prompt
    rf"|<(?=<{_GAP}/?{_GAP}SYS{_GAP}>)|(?<=<)<(?={_GAP}/?{_GAP}SYS{_GAP}>)"
    rf"|\[(?={_GAP}/?{_GAP}(?:{_BRACKETS}){_GAP}\])",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"(?:^|(?<=[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]))"
    r"[ \t>*_#\"'`-]{0,12}(?:GPT4 (?:correct )?)?"
    r"(?:system|assistant|user|human|developer|tool|(?<=# )(?:instructions?|response|input))[*_]{0,3}[ \t]{0,4}(?P<colon>:)",
    re.IGNORECASE,
)
_NO_WIDTH = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_HARMLESS = {"<": "\u2039", "[": "\u27e6", ":": "\u2236"}  # ‹ ⟦ ∶, all unchanged by NFKC


def neutralise(text: str) -> str:
    """Make chat-template markers harmless.

    `<|im_start|>` becomes `‹|im_start|>`, `[INST]` becomes `⟦INST]`, `System:` at the begin of a line `System∶`.

    Args:
        text: Text of a document, any length.

    Returns:
        Text of the same length and meaning, without a marker; the same text where there is none.
    """
    found = dict(_markers(text))
    return "".join(found.get(at, char) for at, char in enumerate(text)) if found else text


def has_marker(text: str) -> bool:
    """Say whether a text holds a token of a chat template. A role at the begin of a line is none: "User: anna" is a table's."""
    return any(_HARMLESS[":"] != harmless for _, harmless in _markers(text))


def _markers(text: str) -> Iterator[tuple[int, str]]:
    """Where a marker opens (or a role's colon stands), and what belongs there."""
    plain = unicodedata.is_normalized("NFKC", text) and not _NO_WIDTH.search(text)
    folded, places = (text, range(len(text))) if plain else _folded(text)
    for match in _MARKER.finditer(folded):
        yield places[match.start()], _HARMLESS[match.group()]
    for match in _ROLE.finditer(folded):
        yield places[match.start("colon")], _HARMLESS[":"]


def _folded(text: str) -> tuple[str, list[int]]:
    """A text normalised character by character, without those of no width, and where each character comes from."""
    chars: list[str] = []
    places: list[int] = []
    for at, char in enumerate(text):
        if not _NO_WIDTH.match(char):
            plain = char if char < "\x80" else unicodedata.normalize("NFKC", char)
            chars.append(plain)
            places += [at] * len(plain)
    return "".join(chars), places
