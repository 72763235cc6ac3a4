"""E-mail messages."""

import email
import re
from email.message import EmailMessage
from email.policy import default
from typing import cast

from rag_agent.documents import plain
from rag_agent.documents.builder import Builder
from rag_agent.documents.hypertext import add_page
from rag_agent.documents.reading import Reading, Unreadable, decode

_SHOWN = ("From", "To", "Cc", "Date", "Reply-To")
_DEEP = 20  # messages in messages


def read(data: bytes) -> Reading:
    """The subject, the headers that people see, and the texts of a message and of those it forwards; attached files are told."""
    message = email.message_from_bytes(data.lstrip(b"\xef\xbb\xbf\r\n"), policy=default)
    if not message.keys():
        raise Unreadable("no e-mail message: it has no headers")
    builder = Builder()
    told: list[str] = []
    attached = _message(builder, message, told, 1)
    if attached:
        told.append(f"attached and not read: {', '.join(attached)}")
    return builder.reading("eml", title=_header(message, "Subject"), told=told)


def _message(builder: Builder, message: EmailMessage, told: list[str], depth: int) -> list[str]:
    """Add a message; hands back the names of the files that it holds."""
    builder.add("heading", _header(message, "Subject"), level=min(6, depth))
    builder.lines("pair", (f"{name}: {value}" for name in _SHOWN if (value := _header(message, name))))
    return _part(builder, message, told, depth)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name) or "").split())
    except (ValueError, TypeError, IndexError, AttributeError):  # what its parser raises over damaged headers
        return ""


def _part(builder: Builder, part: EmailMessage, told: list[str], depth: int) -> list[str]:
    kind = part.get_content_type()
    if depth > _DEEP:
        return [kind]
    if kind in ("multipart/alternative", "multipart/related"):
        body = cast(EmailMessage | None, part.get_body(("plain", "html")))
        others = [one for one in part.walk() if one is not body and one.get_filename()]
        read = _part(builder, body, told, depth + 1) if body is not None and body is not part else []
        return [*read, *(str(one.get_filename()) for one in others)]
    if part.is_multipart():
        inner = [cast(EmailMessage, one) for one in cast(list[object], part.get_payload())]
        return [name for one in inner for name in _inner(builder, one, told, depth + 1, forwarded=kind == "message/rfc822")]
    damaged = kind.startswith("multipart/")  # without the lines that part it: what is there is text
    if (kind not in ("text/plain", "text/html") and not damaged) or part.get_content_disposition() == "attachment":
        return [str(part.get_filename() or kind)]
    text = _text(part)
    if kind == "text/html":
        told += add_page(builder, text, level=1).told
        return []
    # Below "-- " stands who signs: no part of the last list or table.
    for stretch in re.split(r"^-- ?$", text.replace("\r\n", "\n"), maxsplit=1, flags=re.MULTILINE):
        builder.add_text(stretch, plain.structure(stretch).blocks)
    return []


def _inner(builder: Builder, part: EmailMessage, told: list[str], depth: int, *, forwarded: bool) -> list[str]:
    return (_message if forwarded else _part)(builder, part, told, depth)


def _text(part: EmailMessage) -> str:
    raw = part.get_payload(decode=True)
    data = raw if isinstance(raw, bytes) else str(part.get_payload()).encode("utf-8", "replace")
    try:
        return data.decode(part.get_content_charset() or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return decode(data)[0]
