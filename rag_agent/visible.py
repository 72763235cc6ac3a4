"""What a terminal, a page or an export is handed: no character of a document or a model may command what shows it.

Control characters (C0 but for line feed and tab, DEL, C1) move cursors, set titles and clipboards; bidirectional controls make
a line read otherwise than it stands; lone surrogates cannot be written at all. Each becomes an escape that can be seen.
"""

import json
import re
from typing import Any

_COMMANDS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f"
_HIDDEN = re.compile(f"[{_COMMANDS}]")
_HIDDEN_IN_LINE = re.compile(f"[{_COMMANDS}\\t\\n\u2028\u2029]")
_MARKUP = re.compile(r"[\\`\[\]<&~@]|(?<=[A-Za-z]):(?=//)|(?<=www)\.|^[ \t]*(?=#)", re.MULTILINE | re.IGNORECASE)


def visible(text: str) -> str:
    """A text whose control and bidirectional characters are written as escapes; lines and tabs stay."""
    return _HIDDEN.sub(_escape, text.replace("\r\n", "\n"))


def visible_line(text: object) -> str:
    """A name, a title, a message of an error: the same, and on one line."""
    return _HIDDEN_IN_LINE.sub(_escape, str(text))


def visible_json(values: Any, indent: int | None = 2) -> str:
    """Values as JSON text that holds none of these characters and says the same."""
    return _HIDDEN.sub(_json_escape, json.dumps(values, ensure_ascii=False, indent=indent))


def visible_markdown(text: object) -> str:
    """A text as Markdown that shows it as it stands: no image is fetched, no link can be clicked, no HTML is read."""
    return _MARKUP.sub(
        lambda found: f"{found[0]}\\" if found[0].isspace() or not found[0] else f"\\{found[0]}", visible(str(text))
    )


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _json_escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
