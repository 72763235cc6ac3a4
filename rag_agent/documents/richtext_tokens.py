"""The parts of which Rich Text is made, and the alphabets it is written in."""

import codecs
import re
from collections.abc import Iterator

_TOKEN = re.compile(rb"\\([a-zA-Z]+)(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+")
_ESCAPED = {b"~": "\u00a0", b"_": "-", b"-": "", b"\n": "\n", b"\r": "\n"}
CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
"""The codecs of fonts, by the number of their alphabet."""


def tokens(data: bytes) -> Iterator[tuple[str, str, int | None]]:
    """Braces, `*`, `word`s with their numbers, `byte`s of a code page, and `text`."""
    at = 0
    while found := _TOKEN.match(data, at):
        at = found.end()
        word, number, code, sign, brace, plain = found.groups()
        if word:
            at += max(0, int(number)) if word == b"bin" and number else 0
            yield "word", word.decode(), int(number) if number else None
        elif code:
            yield "byte", "", int(code, 16)
        elif sign:
            yield ("*", "", None) if sign == b"*" else ("text", _ESCAPED.get(sign, sign.decode("latin-1")), None)
        elif brace:
            yield brace.decode(), "", None
        elif plain and plain.isascii():
            yield "text", plain.decode("ascii"), None
        else:
            yield from (("byte", "", one) for one in plain or b"")


def known_codec(codec: str) -> str:
    """The name of a codec, or nothing where there is no such codec."""
    try:
        return codecs.lookup(codec).name
    except LookupError:
        return ""
